/**
 * A message on its way through the engine: one reused view of the incoming frame, bytes plus offsets.
 * Valid only until the next message is parsed; whoever keeps something copies it.
 *
 *     PUB subject reply 5\r\nhello\r\n
 *         |       |     |    |       |
 *         subject reply size payload frameEnd
 *                 ^rest: `[reply ]size CRLF payload CRLF`, as it goes out again
 */
import { type BufferPool, Slab } from "../bytes/pool.ts";
import type { Match } from "../account/match-result.ts";
import type { CacheEntry } from "../subject/match-cache.ts";

export class Message {
  bytes: Uint8Array;
  view: DataView;
  /** The frame's bytes stay as they are after the call, so that a slice may be kept; as long as `slab` is held. */
  owned = false;
  /** What the frame stands in, held by this message, where it is a buffer that will be used again. */
  slab: Slab | null = null;
  subjectStart = 0;
  subjectEnd = 0;
  /** Hash of the subject with the engine's seed. */
  hash = 0;
  /** 0, 0 without a reply. */
  replyStart = 0;
  replyEnd = 0;
  /** Where the contiguous rest starts, or -1 where single spaces and CRLF are not what stands there. */
  restStart = 0;
  /** The token with the header's length; 0, 0 without headers. */
  headerStart = 0;
  headerEnd = 0;
  /** The token with the total length. */
  sizeStart = 0;
  sizeEnd = 0;
  headerLength = 0;
  size = 0;
  payloadStart = 0;
  frameEnd = 0;
  /** Queue groups named by a leaf; null on messages of clients, where all groups are served. */
  queues: readonly string[] | null = null;

  /** The cache entry of the subject, once it was looked up: a repeated control line needs no second look. */
  entry: CacheEntry<Match> | null = null;

  constructor() {
    this.bytes = new Uint8Array(0);
    this.view = new DataView(this.bytes.buffer);
  }

  /** The frame stands in these bytes from now on. */
  use(bytes: Uint8Array): void {
    this.release();
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The frame stands in this slab, which its caller holds for it. */
  useSlab(slab: Slab): void {
    this.release();
    this.bytes = slab.bytes;
    this.view = slab.view;
    this.slab = slab;
  }

  /** The frame is not needed any more. */
  release(): void {
    this.slab?.drop();
    this.slab = null;
  }

  /** Moves the frame to a buffer of its own, so that receivers may keep parts of it. */
  own(pool: BufferPool): void {
    const from = this.subjectStart;
    const slab = pool.fit(this.frameEnd - from);
    slab.bytes.set(this.bytes.subarray(from, this.frameEnd));
    this.useSlab(slab);
    this.shift(-from);
    this.owned = true;
  }

  /** The same control line again, `by` bytes further on. */
  shift(by: number): void {
    this.subjectStart += by;
    this.subjectEnd += by;
    if (this.replyEnd !== 0) {
      this.replyStart += by;
      this.replyEnd += by;
    }
    if (this.headerEnd !== 0) {
      this.headerStart += by;
      this.headerEnd += by;
    }
    if (this.restStart >= 0) this.restStart += by;
    this.sizeStart += by;
    this.sizeEnd += by;
    this.payloadStart += by;
    this.frameEnd += by;
  }
}

/** HOT PATH. Whether two ranges of `length` bytes are equal, compared by words. */
export function sameBytes(view: DataView, a: number, b: number, length: number): boolean {
  let i = 0;
  for (const stop = length - 3; i < stop; i += 4) {
    if (view.getInt32(a + i, true) !== view.getInt32(b + i, true)) return false;
  }
  for (; i < length; i++) if (view.getUint8(a + i) !== view.getUint8(b + i)) return false;
  return true;
}

export const SCAN_INCOMPLETE = -1;
export const SCAN_IRREGULAR = -2;

/**
 * HOT PATH. Scans `subject [reply] size CRLF` from `at` in one pass, hashing the subject, and returns the
 * index after LF. SCAN_IRREGULAR sends the caller to the thorough tokenizer: tabs, runs of blanks, bare LF, bad
 * numbers, control characters.
 */
export function scanMessageLine(
  m: Message,
  bytes: Uint8Array,
  at: number,
  end: number,
  seed: number,
): number {
  let i = at;
  let hash = seed;
  let c = 0;
  while (i < end && (c = bytes[i] as number) > 32) {
    hash = Math.imul(hash ^ c, 16777619);
    i++;
  }
  if (i >= end) return SCAN_INCOMPLETE;
  if (c !== 32 || i === at) return SCAN_IRREGULAR;
  m.subjectStart = at;
  m.subjectEnd = i;
  m.hash = hash;
  m.entry = null;
  const rest = ++i;
  let n = 0;
  while (i < end && (c = bytes[i] as number) >= 48 && c <= 57) {
    n = n * 10 + c - 48;
    i++;
  }
  if (i >= end) return SCAN_INCOMPLETE;
  let sizeStart = rest;
  if (c === 13) {
    m.replyStart = m.replyEnd = 0;
  } else {
    while (i < end && (c = bytes[i] as number) > 32) i++;
    if (i >= end) return SCAN_INCOMPLETE;
    if (c !== 32 || i === rest) return SCAN_IRREGULAR;
    m.replyStart = rest;
    m.replyEnd = i;
    sizeStart = ++i;
    n = 0;
    while (i < end && (c = bytes[i] as number) >= 48 && c <= 57) {
      n = n * 10 + c - 48;
      i++;
    }
    if (i >= end) return SCAN_INCOMPLETE;
    if (c !== 13) return SCAN_IRREGULAR;
  }
  if (i === sizeStart || i - sizeStart > 9) return SCAN_IRREGULAR;
  if (i + 1 >= end) return SCAN_INCOMPLETE;
  if (bytes[i + 1] !== 10) return SCAN_IRREGULAR;
  m.restStart = rest;
  m.sizeStart = sizeStart;
  m.sizeEnd = i;
  m.headerStart = m.headerEnd = m.headerLength = 0;
  m.size = n;
  m.payloadStart = i + 2;
  return i + 2;
}

/** Token offsets of a control line's arguments: `starts[k]`, `ends[k]`; at most `max` are recorded. */
export class Tokens {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly max: number;
  count = 0;

  constructor(max: number) {
    this.max = max;
    this.starts = new Int32Array(max);
    this.ends = new Int32Array(max);
  }

  /** Splits at runs of SP and TAB. `count` may exceed `max`: the tokens beyond are not recorded. */
  split(bytes: Uint8Array, start: number, end: number): number {
    let count = 0;
    let i = start;
    while (i < end) {
      while (i < end && (bytes[i] === 32 || bytes[i] === 9)) i++;
      if (i >= end) break;
      const from = i;
      while (i < end && bytes[i] !== 32 && bytes[i] !== 9) i++;
      if (count < this.max) {
        this.starts[count] = from;
        this.ends[count] = i;
      }
      count++;
    }
    return (this.count = count);
  }
}
