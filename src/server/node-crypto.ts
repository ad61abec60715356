/**
 * The `Crypto` that authentication uses, on Node: Ed25519 of `node:crypto`, bcrypt in worker threads.
 *
 * At most `workersMax` comparisons run at once and `waitingMax` wait; beyond that a login is refused rather
 * than remembered. Workers start with the first hash and never keep the process alive.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
  type KeyObject,
} from "node:crypto";
import { Worker } from "node:worker_threads";
import type { Crypto } from "../auth/index.ts";
import type { BcryptAnswer, BcryptJob } from "./bcrypt-worker.ts";

/** DER headers of an Ed25519 public key (SubjectPublicKeyInfo), as it is exported, and private key (PKCS #8). */
const SPKI_HEADER = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8_HEADER = Buffer.from("302e020100300506032b657004220420", "hex");

export interface NodeCryptoOptions {
  readonly workersMax: number;
  readonly waitingMax: number;
}

/** Ed25519, SHA-256 and bcrypt of this process; `close` ends the workers. */
export class NodeCrypto implements Crypto {
  readonly #bcrypt: BcryptPool;

  constructor(options: NodeCryptoOptions = { workersMax: 2, waitingMax: 4096 }) {
    this.#bcrypt = new BcryptPool(options);
  }

  verifyEd25519(publicKey: Uint8Array, signature: Uint8Array, data: Uint8Array): boolean {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    try {
      return verify(null, data, publicKeyObject(publicKey), signature);
    } catch {
      return false;
    }
  }

  /** In a thread of libuv's pool; an attempt at a time for each connection that is not yet let in. */
  verifyEd25519Later(
    publicKey: Uint8Array,
    signature: Uint8Array,
    data: Uint8Array,
    done: (ok: boolean) => void,
  ): void {
    try {
      verify(null, data, publicKeyObject(publicKey), signature, (error, ok) => {
        done(error === null && ok);
      });
    } catch {
      queueMicrotask(() => done(false));
    }
  }

  sign(seed: Uint8Array, data: Uint8Array): Uint8Array {
    return sign(null, data, privateKeyObject(seed));
  }

  publicKey(seed: Uint8Array): Uint8Array {
    const der = createPublicKey(privateKeyObject(seed)).export({ format: "der", type: "spki" });
    return Uint8Array.from(der.subarray(SPKI_HEADER.length));
  }

  bcryptCompare(plain: string, hash: string, done: (ok: boolean) => void): void {
    this.#bcrypt.compare(plain, hash, done);
  }

  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && timingSafeEqual(a, b);
  }

  sha256(data: Uint8Array): Uint8Array {
    return createHash("sha256").update(data).digest();
  }

  randomBytes(length: number): Uint8Array {
    return randomBytes(length);
  }

  now(): number {
    return Date.now();
  }

  async close(): Promise<void> {
    await this.#bcrypt.close();
  }
}

/** Keys seen lately: whoever logs in once mostly comes again. */
const publicKeys = new Map<string, KeyObject>();
const PUBLIC_KEYS_MOST = 1024;

/** Read as a JWK, which costs an eighth of reading DER. */
function publicKeyObject(key: Uint8Array): KeyObject {
  const x = Buffer.from(key.buffer, key.byteOffset, key.length).toString("base64url");
  const known = publicKeys.get(x);
  if (known !== undefined) return known;
  const made = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  if (publicKeys.size >= PUBLIC_KEYS_MOST) publicKeys.clear();
  publicKeys.set(x, made);
  return made;
}

function privateKeyObject(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8_HEADER, seed]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

interface Waiting extends BcryptJob {
  readonly done: (ok: boolean) => void;
}

interface BusyWorker {
  readonly worker: Worker;
  job: Waiting | null;
}

/** Hands jobs to workers, one each at a time. */
class BcryptPool {
  readonly #options: NodeCryptoOptions;
  readonly #workers: BusyWorker[] = [];
  readonly #waiting: Waiting[] = [];
  #lastId = 0;
  #closed = false;

  constructor(options: NodeCryptoOptions) {
    this.#options = options;
  }

  compare(plain: string, hash: string, done: (ok: boolean) => void): void {
    if (this.#closed || this.#waiting.length >= this.#options.waitingMax) {
      queueMicrotask(() => done(false));
      return;
    }
    this.#waiting.push({ id: ++this.#lastId, plain, hash, done });
    this.#dispatch();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { done } of this.#waiting.splice(0)) done(false);
    await Promise.all(this.#workers.map((slot) => slot.worker.terminate()));
  }

  #dispatch(): void {
    const slot = this.#workers.find((each) => each.job === null) ?? this.#hire();
    if (slot === null) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    slot.job = job;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    slot.worker.postMessage({ id: job.id, plain: job.plain, hash: job.hash } satisfies BcryptJob);
  }

  #hire(): BusyWorker | null {
    if (this.#workers.length >= this.#options.workersMax) return null;
    const worker = new Worker(new URL("bcrypt-worker.js", import.meta.url));
    const slot: BusyWorker = { worker, job: null };
    this.#workers.push(slot);
    worker.on("message", (answer: BcryptAnswer) => this.#finish(slot, answer.ok));
    // A worker that dies takes its one job with it: that login fails, the next hires another worker.
    worker.on("error", () => undefined);
    worker.on("exit", () => {
      this.#workers.splice(this.#workers.indexOf(slot), 1);
      this.#finish(slot, false);
    });
    // After the listeners: adding one would hold the process again.
    worker.unref();
    return slot;
  }

  #finish(slot: BusyWorker, ok: boolean): void {
    const { job } = slot;
    slot.job = null;
    job?.done(ok);
    if (!this.#closed && this.#waiting.length > 0) this.#dispatch();
  }
}
