/**
 * Random systems under faults. `FROND_SIM_SEED=n` runs that seed alone, in each shape; `FROND_SIM_COUNT=n` runs
 * more of them than the few that every test run can afford.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { SimulationError } from "../../src/testing/simulation.ts";
import { runSwarm, type Shape, type SwarmInput } from "../../src/testing/swarm.ts";

const SEED = process.env["FROND_SIM_SEED"];
const COUNT = Number(process.env["FROND_SIM_COUNT"] ?? 6);

function seeds(from: number): readonly number[] {
  return SEED === undefined ? Array.from({ length: COUNT }, (_, i) => from + i) : [Number(SEED)];
}

/** Runs one seed; a failure says how to see it again. */
function run(input: SwarmInput): void {
  try {
    const report = runSwarm(input);
    assert.ok(
      report.delivered > 0 && report.certain > 0,
      "a run that delivers nothing checks nothing",
    );
  } catch (error) {
    const command = `FROND_SIM_SEED=${input.seed} node scripts/test.mjs sim/swarm`;
    throw new Error(`shape ${input.shape}; replay with: ${command}`, { cause: error });
  }
}

const SHAPES: Readonly<Record<Shape, string>> = {
  star: "a hub with two leaves",
  chain: "a chain of four servers",
  twoHubs: "a leaf with remotes to two hubs",
  tree: "a random tree",
};

for (const [shape, title] of Object.entries(SHAPES)) {
  for (const seed of seeds(1)) {
    test(`${title} keeps every rule under faults (seed ${seed})`, () =>
      run({ seed, shape: shape as Shape }));
  }
}

for (const seed of SEED === undefined ? [1, 2] : [Number(SEED)]) {
  test(`a tree of fifty servers keeps every rule under faults (seed ${seed})`, () =>
    run({ seed, shape: "tree", servers: 50, unrest: 10_000 }));
}

test("the same seed gives the same run", () => {
  assert.deepEqual(runSwarm({ seed: 77, shape: "star" }), runSwarm({ seed: 77, shape: "star" }));
});

test("a canary that loses deliveries is found out", () => {
  assert.throws(
    () => runSwarm({ seed: 1, shape: "star", canary: true }),
    (error) => error instanceof SimulationError && error.message.includes("seed 1"),
  );
});
