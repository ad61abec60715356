/** The engine's `World` on Node: real randomness, memory that is not zeroed, the server's log. */
import { randomBytes } from "node:crypto";
import type { LogLevel, World } from "../core/index.ts";

export function nodeWorld(log: (level: LogLevel, label: string, text: string) => void): World {
  return {
    random: () => Math.random(),
    randomBytes: (length) => new Uint8Array(randomBytes(length)),
    // Not from Node's shared slab: a kept slice must not keep strangers' memory.
    allocate: (length) => Buffer.allocUnsafeSlow(length),
    log,
  };
}
