import assert from "node:assert/strict";
import { test } from "node:test";
import { SPIN_MS, Spinner } from "../../src/transports/node/spin.ts";

/** A spinner in a world where each turn of the event loop takes a tenth of the time it polls. */
function world() {
  let now = 0;
  let next: (() => void) | null = null;
  const spinner = new Spinner(
    () => now,
    (turn) => {
      assert.equal(next, null, "one turn at a time");
      next = turn;
    },
  );
  return {
    input: () => spinner.input(),
    polls: () => next !== null,
    /** Runs until the spinner lets the thread sleep; returns the turns it took. */
    untilAsleep(): number {
      let turns = 0;
      for (; next !== null; turns++) {
        now += SPIN_MS / 10;
        const turn: () => void = next;
        next = null;
        turn();
        assert.ok(turns < 1000, "it never sleeps");
      }
      return turns;
    },
    turn(): void {
      now += SPIN_MS / 10;
      const turn = next;
      next = null;
      turn?.();
    },
  };
}

test("after input the loop polls for a moment, then the thread may sleep", () => {
  const it = world();
  assert.equal(it.polls(), false);
  it.input();
  const turns = it.untilAsleep();
  assert.ok(turns >= 10 && turns <= 11, `${turns} turns`);
});

test("input found while polling prolongs it", () => {
  const it = world();
  it.input();
  for (let i = 0; i < 100; i++) {
    it.turn();
    it.input();
  }
  assert.ok(it.untilAsleep() >= 10);
});

test("polling that finds nothing stops, is tried again, and is taken up when it finds input", () => {
  const it = world();
  const polled = (): boolean => {
    it.input();
    const polls = it.polls();
    it.untilAsleep();
    return polls;
  };
  let count = 0;
  for (let i = 0; i < 1000; i++) if (polled()) count++;
  assert.ok(count < 10, `${count} of 1000 inputs that nothing follows were followed by polling`);
  assert.ok(count > 4, "a try now and then");

  // From here on each input is soon followed by another.
  while (!it.polls()) it.input();
  for (let i = 0; i < 20; i++) {
    it.turn();
    it.input();
  }
  it.untilAsleep();
  assert.equal(polled(), true);
});
