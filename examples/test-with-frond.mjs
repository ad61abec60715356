/**
 * A NATS server of its own for each test: started in milliseconds, nothing to install, nothing shared.
 * `node --test examples/test-with-frond.mjs`
 */
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "frond";

/** The code under test: a service that adds. @param {import("@nats-io/nats-core").NatsConnection} client */
function serveSums(client) {
  client.subscribe("sum", {
    queue: "adders",
    callback: (_error, message) => {
      /** @type {number[]} */
      const numbers = message.json();
      message.respond(JSON.stringify(numbers.reduce((sum, n) => sum + n, 0)));
    },
  });
}

/** @param {import("@nats-io/nats-core").NatsConnection} client */
async function nextError(client) {
  for await (const status of client.status()) {
    if (status.type === "error") return status.error.message;
  }
  return "";
}

test("sums are answered", async (t) => {
  const server = await startServer();
  t.after(() => server.stop());
  const [service, client] = await Promise.all([server.connect(), server.connect()]);
  serveSums(service);
  await service.flush();

  const answer = await client.request("sum", JSON.stringify([40, 2]));
  equal(answer.json(), 42);
});

test("a user without the right is refused", async (t) => {
  const server = await startServer({
    authorization: {
      users: [{ user: "reader", password: "r", permissions: { publish: { deny: [">"] } } }],
    },
  });
  t.after(() => server.stop());
  const client = await server.connect({ user: "reader", pass: "r" });
  const refusal = nextError(client);
  client.publish("orders.new");
  equal(await refusal, 'Permissions Violation for Publish to "orders.new"');
});
