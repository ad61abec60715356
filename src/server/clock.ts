/** The clock that drives engines: wall-clock milliseconds with fractions, never running backwards. */
import { performance } from "node:perf_hooks";
import type { Millis } from "../core/index.ts";

const origin = Date.now() - performance.now();

export function now(): Millis {
  return origin + performance.now();
}
