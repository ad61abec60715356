/** The reference server, where it is installed: `NATS_SERVER` names it, else the PATH is searched. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Reference {
  readonly client: number;
  readonly leaf: number;
  stop(): Promise<void>;
}

/** The command, or why there is none. Throws instead where `FROND_REQUIRE_REFERENCE=1`. */
export function findReference(): { command: string } | { missing: string } {
  const command = process.env["NATS_SERVER"] ?? "nats-server";
  const run = spawnSync(command, ["--version"], { encoding: "utf8" });
  if (run.status === 0) return { command };
  const missing = `${command} does not run: set NATS_SERVER, or put nats-server 2.15.2 on the PATH`;
  if (process.env["FROND_REQUIRE_REFERENCE"] === "1") throw new Error(missing);
  return { missing };
}

/** Starts it with this configuration, to which listeners on free ports are added. */
export async function startReference(command: string, config: string): Promise<Reference> {
  const folder = mkdtempSync(join(tmpdir(), "frond-reference-"));
  const file = join(folder, "nats.conf");
  writeFileSync(
    file,
    `listen: "127.0.0.1:-1"\nleafnodes { listen: "127.0.0.1:-1", compression: off }\n${config}`,
  );
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
