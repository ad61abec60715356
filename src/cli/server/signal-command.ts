/**
 * `--signal <command>[=<pid>]`: tells a running server to stop, reload and so on. The server is named by its
 * process id, by a file that holds it, by the first digits of several and `*`, or by being the only one.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { osErrorText } from "../../server/os-error.ts";
import { UsageError } from "./overrides.ts";

const SIGNALS: ReadonlyMap<string, NodeJS.Signals> = new Map([
  ["stop", "SIGKILL"],
  ["quit", "SIGINT"],
  ["term", "SIGTERM"],
  ["reopen", "SIGUSR1"],
  ["reload", "SIGHUP"],
  ["ldm", "SIGUSR2"],
]);

/** Sends the signal. Throws a `UsageError` with what went wrong. */
export function sendSignal(argument: string): void {
  const [command = "", target = "", ...extra] = argument.split("=");
  if (extra.length > 0) throw new UsageError(`invalid signal parameters: [${extra.join(" ")}]`);
  const pids = resolvePids(target);
  const signal = SIGNALS.get(command);
  if (signal === undefined) throw new UsageError(`unknown signal "${command}"`);
  const failures: string[] = [];
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      failures.push(`\nsignal "${command}" ${pid}: ${osErrorText(error)}`);
    }
  }
  if (failures.length > 0) throw new UsageError(failures.join(""));
}

function resolvePids(target: string): readonly number[] {
  const named = target === "" ? "" : pidFileContent(target);
  if (named !== "" && !named.endsWith("*")) {
    // 0 and negative numbers would name whole groups of processes.
    if (!/^\+?\d+$/.test(named) || Number(named) === 0) {
      throw new UsageError(`invalid pid: ${named}`);
    }
    return [Number(named)];
  }
  const prefix = named.slice(0, -1);
  const pids = runningServers().filter((pid) => String(pid).startsWith(prefix));
  if (named === "" && pids.length === 0) {
    throw new UsageError("no nats-server processes running");
  }
  if (named === "" && pids.length > 1) {
    throw new UsageError(`multiple nats-server processes running:\n${pids.join("\n")}`);
  }
  return pids;
}

/** The content of a file of this name, else the text itself. */
function pidFileContent(target: string): string {
  try {
    return readFileSync(target, "utf8").trim();
  } catch {
    return target;
  }
}

function runningServers(): readonly number[] {
  try {
    const found = execFileSync("pgrep", ["nats-server|frond-server"], { encoding: "utf8" });
    const pids = found.split("\n").filter((line) => line !== "");
    return pids.map(Number).filter((pid) => pid !== process.pid);
  } catch (error) {
    // pgrep ends with 1 when it has found nothing.
    if (error instanceof Error && "status" in error && error.status === 1) return [];
    throw new UsageError("unable to resolve pid, try providing one", { cause: error });
  }
}
