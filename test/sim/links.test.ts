/** Leaf links on virtual time, one behaviour a test. */
import assert from "node:assert/strict";
import test from "node:test";
import { linkPair } from "../../src/testing/link-pair.ts";
import { FAST_LINE } from "../../src/testing/network.ts";
import type { SimSubscription } from "../../src/testing/sim-client.ts";
import { Simulation } from "../../src/testing/simulation.ts";

function bodies(sub: SimSubscription): readonly string[] {
  return sub.received.map((message) => message.body);
}

test("a message crosses in both directions", () => {
  const { sim, hub, leaf } = linkPair();
  const above = sim.client(hub);
  const below = sim.client(leaf);
  const up = above.subscribe("up.*");
  const down = below.subscribe("down.>");
  sim.run(100);
  below.publish("up.a", "1");
  above.publish("down.a.b", "2");
  sim.run(100);
  assert.deepEqual(bodies(up), ["1"]);
  assert.deepEqual(bodies(down), ["2"]);
  sim.checkConverged();
  sim.checkTeardown();
});

test("a request over the link is answered, and one that nobody serves gets a 503", () => {
  const { sim, hub, leaf } = linkPair();
  const service = sim.client(hub);
  const client = sim.client(leaf, { noResponders: true });
  const requests = service.subscribe("svc");
  const inbox = client.subscribe("_INBOX.>");
  sim.run(100);
  client.publish("svc", "question", "_INBOX.1");
  client.publish("nobody", "question", "_INBOX.2");
  sim.run(100);
  const [request] = requests.received;
  service.publish(request?.reply ?? "", "answer");
  sim.run(100);
  const got = inbox.received.map(({ subject, body, status }) => [subject, body, status]);
  assert.deepEqual(got, [
    ["_INBOX.2", "", "503"],
    ["_INBOX.1", "answer", ""],
  ]);
  sim.check();
});

test("a request finds its way back though its inbox is as new as itself", () => {
  const { sim, hub, leaf } = linkPair();
  const service = sim.client(hub);
  service.subscribe("svc");
  const client = sim.client(leaf);
  sim.run(100);
  sim.onDelivery = (sub, { reply }) => {
    if (sub.client === service) service.publish(reply, "answer");
  };
  const inbox = client.subscribe("_INBOX.other");
  for (let i = 0; i < 20; i++) {
    // One write: the interest must not be behind the request on the link.
    client.send(`SUB _INBOX.${i} s${i}\r\nPUB svc _INBOX.${i} 0\r\n\r\nUNSUB s${i} 1\r\n`);
    client.subs.set(`s${i}`, inbox);
  }
  sim.run(1000);
  assert.equal(inbox.received.length, 20);
  sim.check();
});

test("a local member of a queue group is preferred to one behind the link", () => {
  const { sim, hub, leaf } = linkPair();
  const far = sim.client(leaf).subscribe("work", "q");
  const near = sim.client(hub).subscribe("work", "q");
  const publisher = sim.client(hub);
  sim.run(100);
  for (let i = 0; i < 20; i++) publisher.publish("work", String(i));
  sim.run(100);
  assert.equal(near.received.length, 20);
  assert.equal(far.received.length, 0);
  near.client.close();
  sim.run(100);
  publisher.publish("work", "last");
  sim.run(100);
  assert.deepEqual(bodies(far), ["last"]);
  sim.check();
});

test("queue groups behind two leaves are chosen by weight", () => {
  const sim = new Simulation({ seed: 3 });
  const hub = sim.server("hub");
  const one = sim.server("one");
  const two = sim.server("two");
  sim.remote(one, hub);
  sim.remote(two, hub);
  sim.settle();
  const single = [sim.client(one).subscribe("work", "q")];
  const triple = [1, 2, 3].map(() => sim.client(two).subscribe("work", "q"));
  const publisher = sim.client(hub);
  sim.run(100);
  for (let i = 0; i < 400; i++) publisher.publish("work", String(i));
  sim.run(1000);
  const count = (subs: readonly SimSubscription[]): number =>
    subs.reduce((sum, sub) => sum + sub.received.length, 0);
  assert.equal(count(single) + count(triple), 400);
  assert.ok(
    Math.abs(count(triple) - 300) < 40,
    `${count(triple)} of 400 went where three of four members are`,
  );
  sim.check();
});

test("a loop of three servers is found and broken, and no message goes round", () => {
  const sim = new Simulation();
  const [a, b, c] = ["a", "b", "c"].map((name) => sim.server(name));
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  sim.remote(a, b);
  sim.remote(b, c);
  sim.settle();
  sim.remote(c, a);
  sim.run(5000);
  assert.ok([a, b, c].some((server) => server.logged("Loop detected for leafnode account=")));
  const up = sim.remotes.filter((remote) => remote.isUp);
  assert.equal(up.length, 2);
  const subs = [a, b, c].map((server) => sim.client(server).subscribe("x"));
  const publisher = sim.client(a);
  sim.run(100);
  publisher.publish("x", "once");
  sim.run(1000);
  assert.deepEqual(subs.map(bodies), [["once"], ["once"], ["once"]]);
  // The delay of 30 s has passed several times: the loop is found again each time.
  sim.run(120_000);
  publisher.publish("x", "again");
  sim.run(1000);
  assert.ok(sim.remotes.filter((remote) => remote.isUp).length <= 2);
  for (const sub of subs) assert.ok(bodies(sub).filter((body) => body === "again").length <= 1);
  sim.check();
});

