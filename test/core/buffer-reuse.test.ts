/** Buffers are used again, but never while a transport may still read from them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

const BIG = 1_000_000;

/** A transport that keeps what it is given of some links until it is told to let go. */
class Holder {
  readonly slow = new Set<number>();
  readonly text = new Map<number, string>();
  #held = new Map<number, { frame: Uint8Array; copy: Uint8Array }[]>();

  readonly outlet = {
    write: (link: number, frame: Uint8Array): number => this.#take(link, [frame]),
    writev: (link: number, frames: readonly Uint8Array[]): number => this.#take(link, frames),
  };

  heldBytes(link: number): number {
    return (this.#held.get(link) ?? []).reduce((sum, { frame }) => sum + frame.length, 0);
  }

  /** Lets go of everything, which must still be what was given. */
  letGo(rig: Rig, link: number): void {
    const held = this.#held.get(link) ?? [];
    this.#held.delete(link);
    for (const { frame, copy } of held) assert.deepEqual(Buffer.from(frame), Buffer.from(copy));
    rig.engine.drained(link, 0, rig.now);
  }

  #take(link: number, frames: readonly Uint8Array[]): number {
    const text = frames.map((frame) => Buffer.from(frame).toString("latin1")).join("");
    this.text.set(link, (this.text.get(link) ?? "") + text);
    if (!this.slow.has(link)) return 0;
    const list = this.#held.get(link) ?? [];
    // A Buffer's `slice` would be a view.
    for (const frame of frames) list.push({ frame, copy: new Uint8Array(frame) });
    this.#held.set(link, list);
    return this.heldBytes(link);
  }
}

/** A message of `size` equal letters in chunks as a socket would read them. */
function sendInChunks(rig: Rig, link: ReturnType<Rig["client"]>, letter: string, size = BIG): void {
  const text = `PUB foo ${size}\r\n${letter.repeat(size)}\r\n`;
  for (let at = 0; at < text.length; at += 262_144) rig.send(link, text.slice(at, at + 262_144));
}

test("large messages one after the other take no new buffer", () => {
  const rig = new Rig();
  const sub = rig.client("SUB foo 1\r\n");
  const pub = rig.client();
  for (const letter of "ab") sendInChunks(rig, pub, letter);
  const before = rig.allocated;
  for (const letter of "cdefgh") sendInChunks(rig, pub, letter);
  assert.equal(rig.allocated, before);
  assert.ok(rig.textOf(sub.id).endsWith(`MSG foo 1 ${BIG}\r\n${"h".repeat(BIG)}\r\n`));
});

test("a buffer that one of two receivers still holds is not written again before it lets go", () => {
  const holder = new Holder();
  const rig = new Rig({ maxPending: 64 * 1024 * 1024 }, holder.outlet);
  const slow = rig.client("SUB foo 1\r\n");
  const fast = rig.client("SUB foo 22\r\n");
  const pub = rig.client();
  holder.slow.add(slow.id);
  for (const letter of "abcd") sendInChunks(rig, pub, letter);
  assert.ok(holder.heldBytes(slow.id) > BIG);
  while (holder.heldBytes(slow.id) > 0) holder.letGo(rig, slow.id);
  for (const [link, sid] of [
    [slow, 1],
    [fast, 22],
  ] as const) {
    const expected = ["a", "b", "c", "d"].map(
      (c) => `MSG foo ${sid} ${BIG}\r\n${c.repeat(BIG)}\r\n`,
    );
    assert.ok((holder.text.get(link.id) ?? "").endsWith(expected.join("")));
  }
  const before = rig.allocated;
  for (const letter of "efgh") {
    sendInChunks(rig, pub, letter);
    holder.letGo(rig, slow.id);
  }
  assert.equal(rig.allocated, before);
});

test("the same for payloads that came whole in a chunk", () => {
  const holder = new Holder();
  const rig = new Rig({}, holder.outlet);
  const slow = rig.client("SUB foo 1\r\n");
  const pub = rig.client();
  holder.slow.add(slow.id);
  const size = 40_000;
  const round = (letters: string): void => {
    for (const letter of letters) sendInChunks(rig, pub, letter, size);
    while (holder.heldBytes(slow.id) > 0) holder.letGo(rig, slow.id);
  };
  round("abcd");
  round("abcd");
  const before = rig.allocated;
  round("efgh");
  assert.equal(rig.allocated, before);
  const expected = ["e", "f", "g", "h"]
    .map((c) => `MSG foo 1 ${size}\r\n${c.repeat(size)}\r\n`)
    .join("");
  assert.ok((holder.text.get(slow.id) ?? "").endsWith(expected));
});

