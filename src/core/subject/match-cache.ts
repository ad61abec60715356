/**
 * HOT PATH (bench rows with 1, 1,000 and 100,000 subjects). From the bytes of a published subject to the
 * cached answer, without making a string.
 *
 * Open addressing, checked by comparing bytes; the hash is seeded, since subjects come from strangers. Two
 * generations bound it: when the young one is full it becomes the old one and the old one is dropped, so that
 * a hundred thousand live subjects do not thrash it and what is not used fades away. A hit in the old
 * generation moves to the young one.
 */

/** One subject's place in the cache. `value` is null until computed and after a change that touched it. */
export class CacheEntry<V> {
  readonly hash: number;
  /** The subject's bytes stand in `slab` at `[from, from + length)`. */
  readonly slab: Uint8Array;
  readonly from: number;
  readonly length: number;
  value: V | null = null;
  /** The account's change counter up to which `value` is known to be right. */
  version = 0;

  constructor(hash: number, slab: Uint8Array, from: number, length: number) {
    this.hash = hash;
    this.slab = slab;
    this.from = from;
    this.length = length;
  }
}

/** FNV-1a over `bytes[start, end)`; the parser computes the same while it scans. */
export function hashBytes(seed: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = seed;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 16777619);
  return hash;
}

/** The same over a latin1 string. */
export function hashText(seed: number, text: string): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return hash;
}

const SLAB_BYTES = 16 * 1024;
const FIRST_SLOTS = 64;

class Generation<V> {
  slots: (CacheEntry<V> | null)[] = emptySlots(FIRST_SLOTS);
  /** The hash of each slot's entry, or 0: looking at another's entry would be a wait for memory. */
  hashes = new Int32Array(FIRST_SLOTS);
  mask = FIRST_SLOTS - 1;
  count = 0;
  bytes = 0;

  find(hash: number, bytes: Uint8Array, start: number, end: number): CacheEntry<V> | null {
    const hashes = this.hashes;
    const mask = this.mask;
    const length = end - start;
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const found = hashes[slot];
      if (found !== hash && found !== 0) continue;
      const entry = this.slots[slot] ?? null;
      if (entry === null) return null;
      if (entry.hash === hash && entry.length === length) {
        const slab = entry.slab;
        let a = entry.from;
        let b = start;
        while (b < end && slab[a] === bytes[b]) {
          a++;
          b++;
        }
        if (b === end) return entry;
      }
    }
  }

  add(entry: CacheEntry<V>): void {
    if (this.count * 2 >= this.slots.length) this.#grow();
    place(this.slots, this.hashes, entry);
    this.count++;
    this.bytes += entry.length;
  }

  #grow(): void {
    const bigger = emptySlots<V>(this.slots.length * 2);
    const hashes = new Int32Array(bigger.length);
    for (const entry of this.slots) if (entry !== null) place(bigger, hashes, entry);
    this.slots = bigger;
    this.hashes = hashes;
    this.mask = bigger.length - 1;
  }
}

/** Pushed one by one: an array without holes is read faster. */
function emptySlots<V>(length: number): (CacheEntry<V> | null)[] {
  const slots: (CacheEntry<V> | null)[] = [];
  for (let i = 0; i < length; i++) slots.push(null);
  return slots;
}

function place<V>(slots: (CacheEntry<V> | null)[], hashes: Int32Array, entry: CacheEntry<V>): void {
  const mask = slots.length - 1;
  let slot = (entry.hash ^ (entry.hash >>> 15)) & mask;
  while (slots[slot] !== null) slot = (slot + 1) & mask;
  slots[slot] = entry;
  hashes[slot] = entry.hash;
}

export class MatchCache<V> {
  readonly seed: number;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #young = new Generation<V>();
  #old: Generation<V> | null = null;
  #slab: Uint8Array | null = null;
  #slabUsed = 0;
  misses = 0;

  /** At most `maxEntries` subjects of `maxBytes` together in each of the two generations. */
  constructor(seed: number, maxEntries: number, maxBytes: number) {
    this.seed = seed;
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get count(): number {
    return this.#young.count + (this.#old?.count ?? 0);
  }

  /** The entry of a subject; a new, empty one if there is none. `hash` is that of `hashBytes(seed, …)`. */
  lookup(hash: number, bytes: Uint8Array, start: number, end: number): CacheEntry<V> {
    return this.#young.find(hash, bytes, start, end) ?? this.#miss(hash, bytes, start, end);
  }

  /** The entry of a subject given as a latin1 string, or null. */
  peek(subject: string): CacheEntry<V> | null {
    const bytes = new Uint8Array(subject.length);
    for (let i = 0; i < subject.length; i++) bytes[i] = subject.charCodeAt(i);
    const hash = hashText(this.seed, subject);
    return (
      this.#young.find(hash, bytes, 0, bytes.length) ??
      this.#old?.find(hash, bytes, 0, bytes.length) ??
      null
    );
  }

  clear(): void {
    this.#young = new Generation();
    this.#old = null;
    this.#slab = null;
  }

  #miss(hash: number, bytes: Uint8Array, start: number, end: number): CacheEntry<V> {
    if (this.#young.count >= this.#maxEntries || this.#young.bytes >= this.#maxBytes) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    const aged = this.#old?.find(hash, bytes, start, end) ?? null;
    const entry = aged ?? this.#create(hash, bytes, start, end);
    this.#young.add(entry);
    return entry;
  }

  #create(hash: number, bytes: Uint8Array, start: number, end: number): CacheEntry<V> {
    this.misses++;
    const length = end - start;
    let slab = this.#slab;
    if (slab === null || this.#slabUsed + length > slab.length) {
      // The first slab is small, so that an account with few subjects stays small.
      const size = slab === null ? 512 : SLAB_BYTES;
      slab = new Uint8Array(length > size ? length : size);
      this.#slab = slab;
      this.#slabUsed = 0;
    }
    const from = this.#slabUsed;
    for (let i = 0; i < length; i++) slab[from + i] = bytes[start + i] ?? 0;
    this.#slabUsed += length;
    return new CacheEntry<V>(hash, slab, from, length);
  }
}
