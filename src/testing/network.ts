/**
 * Simulated TCP connections on virtual time. Each direction is a pipe with latency, bandwidth and a bounded
 * buffer; bytes arrive in order, cut at any place. A connection can be cut, stalled or half-opened.
 *
 * Invariants: a handler is never called from inside `write`, `end`, `pause` or `resume`; a chunk is overwritten
 * after the receiver's call unless it was handed over as owned; a frame that does not fit is kept, not copied.
 */
import type { Alarm, VirtualClock } from "./clock.ts";
import type { Random } from "./random.ts";

export interface LineOptions {
  /** One way, in milliseconds. */
  readonly latency: number;
  readonly bytesPerSecond: number;
  /** What both kernels together hold of one direction. */
  readonly bufferBytes: number;
  /** How likely a piece arrives in two. */
  readonly splitChance: number;
}

export const FAST_LINE: LineOptions = {
  latency: 1,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  bufferBytes: 256 * 1024,
  splitChance: 0.3,
};

export interface SocketHandler {
  /** `owned`: the bytes stay as they are after the call. */
  data(chunk: Uint8Array, owned: boolean): void;
  closed(): void;
  drained(queued: number): void;
}

interface Piece {
  readonly bytes: Uint8Array;
  from: number;
  /** When its last byte has arrived. */
  readonly at: number;
}

const READ_MAX = 64 * 1024;
const SCRIBBLE = 0x7e;

/** One direction of a connection. */
class Pipe {
  readonly clock: VirtualClock;
  readonly random: Random;
  line: LineOptions;
  writer: SimSocket | null = null;
  reader: SimSocket | null = null;
  readonly #pieces: Piece[] = [];
  #used = 0;
  readonly #backlog: Uint8Array[] = [];
  #backlogBytes = 0;
  #freeAt = 0;
  #alarm: Alarm | null = null;
  #stalledUntil = 0;
  #paused = false;
  #ended = false;
  #over = false;

  constructor(clock: VirtualClock, random: Random, line: LineOptions) {
    this.clock = clock;
    this.random = random;
    this.line = line;
  }

  get heldBytes(): number {
    return this.#used + this.#backlogBytes;
  }