test("the same for a frame that receivers share", () => {
  const holder = new Holder();
  const rig = new Rig({}, holder.outlet);
  const slow = rig.client("SUB foo 1\r\n");
  const fast = rig.client("SUB foo 1\r\n");
  const pub = rig.client();
  holder.slow.add(slow.id);
  const text = (letter: string): string => `PUB foo 6\r\n${letter.repeat(6)}\r\n`.repeat(1000);
  for (const letter of "abcd") rig.send(pub, text(letter));
  while (holder.heldBytes(slow.id) > 0) holder.letGo(rig, slow.id);
  const expected = ["a", "b", "c", "d"]
    .map((c) => `MSG foo 1 6\r\n${c.repeat(6)}\r\n`.repeat(1000))
    .join("");
  for (const { id } of [slow, fast]) assert.ok((holder.text.get(id) ?? "").endsWith(expected));
  const before = rig.allocated;
  for (const letter of "efgh") {
    rig.send(pub, text(letter));
    holder.letGo(rig, slow.id);
  }
  assert.equal(rig.allocated, before);
});

test("what the transport of a closed link holds is left alone", () => {
  const holder = new Holder();
  const rig = new Rig({}, holder.outlet);
  const slow = rig.client("SUB foo 1\r\n");
  const fast = rig.client("SUB foo 22\r\n");
  const pub = rig.client();
  holder.slow.add(slow.id);
  sendInChunks(rig, pub, "a");
  rig.engine.closed(slow.id, "Client Closed", rig.now);
  for (const letter of "bcd") sendInChunks(rig, pub, letter);
  assert.ok(holder.heldBytes(slow.id) > BIG);
  holder.letGo(rig, slow.id);
  assert.ok((holder.text.get(fast.id) ?? "").endsWith(`${"d".repeat(BIG)}\r\n`));
});

test("buffers of sizes that are not asked for any more are not kept", () => {
  const rig = new Rig({ maxPayload: 8 * 1024 * 1024 });
  rig.client("SUB foo 1\r\n");
  const pub = rig.client();
  for (let size = BIG; size < 6 * BIG; size += 400_000) sendInChunks(rig, pub, "a", size);
  const before = rig.allocated;
  for (const letter of "abcd") sendInChunks(rig, pub, letter, 7 * BIG);
  assert.ok(rig.allocated - before < 8.8 * BIG, `${rig.allocated - before}`);
});

test("what a stalled receiver's backlog took serves the next one's, and is let go when none comes", () => {
  const holder = new Holder();
  const rig = new Rig({ maxPending: 30 * BIG }, holder.outlet);
  const pub = rig.client();
  const stall = (): number => {
    const before = rig.allocated;
    const slow = rig.client("SUB foo 1\r\n");
    holder.slow.add(slow.id);
    for (let i = 0; i < 40; i++) sendInChunks(rig, pub, "x");
    assert.equal(slow.closedReason, "Slow Consumer (Pending Bytes)");
    return rig.allocated - before;
  };
  const first = stall();
  assert.ok(first > 30 * BIG, `${first}`);
  const second = stall();
  assert.ok(second < 0.2 * first, `${second} of ${first}`);
  for (let i = 0; i < 3; i++) {
    rig.now += 1000;
    rig.engine.advance(rig.now);
  }
  const third = stall();
  assert.ok(third > 0.6 * first && third < first, `${third} of ${first}`);
  assert.equal(rig.engine.alarms.next !== null, true);
  for (let i = 0; i < 3; i++) {
    rig.now += 1000;
    rig.engine.advance(rig.now);
  }
  assert.equal(rig.engine.alarms.next, null, "nothing is left to be done");
});

test("small ranges of shared frames do not keep their buffers while receivers are stuck", () => {
  const holder = new Holder();
  const rig = new Rig({}, holder.outlet);
  const FANS = 20;
  const stuck = Array.from({ length: 2 * FANS }, (_, i) =>
    rig.client(`SUB fan.${i % FANS} 1\r\nSUB single.${i} 2\r\n`),
  );
  const pub = rig.client();
  for (const { id } of stuck) holder.slow.add(id);
  let chunk = "";
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < FANS; i++) chunk += `PUB fan.${i} 1\r\n${round}\r\n`;
    for (let i = 0; i < 2 * FANS; i++) chunk += `PUB single.${i} 1\r\n${round}\r\n`;
  }
  const before = rig.allocated;
  const CHUNKS = 50;
  for (let i = 0; i < CHUNKS; i++) rig.send(pub, chunk);
  const taken = rig.allocated - before;
  assert.ok(taken < 40 * 1024 * 1024, `${taken} bytes of buffers for 100 KB`);
  for (const [i, { id }] of stuck.entries()) {
    while (holder.heldBytes(id) > 0) holder.letGo(rig, id);
    let expected = "";
    for (let round = 0; round < 5; round++) {
      expected += `MSG fan.${i % FANS} 1 1\r\n${round}\r\nMSG single.${i} 2 1\r\n${round}\r\n`;
    }
    assert.ok((holder.text.get(id) ?? "").endsWith(expected.repeat(CHUNKS)));
  }
});
