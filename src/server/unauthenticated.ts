/**
 * Connections that have not proved yet who they are. What each may hold is bounded elsewhere (a control line, a
 * chunk, a request's head, the authentication timeout); here is the bound on how many there are. Beyond it the
 * oldest goes: one that was just made has had no time to authenticate.
 */
import type { Connection } from "./connection.ts";

const REPORT_MS = 1000;

export interface UnauthenticatedHost {
  readonly maxUnauthenticated: number;
  /** Closes a connection, whatever stage it is in. */
  evict(connection: Connection): void;
  /** Told at most once a second, how many connections were evicted. */
  evicted(count: number): void;
}

export class Unauthenticated {
  /** In the order of their age. */
  readonly #connections = new Set<Connection>();
  readonly #host: UnauthenticatedHost;
  #evicted = 0;
  #report: NodeJS.Timeout | null = null;

  constructor(host: UnauthenticatedHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#connections.size;
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
    connection.onGone = () => this.settle(connection);
    const { maxUnauthenticated } = this.#host;
    if (maxUnauthenticated > 0 && this.size > maxUnauthenticated) this.#evictOldest();
  }

  /** It has authenticated, or is gone. */
  settle(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** The server stops: what has no link yet is closed here, the rest with its link. */
  close(): void {
    for (const { link, wire } of this.#connections) if (link === null) wire.destroy();
    this.#connections.clear();
    if (this.#report !== null) clearTimeout(this.#report);
    this.#report = null;
  }

  #evictOldest(): void {
    const oldest = this.#choose();
    if (oldest === null) return;
    this.#connections.delete(oldest);
    this.#host.evict(oldest);
    this.#evicted++;
    this.#report ??= setTimeout(() => {
      this.#report = null;
      this.#host.evicted(this.#evicted);
      this.#evicted = 0;
    }, REPORT_MS).unref();
  }

  /** A peer that waits for our verdict has done its part: others go first. */
  #choose(): Connection | null {
    let looked = 0;
    for (const connection of this.#connections) {
      if (connection.link?.state !== "authenticating") return connection;
      if (++looked === MOST_LOOKED_AT) break;
    }
    return this.#connections.values().next().value ?? null;
  }
}

const MOST_LOOKED_AT = 64;
