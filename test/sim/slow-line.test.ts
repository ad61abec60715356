/**
 * A leaf link that is offered far more than its line takes, for an hour of virtual time. nats-server loses such
 * a link again and again: its PONGs wait behind the data, so the spoke takes the link for dead (issue #7615).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type LineOptions,
  linkPair,
  type LinkPair,
  type SimClient,
  type SimRemote,
  type SimSubscription,
} from "../../src/testing/index.js";

const MINUTE = 60_000;
/** 50 kbit/s, in front of which both kernels together hold what they usually do. */
const RATE = 6250;
const SLOW_LINE: LineOptions = {
  latency: 50,
  bytesPerSecond: RATE,
  bufferBytes: 4 * 1024 * 1024,
  splitChance: 0.1,
};
const PINGS = { pingInterval: 2000, pingMax: 2 };
const MAX_PENDING = 256 * 1024;
const SIZE = 1000;
/** 1 Mbit/s. */
const EVERY = 8;

type Direction = "hub to leaf" | "leaf to hub";

interface Feed {
  readonly pair: LinkPair;
  readonly publisher: SimClient;
  readonly sub: SimSubscription;
  readonly sent: () => number;
  /** The most that was under way below the sender, after the first seconds, in bytes. */
  readonly mostBelow: () => number;
  readonly mostPending: () => number;
}

/** Publishes `size` bytes every `every` ms for `duration`, from one side to a subscriber on the other. */
function feed(
  direction: Direction,
  options: { policy: "drop" | "pause" | "close"; duration: number; size?: number; every?: number },
): Feed {
  const { policy, duration, size = SIZE, every = EVERY } = options;
  const rule = { leaf: { maxPending: MAX_PENDING, pendingPolicy: policy }, ...PINGS };
  const pair = linkPair({ hub: rule, leaf: rule, remote: { line: SLOW_LINE } });
  const { sim, hub, leaf, remote } = pair;
  const [from, to] = direction === "hub to leaf" ? [hub, leaf] : [leaf, hub];
  const sub = sim.client(to).subscribe("feed");
  const publisher = sim.client(from);
  sim.run(2000);
  const end = sim.clock.now + duration;
  const settled = sim.clock.now + 10_000;
  let count = 0;
  let mostBelow = 0;
  let mostPending = 0;
  const step = (): void => {
    publisher.connection?.a.write(frame(count++, size));
    const link = direction === "hub to leaf" ? remote.hubLink : remote.link;
    const socket = direction === "hub to leaf" ? remote.connection?.b : remote.connection?.a;
    mostPending = Math.max(mostPending, link?.leaf?.output.waiting(link) ?? 0);
    if (sim.clock.now > settled) mostBelow = Math.max(mostBelow, socket?.unreadBytes ?? 0);
    if (sim.clock.now < end) sim.clock.after(every, step);
  };
  step();
  sim.run(duration);
  const below = (): number => mostBelow;
  const pending = (): number => mostPending;
  return { pair, publisher, sub, sent: () => count, mostBelow: below, mostPending: pending };
}

const frames = new Map<number, Uint8Array>();

/** A message whose payload starts with its number; made from a template, as there are very many. */
function frame(n: number, size: number): Uint8Array {
  const head = `PUB feed ${size}\r\n`;
  let template = frames.get(size);
  if (template === undefined) {
    template = new TextEncoder().encode(`${head}${" ".repeat(size)}\r\n`);
    frames.set(size, template);
  }
  const bytes = template.slice();
  bytes.set(new TextEncoder().encode(String(n)), head.length);
  return bytes;
}

function dropped(remote: SimRemote, direction: Direction): number {
  const link = direction === "hub to leaf" ? remote.hubLink : remote.link;
  return link?.leaf?.output.droppedMsgs ?? 0;
}

function assertInOrder(sub: SimSubscription): void {
  let last = -1;
  for (const { body } of sub.received) {
    const n = Number.parseInt(body, 10);
    assert.ok(n > last, `message ${n} came after ${last}`);
    last = n;
  }
}

for (const [direction, minutes] of [
  ["hub to leaf", 60],
  ["leaf to hub", 10],
] as const) {
  test(`${minutes} minutes of 1 Mbit/s over 50 kbit/s, ${direction}: the link stays, and what is lost is counted`, () => {
    const { pair, sub, sent, mostBelow, mostPending } = feed(direction, {
      policy: "drop",
      duration: minutes * MINUTE,
    });
    const { sim, remote, hub, leaf } = pair;
    const epoch = remote.epoch;
    const atEnd = sub.received.length;
    // What still waits crosses after the feed.
    sim.run(2 * MINUTE);
    sim.check();
    assert.equal(remote.isUp, true);
    assert.equal(remote.epoch, epoch);
    for (const server of [hub, leaf]) assert.equal(server.engine.staleConnections.leafs, 0);
    assertInOrder(sub);
    assert.equal(sub.received.length + dropped(remote, direction), sent());
    assert.ok(mostPending() <= MAX_PENDING, `${mostPending()} bytes waited`);
    assert.ok(mostBelow() <= 2 * RATE, `${mostBelow()} bytes were below the sender`);
    const used = (atEnd * SIZE) / (RATE * minutes * 60);
    assert.ok(used > 0.96, `${(used * 100).toFixed(1)} % of the line was used`);
    sim.checkConverged();
    sim.checkTeardown();
  });
}

