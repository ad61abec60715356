/**
 * Deliveries under slow transports, endings and errors. `FROND_DELIVERIES_SEED=n` runs that seed alone,
 * `FROND_DELIVERIES_COUNT=n` more of them than the few that every test run can afford.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { BufferPool } from "../../src/core/bytes/pool.ts";
import { runDeliveries } from "./deliveries.ts";
import { poisonPool } from "./poisoned-pool.ts";

const SEED = process.env["FROND_DELIVERIES_SEED"];
const COUNT = Number(process.env["FROND_DELIVERIES_COUNT"] ?? 24);
const SEEDS = SEED === undefined ? Array.from({ length: COUNT }, (_, i) => i + 1) : [Number(SEED)];

test(`${SEEDS.length} random systems deliver what they must, and let nobody see another's bytes`, () => {
  let wereDue = 0;
  for (const seed of SEEDS) {
    const { faults, received, due } = runDeliveries({ seed });
    const command = `FROND_DELIVERIES_SEED=${seed} node scripts/test.mjs fuzz/deliveries`;
    assert.deepEqual(faults, [], `replay with: ${command}`);
    assert.ok(received > 0, `a run that delivers nothing checks nothing: ${command}`);
    wereDue += due;
  }
  // Runs in which deliveries are cut short owe nobody anything.
  if (SEEDS.length > 1) assert.ok(wereDue > 0);
});

test("the same seed gives the same run", () => {
  assert.deepEqual(runDeliveries({ seed: 5 }), runDeliveries({ seed: 5 }));
});

test("a canary that uses buffers again while transports hold them is found out", () => {
  assert.match(runDeliveries({ seed: 1, canary: true }).faults.join(), /a held frame .* changed/);
});

test("a poisoned pool tells on those who use a buffer that is free", () => {
  const faults: string[] = [];
  const pool = new BufferPool(
    4096,
    (length) => new Uint8Array(length),
    () => {},
  );
  const taken = poisonPool(pool, (text) => faults.push(text));
  const slab = pool.take(100);
  slab.hold();
  slab.drop();
  slab.drop();
  assert.equal(slab.bytes[0], 0xee);
  assert.deepEqual(faults, []);
  slab.drop();
  slab.hold();
  slab.bytes[7] = 1;
  assert.equal(pool.take(100), slab);
  assert.equal(taken(), 1);
  assert.deepEqual(faults, [
    "a free buffer was dropped",
    "a free buffer was held",
    "a free buffer was written to",
  ]);
});
