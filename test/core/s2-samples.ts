/** Inputs for the S2 tests: what repeats, what does not, and what a leaf link carries. */

/** A small seeded generator (mulberry32): the same inputs on every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type SampleKind = "random" | "zeros" | "text" | "nats" | "binary" | "far";
export const SAMPLE_KINDS: readonly SampleKind[] = [
  "random",
  "zeros",
  "text",
  "nats",
  "binary",
  "far",
];

/** `length` bytes of a kind. */
export function sample(kind: SampleKind, length: number, random: () => number): Uint8Array {
  const integer = (below: number): number => Math.floor(random() * below);
  const bytes = new Uint8Array(length);
  if (kind === "zeros") return bytes.fill(integer(256));
  if (kind === "random") return bytes.map(() => integer(256));
  if (kind === "binary") {
    // Short records that differ in few bytes, at odd distances.
    for (let i = 0; i < length; i++) bytes[i] = i % 13 < 11 ? (i % 13) * 7 : integer(4);
    return bytes;
  }
  if (kind === "far") {
    // The same random piece again and again, mostly beyond 64 KB back.
    const piece = new Uint8Array(70_001).map(() => integer(256));
    for (let i = 0; i < length; i++) bytes[i] = piece[i % piece.length] ?? 0;
    return bytes;
  }
  const words = [
    "orders",
    "stock",
    "eu",
    "us",
    "temperature",
    "price",
    "{}",
    " the ",
    "\r\n",
    '":',
  ];
  let text = "";
  let count = 0;
  while (text.length < length) {
    count++;
    if (kind === "text") text += words[integer(words.length)] ?? "";
    else
      text += `LMSG orders.${integer(9)}.new ${20 + integer(99)}\r\n{"id":${count},"v":${integer(1e6)}}\r\n`;
  }
  for (let i = 0; i < length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
