/**
 * What authentication needs from the platform: signatures, password hashes, randomness and a log. The layer
 * itself knows no platform; the server, the simulator and the tests hand these in.
 */
import type { LinkId, LogLevel, Millis } from "../core/index.ts";

/** Cryptography and the clock. Keys, seeds and signatures are raw bytes (32, 32 and 64 of them). */
export interface Crypto {
  verifyEd25519(publicKey: Uint8Array, signature: Uint8Array, data: Uint8Array): boolean;
  /** The same in another thread: calls `done` once, never from inside this call. Absent: there is no other. */
  verifyEd25519Later?(
    publicKey: Uint8Array,
    signature: Uint8Array,
    data: Uint8Array,
    done: (ok: boolean) => void,
  ): void;
  sign(seed: Uint8Array, data: Uint8Array): Uint8Array;
  /** The Ed25519 public key of a seed. */
  publicKey(seed: Uint8Array): Uint8Array;
  /** Calls `done` once, never from inside this call: the work belongs in another thread. */
  bcryptCompare(plain: string, hash: string, done: (ok: boolean) => void): void;
  /** False at once if the lengths differ; otherwise in constant time. */
  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
  sha256(data: Uint8Array): Uint8Array;
  randomBytes(length: number): Uint8Array;
  now(): Millis;
}

/** One log line about a link; null for a line of the server's own. */
export type AuthLog = (level: LogLevel, link: LinkId | null, text: string) => void;
