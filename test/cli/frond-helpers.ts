/** Runs the compiled `frond` and, where it is to be had, the reference server it talks to. */
import type { TestContext } from "node:test";
import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const FROND = fileURLToPath(new URL("../../src/cli/frond.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** One user's machine: a home of its own, no variables, perhaps a server. */
export class Desk {
  readonly home = mkdtempSync(join(tmpdir(), "frond-cli-"));
  readonly #children = new Set<ChildProcess>();

  constructor(t: TestContext) {
    t.after(() => {
      for (const child of this.#children) child.kill("SIGKILL");
      rmSync(this.home, { recursive: true, force: true });
    });
  }

  /** Starts `frond`; the result settles when it has ended. */
  start(args: readonly string[], env: Record<string, string> = {}, input = ""): Running {
    const kept = Object.entries(process.env).filter(([name]) => !/^(?:NATS|XDG)_/.test(name));
    const child = spawn(process.execPath, [FROND, ...args], {
      cwd: this.home,
      env: {
        ...Object.fromEntries(kept),
        HOME: this.home,
        XDG_CONFIG_HOME: join(this.home, "config"),
        ...env,
      },
    });
    this.#children.add(child);
    child.stdin.end(input);
    return new Running(child);
  }

  run(args: readonly string[], env: Record<string, string> = {}, input = ""): Promise<Ended> {
    return this.start(args, env, input).ended;
  }

  /** Starts the reference server with these extra arguments; its URL. */
  async server(binary: string, args: readonly string[] = []): Promise<string> {
    const port = await freePort();
    const child = spawn(binary, ["-a", "127.0.0.1", "-p", String(port), ...args], {
      cwd: this.home,
    });
    this.#children.add(child);
    await new Running(child).says("Server is ready");
    return `nats://127.0.0.1:${port}`;
  }
}

/** A program under way and what it has printed so far. */
export class Running {
  out = "";
  err = "";
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.on("data", (piece: Buffer) => {
      this.out += piece.toString("utf8");
      for (const check of this.#waiting) check();
    });
    child.stderr?.on("data", (piece: Buffer) => {
      this.err += piece.toString("utf8");
      for (const check of this.#waiting) check();
    });
    this.ended = new Promise((resolve) => {
      child.on("close", (code) => {
        resolve({ code, out: this.out, err: this.err });
      });
    });
  }

  /** Waits until one of the streams holds this text. */
  async says(text: string): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      const check = (): void => {
        if ((this.out + this.err).includes(text)) resolve();
      };
      this.#waiting.add(check);
      check();
    });
    const gone = this.ended.then((end) => {
      if (!(end.out + end.err).includes(text)) throw new Error(`never said ${text}: ${end.err}`);
    });
    await Promise.race([heard, gone]);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

/** The reference server's path, or a skipped test; a failed one where it is required. */
export function referenceServer(t: TestContext): string | undefined {
  const names = (process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, "nats-server"));
  for (const path of [process.env["FROND_REFERENCE_PATH"], ...names]) {
    if (path && spawnSync(path, ["--version"]).status === 0) return path;
  }
  if (process.env["FROND_REQUIRE_REFERENCE"] === "1")
    throw new Error("nats-server is not on the PATH");
  t.skip("nats-server is not on the PATH");
  return undefined;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === "object") resolve(address.port);
        else reject(new Error("no port"));
      });
    });
  });
}
