/**
 * HOT PATH (leaf links with S2 framing: each byte passes here once per direction). CRC-32C (Castagnoli), the
 * checksum of S2 chunks. Sixteen tables of 256 words (16 KB, within the L1 cache) take 16 bytes per step, so
 * that the steps' dependency chain, not the lookups, bounds the speed.
 */

const TABLE = makeTables();

/** The CRC-32C of `bytes[start, end)`; `seed` is the result for the bytes before. The result is signed. */
export function crc32c(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let at = start;
  let crc = ~seed;
  // To the next word boundary of the memory behind, so that whole words can be read.
  while (at < end && ((bytes.byteOffset + at) & 3) !== 0) crc = step(crc, bytes[at++] as number);
  const words = (end - at) >> 2;
  if (LITTLE_ENDIAN && words >= 8) {
    crc = crcWords(new Int32Array(bytes.buffer, bytes.byteOffset + at, words), crc);
    at += (words >> 2) << 4;
  }
  while (at < end) crc = step(crc, bytes[at++] as number);
  return ~crc;
}

/** As S2 stores it: rotated and shifted by a constant. Unsigned. */
export function maskedCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function step(crc: number, byte: number): number {
  return (TABLE[(crc ^ byte) & 255] as number) ^ (crc >>> 8);
}

/** Four words at a time; what remains of fewer is left to the caller. */
function crcWords(words: Int32Array, seed: number): number {
  const t = TABLE;
  const stop = words.length & ~3;
  let crc = seed;
  for (let i = 0; i < stop; i += 4) {
    const a = crc ^ (words[i] as number);
    const b = words[i + 1] as number;
    const c = words[i + 2] as number;
    const d = words[i + 3] as number;
    // What does not depend on the step before comes first, so that the processor can run ahead with it.
    const ahead =
      (t[2816 + (b & 255)] as number) ^
      (t[2560 + ((b >>> 8) & 255)] as number) ^
      (t[2304 + ((b >>> 16) & 255)] as number) ^
      (t[2048 + (b >>> 24)] as number) ^
      (t[1792 + (c & 255)] as number) ^
      (t[1536 + ((c >>> 8) & 255)] as number) ^
      (t[1280 + ((c >>> 16) & 255)] as number) ^
      (t[1024 + (c >>> 24)] as number) ^
      (t[768 + (d & 255)] as number) ^
      (t[512 + ((d >>> 8) & 255)] as number) ^
      (t[256 + ((d >>> 16) & 255)] as number) ^
      (t[d >>> 24] as number);
    const low = (t[3840 + (a & 255)] as number) ^ (t[3584 + ((a >>> 8) & 255)] as number);
    const high = (t[3328 + ((a >>> 16) & 255)] as number) ^ (t[3072 + (a >>> 24)] as number);
    crc = ahead ^ (low ^ high);
  }
  return crc;
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Table k at index 256k: the effect of a byte that k more bytes follow. */
function makeTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[i] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const shorter = tables[i - 256] as number;
    tables[i] = (tables[shorter & 255] as number) ^ (shorter >>> 8);
  }
  return tables;
}
