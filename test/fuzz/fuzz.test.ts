/** A short run of the fuzzer. `node scripts/fuzz.mjs` runs it for longer, and replays what failed. */
import assert from "node:assert/strict";
import test from "node:test";
import { BATCH, runBatch } from "./fuzzer.ts";
import { wrongOutput } from "./output.ts";

const BATCHES = 40;

test(`${BATCHES * BATCH} conversations of strangers get nothing but an -ERR, silence or a close`, () => {
  for (let seed = 1; seed <= BATCHES; seed++) {
    const failure = runBatch(seed);
    assert.equal(failure, null, `node scripts/fuzz.mjs --batch ${seed}`);
  }
});

test("the fuzzer's own eyes are open", () => {
  assert.equal(wrongOutput("MSG foo 1 2\r\nok\r\n+OK\r\n", "client"), null);
  for (const wrong of [
    "MSG foo 1 3\r\nok\r\n",
    "-ERR 'odd'\r\n",
    "LS+ foo\r\n",
    "MSG foo 1 x\r\n\r\n",
    "PONG",
  ]) {
    assert.notEqual(wrongOutput(wrong, "client"), null, wrong);
  }
});
