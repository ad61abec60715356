/**
 * HOT PATH. Buffers that are used again. A `Slab` counts who needs its bytes as they are: whoever fills it, the
 * pieces of it that wait in outboxes, the transports that were handed one. When the last of them has dropped it, it
 * goes back to its pool; one that is forgotten instead (with a closed link) is left to the collector.
 */
import type { Alarmed } from "../alarms.ts";
import type { Millis } from "../contract.ts";

/** What a PING or a few lines of interest need, and how many of those are kept. */
export const SMALL = 2048;
const SMALL_MAX = 2048;
/** So much is kept for good; more, up to the bound, only as long as it is used again. */
const KEEP_BYTES = 8 * 1024 * 1024;
const MAX_BYTES = 64 * 1024 * 1024;
/** Surplus that was not needed for so long is let go. */
const TRIM_MS = 1000;

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

/**
 * Free slabs by size. What a burst needed (the backlog of a receiver that stalled) is used again if the next burst
 * follows soon, rather than being left to the collector beside its successor, and is let go if none does.
 */
export class BufferPool implements Alarmed {
  alarmAt = 0;
  /** What outboxes take. */
  readonly size: number;
  readonly #allocate: (length: number) => Uint8Array;
  readonly #onSurplus: () => void;
  readonly #small: Slab[] = [];
  readonly #lists = new Map<number, Slab[]>();
  #bytes = 0;
  /** The least of `#bytes` since the last look: what nobody needed. */
  #unused = 0;

  /** `onSurplus` asks for a call of `alarm` in `TRIM_MS`. */
  constructor(
    size: number,
    allocate: (length: number) => Uint8Array,
    onSurplus: (inMs: Millis) => void,
  ) {
    this.size = size;
    this.#allocate = allocate;
    this.#onSurplus = (): void => onSurplus(TRIM_MS);
  }

  /** A slab for a link that had little to say last time: a thousand of them at once must not cost much. */
  takeSmall(): Slab {
    return this.#small.pop()?.reused() ?? this.#new(SMALL);
  }

  /** A slab of at least `length` bytes, with room for what may follow. */
  take(length: number): Slab {
    return this.#take(length > this.size ? fittedSize(length) : this.size);
  }

  /** A slab of `length` bytes or up to a quarter more, which may be kept for long. */
  fit(length: number): Slab {
    return length <= SMALL ? this.takeSmall() : this.#take(fittedSize(length));
  }

  /** Called by the slab that nobody needs any more. */
  give(slab: Slab): void {
    const size = slab.bytes.length;
    if (size === SMALL) {
      if (this.#small.length < SMALL_MAX) this.#small.push(slab);
      return;
    }
    if (this.#bytes + size > MAX_BYTES) return;
    const list = this.#lists.get(size);
    if (list === undefined) this.#lists.set(size, [slab]);
    else list.push(slab);
    this.#bytes += size;
    if (this.#bytes > KEEP_BYTES && this.alarmAt === 0) {
      this.#unused = this.#bytes;
      this.#onSurplus();
    }
  }

  /** Lets go of what was not needed since the surplus was noticed. */
  alarm(): void {
    let surplus = Math.min(this.#unused, this.#bytes - KEEP_BYTES);
    for (const [size, list] of this.#lists) {
      while (surplus > 0 && list.pop() !== undefined) {
        surplus -= size;
        this.#bytes -= size;
      }
      if (list.length === 0) this.#lists.delete(size);
    }
    this.#unused = this.#bytes;
    if (this.#bytes > KEEP_BYTES) this.#onSurplus();
  }

  #take(size: number): Slab {
    const slab = this.#lists.get(size)?.pop();
    if (slab === undefined) return this.#new(size);
    this.#bytes -= size;
    if (this.#bytes < this.#unused) this.#unused = this.#bytes;
    return slab.reused();
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