test("a policy of pausing loses nothing: producers send at the speed of the line", () => {
  const { pair, publisher, sub, sent, mostPending } = feed("hub to leaf", {
    policy: "pause",
    duration: 2 * MINUTE,
  });
  const { sim, remote } = pair;
  assert.equal(dropped(remote, "hub to leaf"), 0);
  assert.ok(mostPending() <= MAX_PENDING, `${mostPending()} bytes waited`);
  assert.equal(publisher.isConnected, true);
  // What waits is in the producer's own socket now; give it the time to cross.
  for (let i = 0; i < 400 && sub.received.length < sent(); i++) sim.run(MINUTE);
  sim.check();
  assert.equal(sub.received.length, sent());
  assertInOrder(sub);
  sim.checkConverged();
  sim.checkTeardown();
});

test("a policy of closing ends the link at max_pending, as the reference does for clients", () => {
  const { pair } = feed("hub to leaf", { policy: "close", duration: MINUTE });
  assert.ok(pair.hub.engine.slowConsumers.leafs > 0);
  assert.ok(pair.hub.logged("Slow Consumer Detected: MaxPending of 262144 Exceeded"));
});

test("interest crosses a full link at once, in front of the data that waits", () => {
  const { pair } = feed("hub to leaf", { policy: "drop", duration: MINUTE });
  const { sim, hub, leaf, remote } = pair;
  assert.ok((remote.hubLink?.out.bytes ?? 0) > 100_000);
  const [hubClient, leafClient] = [sim.client(hub), sim.client(leaf)];
  const sub = hubClient.subscribe("answers");
  sim.run(3000);
  leafClient.publish("answers", "42");
  sim.run(1000);
  assert.deepEqual(
    sub.received.map(({ body }) => body),
    ["42"],
  );
  hubClient.unsubscribe(sub);
  sim.run(3000);
  assert.equal(remote.link?.subs?.has("answers"), false);
});

test("interest that is told while the first of it still waits keeps its order", () => {
  const { sim, hub, remote } = linkPair({ remote: { line: SLOW_LINE }, hub: PINGS, leaf: PINGS });
  const client = sim.client(hub);
  const subs = Array.from({ length: 3000 }, (_, i) => client.subscribe(`interest.number.${i}`));
  sim.run(3000);
  assert.ok((remote.hubLink?.leaf?.output.waiting(remote.hubLink) ?? 0) > 0);
  for (const sub of subs) client.unsubscribe(sub);
  sim.run(MINUTE);
  assert.equal(remote.isUp, true);
  sim.checkConverged();
  sim.checkTeardown();
});

for (const upRate of [RATE, 10 * RATE]) {
  test(`both directions full, ${upRate / RATE} to 1: neither starves the other`, () => {
    const rule = { leaf: { maxPending: MAX_PENDING, pendingPolicy: "drop" as const }, ...PINGS };
    const { sim, hub, leaf, remote } = linkPair({
      hub: rule,
      leaf: rule,
      remote: { line: SLOW_LINE },
    });
    remote.connection?.setLine({ ...SLOW_LINE, bytesPerSecond: upRate }, "ab");
    const [down, up] = [sim.client(leaf).subscribe("feed"), sim.client(hub).subscribe("feed.up")];
    const [hubClient, leafClient] = [sim.client(hub), sim.client(leaf)];
    sim.run(2000);
    const { epoch } = remote;
    const seconds = 120;
    const every = (SIZE * 1000) / (2 * upRate);
    for (let i = 0; i < (seconds * 1000) / every; i++) {
      hubClient.connection?.a.write(frame(i, SIZE));
      leafClient.publish("feed.up", "".padEnd(SIZE, "u"));
      sim.run(every);
    }
    assert.equal(remote.epoch, epoch);
    for (const [received, rate] of [
      [down.received.length, RATE],
      [up.received.length, upRate],
    ] as const) {
      const used = (received * SIZE) / (rate * seconds);
      assert.ok(used > 0.45, `${(used * 100).toFixed(1)} % of the line was used`);
    }
  });
}

test("a fast line that becomes slow is noticed before much is below the sender", () => {
  const rule = { leaf: { maxPending: MAX_PENDING, pendingPolicy: "drop" as const }, ...PINGS };
  const fast = { ...SLOW_LINE, latency: 10, bytesPerSecond: 1_250_000 };
  const { sim, hub, leaf, remote } = linkPair({ hub: rule, leaf: rule, remote: { line: fast } });
  const sub = sim.client(leaf).subscribe("feed");
  const publisher = sim.client(hub);
  sim.run(2000);
  const { epoch } = remote;
  const run = (seconds: number): void => {
    for (let i = 0; i < (seconds * 1000) / EVERY; i++) {
      publisher.connection?.a.write(frame(i, SIZE));
      sim.run(EVERY);
    }
  };
  run(20);
  assert.equal(dropped(remote, "hub to leaf"), 0);
  remote.connection?.setLine({ ...fast, bytesPerSecond: 62_500 });
  run(60);
  assert.equal(remote.epoch, epoch);
  const received = sub.received.length;
  assert.ok((remote.connection?.b.unreadBytes ?? 0) <= 2 * 62_500);
  remote.connection?.setLine(fast);
  run(20);
  assert.equal(remote.epoch, epoch);
  assert.ok(sub.received.length - received > 2000);
});

test("a link that is full and then dead is still found out", () => {
  const { pair } = feed("hub to leaf", { policy: "drop", duration: 30_000 });
  const { sim, hub, remote } = pair;
  remote.connection?.stall(Number.POSITIVE_INFINITY);
  sim.run(20_000);
  assert.ok(hub.engine.staleConnections.leafs > 0);
});
