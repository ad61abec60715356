/**
 * A hub that sends its leaf far more than the line between them takes, with short pings. Real processes and
 * kernels; the leaf is Frond's or the reference, which with a hub of its own kind reconnects again and again
 * (its issue #7615).
 */
import { ok, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import { FaultProxy } from "../../src/testing/index.js";
import { frondServer, natsServer, type Program, ServerUnderTest, skipWithout } from "./servers.ts";

/** 50 kbit/s. */
const RATE = 6250;
const MAX_PENDING = 512 * 1024;
const SIZE = 1000;
/** 1 Mbit/s. */
const EVERY_MS = 8;
const FULL_MS = 20_000;
const PINGS = `ping_interval: "2s", ping_max: 2`;

interface Linkz {
  readonly accepted: readonly {
    readonly link: { readonly pending_bytes: number; readonly in_flight_bytes: number };
    readonly out: { readonly msgs: number; readonly dropped: number };
  }[];
}

async function linkz(port: number): Promise<Linkz> {
  const answer = await fetch(`http://127.0.0.1:${port}/linkz`);
  return (await answer.json()) as Linkz;
}

/** Resident memory in bytes, or 0 where the system does not tell. */
function memoryOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

async function run(t: TestContext, leafKind: Program): Promise<void> {
  const hub = await ServerUnderTest.start(
    t,
    frondServer,
    `listen: "127.0.0.1:-1", http: "127.0.0.1:-1", ${PINGS}
     leafnodes { listen: "127.0.0.1:-1", no_advertise: true, compression: off,
                 max_pending: ${MAX_PENDING}, pending_policy: drop }`,
  );
  const monitor = Number((await hub.said(/Starting http monitor on .*:(\d+)/))[1]);
  const proxy = await FaultProxy.start({ port: await hub.leafPort(), up: RATE, down: RATE });
  t.after(() => proxy.close());
  const leaf = await ServerUnderTest.start(
    t,
    leafKind,
    `listen: "127.0.0.1:-1", ${PINGS}
     leafnodes { reconnect: 1, remotes [ { url: "nats://127.0.0.1:${proxy.port}", compression: off } ] }`,
  );
  await leaf.said(/Leafnode connection created/);
  const publisher = await connect({ port: await hub.clientPort() });
  const subscriber = await connect({ port: await leaf.clientPort() });
  t.after(() => publisher.close());
  t.after(() => subscriber.close());
  let received = 0;
  let last = -1;
  let isOrdered = true;
  subscriber.subscribe("feed", {
    callback: (_error, message) => {
      const n = Number.parseInt(message.string(), 10);
      isOrdered &&= n > last;
      last = n;
      received++;
    },
  });
  await subscriber.flush();
  await sleep(1000);

  let sent = 0;
  const began = Date.now();
  const feed = setInterval(() => {
    // Timers are late on a busy machine; the feed is not.
    while (sent * EVERY_MS < Date.now() - began) {
      publisher.publish("feed", `${sent++} `.padEnd(SIZE, "x"));
    }
  }, EVERY_MS);
  t.after(() => clearInterval(feed));
  await sleep(FULL_MS / 2);
  const memoryHalfway = memoryOf(hub.child.pid ?? 0);
  const [before] = (await linkz(monitor)).accepted;
  await sleep(FULL_MS / 2);
  const receivedFull = received;
  const seconds = (Date.now() - began) / 1000;
  const memory = memoryOf(hub.child.pid ?? 0);
  const [link] = (await linkz(monitor)).accepted;
  clearInterval(feed);
  await publisher.flush();
  ok(before !== undefined && link !== undefined, "the link is down");

  const used = (receivedFull * SIZE) / (RATE * seconds);
  t.diagnostic(
    `${(used * 100).toFixed(1)} % of the line used, ${link.out.dropped} of ${sent} dropped, ` +
      `${link.link.in_flight_bytes} bytes in flight, ${link.link.pending_bytes} pending, ` +
      `memory ${(memoryHalfway / 1e6).toFixed(0)} -> ${(memory / 1e6).toFixed(0)} MB`,
  );
  equal(proxy.connections, 1, `the link was made ${proxy.connections} times:\n${leaf.text}`);
  ok(isOrdered, "messages came out of order");
  ok(used > 0.85, `only ${(used * 100).toFixed(1)} % of the line was used`);
  ok(link.out.dropped > 0 && link.out.dropped > before.out.dropped, "nothing was dropped");
  ok(link.link.pending_bytes <= MAX_PENDING, `${link.link.pending_bytes} bytes wait`);
  ok(link.link.in_flight_bytes <= 2 * RATE, `${link.link.in_flight_bytes} bytes are in flight`);
  ok(memory < memoryHalfway + 20e6, `memory grew from ${memoryHalfway} to ${memory}`);
  ok(/Slow Leafnode: dropping messages, max_pending of \d+ bytes reached/.test(hub.text), hub.text);

  // With a line that takes it, everything that was not dropped arrives.
  proxy.throttle(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  const end = Date.now() + 5000;
  let dropped = link.out.dropped;
  while (received + dropped < sent && Date.now() < end) {
    await sleep(100);
    dropped = (await linkz(monitor)).accepted[0]?.out.dropped ?? 0;
  }
  equal(received + dropped, sent);
  await hub.said(/Slow Leafnode Recovered: \d+ messages/);
}

/** A hub of the reference's holds its PONGs behind megabytes of its own; our leaf must not take that for its own doing. */
async function upstream(t: TestContext): Promise<void> {
  const hub = await ServerUnderTest.start(
    t,
    natsServer,
    `listen: "127.0.0.1:-1", ${PINGS}
     leafnodes { listen: "127.0.0.1:-1", no_advertise: true, compression: off }`,
  );
  const proxy = await FaultProxy.start({ port: await hub.leafPort(), up: RATE, down: RATE });
  t.after(() => proxy.close());
  const leaf = await ServerUnderTest.start(
    t,
    frondServer,
    `listen: "127.0.0.1:-1", ${PINGS}
     leafnodes { remotes [ { url: "nats://127.0.0.1:${proxy.port}", compression: off } ] }`,
  );
  await leaf.said(/Leafnode connection created/);
  const above = await connect({ port: await hub.clientPort() });
  const below = await connect({ port: await leaf.clientPort() });
  t.after(() => above.close());
  t.after(() => below.close());
  below.subscribe("feed", { callback: () => {} });
  const delays: number[] = [];
  above.subscribe("up", {
    callback: (_error, message) => void delays.push(Date.now() - Number(message.string())),
  });
  await Promise.all([above.flush(), below.flush()]);
  await sleep(1500);
  const payload = "".padEnd(SIZE, "x");
  let sent = 0;
  for (let n = 0; n < FULL_MS / EVERY_MS; n++) {
    above.publish("feed", payload);
    if (n % 50 === 0) {
      below.publish("up", String(Date.now()));
      sent++;
    }
    await sleep(EVERY_MS);
  }
  await sleep(500);
  delays.sort((a, b) => a - b);
  t.diagnostic(`${delays.length} of ${sent} messages came up, the slowest in ${delays.at(-1)} ms`);
  equal(proxy.connections, 1, leaf.text);
  ok(delays.length >= sent - 2, `${delays.length} of ${sent} messages came up`);
  ok((delays.at(-1) ?? 0) < 1000, `the slowest took ${delays.at(-1)} ms`);
}

test("50 kbit/s for 1 Mbit/s", { concurrency: true }, async (t) => {
  await Promise.all([
    ...[frondServer, natsServer].map((kind) =>
      t.test(
        `a leaf of ${kind.name} stays connected, what its hub drops is counted`,
        { skip: skipWithout(kind), timeout: 60_000 },
        (one) => run(one, kind),
      ),
    ),
    t.test(
      "a leaf of frond stays connected to a hub of nats-server, and is heard at once",
      { skip: skipWithout(natsServer), timeout: 60_000 },
      upstream,
    ),
  ]);
});
