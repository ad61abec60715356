/** The reference server, where `scripts/reference.mjs` finds it (`NATS_SERVER` names another place). */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LISTENERS } from "./wire-config.ts";

export interface Reference {
  readonly client: number;
  readonly leaf: number;
  stop(): Promise<void>;
}

interface ReferenceScript {
  referenceServer: (options: { install: boolean }) => string | null;
}

/** The command, or why there is none. Throws instead where `FROND_REQUIRE_REFERENCE=1`. */
export async function findReference(): Promise<{ command: string } | { missing: string }> {
  const script = new URL("../../../scripts/reference.mjs", import.meta.url).href;
  const { referenceServer } = (await import(script)) as ReferenceScript;
  const command = referenceServer({ install: false });
  if (command !== null) return { command };
  const missing = "nats-server is not installed here: run node scripts/reference.mjs";
  if (process.env["FROND_REQUIRE_REFERENCE"] === "1") throw new Error(missing);
  return { missing };
}

/** Starts it with this configuration, to which listeners on free ports are added. */
export async function startReference(command: string, config: string): Promise<Reference> {
  const folder = mkdtempSync(join(tmpdir(), "frond-reference-"));
  const file = join(folder, "nats.conf");
  writeFileSync(file, LISTENERS + config);
  const child = spawn(command, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
  // A test that is ended from outside must not leave its server behind.
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  for (let i = 0; i < 500 && child.exitCode === null; i++) {
    const ports = portsIn(log);
    if (ports !== null) {
      return {
        ...ports,
        async stop() {
          process.off("exit", kill);
          await stop(child, folder);
        },
      };
    }
    await sleep(10);
  }
  await stop(child, folder);
  throw new Error(`the reference did not start:\n${log}`);
}

/** The ports that the log tells, or null while the server is not ready. */
function portsIn(log: string): { client: number; leaf: number } | null {
  const client = /Listening for client connections on .*:(\d+)/.exec(log)?.[1];
  const leaf = /Listening for leafnode connections on .*:(\d+)/.exec(log)?.[1];
  if (client === undefined || leaf === undefined || !log.includes("Server is ready")) return null;
  return { client: Number(client), leaf: Number(leaf) };
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
}