  write(frame: Uint8Array): number {
    if (this.#ended || this.#over || frame.length === 0) return this.#backlogBytes;
    const taken = this.#backlogBytes > 0 ? 0 : this.#take(frame);
    if (taken < frame.length) {
      this.#backlog.push(taken === 0 ? frame : frame.subarray(taken));
      this.#backlogBytes += frame.length - taken;
    }
    this.#arm();
    return this.#backlogBytes;
  }

  /** Copies what fits into the buffer. */
  #take(frame: Uint8Array): number {
    const taken = Math.min(frame.length, this.line.bufferBytes - this.#used);
    if (taken <= 0) return 0;
    const sentAt =
      Math.max(this.#freeAt, this.clock.now) + (taken * 1000) / this.line.bytesPerSecond;
    this.#freeAt = sentAt;
    this.#pieces.push({ bytes: frame.slice(0, taken), from: 0, at: sentAt + this.line.latency });
    this.#used += taken;
    return taken;
  }

  end(flush: boolean): void {
    if (!flush) {
      this.#backlog.length = 0;
      this.#backlogBytes = 0;
    }
    this.#ended = true;
    this.#arm();
  }

  /** Nothing arrives any more, in this direction; whoever writes does not notice. */
  stallUntil(time: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, time);
    this.clock.cancel(this.#alarm);
    this.#alarm = null;
    this.#arm();
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    if (!paused) this.#arm();
  }

  /** Forgets everything under way; no more callbacks. */
  destroy(): void {
    this.#over = true;
    this.#pieces.length = 0;
    this.#backlog.length = 0;
    this.#used = this.#backlogBytes = 0;
    this.clock.cancel(this.#alarm);
    this.#alarm = null;
  }

  #arm(): void {
    if (this.#alarm !== null || this.#over) return;
    const head = this.#pieces[0];
    if (head === undefined && !this.#ended) return;
    if (this.#paused && this.reader?.isOpen === true) return;
    const due = head?.at ?? this.clock.now + this.line.latency;
    const at = Math.max(due, this.#stalledUntil);
    if (at === Number.POSITIVE_INFINITY) return;
    this.#alarm = this.clock.at(at, () => {
      this.#alarm = null;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#pieces.length === 0) {
      this.#over = true;
      this.reader?.gotEnd();
      return;
    }
    const chunk = this.#read();
    this.#used -= chunk.length;
    this.#refill();
    const owned = this.random.chance(0.3);
    this.reader?.gotData(chunk, owned);
    if (!owned) chunk.fill(SCRIBBLE);
    if (this.#over) return;
    this.#arm();
  }

  /** The bytes of one read: what is due, cut somewhere by chance. */
  #read(): Uint8Array {
    const now = this.clock.now;
    let due = 0;
    for (const piece of this.#pieces) {
      if (piece.at > now || due >= READ_MAX) break;
      due += piece.bytes.length - piece.from;
    }
    let length = Math.min(due, READ_MAX);
    if (length > 1 && this.random.chance(this.line.splitChance))
      length = this.random.between(1, length);
    const chunk = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const piece = this.#pieces[0] as Piece;
      const take = Math.min(length - at, piece.bytes.length - piece.from);
      chunk.set(piece.bytes.subarray(piece.from, piece.from + take), at);
      at += take;
      piece.from += take;
      if (piece.from === piece.bytes.length) this.#pieces.shift();
    }
    return chunk;
  }

  #refill(): void {
    if (this.#backlogBytes === 0) return;
    while (this.#backlog.length > 0) {
      const frame = this.#backlog[0] as Uint8Array;
      const taken = this.#take(frame);
      this.#backlogBytes -= taken;
      if (taken < frame.length) {
        this.#backlog[0] = frame.subarray(taken);
        break;
      }
      this.#backlog.shift();
    }
    const queued = this.#backlogBytes;
    this.clock.after(0, () => {
      if (this.#backlogBytes === queued) this.writer?.gotDrain(queued);
    });
  }
}

/** One end of a simulated connection. */
export class SimSocket {
  handler: SocketHandler | null = null;
  /** Told once when this end is closed, by whomever. */
  onBreak: (() => void) | null = null;
  isOpen = true;
  readonly #out: Pipe;
  readonly #in: Pipe;

  constructor(outgoing: Pipe, incoming: Pipe) {
    this.#out = outgoing;
    this.#in = incoming;
    outgoing.writer = this;
    incoming.reader = this;
  }

  /** Bytes of ours that have not arrived. */
  get unreadBytes(): number {
    return this.#out.heldBytes;
  }

  /** Bytes under way in both directions. */
  get heldBytes(): number {
    return this.#out.heldBytes + this.#in.heldBytes;
  }

  write(frame: Uint8Array): number {
    return this.isOpen ? this.#out.write(frame) : 0;
  }

  /** Closes this end; the other one sees the end of the stream after what was sent. */
  end(flush: boolean): void {
    if (!this.isOpen) return;
    this.shut();
    this.#out.end(flush);
    this.#in.pause(false);
  }

  /** This end is gone without a word: the machine lost its power. */
  vanish(): void {
    if (!this.isOpen) return;
    this.shut();
    this.#in.stallUntil(Number.POSITIVE_INFINITY);
  }

  /** Marks this end closed; what is under way is the caller's care. */
  shut(): void {
    this.isOpen = false;
    this.handler = null;
    const told = this.onBreak;
    this.onBreak = null;
    told?.();
  }

  pause(): void {
    this.#in.pause(true);
  }

  resume(): void {
    this.#in.pause(false);
  }

  gotData(chunk: Uint8Array, owned: boolean): void {
    this.handler?.data(chunk, owned);
  }

  gotEnd(): void {
    const handler = this.handler;
    if (!this.isOpen) return;
    this.end(false);
    handler?.closed();
  }

  gotDrain(queued: number): void {
    this.handler?.drained(queued);
  }
}

/** A connection seen from outside, where its faults are made. */
export class SimConnection {
  readonly a: SimSocket;
  readonly b: SimSocket;
  readonly #clock: VirtualClock;
  readonly #ab: Pipe;
  readonly #ba: Pipe;

  constructor(clock: VirtualClock, random: Random, line: LineOptions) {
    this.#clock = clock;
    this.#ab = new Pipe(clock, random, line);
    this.#ba = new Pipe(clock, random, line);
    this.a = new SimSocket(this.#ab, this.#ba);
    this.b = new SimSocket(this.#ba, this.#ab);
  }

  get isOpen(): boolean {
    return this.a.isOpen || this.b.isOpen;
  }

  get heldBytes(): number {
    return this.a.heldBytes;
  }

  /** Resets the connection: what is under way is lost, both ends hear of it. */
  cut(): void {
    this.#ab.destroy();
    this.#ba.destroy();
    for (const socket of [this.a, this.b]) {
      const { handler } = socket;
      if (!socket.isOpen) continue;
      socket.shut();
      this.#clock.after(0, () => handler?.closed());
    }
  }

  /** Nothing arrives for a while (or ever: half-open); nothing is lost. */
  stall(duration: number, direction: "both" | "ab" | "ba" = "both"): void {
    const until = this.#clock.now + duration;
    if (direction !== "ba") this.#ab.stallUntil(until);
    if (direction !== "ab") this.#ba.stallUntil(until);
  }

  setLine(line: LineOptions, direction: "both" | "ab" | "ba" = "both"): void {
    if (direction !== "ba") this.#ab.line = line;
    if (direction !== "ab") this.#ba.line = line;
  }
}
