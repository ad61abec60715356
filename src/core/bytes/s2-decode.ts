/**
 * Reading S2 streams (leaf links with compression). Written here since no kept npm package reads S2 with its
 * repeat offsets and large blocks; those there are read Snappy only.
 *
 * Bytes come from a stranger: nothing throws, memory is bounded by one block of at most 4 MiB and grows only
 * as bytes arrive. Data is handed on as soon as its chunk is complete and its checksum holds. What is held
 * between calls is an unfinished chunk only.
 */
import { crc32c, maskedCrc } from "./crc32c.ts";
import {
  CHECKSUM_BYTES,
  CHUNK_COMPRESSED,
  CHUNK_HEADER_BYTES,
  CHUNK_SKIPPABLE,
  CHUNK_STREAM_IDENTIFIER,
  CHUNK_UNCOMPRESSED,
  MAX_BLOCK_BYTES,
  MAX_SNAPPY_BLOCK_BYTES,
  SNAPPY_MAGIC,
  STREAM_IDENTIFIER,
  TAG_COPY1,
  TAG_COPY2,
  TAG_LITERAL,
} from "./s2-format.ts";

/** The texts of Go's library, as they show in logs. */
export const S2_ERRORS = {
  corrupt: "s2: corrupt input",
  checksum: "s2: corrupt input, crc mismatch",
  tooLarge: "s2: decoded block is too large",
  unsupported: "s2: unsupported input",
} as const;

export type S2Error = (typeof S2_ERRORS)[keyof typeof S2_ERRORS];

/** Gets the decoded bytes; each piece is borrowed for the call. */
export interface S2Sink {
  data(chunk: Uint8Array): void;
}

/** Blocks up to this length are decoded into a buffer that is kept. */
const KEPT_OUTPUT_BYTES = 64 * 1024;
const FIRST_HELD_BYTES = 1024;

export class S2Decoder {
  readonly #header = new Uint8Array(CHUNK_HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes of the current chunk's body still to come; meaningful once the header is whole. */
  #bodyLeft = 0;
  #bodyLength = 0;
  /** The beginning of a body that did not come in one piece. */
  #held: Uint8Array | null = null;
  #heldBytes = 0;
  #maxBlockBytes = 0;
  #output: Uint8Array | null = null;
  #error: S2Error | null = null;

