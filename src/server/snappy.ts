/**
 * Snappy's framing format, as answers on the system account use it on request. The chunks are stored, not
 * compressed: what counts is that readers of the format can read them, and such answers are rare.
 */
import { crc32c, maskedCrc } from "../core/index.ts";

const IDENTIFIER = Uint8Array.from([0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59]);
const STORED = 0x01;
const CHUNK_MAX = 65_536;
const CHUNK_HEAD = 8;

export function snappyFramed(payload: Uint8Array): Uint8Array {
  const chunks = Math.ceil(payload.length / CHUNK_MAX);
  const out = new Uint8Array(IDENTIFIER.length + chunks * CHUNK_HEAD + payload.length);
  const view = new DataView(out.buffer);
  out.set(IDENTIFIER);
  let at = IDENTIFIER.length;
  for (let from = 0; from < payload.length; from += CHUNK_MAX) {
    const end = Math.min(from + CHUNK_MAX, payload.length);
    // Type and a length of three bytes, which counts the checksum.
    view.setUint32(at, STORED | ((end - from + 4) << 8), true);
    view.setUint32(at + 4, maskedCrc(crc32c(payload, from, end, 0)), true);
    out.set(payload.subarray(from, end), at + CHUNK_HEAD);
    at += CHUNK_HEAD + end - from;
  }
  return out;
}
