/**
 * HOT PATH (leaf links beyond 10 ms). Finds repetitions in one block and writes it as S2 elements.
 *
 * `s2_fast` looks up one candidate per position in a hash table and steps ever faster through what does not
 * repeat. `s2_better` and `s2_best` follow chains of earlier positions within 64 KB and prefer a longer
 * match that begins one byte later. Any legal output is fine for every reader.
 */
import type { CompressionMode } from "../contract.ts";
import { TAG_COPY1, TAG_COPY2, TAG_COPY4, TAG_LITERAL } from "./s2-format.ts";

const FAST_BITS = 14;
const CHAIN_BITS = 15;
const WINDOW = 1 << 16;
const MIN_MATCH = 4;
/** The last bytes are literals, so that words can be read without looking. */
const TAIL_BYTES = 12;
const BETTER_DEPTH = 6;
const BEST_DEPTH = 64;
/** A match this long is taken without looking further. */
const GOOD_MATCH = 128;

/** The matchers' tables: used within one call only, so one workspace serves all encoders of a thread. */
export class S2Workspace {
  readonly fast: Int32Array = new Int32Array(1 << FAST_BITS);
  #head: Int32Array | null = null;
  #previous: Int32Array | null = null;

  get head(): Int32Array {
    return (this.#head ??= new Int32Array(1 << CHAIN_BITS));
  }

  get previous(): Int32Array {
    return (this.#previous ??= new Int32Array(WINDOW));
  }
}

/**
 * Writes the elements for `src` at `out[at..]` and returns the index after them, or -1 if they would pass
 * `limit`.
 */
export function encodeBlock(
  mode: CompressionMode,
  workspace: S2Workspace,
  src: Uint8Array,
  out: Uint8Array,
  at: number,
  limit: number,
): number {
  if (src.length < TAIL_BYTES + MIN_MATCH) return -1;
  const writer = new ElementWriter(src, out, at, limit);
  if (mode === "s2_fast") encodeFast(workspace.fast, src, writer);
  else encodeChained(workspace, src, writer, mode === "s2_best" ? BEST_DEPTH : BETTER_DEPTH);
  return writer.full ? -1 : writer.at;
}

function hash(word: number, shift: number): number {
  return Math.imul(word, 0x9e3779b1) >>> shift;
}

function encodeFast(wholeTable: Int32Array, src: Uint8Array, writer: ElementWriter): void {
  const length = src.length;
  // A short block clears and uses a small part of the table.
  const bits = Math.min(FAST_BITS, Math.max(8, 32 - Math.clz32(length - 1)));
  const table = wholeTable.subarray(0, 1 << bits).fill(0);
  const shift = 32 - bits;
  const words = new DataView(src.buffer, src.byteOffset, length);
  const stop = length - TAIL_BYTES;
  let literals = 0;
  let s = 1;
  while (s < stop) {
    // Looks for a match, in steps that grow as none is found.
    let candidate = -1;
    for (let skip = 32; s < stop; s += skip++ >> 5) {
      const word = words.getInt32(s, true);
      const slot = hash(word, shift);
      candidate = table[slot] as number;
      table[slot] = s;
      if (words.getInt32(candidate, true) === word) break;
      candidate = -1;
    }
    if (candidate < 0 || writer.full) break;
    while (s > literals && candidate > 0 && src[s - 1] === src[candidate - 1]) {
      s--;
      candidate--;
    }
    const count = MIN_MATCH + matchLength(words, s + MIN_MATCH, candidate + MIN_MATCH, length);
    writer.literals(literals, s);
    writer.copy(s - candidate, count);
    s += count;
    literals = s;
    if (s >= stop) break;
    // Positions inside the match, so that the next repetition finds its nearest source.
    const inside = s - 2;
    table[hash(words.getInt32(inside, true), shift)] = inside;
  }
  writer.literals(literals, length);
}

function encodeChained(
  workspace: S2Workspace,
  src: Uint8Array,
  writer: ElementWriter,
  depth: number,
): void {
  const matcher = new ChainMatcher(workspace, src, depth);
  const stop = src.length - TAIL_BYTES;
  let literals = 0;
  let s = 1;
  matcher.insert(0);
  while (s < stop && !writer.full) {
    let count = matcher.find(s, writer.lastOffset);
    if (count < MIN_MATCH) {
      s += 1 + ((s - literals) >> 8);
      continue;
    }
    let source = matcher.source;
    // Lazy: a better match one byte on is worth a literal.
    while (count < GOOD_MATCH && s + 1 < stop) {
      const next = matcher.find(s + 1, writer.lastOffset);
      if (next <= count + 1) break;
      count = next;
      source = matcher.source;
      s++;
    }
    while (s > literals && source > 0 && src[s - 1] === src[source - 1]) {
      s--;
      source--;
      count++;
    }
    writer.literals(literals, s);
    writer.copy(s - source, count);
    const end = s + count;
    const step = count > GOOD_MATCH ? 8 : 1;
    for (let i = matcher.next; i < end && i < stop; i += step) matcher.insert(i);
    s = end;
    literals = end;
  }
  writer.literals(literals, src.length);
}

/** Earlier positions by the hash of their four bytes, the latest first. */
class ChainMatcher {
  /** Where the match that `find` returned begins. */
  source = 0;
  /** The next position to insert. */
  next = 0;
  readonly #words: DataView;
  readonly #length: number;
  readonly #depth: number;
  readonly #head: Int32Array;
  readonly #previous: Int32Array;

  constructor(workspace: S2Workspace, src: Uint8Array, depth: number) {
    this.#words = new DataView(src.buffer, src.byteOffset, src.length);
    this.#length = src.length;
    this.#depth = depth;
    this.#head = workspace.head.fill(-1);
    this.#previous = workspace.previous;
  }

  insert(position: number): void {
    const slot = hash(this.#words.getInt32(position, true), 32 - CHAIN_BITS);
    this.#previous[position & (WINDOW - 1)] = this.#head[slot] as number;
    this.#head[slot] = position;
    this.next = position + 1;
  }

  /** The length of the best match at `s` (0 = none), with `s` and what came before it inserted. */
  find(s: number, lastOffset: number): number {
    while (this.next < s) this.insert(this.next);
    const words = this.#words;
    const word = words.getInt32(s, true);
    let best = 0;
    let score = 0;
    if (lastOffset > 0 && lastOffset <= s && words.getInt32(s - lastOffset, true) === word) {
      best = MIN_MATCH + this.#extend(s, s - lastOffset);
      // A repeat saves the offset's bytes, so it wins over a match one byte longer.
      score = best + 1;
      this.source = s - lastOffset;
    }
    let candidate = this.#head[hash(word, 32 - CHAIN_BITS)] as number;
    for (let i = this.#depth; i > 0 && candidate >= 0 && s - candidate < WINDOW; i--) {
      if (candidate < s && words.getInt32(candidate, true) === word) {
        const count = MIN_MATCH + this.#extend(s, candidate);
        if (count > score) {
          best = count;
          score = count;
          this.source = candidate;
          if (count >= GOOD_MATCH) break;
        }
      }
      const older = this.#previous[candidate & (WINDOW - 1)] as number;
      // Slots are reused after a window's length: an entry that is not older belongs to a later position.
      if (older >= candidate) break;
      candidate = older;
    }
    if (this.next === s) this.insert(s);
    return best;
  }

  #extend(s: number, candidate: number): number {
    return matchLength(this.#words, s + MIN_MATCH, candidate + MIN_MATCH, this.#length);
  }
}

/** How many bytes from `a` and `b` (earlier) on are equal. */
function matchLength(words: DataView, a: number, b: number, length: number): number {
  const start = a;
  while (a + 4 <= length && words.getInt32(a, true) === words.getInt32(b, true)) {
    a += 4;
    b += 4;
  }
  while (a < length && words.getUint8(a) === words.getUint8(b)) {
    a++;
    b++;
  }
  return a - start;
}

/** Writes elements, as short as the format allows; stops for good when they would pass the limit. */
class ElementWriter {
  at: number;
  full = false;
  /** 0 before the first copy, when no repeat is allowed. */
  lastOffset = 0;
  readonly #src: Uint8Array;
  readonly #out: Uint8Array;
  readonly #limit: number;

  constructor(src: Uint8Array, out: Uint8Array, at: number, limit: number) {
    this.#src = src;
    this.#out = out;
    this.at = at;
    this.#limit = limit;
  }

  literals(start: number, end: number): void {
    const count = end - start;
    if (count === 0 || this.full) return;
    if (this.at + count + 5 > this.#limit) {
      this.full = true;
      return;
    }
    const out = this.#out;
    let at = this.at;
    const n = count - 1;
    if (n < 60) {
      out[at++] = (n << 2) | TAG_LITERAL;
    } else {
      const width = n < 1 << 8 ? 1 : n < 1 << 16 ? 2 : 3;
      out[at++] = ((59 + width) << 2) | TAG_LITERAL;
      out[at++] = n & 255;
      if (width > 1) out[at++] = (n >> 8) & 255;
      if (width > 2) out[at++] = n >> 16;
    }
    const src = this.#src;
    if (count <= 32) for (let i = start; i < end; i++) out[at++] = src[i] as number;
    else {
      out.set(src.subarray(start, end), at);
      at += count;
    }
    this.at = at;
  }

  copy(offset: number, count: number): void {
    if (this.full || this.at + 16 > this.#limit) {
      this.full = true;
      return;
    }
    if (offset === this.lastOffset) {
      this.#repeat(offset, count);
      return;
    }
    this.lastOffset = offset;
    // What a first element cannot carry follows as a repeat, of at least 4 bytes.
    if (offset >= WINDOW) {
      const first = count > 64 ? 60 : count;
      this.#far(offset, first);
      if (count > first) this.#repeat(offset, count - first);
    } else if (count > 64) {
      const first = offset < 2048 ? 8 : 60;
      if (offset < 2048) this.#near(offset, first);
      else this.#middle(offset, first);
      this.#repeat(offset, count - first);
    } else if (count >= 12 || offset >= 2048) {
      this.#middle(offset, count);
    } else {
      this.#near(offset, count);
    }
  }

  /** A copy with the offset of the one before. */
  #repeat(offset: number, count: number): void {
    const out = this.#out;
    if (count <= 8) {
      this.#put2(((count - 4) << 2) | TAG_COPY1, 0);
    } else if (count < 12 && offset < 2048) {
      // As short with its offset as it would be as a repeat with a length byte.
      this.#near(offset, count);
    } else if (count <= 8 + 255) {
      this.#put2((5 << 2) | TAG_COPY1, 0);
      out[this.at++] = count - 8;
    } else if (count <= 260 + 0xffff) {
      this.#put2((6 << 2) | TAG_COPY1, 0);
      out[this.at++] = (count - 260) & 255;
      out[this.at++] = (count - 260) >> 8;
    } else {
      this.#put2((7 << 2) | TAG_COPY1, 0);
      out[this.at++] = (count - 65540) & 255;
      out[this.at++] = ((count - 65540) >> 8) & 255;
      out[this.at++] = (count - 65540) >> 16;
    }
  }

  #near(offset: number, count: number): void {
    this.#put2(((offset >> 8) << 5) | ((count - 4) << 2) | TAG_COPY1, offset & 255);
  }

  #middle(offset: number, count: number): void {
    this.#put2(((count - 1) << 2) | TAG_COPY2, offset & 255);
    this.#out[this.at++] = offset >> 8;
  }

  #far(offset: number, count: number): void {
    this.#put2(((count - 1) << 2) | TAG_COPY4, offset & 255);
    this.#out[this.at++] = (offset >> 8) & 255;
    this.#out[this.at++] = (offset >> 16) & 255;
    this.#out[this.at++] = offset >>> 24;
  }

  #put2(first: number, second: number): void {
    this.#out[this.at++] = first;
    this.#out[this.at++] = second;
  }
}