  /** Decodes what `chunk` completes. Returns null or why the stream is broken; it stays broken. */
  read(chunk: Uint8Array, sink: S2Sink): S2Error | null {
    let at = 0;
    while (at < chunk.length && this.#error === null) {
      if (this.#headerBytes < CHUNK_HEADER_BYTES) {
        this.#header[this.#headerBytes++] = chunk[at++] as number;
        if (this.#headerBytes === CHUNK_HEADER_BYTES) this.#error = this.#beginChunk();
        if (this.#bodyLeft > 0 || this.#headerBytes < CHUNK_HEADER_BYTES) continue;
      }
      const take = Math.min(this.#bodyLeft, chunk.length - at);
      const whole = take === this.#bodyLength;
      this.#bodyLeft -= take;
      const type = this.#header[0] as number;
      const skipped = type >= CHUNK_SKIPPABLE && type !== CHUNK_STREAM_IDENTIFIER;
      if (!whole && !skipped) this.#hold(chunk, at, at + take);
      at += take;
      if (this.#bodyLeft > 0) continue;
      this.#headerBytes = 0;
      if (this.#error !== null) break;
      if (whole) this.#error = this.#endChunk(chunk, at - take, at, sink);
      else this.#error = this.#endHeld(sink);
    }
    return this.#error;
  }

  #beginChunk(): S2Error | null {
    const [type = 0, low = 0, middle = 0, high = 0] = this.#header;
    const length = low | (middle << 8) | (high << 16);
    this.#bodyLength = length;
    this.#bodyLeft = length;
    if (type === CHUNK_STREAM_IDENTIFIER) return length === 6 ? null : S2_ERRORS.corrupt;
    // The stream begins with its identifier; before it the block limit is 0.
    if (this.#maxBlockBytes === 0) return S2_ERRORS.corrupt;
    if (type >= CHUNK_SKIPPABLE) return null;
    if (type > CHUNK_UNCOMPRESSED) return S2_ERRORS.unsupported;
    if (length < CHECKSUM_BYTES) return S2_ERRORS.corrupt;
    const max = this.#maxBlockBytes;
    // A block of literals alone is a little longer than its content.
    const limit = type === CHUNK_UNCOMPRESSED ? max : max + (max >> 3) + 32;
    return length - CHECKSUM_BYTES > limit ? S2_ERRORS.tooLarge : null;
  }

  #hold(chunk: Uint8Array, start: number, end: number): void {
    const needed = this.#heldBytes + end - start;
    let held = this.#held;
    if (held === null || held.length < needed) {
      // Grows with what arrived, not with what was announced.
      const size = Math.min(this.#bodyLength, Math.max(FIRST_HELD_BYTES, needed * 2));
      const bigger = new Uint8Array(Math.max(size, needed));
      if (held !== null) bigger.set(held.subarray(0, this.#heldBytes));
      held = bigger;
      this.#held = held;
    }
    held.set(chunk.subarray(start, end), this.#heldBytes);
    this.#heldBytes = needed;
  }

  #endHeld(sink: S2Sink): S2Error | null {
    const held = this.#held;
    const length = this.#heldBytes;
    this.#held = null;
    this.#heldBytes = 0;
    return held === null ? null : this.#endChunk(held, 0, length, sink);
  }

  #endChunk(body: Uint8Array, start: number, end: number, sink: S2Sink): S2Error | null {
    switch (this.#header[0] ?? 0) {
      case CHUNK_STREAM_IDENTIFIER:
        return this.#identify(body, start);
      case CHUNK_COMPRESSED:
        return this.#decompress(body, start, end, sink);
      case CHUNK_UNCOMPRESSED: {
        const data = start + CHECKSUM_BYTES;
        if (maskedCrc(crc32c(body, data, end, 0)) !== readChecksum(body, start)) {
          return S2_ERRORS.checksum;
        }
        if (end > data) sink.data(body.subarray(data, end));
        return null;
      }
      default:
        return null;
    }
  }

  #identify(body: Uint8Array, start: number): S2Error | null {
    if (equals(body, start, STREAM_IDENTIFIER, CHUNK_HEADER_BYTES)) {
      this.#maxBlockBytes = MAX_BLOCK_BYTES;
    } else if (equals(body, start, SNAPPY_MAGIC, 0)) {
      this.#maxBlockBytes = MAX_SNAPPY_BLOCK_BYTES;
    } else {
      return S2_ERRORS.corrupt;
    }
    return null;
  }

  #decompress(body: Uint8Array, start: number, end: number, sink: S2Sink): S2Error | null {
    let at = start + CHECKSUM_BYTES;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      if (at === end || shift > 28) return S2_ERRORS.corrupt;
      const byte = body[at++] as number;
      length += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    if (length > this.#maxBlockBytes) return S2_ERRORS.tooLarge;
    let output = this.#output;
    if (output === null || output.length < length) {
      output = new Uint8Array(length <= KEPT_OUTPUT_BYTES ? KEPT_OUTPUT_BYTES : length);
      if (length <= KEPT_OUTPUT_BYTES) this.#output = output;
    }
    if (!decodeBlock(body, at, end, output, length)) return S2_ERRORS.corrupt;
    if (maskedCrc(crc32c(output, 0, length, 0)) !== readChecksum(body, start)) {
      return S2_ERRORS.checksum;
    }
    if (length > 0) sink.data(output.subarray(0, length));
    return null;
  }
}

function readChecksum(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

function equals(bytes: Uint8Array, start: number, other: Uint8Array, from: number): boolean {
  for (let i = 0; i < 6; i++) if (bytes[start + i] !== other[from + i]) return false;
  return true;
}

/** Up to here a loop copies literals faster than a call with views. */
const LOOP_LITERAL_MAX = 32;

/**
 * Decodes the elements `src[s, end)` into exactly `length` bytes of `dst`; false if they do not fit or point
 * nowhere. Reads past `end` give bytes of other chunks or undefined, and are checked for before use.
 */
export function decodeBlock(
  src: Uint8Array,
  start: number,
  end: number,
  dst: Uint8Array,
  length: number,
): boolean {
  let s = start;
  let d = 0;
  let offset = 0;
  while (s < end) {
    const tag = src[s++] as number;
    const kind = tag & 3;
    let count = (tag >> 2) + 1;
    if (kind === TAG_LITERAL) {
      if (count > 60) {
        const extra = count - 60;
        if (s + extra > end) return false;
        count = readLittleEndian(src, s, extra) + 1;
        s += extra;
      }
      if (count > end - s || count > length - d) return false;
      if (count <= LOOP_LITERAL_MAX) {
        for (const stop = s + count; s < stop;) dst[d++] = src[s++] as number;
      } else {
        dst.set(src.subarray(s, s + count), d);
        s += count;
        d += count;
      }
      continue;
    }
    if (kind === TAG_COPY1) {
      if (s >= end) return false;
      count = ((tag >> 2) & 7) + 4;
      const distance = ((tag & 0xe0) << 3) | (src[s++] as number);
      if (distance !== 0) {
        offset = distance;
      } else if (count > 8) {
        // A repeat with its length in the 1, 2 or 3 bytes that follow.
        const extra = count - 8;
        if (s + extra > end) return false;
        count = readLittleEndian(src, s, extra) + (REPEAT_BASE[extra] as number);
        s += extra;
      }
    } else {
      const width = kind === TAG_COPY2 ? 2 : 4;
      if (s + width > end) return false;
      offset = readLittleEndian(src, s, width);
      s += width;
    }
    if (offset === 0 || offset > d || count > length - d) return false;
    copyWithin(dst, d, offset, count);
    d += count;
  }
  return d === length;
}

/** The lengths that repeats with 1, 2 and 3 extra bytes begin at. */
const REPEAT_BASE = [0, 8, 260, 65540] as const;

function readLittleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = bytes[at] as number;
  if (width > 1) value |= (bytes[at + 1] as number) << 8;
  if (width > 2) value |= (bytes[at + 2] as number) << 16;
  return width > 3 ? value + (bytes[at + 3] as number) * 0x1000000 : value;
}

/** Copies from `offset` bytes back, byte by byte in effect: the source may overlap what is written. */
function copyWithin(dst: Uint8Array, at: number, offset: number, count: number): void {
  if (count <= LOOP_LITERAL_MAX) {
    for (let i = at, stop = at + count; i < stop; i++) dst[i] = dst[i - offset] as number;
    return;
  }
  // Each round copies all that is there of the repeating pattern, so rounds double.
  let done = 0;
  while (done < count) {
    const take = Math.min(count - done, offset + done);
    dst.copyWithin(at + done, at - offset, at - offset + take);
    done += take;
  }
}
