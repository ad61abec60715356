/** Intervals that timers do not know. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { engineOptions } from "../../src/server/engine-options.ts";
import { optionsFromObject } from "../../src/config/index.ts";
import { type Server, startServer } from "../../src/server/index.ts";

async function server(t: TestContext, pingInterval: number): Promise<Server> {
  const started = await startServer({ pingInterval });
  t.after(() => started.stop());
  return started;
}

test("a ping interval of months does not keep the server busy", async (t) => {
  const warnings: string[] = [];
  const note = (warning: Error): void => void warnings.push(warning.name);
  process.on("warning", note);
  t.after(() => process.off("warning", note));
  const started = await server(t, 40 * 24 * 3_600_000);
  const client = await started.connect();
  await client.flush();
  // The first PING comes early, to measure the round trip.
  await sleep(2500);
  await client.close();
  assert.deepEqual(warnings, []);
});

test("a ping interval of 0 stands for the default, as in nats-server", () => {
  const { options } = optionsFromObject({ pingInterval: 0 });
  const bound = { clientPort: 1, leafPort: 0, websocketPort: 0 };
  assert.equal(engineOptions("N", options, bound).pingInterval, 120_000);
});
