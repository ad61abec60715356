import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { CompressionMode } from "../../src/core/index.ts";
import { crc32c, maskedCrc } from "../../src/core/bytes/crc32c.ts";
import { S2Workspace } from "../../src/core/bytes/s2-block.ts";
import { decodeBlock, S2Decoder } from "../../src/core/bytes/s2-decode.ts";
import { S2Encoder } from "../../src/core/bytes/s2-encode.ts";
import { sample, SAMPLE_KINDS, seeded } from "./s2-samples.ts";

const MODES: readonly CompressionMode[] = ["s2_uncompressed", "s2_fast", "s2_better", "s2_best"];
const workspace = new S2Workspace();

function encode(mode: CompressionMode, frames: readonly Uint8Array[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  new S2Encoder(mode, workspace).encode(frames, pieces);
  return Buffer.concat(pieces);
}

interface Decoded {
  readonly bytes: Uint8Array;
  readonly error: string | null;
}

function decode(pieces: readonly Uint8Array[]): Decoded {
  const decoder = new S2Decoder();
  const out: Uint8Array[] = [];
  let error: string | null = null;
  for (const piece of pieces) {
    // A copy that is overwritten afterwards, as a borrowed chunk is.
    const chunk = new Uint8Array(piece);
    error = decoder.read(chunk, { data: (bytes) => void out.push(new Uint8Array(bytes)) });
    chunk.fill(0xee);
    if (error !== null) break;
  }
  return { bytes: Buffer.concat(out), error };
}

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(/\s/g, ""), "hex");
const IDENTIFIER = "ff060000 533273547 74f".replaceAll(" ", "");

test("crc32c has the known check values, at any alignment and however it is cut", () => {
  assert.equal(crc32c(Buffer.from("123456789"), 0, 9, 0) >>> 0, 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32), 0, 32, 0) >>> 0, 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255), 0, 32, 0) >>> 0, 0x62a8ab43);
  const random = seeded(1);
  const bytes = sample("random", 400, random);
  for (let start = 0; start < 8; start++) {
    for (let end = start; end < 300; end += 7) {
      const naive = bitwise(bytes.subarray(start, end));
      assert.equal(crc32c(bytes, start, end, 0) >>> 0, naive);
      const middle = (start + end) >> 1;
      assert.equal(crc32c(bytes, middle, end, crc32c(bytes, start, middle, 0)) >>> 0, naive);
    }
  }
});

function bitwise(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

for (const mode of MODES) {
  test(`${mode} comes back as it was, for every kind and many lengths`, () => {
    const random = seeded(2);
    for (const kind of SAMPLE_KINDS) {
      for (const length of [
        0, 1, 3, 15, 16, 17, 60, 61, 64, 65, 255, 256, 300, 4096, 4097, 65_536, 200_001,
      ]) {
        const input = sample(kind, length, random);
        const { bytes, error } = decode([encode(mode, [input])]);
        assert.equal(error, null);
        assert.deepEqual(Buffer.compare(bytes, input), 0, `${kind} ${length}`);
      }
    }
  });

  test(`${mode} keeps blocks within 1 MiB and frames in order`, () => {
    const random = seeded(3);
    const frames = [
      sample("nats", 700_000, random),
      new Uint8Array(0),
      sample("random", 900_000, random),
      sample("text", 1_500_000, random),
    ];
    const { bytes, error } = decode([encode(mode, frames)]);
    assert.equal(error, null);
    assert.equal(Buffer.compare(bytes, Buffer.concat(frames)), 0);
  });
}

test("any input in any frames, cut anywhere, comes back as it was", () => {
  const input = fc.record({
    seed: fc.integer(),
    kind: fc.constantFrom(...SAMPLE_KINDS),
    lengths: fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 5 }),
    mode: fc.constantFrom(...MODES),
    cuts: fc.array(fc.nat(20_000), { maxLength: 20 }),
  });
  fc.assert(
    fc.property(input, ({ seed, kind, lengths, mode, cuts }) => {
      const random = seeded(seed);
      const frames = lengths.map((length) => sample(kind, length, random));
      const encoded = encode(mode, frames);
      const edges = [0, ...cuts.map((cut) => cut % (encoded.length + 1)), encoded.length];
      edges.sort((a, b) => a - b);
      const { bytes, error } = decode(
        edges.slice(1).map((edge, i) => encoded.subarray(edges[i], edge)),
      );
      assert.equal(error, null);
      assert.equal(Buffer.compare(bytes, Buffer.concat(frames)), 0);
    }),
    { numRuns: 500 },
  );
});

