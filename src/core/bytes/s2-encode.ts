/**
 * HOT PATH (leaf links with compression; with the defaults every byte of a nearby leaf passes as stored
 * blocks). Writing S2 streams: one stream identifier, then chunks of at most 1 MiB, each of them compressed if
 * that makes it shorter.
 *
 * Stored chunks do not copy: the frames themselves stand among the pieces to send. Matching is in
 * `s2-block.ts`; its tables are in a workspace that many encoders of one thread may share.
 */
import type { CompressionMode } from "../contract.ts";
import { crc32c, maskedCrc } from "./crc32c.ts";
import { encodeBlock, type S2Workspace } from "./s2-block.ts";
import {
  CHECKSUM_BYTES,
  CHUNK_COMPRESSED,
  CHUNK_HEADER_BYTES,
  CHUNK_UNCOMPRESSED,
  STREAM_IDENTIFIER,
  WRITER_BLOCK_BYTES,
} from "./s2-format.ts";

/** Up to here a chunk and its header go into one buffer; a further buffer to send costs more than the copy. */
const COPY_MAX_BYTES = 4096;
/** Shorter blocks are not worth a search. */
const COMPRESS_MIN_BYTES = 32;
const HEADER_BYTES = STREAM_IDENTIFIER.length + CHUNK_HEADER_BYTES + CHECKSUM_BYTES;
/** Most bytes of the varint before a block's elements. */
const MAX_VARINT_BYTES = 4;

export class S2Encoder {
  mode: CompressionMode;
  readonly #workspace: S2Workspace;
  #identified = false;

  constructor(mode: CompressionMode, workspace: S2Workspace) {
    this.mode = mode;
    this.#workspace = workspace;
  }

  /**
   * Appends to `pieces` what must be sent, in order, for `frames`. Some pieces may be (parts of) the frames
   * themselves: those must stay as they are until they are sent.
   */
  encode(frames: readonly Uint8Array[], pieces: Uint8Array[]): void {
    const compresses = this.mode !== "s2_uncompressed";
    let first = 0;
    let from = 0;
    while (first < frames.length) {
      // One block: from `first[from]` on, as many frames (or parts) as fit.
      let room = WRITER_BLOCK_BYTES;
      const block: Uint8Array[] = [];
      while (first < frames.length && room > 0) {
        const frame = frames[first] as Uint8Array;
        const end = Math.min(frame.length, from + room);
        if (end > from)
          block.push(from === 0 && end === frame.length ? frame : frame.subarray(from, end));
        room -= end - from;
        from = end;
        if (end < frame.length) break;
        first++;
        from = 0;
      }
      const length = WRITER_BLOCK_BYTES - room;
      if (length === 0) continue;
      if (!compresses || length < COMPRESS_MIN_BYTES || !this.#compressed(block, length, pieces)) {
        this.#stored(block, length, pieces);
      }
    }
  }

  #stored(block: readonly Uint8Array[], length: number, pieces: Uint8Array[]): void {
    let crc = 0;
    for (const frame of block) crc = crc32c(frame, 0, frame.length, crc);
    const copies = length <= COPY_MAX_BYTES;
    const out = new Uint8Array(copies ? HEADER_BYTES + length : HEADER_BYTES);
    let at = this.#chunkHeader(out, CHUNK_UNCOMPRESSED, length, crc);
    if (!copies) {
      pieces.push(out.subarray(0, at), ...block);
      return;
    }
    for (const frame of block) {
      out.set(frame, at);
      at += frame.length;
    }
    pieces.push(out.subarray(0, at));
  }

  /** false if it did not get shorter. */
  #compressed(block: readonly Uint8Array[], length: number, pieces: Uint8Array[]): boolean {
    const input = block.length === 1 ? (block[0] as Uint8Array) : joined(block, length);
    // The encoder gives up before it writes more than the input's length.
    const out = new Uint8Array(HEADER_BYTES + MAX_VARINT_BYTES + length);
    const identifierBytes = this.#identified ? 0 : STREAM_IDENTIFIER.length;
    const start = identifierBytes + CHUNK_HEADER_BYTES + CHECKSUM_BYTES;
    let at = start;
    for (let rest = length; ; rest >>>= 7) {
      out[at++] = rest < 128 ? rest : (rest & 127) | 128;
      if (rest < 128) break;
    }
    const end = encodeBlock(
      this.mode,
      this.#workspace,
      input,
      out,
      at,
      at + length - (length >> 5),
    );
    if (end < 0) return false;
    this.#chunkHeader(out, CHUNK_COMPRESSED, end - start, crc32c(input, 0, length, 0));
    pieces.push(out.subarray(0, end));
    return true;
  }

  /** Writes the header (before the first chunk also the identifier); returns where the content begins. */
  #chunkHeader(out: Uint8Array, type: number, contentBytes: number, crc: number): number {
    let at = 0;
    if (!this.#identified) {
      out.set(STREAM_IDENTIFIER);
      at = STREAM_IDENTIFIER.length;
      this.#identified = true;
    }
    const length = contentBytes + CHECKSUM_BYTES;
    const checksum = maskedCrc(crc);
    out[at++] = type;
    out[at++] = length & 255;
    out[at++] = (length >> 8) & 255;
    out[at++] = length >> 16;
    out[at++] = checksum & 255;
    out[at++] = (checksum >>> 8) & 255;
    out[at++] = (checksum >>> 16) & 255;
    out[at++] = checksum >>> 24;
    return at;
  }
}

function joined(block: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const frame of block) {
    all.set(frame, at);
    at += frame.length;
  }
  return all;
}
