/** The endpoints about the process itself; what they show in Go has no counterpart here, so they stay small. */
import type { JsonObject } from "./json.ts";
import { MonitorError, type Query, queryBool } from "./query.ts";
import type { MonitorState } from "./state.ts";
import { leafLinks } from "./traffic.ts";

/** `/ipqueuesz`: there are no queues between threads; one that stands for all is shown on request. */
export function ipqueuesz(query: Query): JsonObject {
  return queryBool(query, "all") ? { SendQ: { pending: 0 } } : {};
}

export function raftz(): never {
  throw new MonitorError(404, "No Raft nodes registered");
}

/** `/stacksz`: any diagnostic text will do. */
export function stacksz(state: MonitorState): string {
  const { engine, process } = state;
  return [
    `frond, one event loop: ${engine.clientCount} clients, ${leafLinks(engine).length} leaf links`,
    `accounts ${engine.accounts.size}, deadlines ${engine.timers.size}`,
    `heap ${process.heapUsed} of ${process.heapTotal} bytes, resident ${process.memory}`,
    "",
  ].join("\n");
}

/** `/debug/vars`. */
export function debugVars({ process }: MonitorState): JsonObject {
  return {
    cmdline: process.commandLine,
    memstats: {
      Alloc: process.heapUsed,
      Sys: process.memory,
      HeapAlloc: process.heapUsed,
      HeapSys: process.heapTotal,
      HeapInuse: process.heapUsed,
    },
  };
}
