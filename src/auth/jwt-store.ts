/**
 * The tokens of a FULL or CACHE resolver: one per account, on files that are handed in, with an index in
 * memory. Answers are texts for replies and logs: null where all went well.
 *
 * Invariant: the index holds a row for each readable file, and `hash` is the XOR of the rows' hashes.
 */
import type { Millis } from "../core/index.ts";
import { utf8Bytes } from "../core/bytes/ascii.ts";
import type { Token } from "./claims/token.ts";
import { decodeAs } from "./claims/token.ts";
import type { Crypto } from "./crypto.ts";
import { isPublicKey } from "./nkeys.ts";

/** The directory of `<account>.jwt` files. All calls may throw; the message goes into the answer. */
export interface JwtFiles {
  /** The accounts that have a file. */
  list(): readonly string[];
  read(account: string): string | null;
  write(account: string, jwt: string): void;
  remove(account: string): void;
  /** Renames to `<account>.jwt.deleted`. */
  setAside(account: string): void;
}

export interface JwtStoreOptions {
  /** How many tokens; -1 = unlimited. */
  readonly limit: number;
  /** At the limit: drop the least recently used token instead of refusing the new one. */
  readonly evict: boolean;
  readonly deleting: "no" | "rename" | "remove";
  /** Files unused for so long go away; 0: tokens go when they expire. */
  readonly ttl: Millis;
}

export interface JwtStoreEvents {
  /** A token was replaced or added. */
  changed(account: string): void;
  deleted(account: string): void;
}

interface Row {
  readonly hash: Uint8Array;
  goesAt: Millis;
}

const HASH_BYTES = 32;

/** Tokens by account, in order of use (the least recent first). */
export class JwtStore {
  readonly options: JwtStoreOptions;
  readonly #files: JwtFiles;
  readonly #crypto: Crypto;
  readonly #events: JwtStoreEvents;
  readonly #rows = new Map<string, Row>();

  constructor(options: JwtStoreOptions, files: JwtFiles, crypto: Crypto, events: JwtStoreEvents) {
    this.options = options;
    this.#files = files;
    this.#crypto = crypto;
    this.#events = events;
    for (const account of files.list()) {
      const jwt = files.read(account);
      if (jwt !== null && isPublicKey(account)) this.#track(account, jwt);
    }
  }

  get size(): number {
    return this.#rows.size;
  }

  load(account: string): string | null {
    const row = this.#rows.get(account);
    if (row === undefined) return null;
    this.#touch(account, row);
    return this.#files.read(account);
  }

  /** Keeps the token, whatever was there. */
  save(account: string, jwt: string): string | null {
    if (!isPublicKey(account)) return "invalid public key";
    if (jwt === "") return "invalid JWT";
    try {
      return this.#write(account, jwt);
    } catch (cause) {
      return messageOf(cause);
    }
  }

  /** Keeps the token unless the stored one is the same or was issued later. */
  saveIfNewer(account: string, jwt: string): string | null {
    const existing = this.#rows.has(account) ? this.#decode(this.#files.read(account) ?? "") : null;
    if (existing !== null) {
      const fresh = decodeAs(this.#crypto, jwt, identity);
      if (!fresh.ok) return fresh.error;
      const { id, issuedAt, subject } = fresh.claims;
      if (existing.id === id || existing.issuedAt > issuedAt) return null;
      if (subject !== account) return "jwt subject nkey and provided nkey do not match";
      if (existing.subject !== subject) return "subject of existing and new jwt do not match";
    }
    return this.save(account, jwt);
  }

  delete(account: string): string | null {
    if (this.options.deleting === "no") return "store is not set up to for delete";
    if (!this.#rows.has(account)) return null;
    try {
      if (this.options.deleting === "rename") this.#files.setAside(account);
      else this.#files.remove(account);
    } catch (cause) {
      return messageOf(cause);
    }
    this.#rows.delete(account);
    this.#events.deleted(account);
    return null;
  }

  /** One hash over all tokens: equal stores have equal hashes. */
  hash(): Uint8Array {
    const total = new Uint8Array(HASH_BYTES);
    for (const { hash } of this.#rows.values()) {
      for (let i = 0; i < HASH_BYTES; i++) total[i] = (total[i] ?? 0) ^ (hash[i] ?? 0);
    }
    return total;
  }

  /** `<account>|<jwt>` of every token that has not expired. */
  *pack(): Generator<string> {
    const seconds = Math.floor(this.#crypto.now() / 1000);
    for (const account of this.#rows.keys()) {
      const jwt = this.#files.read(account) ?? "";
      const expires = this.#decode(jwt)?.expires ?? 0;
      if (jwt !== "" && (expires === 0 || expires >= seconds)) yield `${account}|${jwt}`;
    }
  }

  /** Takes over the tokens of another server's pack that are newer than ours. */
  merge(pack: string): string | null {
    for (const line of pack.split("\n")) {
      if (line === "") continue;
      const [account = "", jwt, more] = line.split("|");
      if (jwt === undefined || more !== undefined) {
        return `line in package didn't contain 2 entries: "${line}"`;
      }
      if (!isPublicKey(account, "account")) {
        return "key to merge is not a valid public account key";
      }
      const fault = this.saveIfNewer(account, jwt);
      if (fault !== null) return fault;
    }
    return null;
  }

  /** Reads the directory again, after someone else may have changed it. */
  reload(): void {
    const known = new Map(this.#rows);
    this.#rows.clear();
    for (const account of this.#files.list()) {
      const jwt = this.#files.read(account);
      if (jwt === null || !isPublicKey(account)) continue;
      this.#track(account, jwt);
      const before = known.get(account)?.hash.join();
      // A cache may have lost the file of an account that is still in use: it always tells.
      const news = this.options.evict || before !== this.#rows.get(account)?.hash.join();
      if (news) this.#events.changed(account);
    }
  }

  /** Drops what has gone out of date; the driver calls it now and then. */
  expire(): void {
    const now = this.#crypto.now();
    for (const [account, row] of this.#rows) if (row.goesAt <= now) this.#forget(account);
  }

  #write(account: string, jwt: string): string | null {
    const row = this.#rows.get(account);
    if (row !== undefined) {
      this.#touch(account, row);
      const same = this.#crypto.timingSafeEqual(row.hash, this.#crypto.sha256(utf8Bytes(jwt)));
      if (same) return null;
    } else if (this.options.limit >= 0 && this.#rows.size >= this.options.limit) {
      if (!this.options.evict) return "jwt store is full";
      const [oldest] = this.#rows.keys();
      if (oldest !== undefined) this.#forget(oldest);
    }
    this.#files.write(account, jwt);
    this.#track(account, jwt);
    this.#events.changed(account);
    return null;
  }

  #track(account: string, jwt: string): void {
    const row = { hash: this.#crypto.sha256(utf8Bytes(jwt)), goesAt: Infinity };
    const expires = this.#decode(jwt)?.expires ?? 0;
    if (this.options.ttl === 0 && expires > 0) row.goesAt = expires * 1000;
    this.#touch(account, row);
  }

  #touch(account: string, row: Row): void {
    if (this.options.ttl !== 0) row.goesAt = this.#crypto.now() + this.options.ttl;
    this.#rows.delete(account);
    this.#rows.set(account, row);
  }

  #forget(account: string): void {
    this.#files.remove(account);
    this.#rows.delete(account);
  }

  #decode(jwt: string): Token | null {
    const decoded = decodeAs(this.#crypto, jwt, identity);
    return decoded.ok ? decoded.claims : null;
  }
}

function identity(token: Token): Token {
  return token;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
