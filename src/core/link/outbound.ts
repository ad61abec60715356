/**
 * HOT PATH (every delivery row of the bench). What waits to be written to a link, and to many links at once.
 *
 * An `Outbox` is a growing buffer plus finished pieces before it. A `Batch` is a buffer shared by links whose
 * frames are byte-equal: it is written once and each of its links holds only a range of it. Outboxes are
 * emptied once per read chunk; between flushes a link holds no buffer at all.
 *
 * Invariants: bytes leave in the order they were appended; a buffer handed to the transport with bytes left in
 * it is written again only once the transport has said that it holds nothing any more (`returned`).
 */

import { type BufferPool, SMALL, type Slab } from "../bytes/pool.ts";
import type { LinkId, Outlet } from "../contract.ts";
import { FrameWalk } from "./frame-walk.ts";

/** What waits may keep so many times its bytes in memory. */
const PINNED_MOST = 4;
/** Slabs that wait for the transport to let go of them, to be used again. */
const LENT_MAX_BYTES = 16 * 1024 * 1024;
const NO_SLABS: (Slab | null)[] = [];
/** Up to here copying by words beats `set(subarray())`, which allocates a view (bench/copy.mjs). */
const WORD_COPY_MAX = 192;

/** What can be copied from: a `Slab`, or the incoming frame. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Copies `source[start, end)` to `target` at `at` and returns the next free index. */
export function copyBytes(
  target: Slab,
  at: number,
  source: Source,
  start: number,
  end: number,
): number {
  if (end - start > WORD_COPY_MAX) {
    target.bytes.set(source.bytes.subarray(start, end), at);
    return at + end - start;
  }
  const to = target.view;
  const from = source.view;
  let i = start;
  for (const stop = end - 7; i < stop; i += 8) {
    to.setInt32(at, from.getInt32(i, true), true);
    to.setInt32(at + 4, from.getInt32(i + 4, true), true);
    at += 8;
  }
  if (i < end - 3) {
    to.setInt32(at, from.getInt32(i, true), true);
    at += 4;
    i += 4;
  }
  const out = target.bytes;
  const bytes = source.bytes;
  for (; i < end; i++) out[at++] = bytes[i] as number;
  return at;
}

/** Bytes that several links share. `length` bytes are valid. */
export class Batch {
  buffer: Slab | null = null;
  length = 0;
  readonly #pool: BufferPool;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Makes room for `bytes` more; returns the buffer to write at `length`. */
  reserve(bytes: number): Slab {
    let buffer = this.buffer;
    if (buffer === null) {
      buffer = this.#pool.take(bytes);
    } else if (this.length + bytes > buffer.bytes.length) {
      const bigger = this.#pool.take(Math.max(buffer.bytes.length * 2, this.length + bytes));
      bigger.bytes.set(buffer.bytes.subarray(0, this.length));
      buffer.drop();
      buffer = bigger;
    } else return buffer;
    this.buffer = buffer;
    return buffer;
  }

  /** After every link that refers to it was flushed. */
  reset(): void {
    this.buffer?.drop();
    this.buffer = null;
    this.length = 0;
  }
}

