import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryPair, type MemoryPair } from "../../src/transports/memory/index.ts";
import type { Wire } from "../../src/transports/node/index.ts";
import { Recorder } from "./wires.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Rig extends MemoryPair {
  readonly aSaw: Recorder;
  readonly bSaw: Recorder;
  /** Runs all scheduled tasks, and those they schedule. */
  readonly run: () => void;
}

function rig(maxChunkBytes = 64): Rig {
  const tasks: (() => void)[] = [];
  const aSaw = new Recorder();
  const bSaw = new Recorder();
  const schedule = (task: () => void): void => void tasks.push(task);
  const pair = memoryPair({ schedule, maxChunkBytes }, aSaw, bSaw);
  const run = (): void => {
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) task();
  };
  return { ...pair, aSaw, bSaw, run };
}

test("bytes cross later, in order, and the writer's buffer is free at once", () => {
  const { a, b, aSaw, bSaw, run } = rig();
  const wire: Wire = a;
  b.resume();
  const buffer = Buffer.from("one");
  wire.write(buffer);
  buffer.fill(0);
  wire.writev([encode("two"), encode("x".repeat(200))]);
  assert.equal(bSaw.text, "");
  run();
  assert.equal(bSaw.text, `onetwo${"x".repeat(200)}`);
  assert.equal(aSaw.drains.at(-1), 0);
});

test("a paused reader is back-pressure for the writer", () => {
  const { a, b, aSaw, bSaw, run } = rig();
  assert.equal(a.write(encode("12345")), 5);
  run();
  assert.deepEqual([bSaw.text, a.queued, aSaw.drains], ["", 5, []]);
  b.resume();
  run();
  assert.deepEqual([bSaw.text, a.queued, aSaw.drains], ["12345", 0, [0]]);
});

test("end delivers what was written, then closes both ends once", () => {
  const { a, b, aSaw, bSaw, run } = rig();
  a.write(encode("last"));
  a.end(1);
  assert.equal(a.write(encode("late")), 0);
  run();
  b.resume();
  run();
  assert.equal(bSaw.text, "last");
  assert.deepEqual([aSaw.closes, bSaw.closes], [[null], [null]]);
});

test("destroy drops what was written and closes both ends once", () => {
  const { a, b, aSaw, bSaw, run } = rig();
  b.resume();
  a.resume();
  a.write(encode("lost"));
  a.destroy();
  b.destroy();
  run();
  assert.equal(bSaw.text, "");
  assert.deepEqual([aSaw.closes, bSaw.closes], [[null], [null]]);
});
