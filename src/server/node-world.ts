/** The engine's `World` on Node: real randomness, memory that is not zeroed, the server's log. */
import { randomBytes, randomFillSync } from "node:crypto";
import type { LogLevel, World } from "../core/index.ts";

/** Read at once: a nonce for each connection would be a system call each. */
const RANDOM_POOL_BYTES = 4096;
const RANDOM_MOST = 64;
const randomPool = new Uint8Array(RANDOM_POOL_BYTES);
let randomUsed = RANDOM_POOL_BYTES;

export function nodeWorld(log: (level: LogLevel, label: string, text: string) => void): World {
  return {
    random: () => Math.random(),
    randomBytes: unpredictable,
    // Not from Node's shared slab: a kept slice must not keep strangers' memory.
    allocate: (length) => Buffer.allocUnsafeSlow(length),
    log,
  };
}

/** Every byte is given out once and then forgotten. */
function unpredictable(length: number): Uint8Array {
  if (length > RANDOM_MOST) return new Uint8Array(randomBytes(length));
  if (randomUsed + length > RANDOM_POOL_BYTES) {
    randomFillSync(randomPool);
    randomUsed = 0;
  }
  const bytes = randomPool.slice(randomUsed, randomUsed + length);
  randomPool.fill(0, randomUsed, (randomUsed += length));
  return bytes;
}
