/** A `frond-server` process in a directory of its own, for tests. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

export const PROGRAM = fileURLToPath(new URL("../../src/cli/frond-server.js", import.meta.url));

/** How long anything may take before a test fails. */
const PATIENCE = 10_000;

/** A directory that goes with the test. */
export function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "frond-server-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the program to its end. */
export function run(args: readonly string[], cwd = tmpdir()): Outcome {
  const options = { cwd, encoding: "utf8", timeout: PATIENCE } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], options);
  return { code: status, out: stdout, err: stderr };
}

/** Calls again and again until the answer is neither null nor false. */
export async function until<T>(what: string, look: () => T | null | false): Promise<T> {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = look();
    if (found !== null && found !== false) return found;
    if (Date.now() > end) throw new Error(`still waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A server that runs beside the test. */
export class ServerProcess {
  readonly dir: string;
  readonly child: ChildProcess;
  text = "";

  private constructor(dir: string, child: ChildProcess) {
    this.dir = dir;
    this.child = child;
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (this.text += chunk));
  }

  /** Starts it; `config` becomes the file that it is given with `-c`. */
  static start(
    t: TestContext,
    args: readonly string[],
    config: string | null = null,
    dir = directory(t),
  ): ServerProcess {
    if (config !== null) writeFileSync(join(dir, "server.conf"), config);
    const file = config === null ? [] : ["-c", "server.conf"];
    const child = spawn(process.execPath, [PROGRAM, ...args, ...file], {
      cwd: dir,
      stdio: ["ignore", "ignore", "pipe"],
    });
    t.after(() => child.kill("SIGKILL"));
    return new ServerProcess(dir, child);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The path of a file in its directory. */
  path(name: string): string {
    return join(this.dir, name);
  }

  read(name: string): string {
    const path = this.path(name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  configure(config: string): void {
    writeFileSync(this.path("server.conf"), config);
  }

  signal(name: NodeJS.Signals): void {
    assert.ok(this.child.kill(name));
  }

  /** Resolves with the match once the log (or a file) contains the pattern. */
  logged(pattern: RegExp, file: string | null = null): Promise<RegExpExecArray> {
    const text = (): string => (file === null ? this.text : this.read(file));
    return until(`${pattern} in:\n${text()}`, () => pattern.exec(text()));
  }

  ready(file: string | null = null): Promise<RegExpExecArray> {
    return this.logged(/Server is ready/, file);
  }

  /** The exit code. */
  async exited(): Promise<number | null> {
    await until("the end of the process", () => this.child.exitCode !== null);
    return this.child.exitCode;
  }
}
