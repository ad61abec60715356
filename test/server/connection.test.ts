/** What the driver does around each call of the engine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionHub } from "../../src/server/connection.ts";
import type { Engine } from "../../src/core/index.ts";

test("deadlines are looked at after everything that can set one", () => {
  const hub = new ConnectionHub();
  const calls: string[] = [];
  const note = (name: string) => (): void => void calls.push(name);
  const engine: Pick<Engine, "receive" | "drained" | "closed"> = {
    receive: note("receive"),
    drained: note("drained"),
    closed: note("closed"),
  };
  Object.assign(hub, { engine });
  hub.afterCall = note("after");
  hub.received(1, new Uint8Array(1));
  hub.drained(1, 0);
  hub.gone(1, null);
  assert.deepEqual(calls, ["receive", "after", "drained", "after", "closed", "after"]);
});
