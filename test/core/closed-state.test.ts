import test from "node:test";
import assert from "node:assert/strict";
import { CLOSED_STATES } from "../../src/core/index.ts";

test("there are 37 close reasons, as in nats-server", () => {
  assert.equal(CLOSED_STATES.length, 37);
});
