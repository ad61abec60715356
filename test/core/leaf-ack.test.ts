/** JetStream deliveries over a leaf link: the stored subject behind the `@` of the reply. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { linkPair } from "../../src/testing/index.ts";

const ACK = "$JS.ACK.S.C.1.2.3.4.5";

test("local receivers get the stored subject and a plain reply, other servers the message as it came", () => {
  const { sim, hub, leaf } = linkPair();
  const far = sim.server("far");
  sim.remote(far, leaf);
  sim.settle();
  const here = sim.client(leaf);
  const there = sim.client(far);
  sim.run(100);
  const inbox = here.subscribe("box");
  const member = here.subscribe("box", "g");
  const onward = there.subscribe("box");
  sim.run(500);
  // As JetStream publishes in the server that holds the stream.
  const { engine } = hub;
  engine.publish(
    {
      account: engine.global,
      subject: "box",
      reply: `${ACK}@orders.1`,
      header: null,
      payload: new Uint8Array([120]),
      source: null,
      queues: null,
    },
    sim.clock.now,
  );
  sim.run(500);
  const seen = [inbox, member, onward].map((sub) => sub.received.map((m) => [m.subject, m.reply]));
  const unwrapped = [["orders.1", ACK]];
  assert.deepEqual(seen, [unwrapped, unwrapped, unwrapped]);
  sim.check();
});

test("a reply without the suffix is left alone", () => {
  const { sim, hub, leaf } = linkPair();
  const sub = sim.client(leaf).subscribe("box");
  sim.run(500);
  const { engine } = hub;
  for (const reply of [ACK, "$JS.ACK.S.C.1@x", "plain@reply"]) {
    const payload = new Uint8Array(0);
    const message = { account: engine.global, subject: "box", reply, header: null, payload };
    engine.publish({ ...message, source: null, queues: null }, sim.clock.now);
  }
  sim.run(500);
  assert.deepEqual(
    sub.received.map((m) => [m.subject, m.reply]),
    [ACK, "$JS.ACK.S.C.1@x", "plain@reply"].map((reply) => ["box", reply]),
  );
});
