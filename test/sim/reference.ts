/** The reference server, where it is installed: `NATS_SERVER` names it, else the PATH is searched. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    `listen: "127.0.0.1:-1"\nports_file_dir: "${folder}"\n` +
      `leafnodes { listen: "127.0.0.1:-1", compression: off }\n${config}`,
  );
  const child = spawn(command, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  for (let i = 0; i < 500 && child.exitCode === null; i++) {
    const name = readdirSync(folder).find((one) => one.endsWith(".ports"));
    if (name !== undefined) {
      const ports = JSON.parse(readFileSync(join(folder, name), "utf8")) as Record<
        string,
        string[]
      >;
      return {
        client: portOf(ports["nats"]),
        leaf: portOf(ports["leafnodes"]),
        stop: () => stop(child, folder),
      };
    }
    await sleep(10);
  }
  await stop(child, folder);
  throw new Error(`the reference did not start:\n${log}`);
}

function portOf(urls: readonly string[] | undefined): number {
  return Number(new URL(urls?.[0] ?? "").port);
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null) {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }
  rmSync(folder, { recursive: true, force: true });
}