test("an isolated link is not told of other leaves", () => {
  const sim = new Simulation();
  const hub = sim.server("hub");
  const one = sim.server("one");
  const two = sim.server("two");
  sim.remote(one, hub, { requestIsolation: true });
  sim.remote(two, hub);
  sim.settle();
  const sub = sim.client(two).subscribe("x");
  const below = sim.client(one);
  const above = sim.client(hub);
  sim.run(100);
  below.publish("x", "from one");
  above.publish("x", "from hub");
  sim.run(100);
  assert.deepEqual(bodies(sub), ["from hub"]);
  sim.checkConverged();
});

test("denied subjects do not cross, in either direction", () => {
  const { sim, hub, leaf } = linkPair({
    remote: { denyImports: ["in.>"], denyExports: ["out.>"] },
  });
  const above = sim.client(hub);
  const below = sim.client(leaf);
  const up = above.subscribe(">");
  const down = below.subscribe(">");
  sim.run(100);
  above.publish("in.a", "no");
  above.publish("out.a", "yes");
  below.publish("out.b", "no");
  below.publish("in.b", "yes");
  sim.run(100);
  const subjects = (sub: SimSubscription): string[] => sub.received.map(({ subject }) => subject);
  assert.deepEqual(subjects(up).toSorted(), ["in.a", "in.b", "out.a"]);
  assert.deepEqual(subjects(down).toSorted(), ["in.b", "out.a", "out.b"]);
  sim.checkConverged();
});

test("an accepting server that crashes and comes back is found again, and interest with it", () => {
  const { sim, hub, leaf, remote } = linkPair();
  const sub = sim.client(hub, { reconnect: 50 }).subscribe("x");
  const publisher = sim.client(leaf);
  sim.run(100);
  hub.crash();
  sim.run(2000);
  assert.equal(remote.isUp, false);
  publisher.publish("x", "lost");
  hub.restart();
  sim.settle();
  publisher.publish("x", "found");
  sim.run(100);
  assert.deepEqual(bodies(sub), ["found"]);
  sim.checkConverged();
});

test("a hub whose machine lost its power is noticed by pings", () => {
  const { sim, hub, remote, leaf } = linkPair();
  hub.crash(true);
  sim.run(5000);
  assert.notEqual(remote.link, null, "nothing has told the leaf yet");
  sim.run(40_000);
  assert.equal(remote.link, null);
  assert.ok(leaf.logged("Stale"));
  hub.restart();
  sim.settle();
  sim.checkConverged();
});

test("a half-open link is replaced when its leaf dials again", () => {
  const { sim, hub, leaf, remote } = linkPair();
  const sub = sim.client(leaf, { reconnect: 50 }).subscribe("x");
  sim.run(100);
  leaf.crash(true);
  leaf.restart();
  sub.client.connection?.cut();
  sim.run(5000);
  assert.ok(remote.isUp);
  assert.ok(hub.logged("Replacing connection from same server"));
  sim.client(hub).publish("x", "once");
  sim.run(100);
  assert.deepEqual(bodies(sub), ["once"]);
  sim.checkConverged();
});

test("a stalled link loses nothing", () => {
  const { sim, hub, leaf, remote } = linkPair();
  const sub = sim.client(leaf).subscribe("x");
  const publisher = sim.client(hub);
  sim.run(100);
  remote.connection?.stall(4000);
  for (let i = 0; i < 100; i++) publisher.publish("x", String(i));
  sim.run(3000);
  assert.equal(sub.received.length, 0);
  sim.run(3000);
  assert.equal(sub.received.length, 100);
  sim.checkConverged();
});

test("a busy slow link is never taken for a dead one", () => {
  const line = { ...FAST_LINE, bytesPerSecond: 6250, bufferBytes: 32_768 };
  const { sim, hub, leaf, remote } = linkPair({ remote: { line } });
  const sub = sim.client(leaf).subscribe("x");
  const publisher = sim.client(hub);
  sim.run(500);
  const epoch = remote.epoch;
  // Forty kilobytes a minute more than it carries, but with pauses that let it catch up.
  for (let minute = 0; minute < 10; minute++) {
    for (let i = 0; i < 40; i++) publisher.publish("x", "y".repeat(1000));
    sim.run(60_000);
  }
  sim.run(60_000);
  assert.equal(remote.epoch, epoch, "the link stayed up");
  assert.equal(sub.received.length, 400);
  sim.check();
});
