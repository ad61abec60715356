/** Server processes of either kind, and the command lines of both, for tests of one against the other. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/** How long anything may take before a test fails. */
const PATIENCE = 15_000;

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const FROND_SERVER = here("../../src/cli/frond-server.js");
const FROND = here("../../src/cli/frond.js");

interface ReferenceScript {
  referenceServer(options: { install: boolean }): string | null;
  referenceCli(options: { install: boolean }): string | null;
  debianServer(): string | null;
}
const reference = (await import(here("../../../scripts/reference.mjs"))) as ReferenceScript;
const required = process.env["FROND_REQUIRE_REFERENCE"] === "1";

/** A program to run: what it is called in the names of tests, and how it is run. */
export interface Program {
  readonly name: string;
  readonly command: readonly string[];
  /** Why it cannot run here; "" if it can. */
  readonly missing: string;
}

function program(name: string, path: string | null): Program {
  if (path !== null) return { name, command: [path], missing: "" };
  if (required) throw new Error(`${name} is missing: run node scripts/reference.mjs`);
  return { name, command: [], missing: `${name} is not installed here` };
}

export const frondServer: Program = {
  name: "frond",
  command: [process.execPath, FROND_SERVER],
  missing: "",
};
export const natsServer = program(
  "nats-server 2.15.2",
  reference.referenceServer({ install: false }),
);
export const oldNatsServer = program("nats-server 2.9.10", reference.debianServer());
export const frondCli: Program = { name: "frond", command: [process.execPath, FROND], missing: "" };
export const natsCli = program("nats", reference.referenceCli({ install: false }));

/** false, or why a test that needs all of these is skipped. */
export function skipWithout(...programs: readonly Program[]): string | false {
  const missing = programs.map((one) => one.missing).filter((reason) => reason !== "");
  return missing.length === 0 ? false : missing.join("; ");
}

/** A directory that goes with the test. */
export function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "frond-interop-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export async function until<T>(what: () => string, look: () => T | null | false): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = look();
    if (found !== null && found !== false) return found;
    if (Date.now() > end) throw new Error(`still waiting for ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A process that runs beside the test and ends with it. */
export class Running {
  readonly child: ChildProcess;
  readonly dir: string;
  text = "";

  constructor(t: TestContext, command: readonly string[], cwd: string) {
    const [file = "", ...args] = command;
    const child = spawn(file, args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env: cleanEnvironment(cwd),
    });
    t.after(() => child.kill("SIGKILL"));
    this.child = child;
    this.dir = cwd;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => (this.text += chunk));
    }
  }

  /** Resolves with the match once the output contains the pattern. */
  said(pattern: RegExp): Promise<RegExpExecArray> {
    return until(
      () => `${pattern} in:\n${this.text}`,
      () => pattern.exec(this.text),
    );
  }

  async ended(): Promise<number | null> {
    await until(
      () => `the end of the process:\n${this.text}`,
      () => this.child.exitCode !== null || this.child.signalCode !== null,
    );
    return this.child.exitCode;
  }
}

/** A server of either kind. */
export class ServerUnderTest extends Running {
  /** Starts it with this configuration, in a directory of its own, and waits until it is ready. */
  static async start(t: TestContext, kind: Program, config: string): Promise<ServerUnderTest> {
    const dir = directory(t);
    writeFileSync(join(dir, "server.conf"), config);
    const server = new ServerUnderTest(t, [...kind.command, "-c", "server.conf"], dir);
    await server.said(/Server is ready/);
    return server;
  }

  async clientPort(): Promise<number> {
    return Number((await this.said(/Listening for client connections on .*:(\d+)/))[1]);
  }

  async leafPort(): Promise<number> {
    return Number((await this.said(/Listening for leafnode connections on .*:(\d+)/))[1]);
  }
}

export interface Output {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line to its end. */
export function runCli(cli: Program, cwd: string, ...args: readonly string[]): Output {
  const [file = "", ...before] = cli.command;
  const options = { cwd, encoding: "utf8", timeout: PATIENCE, env: cleanEnvironment(cwd) } as const;
  const run = spawnSync(file, [...before, ...args], options);
  return { code: run.status, out: run.stdout, err: run.stderr };
}

/** Neither the contexts of whoever runs the tests, nor their servers. */
function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(NATS_|NODE_TEST_CONTEXT)/.test(name),
  );
  return { ...Object.fromEntries(kept), HOME: home, XDG_CONFIG_HOME: join(home, "config") };
}