test("a changed byte is an error or changes nothing, and never throws", () => {
  const random = seeded(4);
  for (let run = 0; run < 2000; run++) {
    const kind = SAMPLE_KINDS[run % SAMPLE_KINDS.length] ?? "text";
    const input = sample(kind, Math.floor(random() * 500), random);
    const encoded = encode(MODES[run % 4] ?? "s2_fast", [input]);
    if (encoded.length === 0) continue;
    const at = Math.floor(random() * encoded.length);
    encoded[at] = (encoded[at] ?? 0) ^ (1 + Math.floor(random() * 255));
    const { bytes, error } = decode([encoded]);
    if (error === null && bytes.length > 0) assert.equal(Buffer.compare(bytes, input), 0);
  }
});

test("garbage after the identifier never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
      decode([a]);
      decode([hex(IDENTIFIER), a, b]);
      decodeBlock(a, 0, a.length, new Uint8Array(1000), b.length * 3);
    }),
    { numRuns: 2000 },
  );
});

const rows: [string, string, string | null][] = [
  ["no identifier", "01040000 00000000", "s2: corrupt input"],
  ["a wrong identifier", "ff060000 000000000000", "s2: corrupt input"],
  ["a reserved type", `${IDENTIFIER} 02000000`, "s2: unsupported input"],
  ["a chunk without checksum", `${IDENTIFIER} 01030000 000000`, "s2: corrupt input"],
  ["a wrong checksum", `${IDENTIFIER} 01050000 00000000 41`, "s2: corrupt input, crc mismatch"],
  ["too long a block", `${IDENTIFIER} 010500ff`, "s2: decoded block is too large"],
  [
    "too long a result",
    `${IDENTIFIER} 000a0000 00000000 ffffff7f 0000`,
    "s2: decoded block is too large",
  ],
  ["an endless length", `${IDENTIFIER} 000a0000 00000000 ffffffffff00`, "s2: corrupt input"],
  [
    "a repeat before any copy",
    `${IDENTIFIER} 00080000 00000000 08004101 00`.replace("0008", "0009"),
    "s2: corrupt input",
  ],
  ["skippable chunks", `${IDENTIFIER} fe030000 000000 80000000 ${IDENTIFIER}`, null],
];
for (const [name, input, error] of rows) {
  test(`reads ${name} as ${error ?? "nothing"}`, () =>
    assert.equal(decode([hex(input)]).error, error));
}

test("Snappy's identifier limits blocks to 64 KB", () => {
  const snappy = Buffer.from("\xff\x06\x00\x00sNaPpY", "latin1");
  const input = new Uint8Array(65_537);
  const encoded = encode("s2_uncompressed", [input]);
  assert.equal(decode([snappy, encoded.subarray(10)]).error, "s2: decoded block is too large");
  const fitting = encode("s2_uncompressed", [input.subarray(1)]);
  assert.equal(decode([snappy, fitting.subarray(10)]).bytes.length, 65_536);
});

test("data is handed on as soon as its chunk is complete", () => {
  const encoder = new S2Encoder("s2_fast", workspace);
  const decoder = new S2Decoder();
  let text = "";
  const sink = { data: (bytes: Uint8Array): void => void (text += Buffer.from(bytes).toString()) };
  for (const line of ["PING\r\n", "LS+ foo\r\n".repeat(30), "PONG\r\n"]) {
    const pieces: Uint8Array[] = [];
    encoder.encode([Buffer.from(line)], pieces);
    text = "";
    for (const piece of pieces) assert.equal(decoder.read(piece, sink), null);
    assert.equal(text, line);
  }
});

test("stored frames are sent as they are, without a copy", () => {
  const frame = new Uint8Array(100_000);
  const pieces: Uint8Array[] = [];
  new S2Encoder("s2_uncompressed", workspace).encode([frame], pieces);
  assert.equal(pieces.length, 2);
  assert.equal(pieces[1], frame);
});

test("compression helps where bytes repeat, and stores what does not get shorter", () => {
  const random = seeded(5);
  const limits: [CompressionMode, number][] = [
    ["s2_fast", 0.45],
    ["s2_better", 0.4],
    ["s2_best", 0.4],
  ];
  const nats = sample("nats", 65_536, random);
  const noise = sample("random", 65_536, random);
  for (const [mode, limit] of limits) {
    assert.ok(encode(mode, [nats]).length < nats.length * limit, mode);
    assert.equal(encode(mode, [noise]).length, noise.length + 18, mode);
  }
});

test("the masked checksum is the format's", () => {
  assert.equal(maskedCrc(crc32c(Buffer.from("123456789"), 0, 9, 0)), maskedNaive(0xe3069283));
});

function maskedNaive(crc: number): number {
  return Number(
    ((((BigInt(crc) >> 15n) | (BigInt(crc) << 17n)) % (1n << 32n)) + 0xa282ead8n) % (1n << 32n),
  );
}
