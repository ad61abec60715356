import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  applyMask,
  deflateMessage,
  FrameReader,
  writeFrameHeader,
} from "../../src/transports/node/websocket-frames.ts";

function frame(firstByte: number, payload: Uint8Array, mask: number | null): Uint8Array {
  const out = new Uint8Array(14 + payload.length);
  const start = writeFrameHeader(out, firstByte, payload.length, mask);
  out.set(payload, start);
  if (mask !== null) applyMask(out.subarray(start, start + payload.length), mask);
  return out.subarray(0, start + payload.length);
}

interface Seen {
  text: string;
  controls: string[];
  error: string | null;
}

function read(
  pieces: readonly Uint8Array[],
  options: { masked?: boolean; compression?: boolean; maxInflated?: number } = {},
): Seen {
  const { masked = true, compression = false, maxInflated = 1_000_000 } = options;
  const reader = new FrameReader({ masked, compression }, maxInflated);
  const seen: Seen = { text: "", controls: [], error: null };
  const sink = {
    payload: (bytes: Uint8Array): void => {
      seen.text += Buffer.from(bytes).toString("latin1");
    },
    control: (opcode: number, bytes: Uint8Array): void => {
      seen.controls.push(`${opcode}:${Buffer.from(bytes).toString("latin1")}`);
    },
  };
  for (const piece of pieces) {
    // Each piece in memory that is overwritten afterwards, as a borrowed chunk is.
    const chunk = Buffer.from(piece);
    const error = reader.read(chunk, sink);
    chunk.fill(0xee);
    if (error === null) continue;
    seen.error = `${error.status} ${error.text}`;
    break;
  }
  return seen;
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

test("any split of any frames gives the same bytes and controls", () => {
  const message = fc.record({
    payload: fc.uint8Array({ maxLength: 300 }),
    mask: fc.integer({ min: 0, max: 0xffffffff }),
    kind: fc.constantFrom("binary", "fragmented", "ping", "deflated"),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(2000)), (messages, cuts) => {
      let text = "";
      const controls: string[] = [];
      const frames: Uint8Array[] = [];
      for (const { payload, mask, kind } of messages) {
        const latin1 = Buffer.from(payload).toString("latin1");
        if (kind === "ping") {
          controls.push(`9:${latin1.slice(0, 125)}`);
          frames.push(frame(0x89, payload.slice(0, 125), mask));
          continue;
        }
        text += latin1;
        if (kind === "binary") frames.push(frame(0x82, payload, mask));
        if (kind === "deflated") frames.push(frame(0xc2, deflateMessage([payload]), mask));
        if (kind === "fragmented") {
          const half = payload.length >> 1;
          frames.push(frame(0x02, payload.slice(0, half), mask));
          frames.push(frame(0x80, payload.slice(half), mask));
        }
      }
      const all = Buffer.concat(frames);
      const edges = [0, ...cuts.map((cut) => cut % (all.length + 1)), all.length];
      edges.sort((a, b) => a - b);
      const pieces = edges.slice(1).map((edge, i) => all.subarray(edges[i], edge));
      assert.deepEqual(read(pieces, { compression: true }), { text, controls, error: null });
    }),
  );
});

test("garbage ends in an error or in silence, never in an exception", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.boolean(), (garbage, compression) => {
      read([garbage], { compression, masked: false });
    }),
  );
});

const long = new Uint8Array(126);
const rows: [string, Uint8Array, string][] = [
  ["reserved bits", frame(0xa2, bytes("x"), 1), "1002 RSV2 and RSV3 must be clear"],
  [
    "compression that was not agreed",
    frame(0xc2, bytes("x"), 1),
    "1002 compressed frame received without negotiated permessage-deflate",
  ],
  ["an unmasked frame", frame(0x82, bytes("x"), null), "1002 mask bit missing"],
  [
    "a long control frame",
    frame(0x89, long, 1),
    "1002 control frame length bigger than maximum allowed of 125 bytes",
  ],
  [
    "a fragmented ping",
    frame(0x09, bytes("x"), 1),
    "1002 control frame does not have final bit set",
  ],
  [
    "a message inside a message",
    Buffer.concat([frame(0x02, bytes("a"), 1), frame(0x82, bytes("b"), 1)]),
    "1002 new message started before final frame for previous message was received",
  ],
  ["a stray continuation", frame(0x80, bytes("x"), 1), "1002 invalid continuation frame"],
  ["an unknown opcode", frame(0x83, bytes("x"), 1), "1002 unknown opcode 3"],
  [
    "an absurd length",
    Uint8Array.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    "1002 invalid 64-bit payload length",
  ],
  ["half a status", frame(0x88, bytes("x"), 1), "1002 close frame payload cannot be 1 byte"],
  ["a bad status", frame(0x88, bytes("\x03\xed"), 1), "1002 invalid close status code 1005"],
  ["a bad text", frame(0x88, bytes("\x03\xe8\xff"), 1), "1007 invalid utf8 body in close frame"],
];
for (const [name, input, error] of rows) {
  test(`refuses ${name}`, () => assert.equal(read([input]).error, error));
}

test("a compressed message may inflate to the limit and not beyond", () => {
  const zeros = frame(0xc2, deflateMessage([new Uint8Array(1000)]), 7);
  const options = { compression: true, maxInflated: 1000 };
  assert.equal(read([zeros], options).text.length, 1000);
  const more = frame(0xc2, deflateMessage([new Uint8Array(1001)]), 7);
  assert.equal(read([more], options).error, "1009 maximum payload exceeded");
  const stored = frame(0xc2, new Uint8Array(8001), 7);
  assert.equal(read([stored], options).error, "1009 maximum payload exceeded");
});