export class Outbox {
  readonly #pool: BufferPool;
  #buffer: Slab | null = null;
  /** The open range of `#buffer`, after the pieces. */
  #start = 0;
  #length = 0;
  #pieces: Uint8Array[] | null = null;
  /** The slab that each piece is a part of; null where it is not one of ours. */
  #slabs: (Slab | null)[] = NO_SLABS;
  #pieceBytes = 0;
  /** So many pieces were looked at already when output had to wait. */
  #settled = 0;
  /** The shared batch that this outbox ends with, and where its range starts. */
  tail: Batch | null = null;
  #tailStart = 0;
  /** What the transport was handed a part of and may still hold. */
  #lent: Set<Slab> | null = null;
  #lentBytes = 0;
  /** Little was sent at the last flush: the next one starts with a small slab. */
  #quiet = true;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  get bytes(): number {
    const tail = this.tail === null ? 0 : this.tail.length - this.#tailStart;
    return this.#pieceBytes + (this.#length - this.#start) + tail;
  }

  /** How many separate ranges of memory hold the bytes. */
  get chunks(): number {
    const open = this.#length > this.#start ? 1 : 0;
    return (this.#pieces?.length ?? 0) + open + (this.tail === null ? 0 : 1);
  }

  /** Makes room for `bytes`; write at `position` of the returned buffer, then call `advance`. */
  reserve(bytes: number): Slab {
    if (this.tail !== null) this.#closeTail();
    const buffer = this.#buffer;
    if (buffer !== null && this.#length + bytes <= buffer.bytes.length) return buffer;
    return this.#grow(bytes);
  }

  get position(): number {
    return this.#length;
  }

  advance(position: number): void {
    this.#length = position;
  }

  /** Appends a copy of `source[start, end)`. */
  append(source: Source, start: number, end: number): void {
    const buffer = this.reserve(end - start);
    this.#length = copyBytes(buffer, this.#length, source, start, end);
  }

  /** Appends a part of `slab`, without copying it; of null: bytes that nobody will ever change. */
  appendPiece(piece: Uint8Array, slab: Slab | null): void {
    if (this.tail !== null) this.#closeTail();
    this.#closeOwn();
    this.#addPiece(piece, slab);
  }

  /** Makes the end of `batch` this outbox's tail; what is appended to the batch from now on belongs here too. */
  follow(batch: Batch): void {
    if (this.tail !== null) this.#closeTail();
    this.#closeOwn();
    this.tail = batch;
    this.#tailStart = batch.length;
  }

  /** Bytes that are not in the open buffer: non-zero only after much was appended at once. */
  get closedBytes(): number {
    return this.#pieceBytes;
  }

  /** This outbox must wait: it keeps no more memory than its bytes need. */
  settle(): void {
    this.#settleTail();
    this.#gather();
  }

  /** Ends the range of the shared batch, which is about to be reset. */
  #settleTail(): void {
    const batch = this.tail;
    const length = batch === null ? 0 : batch.length - this.#tailStart;
    // A small range is copied: it would keep the whole buffer of the batch in memory, one for each read chunk.
    if (batch === null || batch.buffer === null || length * 2 >= batch.buffer.bytes.length) {
      if (batch !== null) this.#closeTail();
      return;
    }
    this.tail = null;
    const own = this.reserve(length);
    own.bytes.set(batch.buffer.bytes.subarray(this.#tailStart, batch.length), this.#length);
    this.#length += length;
  }

  /** Puts small pieces of large slabs, added since the last look, together in a buffer of our own. */
  #gather(): void {
    const pieces = this.#pieces;
    if (pieces === null || pieces.length === this.#settled) return;
    const first = this.#settled;
    let bytes = 0;
    let pinned = 0;
    for (let i = first; i < pieces.length; i++) {
      bytes += (pieces[i] as Uint8Array).length;
      pinned += this.#slabs[i]?.bytes.length ?? 0;
    }
    if (bytes * PINNED_MOST >= pinned) {
      this.#settled = pieces.length;
      return;
    }
    const moved = pieces.splice(first);
    const slabs = this.#slabs.splice(first);
    this.#pieceBytes -= bytes;
    const own = this.#buffer;
    if (own !== null && this.#length > this.#start) {
      own.hold();
      moved.push(own.bytes.subarray(this.#start, this.#length));
      slabs.push(own);
      this.#start = this.#length;
    }
    for (const piece of moved) {
      this.reserve(piece.length).bytes.set(piece, this.#length);
      this.#length += piece.length;
    }
    for (const slab of slabs) slab?.drop();
    this.#settled = pieces.length;
  }

  /** Hands everything to the transport and forgets it. Returns what the transport still holds. */
  flush(outlet: Outlet, link: LinkId): number {
    const tail = this.tail;
    let queued: number;
    if (this.#pieces === null && tail === null) {
      const buffer = this.#buffer;
      if (buffer === null || this.#length === this.#start) return 0;
      queued = outlet.write(link, buffer.bytes.subarray(this.#start, this.#length));
    } else if (this.#pieces === null && tail !== null && this.#length === this.#start) {
      const buffer = tail.buffer;
      queued =
        buffer === null
          ? 0
          : outlet.write(link, buffer.bytes.subarray(this.#tailStart, tail.length));
      if (queued > 0 && buffer !== null) this.#lend(buffer);
    } else {
      if (tail !== null) this.#closeTail();
      this.#closeOwn();
      const pieces = this.#pieces ?? [];
      const only = pieces[0];
      queued =
        pieces.length === 1 && only !== undefined
          ? outlet.write(link, only)
          : outlet.writev(link, pieces);
    }
    this.#release(queued);
    return queued;
  }

  /**
   * Hands over whole frames until `budget` bytes are reached, and keeps the rest. Returns what the transport
   * still holds.
   */
  flushFrames(outlet: Outlet, link: LinkId, budget: number): number {
    this.settle();
    const pieces = this.#pieces ?? [];
    const walk = new FrameWalk();
    const frames: Uint8Array[] = [];
    const handed: Slab[] = [];
    let left = budget;
    let whole = 0;
    for (let i = 0; i < pieces.length && (left > 0 || !walk.atBoundary); i++) {
      const piece = pieces[i] as Uint8Array;
      const end = walk.advance(piece, 0, piece.length, left);
      left -= end;
      this.#pieceBytes -= end;
      frames.push(piece.subarray(0, end));
      const slab = this.#slabs[i] ?? null;
      if (slab !== null) handed.push(slab);
      if (end === piece.length) whole++;
      else {
        slab?.hold();
        pieces[i] = piece.subarray(end);
      }
    }
    if (whole > 0) {
      pieces.splice(0, whole);
      this.#slabs.splice(0, whole);
      this.#settled = Math.max(0, this.#settled - whole);
    }
    const buffer = this.#buffer;
    if (pieces.length === 0 && buffer !== null && (left > 0 || !walk.atBoundary)) {
      const end = walk.advance(buffer.bytes, this.#start, this.#length, left);
      if (end > this.#start) {
        frames.push(buffer.bytes.subarray(this.#start, end));
        buffer.hold();
        handed.push(buffer);
      }
      this.#start = end;
    }
    const only = frames[0];
    if (only === undefined) return 0;
    const queued = frames.length === 1 ? outlet.write(link, only) : outlet.writev(link, frames);
    for (const slab of handed) {
      if (queued > 0) this.#lend(slab);
      slab.drop();
    }
    if (this.bytes === 0) this.#release(queued);
    return queued;
  }

  /** The transport holds nothing of this link any more: what it was lent can be used again. */
  returned(): void {
    const lent = this.#lent;
    if (lent === null) return;
    this.#lent = null;
    this.#lentBytes = 0;
    for (const slab of lent) slab.drop();
  }

  /** Forgets everything unsent. What the transport of a closed link holds is never used again. */
  clear(): void {
    this.#lent = null;
    this.#lentBytes = 0;
    this.#release(0);
  }

  #lend(slab: Slab): void {
    const lent = (this.#lent ??= new Set());
    if (lent.has(slab)) return;
    // Beyond the bound it is held for good: if the transport made a copy after all, the collector may have it.
    slab.hold();
    this.#lentBytes += slab.bytes.length;
    if (this.#lentBytes <= LENT_MAX_BYTES) lent.add(slab);
  }

  #release(queued: number): void {
    const buffer = this.#buffer;
    if (buffer !== null) {
      if (queued > 0) this.#lend(buffer);
      buffer.drop();
    }
    this.#quiet = this.#length < SMALL && this.#pieces === null;
    this.#buffer = null;
    this.#start = this.#length = 0;
    this.tail = null;
    if (this.#pieces === null) return;
    for (const slab of this.#slabs) {
      if (slab === null) continue;
      if (queued > 0) this.#lend(slab);
      slab.drop();
    }
    this.#pieces = null;
    this.#slabs = NO_SLABS;
    this.#settled = 0;
    this.#pieceBytes = 0;
  }

  #grow(bytes: number): Slab {
    const open = this.#length - this.#start;
    const old = this.#buffer;
    if (old === null) {
      this.#start = this.#length = 0;
      const small = this.#quiet && bytes <= SMALL;
      return (this.#buffer = small ? this.#pool.takeSmall() : this.#pool.take(bytes));
    }
    if (open > 0) this.#closeOwn();
    // The old buffer now belongs to its pieces; doubling keeps the number of pieces small.
    old.drop();
    this.#start = this.#length = 0;
    return (this.#buffer = this.#pool.take(
      Math.max(bytes, Math.min(old.bytes.length * 2, 1 << 20)),
    ));
  }

  #closeOwn(): void {
    const buffer = this.#buffer;
    if (buffer === null || this.#length === this.#start) return;
    this.#addPiece(buffer.bytes.subarray(this.#start, this.#length), buffer);
    this.#start = this.#length;
  }

  #closeTail(): void {
    const batch = this.tail;
    this.tail = null;
    if (batch === null || batch.buffer === null || batch.length === this.#tailStart) return;
    this.#addPiece(batch.buffer.bytes.subarray(this.#tailStart, batch.length), batch.buffer);
  }

  #addPiece(piece: Uint8Array, slab: Slab | null): void {
    if (this.#pieces === null) {
      this.#pieces = [];
      this.#slabs = [];
    }
    slab?.hold();
    this.#pieces.push(piece);
    this.#slabs.push(slab);
    this.#pieceBytes += piece.length;
  }
}
