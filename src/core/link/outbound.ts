/**
 * HOT PATH (every delivery row of the bench). What waits to be written to a link, and to many links at once.
 *
 * An `Outbox` is a growing buffer plus finished pieces before it. A `Batch` is a buffer shared by links whose
 * frames are byte-equal: it is written once and each of its links holds only a range of it. Outboxes are
 * emptied once per read chunk; between flushes a link holds no buffer at all.
 *
 * Invariants: bytes leave in the order they were appended; a buffer handed to the transport with bytes left in
 * it is never written again by us.
 */

import type { LinkId, Outlet } from "../contract.ts";

/** Up to here a byte loop beats `set(subarray())`, which allocates a view (measured in bench/copy.mjs). */
const LOOP_COPY_MAX = 48;

/** Copies `source[start, end)` to `target` at `at` and returns the next free index. */
export function copyBytes(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  if (length <= LOOP_COPY_MAX) {
    for (let i = start; i < end; i++) target[at++] = source[i] as number;
    return at;
  }
  target.set(source.subarray(start, end), at);
  return at + length;
}

/** Buffers of one size, reused; bounded, so that a burst does not stay in memory. */
export class BufferPool {
  readonly size: number;
  readonly #max: number;
  readonly #allocate: (length: number) => Uint8Array;
  readonly #free: Uint8Array[] = [];

  constructor(size: number, max: number, allocate: (length: number) => Uint8Array) {
    this.size = size;
    this.#max = max;
    this.#allocate = allocate;
  }

  take(): Uint8Array {
    return this.#free.pop() ?? this.#allocate(this.size);
  }

  give(buffer: Uint8Array): void {
    if (buffer.length === this.size && this.#free.length < this.#max) this.#free.push(buffer);
  }

  allocate(length: number): Uint8Array {
    return length <= this.size ? this.take() : this.#allocate(length);
  }
}

/** Bytes that several links share. `length` bytes are valid. */
export class Batch {
  buffer: Uint8Array | null = null;
  length = 0;
  /** Some transport still holds a part of `buffer`. */
  held = false;
  readonly #pool: BufferPool;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Makes room for `bytes` more; returns the buffer to write at `length`. */
  reserve(bytes: number): Uint8Array {
    let buffer = this.buffer;
    if (buffer === null) {
      buffer = this.#pool.allocate(bytes);
    } else if (this.length + bytes > buffer.length) {
      const bigger = this.#pool.allocate(Math.max(buffer.length * 2, this.length + bytes));
      bigger.set(buffer.subarray(0, this.length));
      buffer = bigger;
    } else return buffer;
    this.buffer = buffer;
    return buffer;
  }

  /** After every link that refers to it was flushed. */
  reset(): void {
    if (this.buffer !== null && !this.held) this.#pool.give(this.buffer);
    this.buffer = null;
    this.length = 0;
    this.held = false;
  }
}

export class Outbox {
  readonly #pool: BufferPool;
  #buffer: Uint8Array | null = null;
  /** The open range of `#buffer`, after the pieces. */
  #start = 0;
  #length = 0;
  #pieces: Uint8Array[] | null = null;
  #pieceBytes = 0;
  /** The shared batch that this outbox ends with, and where its range starts. */
  tail: Batch | null = null;
  #tailStart = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  get bytes(): number {
    const tail = this.tail === null ? 0 : this.tail.length - this.#tailStart;
    return this.#pieceBytes + (this.#length - this.#start) + tail;
  }

  /** Makes room for `bytes`; write at `position` of the returned buffer, then call `advance`. */
  reserve(bytes: number): Uint8Array {
    if (this.tail !== null) this.#closeTail();
    const buffer = this.#buffer;
    if (buffer !== null && this.#length + bytes <= buffer.length) return buffer;
    return this.#grow(bytes);
  }

  get position(): number {
    return this.#length;
  }

  advance(position: number): void {
    this.#length = position;
  }

  /** Appends a copy of `source[start, end)`. */
  append(source: Uint8Array, start: number, end: number): void {
    const buffer = this.reserve(end - start);
    this.#length = copyBytes(buffer, this.#length, source, start, end);
  }

  /** Appends bytes that nobody will change until they are written, without copying them. */
  appendPiece(piece: Uint8Array): void {
    if (this.tail !== null) this.#closeTail();
    this.#closeOwn();
    this.#addPiece(piece);
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

  /** Ends the range of the shared batch, when this outbox must wait and the batch is about to be reset. */
  settle(): void {
    if (this.tail !== null) this.#closeTail();
  }

  /** Hands everything to the transport and forgets it. Returns what the transport still holds. */
  flush(outlet: Outlet, link: LinkId): number {
    const tail = this.tail;
    let queued: number;
    if (this.#pieces === null && tail === null) {
      const buffer = this.#buffer;
      if (buffer === null || this.#length === this.#start) return 0;
      queued = outlet.write(link, buffer.subarray(this.#start, this.#length));
    } else if (this.#pieces === null && tail !== null && this.#length === this.#start) {
      const buffer = tail.buffer;
      queued = buffer === null ? 0 : outlet.write(link, buffer.subarray(this.#tailStart, tail.length));
      if (queued > 0) tail.held = true;
    } else {
      if (tail !== null) this.#closeTail();
      this.#closeOwn();
      const pieces = this.#pieces ?? [];
      const only = pieces[0];
      queued = pieces.length === 1 && only !== undefined ? outlet.write(link, only) : outlet.writev(link, pieces);
    }
    this.#release(queued);
    return queued;
  }

  /** Forgets everything unsent. */
  clear(): void {
    this.#release(0);
  }

  #release(queued: number): void {
    if (this.#buffer !== null && queued === 0) this.#pool.give(this.#buffer);
    this.#buffer = null;
    this.#start = this.#length = 0;
    this.#pieces = null;
    this.#pieceBytes = 0;
    this.tail = null;
  }

  #grow(bytes: number): Uint8Array {
    const open = this.#length - this.#start;
    const old = this.#buffer;
    if (old === null) {
      this.#start = this.#length = 0;
      return (this.#buffer = this.#pool.allocate(bytes));
    }
    if (open > 0) this.#closeOwn();
    // The old buffer now belongs to its pieces; doubling keeps the number of pieces small.
    this.#start = this.#length = 0;
    return (this.#buffer = this.#pool.allocate(Math.max(bytes, Math.min(old.length * 2, 1 << 20))));
  }

  #closeOwn(): void {
    const buffer = this.#buffer;
    if (buffer === null || this.#length === this.#start) return;
    this.#addPiece(buffer.subarray(this.#start, this.#length));
    this.#start = this.#length;
  }

  #closeTail(): void {
    const batch = this.tail;
    this.tail = null;
    if (batch === null || batch.buffer === null || batch.length === this.#tailStart) return;
    // The piece outlives this flush's knowledge of who holds it, so the batch must not be reused.
    batch.held = true;
    this.#addPiece(batch.buffer.subarray(this.#tailStart, batch.length));
  }

  #addPiece(piece: Uint8Array): void {
    this.#pieces ??= [];
    this.#pieces.push(piece);
    this.#pieceBytes += piece.length;
  }
}
