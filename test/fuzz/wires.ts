/**
 * The transports of one engine. A slow one holds frames and keeps a copy of each: if they differ when it lets go, the
 * engine wrote to memory that it had given away. What was read is overwritten as soon as the engine has seen it.
 */
import type { Engine, Link, LinkId, Outlet } from "../../src/core/index.ts";
import { nullOutlet } from "../../src/testing/fixtures.ts";
import type { Random } from "../../src/testing/random.ts";

interface Held {
  readonly frame: Uint8Array;
  readonly copy: Uint8Array;
}

/** One connection, seen from its engine's side. */
export class Wire {
  slow = false;
  paused = false;
  /** The engine closed it, or was told that it is gone: only what it holds is still to come out. */
  ended = false;
  link: Link | null = null;
  held: Held[] = [];
  heldBytes = 0;
  /** What came out and was not looked at. */
  inbox: Uint8Array[] = [];
  readonly #arrived: (bytes: Uint8Array) => void;

  /** `arrived` gets what comes out, cut anywhere. */
  constructor(arrived: (bytes: Uint8Array) => void) {
    this.#arrived = arrived;
  }

  deliver(): void {
    for (const bytes of this.inbox.splice(0)) this.#arrived(bytes);
  }
}

export class Wires {
  readonly open = new Map<LinkId, Wire>();
  readonly outlet: Outlet;
  /** The most bytes that one of them held. */
  heldMost = 0;
  readonly #random: Random;
  readonly #fault: (text: string) => void;
  #opening: Wire | null = null;
  /** They have ended, and hold something. */
  #ending: Wire[] = [];

  constructor(random: Random, fault: (text: string) => void) {
    this.#random = random;
    this.#fault = fault;
    this.outlet = nullOutlet({
      write: (id, frame) => this.#write(id, [frame]),
      writev: (id, frames) => this.#write(id, frames),
      close: (id, flush) => this.#close(id, flush),
      pause: (id) => this.#setPaused(id, true),
      resume: (id) => this.#setPaused(id, false),
    });
  }

  /** A new connection; `open` tells the engine of it. */
  connect(arrived: (bytes: Uint8Array) => void, open: () => Link): Wire {
    const wire = new Wire(arrived);
    this.#opening = wire;
    wire.link = open();
    this.#opening = null;
    if (!wire.ended) this.open.set(wire.link.id, wire);
    return wire;
  }

  /** The peer sent `chunk`, which nobody else may use from now on. */
  feed(engine: Engine, wire: Wire, chunk: Uint8Array): void {
    if (wire.ended || wire.link === null) return;
    const owned = this.#random.chance(0.2);
    engine.receive(wire.link.id, chunk, engine.now, owned);
    if (!owned) chunk.fill(0x7e);
  }

  /** The peer ended the connection. */
  hangUp(engine: Engine, wire: Wire): void {
    if (wire.ended || wire.link === null) return;
    this.#end(wire.link.id, wire);
    engine.closed(wire.link.id, "Client Closed", engine.now);
  }

  get isIdle(): boolean {
    const wires = [...this.open.values(), ...this.#ending];
    return wires.every((wire) => wire.heldBytes === 0 && wire.inbox.length === 0);
  }

  /** Transports let go of some of what they hold, of all of it if `all`. */
  move(engine: Engine, all = false): void {
    const random = this.#random;
    for (const wire of this.open.values()) {
      if (all || random.chance(wire.slow ? 0.3 : 0.8)) this.#drain(engine, wire, all);
      wire.deliver();
    }
    for (const wire of this.#ending) {
      this.#drain(engine, wire, all);
      wire.deliver();
    }
    this.#ending = this.#ending.filter((wire) => wire.heldBytes > 0 && !random.chance(0.05));
  }

  #drain(engine: Engine, wire: Wire, all: boolean): void {
    if (wire.heldBytes === 0) return;
    const random = this.#random;
    let left = all || random.chance(0.5) ? wire.heldBytes : 1 + random.below(wire.heldBytes);
    for (let first = wire.held[0]; left > 0 && first !== undefined; first = wire.held[0]) {
      const { frame, copy } = first;
      if (Buffer.compare(frame, copy) !== 0) this.#fault(difference(frame, copy));
      const taken = Math.min(left, frame.length);
      wire.inbox.push(copy.subarray(0, taken));
      left -= taken;
      wire.heldBytes -= taken;
      if (taken === frame.length) wire.held.shift();
      else wire.held[0] = { frame: frame.subarray(taken), copy: copy.subarray(taken) };
    }
    if (!wire.ended && wire.link !== null) {
      engine.drained(wire.link.id, wire.heldBytes, engine.now);
    }
  }

  #find(id: LinkId): Wire | null {
    return this.open.get(id) ?? this.#opening;
  }

  #write(id: LinkId, frames: readonly Uint8Array[]): number {
    const wire = this.#find(id);
    if (wire === null || wire.ended) {
      this.#fault("a write to a closed transport");
      return 0;
    }
    const random = this.#random;
    for (const frame of frames) {
      let taken = wire.heldBytes > 0 ? 0 : frame.length;
      if (wire.slow && taken > 0) taken = random.chance(0.5) ? 0 : random.below(taken + 1);
      if (taken > 0) wire.inbox.push(frame.slice(0, taken));
      if (taken === frame.length) continue;
      const rest = frame.subarray(taken);
      wire.held.push({ frame: rest, copy: rest.slice() });
      wire.heldBytes += rest.length;
    }
    this.heldMost = Math.max(this.heldMost, wire.heldBytes);
    return wire.heldBytes;
  }

  #close(id: LinkId, flush: boolean): void {
    const wire = this.#find(id);
    if (wire === null) return;
    if (!flush) {
      wire.held = [];
      wire.heldBytes = 0;
    }
    this.#end(id, wire);
  }

  #end(id: LinkId, wire: Wire): void {
    wire.ended = true;
    this.open.delete(id);
    this.#ending.push(wire);
  }

  #setPaused(id: LinkId, paused: boolean): void {
    const wire = this.#find(id);
    if (wire !== null) wire.paused = paused;
  }
}

function difference(frame: Uint8Array, copy: Uint8Array): string {
  let at = 0;
  while (frame[at] === copy[at]) at++;
  const text = (bytes: Uint8Array): string =>
    JSON.stringify(Buffer.from(bytes.subarray(at, at + 40)).toString("latin1"));
  return `a held frame of ${frame.length} changed at ${at} from ${text(copy)} to ${text(frame)}`;
}
