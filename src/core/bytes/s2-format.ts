/** The constants of S2's stream format that reading and writing share. */

export const CHUNK_COMPRESSED = 0x00;
export const CHUNK_UNCOMPRESSED = 0x01;
/** From here on chunks of types unknown to us may be skipped; `0xfe` is padding. */
export const CHUNK_SKIPPABLE = 0x80;
export const CHUNK_STREAM_IDENTIFIER = 0xff;
/** Type and length. */
export const CHUNK_HEADER_BYTES = 4;
export const CHECKSUM_BYTES = 4;

/** `ff 06 00 00 "S2sTwO"` */
export const STREAM_IDENTIFIER = Uint8Array.from([
  0xff, 6, 0, 0, 0x53, 0x32, 0x73, 0x54, 0x77, 0x4f,
]);
/** `"sNaPpY"`: streams of Snappy proper, with smaller blocks. */
export const SNAPPY_MAGIC = Uint8Array.from([0x73, 0x4e, 0x61, 0x50, 0x70, 0x59]);

/** What a reader must take and a writer may not exceed. */
export const MAX_BLOCK_BYTES = 4 * 1024 * 1024;
export const MAX_SNAPPY_BLOCK_BYTES = 64 * 1024;
/** The blocks that Go's writer makes, and ours. */
export const WRITER_BLOCK_BYTES = 1024 * 1024;

export const TAG_LITERAL = 0;
export const TAG_COPY1 = 1;
export const TAG_COPY2 = 2;
export const TAG_COPY4 = 3;
