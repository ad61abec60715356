/**
 * Joins one transport (`Wire`) to one link of an engine, and is the engine's way out to all of them.
 * HOT PATH: `data` and `write` run once per read chunk.
 */
import type { ClosedState, CompressionMode, Engine, Link, LinkId, Outlet } from "../core/index.ts";
import type { Wire, WireHandler } from "../transports/node/index.ts";
import { now } from "./clock.ts";

/** How long a closing connection may take to send what is queued. */
const FLUSH_MS = 2000;

export class Connection implements WireHandler {
  /** Replaced by the WebSocket that is made of it. */
  wire: Wire;
  link: Link | null = null;
  /** Closed by us: what the transport reports after that is of no interest. */
  ended = false;
  /** The handshake of a listener is still running: the engine's pauses are remembered, not applied. */
  startTls: (() => void) | null = null;
  onGone: ((error: Error | null) => void) | null = null;
  readonly #hub: ConnectionHub;

  constructor(wire: Wire, hub: ConnectionHub) {
    this.wire = wire;
    this.#hub = hub;
  }

  data(chunk: Uint8Array): void {
    const link = this.link;
    if (link !== null) this.#hub.received(link.id, chunk);
  }

  drained(queued: number): void {
    const link = this.link;
    if (link !== null) this.#hub.drained(link.id, queued);
  }

  closed(error: Error | null): void {
    const link = this.link;
    if (link !== null) this.#hub.gone(link.id, error);
    this.onGone?.(error);
  }
}

/** All connections of a server by link, as the engine's outlet. */
export class ConnectionHub implements Outlet {
  engine!: Engine;
  /** Called after the engine did something, so that the driver can look at its deadlines. */
  afterCall: () => void = () => {};
  readonly #connections = new Map<LinkId, Connection>();
  /** The connection whose link is being opened: the engine writes INFO before its id is known here. */
  #opening: Connection | null = null;

  get size(): number {
    return this.#connections.size;
  }

  get(id: LinkId): Connection | undefined {
    return this.#connections.get(id);
  }

  /** Opens a link for a connection; `open` calls the engine. */
  open(connection: Connection, open: () => Link): Link {
    this.#opening = connection;
    const link = open();
    this.#opening = null;
    if (link.state !== "closed") {
      connection.link = link;
      this.#connections.set(link.id, connection);
    }
    this.afterCall();
    return link;
  }

  received(id: LinkId, chunk: Uint8Array): void {
    this.engine.receive(id, chunk, now());
    this.afterCall();
  }

  drained(id: LinkId, queued: number): void {
    this.engine.drained(id, queued, now());
    this.afterCall();
  }

  gone(id: LinkId, error: Error | null): void {
    this.#connections.delete(id);
    this.engine.closed(id, error === null ? "Client Closed" : "Read Error", now());
    this.afterCall();
  }

  write(id: LinkId, frame: Uint8Array): number {
    return this.#find(id)?.wire.write(frame) ?? 0;
  }

  writev(id: LinkId, frames: readonly Uint8Array[]): number {
    return this.#find(id)?.wire.writev(frames) ?? 0;
  }

  progress(id: LinkId): number {
    return this.#find(id)?.wire.progress ?? 0;
  }

  close(id: LinkId, flush: boolean, reason: ClosedState): void {
    const connection = this.#find(id);
    this.#connections.delete(id);
    if (connection === null) return;
    connection.ended = true;
    connection.link = null;
    if (flush) connection.wire.end(FLUSH_MS, reason);
    else connection.wire.destroy();
  }

  pause(id: LinkId): void {
    this.#find(id)?.wire.pause();
  }

  resume(id: LinkId): void {
    this.#find(id)?.wire.resume();
  }

  startTls(id: LinkId): void {
    this.#find(id)?.startTls?.();
  }

  compress(id: LinkId, direction: "write" | "read", mode: CompressionMode): void {
    this.#find(id)?.wire.compress(direction, mode);
  }

  #find(id: LinkId): Connection | null {
    return this.#connections.get(id) ?? this.#opening;
  }
}
