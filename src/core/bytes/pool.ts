/**
 * HOT PATH. Buffers that are used again. A `Slab` counts who needs its bytes as they are: whoever fills it, the
 * pieces of it that wait in outboxes, the transports that were handed one. When the last of them has dropped it, it
 * goes back to its pool; one that is forgotten instead (with a closed link) is left to the collector.
 */

/** What a PING or a few lines of interest need, and how many of those are kept. */
export const SMALL = 2048;
const SMALL_MAX = 2048;
/** Bytes of other sizes that are kept: buffers of large messages, and outboxes that grew. */
const FITTED_MAX_BYTES = 16 * 1024 * 1024;

/** Bytes with a view of them: `DataView` moves four at a time, three times as fast as a loop over bytes. */
export class Slab {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #pool: BufferPool | null;
  #holders = 1;

  /** Held once, by whoever asked for it. Without a pool nothing becomes of it when it is dropped. */
  constructor(bytes: Uint8Array, pool: BufferPool | null = null) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#pool = pool;
  }

  hold(): void {
    this.#holders++;
  }

  drop(): void {
    if (--this.#holders === 0 && this.#pool !== null) this.#pool.give(this);
  }

  /** For the pool: it is in use again. */
  reused(): this {
    this.#holders = 1;
    return this;
  }
}

/** Bounded, so that a burst does not stay in memory. */
export class BufferPool {
  readonly size: number;
  readonly #max: number;
  readonly #allocate: (length: number) => Uint8Array;
  readonly #free: Slab[] = [];
  readonly #small: Slab[] = [];
  readonly #fitted = new Map<number, Slab[]>();
  #fittedBytes = 0;

  /** Keeps at most `max` buffers of `size` bytes, which is what outboxes take. */
  constructor(size: number, max: number, allocate: (length: number) => Uint8Array) {
    this.size = size;
    this.#max = max;
    this.#allocate = allocate;
  }

  /** A slab for a link that had little to say last time: a thousand of them at once must not cost much. */
  takeSmall(): Slab {
    return this.#small.pop()?.reused() ?? this.#new(SMALL);
  }

  /** A slab of at least `length` bytes, with room for what may follow. */
  take(length: number): Slab {
    if (length > this.size) return this.fit(length);
    return this.#free.pop()?.reused() ?? this.#new(this.size);
  }

  /** A slab of `length` bytes or up to a quarter more, which may be kept for long. */
  fit(length: number): Slab {
    if (length <= SMALL) return this.takeSmall();
    const size = fittedSize(length);
    if (size === this.size) return this.take(length);
    const slab = this.#fitted.get(size)?.pop();
    if (slab === undefined) return this.#new(size);
    this.#fittedBytes -= size;
    return slab.reused();
  }

  /** Called by the slab that nobody needs any more. */
  give(slab: Slab): void {
    const size = slab.bytes.length;
    if (size === SMALL) {
      if (this.#small.length < SMALL_MAX) this.#small.push(slab);
    } else if (size === this.size) {
      if (this.#free.length < this.#max) this.#free.push(slab);
    } else this.#giveFitted(slab, size);
  }

  #giveFitted(slab: Slab, size: number): void {
    if (size > FITTED_MAX_BYTES) return;
    let list = this.#fitted.get(size);
    if (this.#fittedBytes + size > FITTED_MAX_BYTES) {
      if (list !== undefined && list.length > 0) return;
      // Sizes that are not asked for any more must not keep others out.
      this.#fitted.clear();
      this.#fittedBytes = 0;
      list = undefined;
    }
    if (list === undefined) this.#fitted.set(size, (list = []));
    list.push(slab);
    this.#fittedBytes += size;
  }

  #new(length: number): Slab {
    return new Slab(this.#allocate(length), this);
  }
}

/** Four sizes from one power of two to the next. */
function fittedSize(length: number): number {
  const step = 1 << Math.max(0, 29 - Math.clz32(length - 1));
  return Math.ceil(length / step) * step;
}
