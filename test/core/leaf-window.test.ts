/** How much of a leaf link's output may be under way, from bytes and times alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameWalk } from "../../src/core/link/frame-walk.ts";
import { LeafWindow } from "../../src/core/link/leaf-window.ts";

const PING = 6;

/** A line with its queue; hands over whatever the window has room for. */
function overLine(
  window: LeafWindow,
  line: { bytesPerMs: number; delay: number },
  duration: number,
): { crossed: number; mostBelow: number } {
  const pongs: number[] = [];
  let free = 0;
  let crossed = 0;
  let mostBelow = 0;
  for (let now = 1; now <= duration; now++) {
    while (pongs[0] !== undefined && pongs[0] <= now) {
      pongs.shift();
      window.ponged(now, 0);
    }
    let room = window.room(now, 0);
    while (room > 0) {
      const bytes = Math.ceil(Math.min(room, window.part));
      window.sent(bytes);
      crossed += bytes;
      free = Math.max(free, now) + bytes / line.bytesPerMs;
      if (window.wantsProbe(now, true)) {
        window.pinged(now, 0, PING);
        free += PING / line.bytesPerMs;
        pongs.push(free + 2 * line.delay);
      }
      room = window.bytes - window.inFlight;
    }
    if (now > duration / 2) mostBelow = Math.max(mostBelow, free - now);
  }
  return { crossed: crossed / (line.bytesPerMs * duration), mostBelow };
}

for (const [name, bytesPerMs, delay, most] of [
  ["50 kbit/s", 6.25, 50, 1600],
  ["1 Mbit/s by satellite", 125, 300, 1200],
  ["100 Mbit/s", 12_500, 5, 400],
  ["a local socket", 500_000, 0.1, 400],
] as const) {
  test(`the window fits ${name}: the line is used, and little is under way`, () => {
    const { crossed, mostBelow } = overLine(new LeafWindow(), { bytesPerMs, delay }, 60_000);
    assert.ok(crossed > 0.95, `${(crossed * 100).toFixed(1)} % of the line was used`);
    assert.ok(mostBelow < most, `${mostBelow.toFixed(0)} ms of output were under way`);
  });
}

test("a PONG acknowledges what was sent before its PING, and one that was not asked for nothing", () => {
  const window = new LeafWindow();
  assert.equal(window.ponged(1, 0), -1);
  window.sent(1000);
  window.pinged(10, 0, PING);
  window.sent(500);
  assert.equal(window.ponged(15, 0), 5);
  assert.equal(window.inFlight, 500);
});

test("an answer that does not come stops the output, unless what arrives explains the delay", () => {
  const window = new LeafWindow();
  window.sent(1000);
  window.pinged(1, 0, PING);
  assert.ok(window.room(100, 0) > 0);
  assert.equal(window.room(5000, 0), 0);
  assert.equal(window.room(5000, 50_000), 0);
  window.trusted = false;
  assert.equal(window.room(5000, 0), 0);
  assert.equal(window.room(5000, 50_000), Number.POSITIVE_INFINITY);
});

test("an answer is owed only after what is ahead of its PING had the time to cross", () => {
  const window = new LeafWindow();
  window.sent(1_000_000);
  window.pinged(1, 0, PING);
  assert.equal(window.isOverdue(60_000), false);
  assert.equal(window.isOverdue(1_000_000), true);
});

test("output is cut between frames only, wherever its pieces end", () => {
  const payload = "LMSG a 3\r\nPING\r\n\n\r\n";
  const frames = [
    "LS+ foo\r\n",
    `LMSG foo ${payload.length}\r\n${payload}\r\n`,
    "PONG\r\n",
    `HMSG foo + reply q 12 ${payload.length + 12}\r\nNATS/1.0\r\n\r\n${payload}\r\n`,
    "LMSG foo 0\r\n\r\n",
  ];
  const text = frames.join("");
  const ends = new Set<number>();
  let at = 0;
  for (const frame of frames) ends.add((at += frame.length));
  const bytes = new TextEncoder().encode(text);
  for (let budget = 1; budget <= text.length; budget++) {
    const walk = new FrameWalk();
    const end = walk.advance(bytes, 0, bytes.length, budget);
    assert.ok(ends.has(end) && end >= budget, `a budget of ${budget} ends at ${end}`);
    assert.ok(walk.atBoundary);
  }
  // A payload in a piece of its own, as large ones are.
  const split = (frames[0] ?? "").length + "LMSG foo 19\r\n".length;
  const walk = new FrameWalk();
  assert.equal(walk.advance(bytes, 0, split, split), split);
  assert.equal(walk.atBoundary, false);
  assert.equal(walk.advance(bytes, split, bytes.length, 1), split + payload.length + 2);
  assert.ok(walk.atBoundary);
});
