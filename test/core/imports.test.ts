/** Mappings, and services and streams that cross accounts, in simulated servers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AccountSpec,
  defineAccounts,
  emptySpec,
  type ServiceExportSpec,
} from "../../src/core/index.ts";
import { PLACE, Rig } from "./rig.ts";
import { linkPair, type SimClient, type SimServer, Simulation } from "../../src/testing/index.ts";

const USERS = { a: { account: "A" }, b: { account: "B" }, c: { account: "C" } };

function service(subject: string, more: Partial<ServiceExportSpec> = {}): ServiceExportSpec {
  return {
    subject,
    responseType: "singleton",
    threshold: 120_000,
    latency: null,
    allowTrace: false,
    ...more,
  };
}

function define(server: SimServer, specs: Readonly<Record<string, Partial<AccountSpec>>>): void {
  defineAccounts(
    server.engine,
    Object.entries(specs).map(([name, spec]) => ({ ...emptySpec(name), ...spec })),
  );
}

interface Metric {
  readonly type: string;
  readonly status: number;
  readonly requestor: { readonly acc: string };
  readonly responder: { readonly acc: string };
}

interface Trio {
  readonly sim: Simulation;
  readonly server: SimServer;
  readonly a: SimClient;
  readonly b: SimClient;
  readonly c: SimClient;
}

/** One server with a client in each of the accounts A, B and C. */
function trio(specs: Readonly<Record<string, Partial<AccountSpec>>>): Trio {
  const sim = new Simulation();
  const server = sim.server("one", { users: USERS });
  define(server, specs);
  const input = { headers: true, noResponders: true };
  const a = sim.client(server, { user: "a", ...input });
  const b = sim.client(server, { user: "b", ...input });
  const c = sim.client(server, { user: "c", ...input });
  sim.run(100);
  return { sim, server, a, b, c };
}

const SERVICE = {
  A: { exports: [service("svc.>")] },
  B: { imports: [{ kind: "service", account: "A", subject: "svc.x", to: "ask", share: false }] },
} as const;

test("a request goes to the exporter under its subject, the answer back to the requester", () => {
  const { sim, server, a, b } = trio(SERVICE);
  const served = a.subscribe("svc.*");
  const box = b.subscribe("box");
  sim.run(10);
  b.publish("ask", "q", "box");
  sim.run(10);
  const [request] = served.received;
  assert.equal(request?.subject, "svc.x");
  assert.match(request?.reply ?? "", /^_R_\.[0-9A-Za-z]{6}\.[0-9A-Za-z]{6}$/);
  a.publish(request?.reply ?? "", "first");
  a.publish(request?.reply ?? "", "second");
  sim.run(10);
  assert.deepEqual(
    box.received.map((m) => [m.subject, m.body]),
    [["box", "first"]],
  );
  assert.equal(server.engine.account("A").responses?.size, 0);
  sim.check();
});

test("a request that nobody serves gets a 503 on its own subject and leaves nothing behind", () => {
  const { sim, server, b } = trio(SERVICE);
  const box = b.subscribe("box");
  sim.run(10);
  b.publish("ask", "q", "box");
  sim.run(10);
  assert.equal(box.received[0]?.status, "503");
  assert.equal(server.engine.account("A").responses?.size, 0);
});

test("what a requester that left was waiting for is given up", () => {
  const { sim, server, a, b } = trio(SERVICE);
  a.subscribe("svc.x");
  const literal = b.subscribe("box.1");
  b.subscribe("wild.*");
  sim.run(10);
  b.publish("ask", "q", "box.1");
  b.publish("ask", "q", "wild.1");
  sim.run(10);
  const exporter = server.engine.account("A");
  assert.equal(exporter.responses?.size, 2);
  b.unsubscribe(literal);
  sim.run(10);
  assert.equal(exporter.responses?.size, 1);
  b.close();
  sim.run(10);
  assert.equal(exporter.responses?.size, 0);
  assert.equal(server.engine.account("B").awaited.size, 0);
});

test("an answer that does not come is given up after the threshold", () => {
  const { sim, server, a, b } = trio({
    A: { exports: [service("svc.>", { threshold: 1000 })] },
    B: SERVICE.B,
  });
  a.subscribe("svc.x");
  b.subscribe("box");
  sim.run(10);
  b.publish("ask", "q", "box");
  sim.run(900);
  assert.equal(server.engine.account("A").responses?.size, 1);
  sim.run(200);
  assert.equal(server.engine.account("A").responses?.size, 0);
});

test("a stream of answers ends with an empty one", () => {
  const { sim, server, a, b } = trio({
    A: { exports: [service("svc.>", { responseType: "stream" })] },
    B: SERVICE.B,
  });
  const served = a.subscribe("svc.x");
  const box = b.subscribe("box");
  sim.run(10);
  b.publish("ask", "q", "box");
  sim.run(10);
  for (const body of ["1", "2", "", "late"]) a.publish(served.received[0]?.reply ?? "", body);
  sim.run(10);
  assert.deepEqual(
    box.received.map((m) => m.body),
    ["1", "2", ""],
  );
  assert.equal(server.engine.account("A").responses?.size, 0);
});

test("a chain of imports leads through the account in the middle", () => {
  const { sim, server, a, c } = trio({
    A: { exports: [service("svc.>")] },
    B: { exports: [service("ask")], imports: SERVICE.B.imports },
    C: { imports: [{ kind: "service", account: "B", subject: "ask", to: "far", share: false }] },
  });
  const served = a.subscribe("svc.x");
  const box = c.subscribe("box");
  sim.run(10);
  c.publish("far", "q", "box");
  sim.run(10);
  a.publish(served.received[0]?.reply ?? "", "r");
  sim.run(10);
  assert.deepEqual(
    box.received.map((m) => m.body),
    ["r"],
  );
  for (const name of ["A", "B"]) assert.equal(server.engine.account(name).responses?.size, 0, name);
});

test("wildcards of a service's local subject may change places", () => {
  const { sim, a, b } = trio({
    A: { exports: [service("calc.*.*")] },
    B: {
      imports: [
        { kind: "service", account: "A", subject: "calc.*.*", to: "c.$2.$1", share: false },
      ],
    },
  });
  const served = a.subscribe(">");
  sim.run(10);
  b.publish("c.x.y", "q");
  sim.run(10);
  assert.deepEqual(
    served.received.map((m) => m.subject),
    ["calc.y.x"],
  );
});

test("the exporter's mappings are applied to requests", () => {
  const { sim, a, b } = trio({
    A: {
      exports: [service("svc.>")],
      mappings: [
        { source: "svc.*", destinations: [{ subject: "v2.$1", weight: 100, cluster: "" }] },
      ],
    },
    B: SERVICE.B,
  });
  const served = a.subscribe(">");
  sim.run(10);
  b.publish("ask", "q");
  sim.run(10);
  assert.deepEqual(
    served.received.map((m) => m.subject),
    ["v2.x"],
  );
});

test("the latency of a service is told in the exporting account", () => {
  const { sim, a, b } = trio({
    A: { exports: [service("svc.>", { latency: { subject: "lat", sampling: 100 } })] },
    B: SERVICE.B,
  });
  const served = a.subscribe("svc.x");
  const metrics = a.subscribe("lat");
  const box = b.subscribe("box");
  sim.run(10);
  b.publish("ask", "q", "box");
  sim.run(50);
  a.publish(served.received[0]?.reply ?? "", "r");
  sim.run(10);
  b.publish("ask", "q");
  sim.run(10);
  assert.equal(box.received.length, 1);
  const told = metrics.received.map((m) => JSON.parse(m.body) as Metric);
  assert.deepEqual(
    told.map((m) => m.status),
    [200, 400],
  );
  assert.equal(told[0]?.type, "io.nats.server.metric.v1.service_latency");
  assert.equal(told[0]?.requestor.acc, "B");
  assert.equal(told[0]?.responder.acc, "A");
});

test("a stream import takes just what a subscription asks for, under the local subject", () => {
  const { sim, server, a, b } = trio({
    A: {},
    B: {
      imports: [
        { kind: "stream", account: "A", subject: "ev.>", to: "from.a.ev.>", allowTrace: false },
        { kind: "stream", account: "A", subject: "two.*.*", to: "sw.$2.$1", allowTrace: false },
      ],
    },
  });
  const some = b.subscribe("from.a.ev.x.*");
  const swapped = b.subscribe("sw.r.*");
  const all = b.subscribe(">");
  sim.run(10);
  const shadows = [...server.engine.account("A").sublist].map((sub) => sub.subject);
  assert.deepEqual(shadows.sort(), ["ev.>", "ev.x.*", "two.*.*", "two.*.r"]);
  a.publish("ev.x.1", "1");
  a.publish("ev.y.1", "2");
  a.publish("two.l.r", "3");
  sim.run(10);
  assert.deepEqual(
    some.received.map((m) => m.subject),
    ["from.a.ev.x.1"],
  );
  assert.deepEqual(
    swapped.received.map((m) => m.subject),
    ["sw.r.l"],
  );
  assert.deepEqual(
    all.received.map((m) => m.subject),
    ["from.a.ev.x.1", "from.a.ev.y.1", "sw.r.l"],
  );
  b.close();
  sim.run(10);
  assert.equal(server.engine.account("A").sublist.count, 0);
});

test("queue members of an importing account share a stream", () => {
  const { sim, server, a } = trio({
    A: {},
    B: {
      imports: [{ kind: "stream", account: "A", subject: "ev.*", to: "ev.*", allowTrace: false }],
    },
  });
  const members = [1, 2].map(() => sim.client(server, { user: "b" }));
  sim.run(10);
  const subs = members.map((client) => client.subscribe("ev.*", "g"));
  sim.run(10);
  for (let i = 0; i < 100; i++) a.publish("ev.x", "m");
  sim.run(10);
  const counts = subs.map((sub) => sub.received.length);
  assert.equal(
    counts.reduce((sum, n) => sum + n, 0),
    100,
  );
  assert.ok(Math.min(...counts) > 10, String(counts));
});

test("a definition that changes takes the old imports away, and shadows of live subscriptions with them", () => {
  const { sim, server, a, b } = trio({
    A: {},
    B: {
      imports: [{ kind: "stream", account: "A", subject: "ev.*", to: "ev.*", allowTrace: false }],
    },
  });
  const sub = b.subscribe(">");
  sim.run(10);
  a.publish("ev.1", "old");
  sim.run(10);
  define(server, {
    A: {},
    B: {
      imports: [{ kind: "stream", account: "A", subject: "ev.*", to: "new.$1", allowTrace: false }],
    },
  });
  a.publish("ev.2", "new");
  sim.run(10);
  define(server, { A: {}, B: {} });
  a.publish("ev.3", "gone");
  sim.run(10);
  assert.deepEqual(
    sub.received.map((m) => m.subject),
    ["ev.1", "new.2"],
  );
  assert.equal(server.engine.account("A").sublist.count, 0);
});

const to = (
  subject: string,
  weight: number,
  cluster = "",
): { subject: string; weight: number; cluster: string } => ({
  subject,
  weight,
  cluster,
});

test("mappings: the first source that matches decides, once; its removal takes effect", () => {
  const { sim, server, a } = trio({
    A: {
      mappings: [
        { source: "foo", destinations: [to("bar", 100)] },
        { source: "*", destinations: [to("rest.$1", 100)] },
      ],
    },
  });
  const sub = a.subscribe(">");
  sim.run(10);
  a.publish("foo", "1");
  a.publish("bar", "2");
  sim.run(10);
  define(server, { A: {} });
  a.publish("foo", "3");
  sim.run(10);
  assert.deepEqual(
    sub.received.map((m) => m.subject),
    ["bar", "rest.bar", "foo"],
  );
});

test("mappings: weights share messages, and what is left over keeps its subject", () => {
  const { sim, a } = trio({
    A: { mappings: [{ source: "s", destinations: [to("x", 20), to("y", 50)] }] },
  });
  const sub = a.subscribe("*");
  sim.run(10);
  for (let i = 0; i < 2000; i++) a.publish("s", "m");
  sim.run(1000);
  const count = (subject: string): number =>
    sub.received.filter((m) => m.subject === subject).length;
  assert.equal(sub.received.length, 2000);
  for (const [subject, share] of [
    ["x", 400],
    ["y", 1000],
    ["s", 600],
  ] as const) {
    assert.ok(Math.abs(count(subject) - share) < 120, `${subject}: ${count(subject)}`);
  }
});

test("mappings: a source among its own destinations loses what is left over", () => {
  const { sim, a } = trio({
    A: {
      mappings: [
        { source: "half", destinations: [to("half", 50)] },
        { source: "none", destinations: [to("none", 0)] },
      ],
    },
  });
  const sub = a.subscribe("*");
  sim.run(10);
  for (let i = 0; i < 1000; i++) a.publish("half", "m");
  for (let i = 0; i < 10; i++) a.publish("none", "m");
  sim.run(1000);
  assert.ok(Math.abs(sub.received.length - 500) < 80, String(sub.received.length));
  assert.ok(sub.received.every((m) => m.subject === "half"));
});

test("mappings: destinations of another cluster are not ours", () => {
  const { sim, a } = trio({
    A: { mappings: [{ source: "s", destinations: [to("x", 100), to("y", 100, "EAST")] }] },
  });
  const sub = a.subscribe("*");
  sim.run(10);
  a.publish("s", "m");
  sim.run(10);
  assert.deepEqual(
    sub.received.map((m) => m.subject),
    ["x"],
  );
});

test("large payloads pass mappings and imports unchanged", () => {
  const { sim, a, b } = trio({
    A: {
      exports: [service("svc.>")],
      mappings: [{ source: "big", destinations: [to("large", 100)] }],
    },
    B: SERVICE.B,
  });
  const mapped = a.subscribe("large");
  const served = a.subscribe("svc.x");
  sim.run(10);
  const body = "0123456789abcdef".repeat(5000);
  a.publish("big", body);
  b.publish("ask", body);
  sim.run(1000);
  assert.equal(mapped.received[0]?.body, body);
  assert.equal(served.received[0]?.body, body);
});

test("a leaf link gets like messages of two publishers that stood in the same buffer", () => {
  const { sim, hub, leaf } = linkPair({
    hub: { users: { ...USERS, "": { account: "B" } } },
    leaf: { users: { "": { account: "$G" } } },
  });
  define(hub, {
    A: {},
    B: { imports: [{ kind: "stream", account: "A", subject: "ev", to: "ev", allowTrace: false }] },
  });
  hub.engine.flush();
  const publishers = [sim.client(hub, { user: "a" }), sim.client(hub, { user: "a" })];
  const got = sim.client(leaf, {}).subscribe("ev");
  sim.run(500);
  for (const publisher of publishers) {
    publisher.publish("ev", "x".repeat(300_000));
    sim.run(5000);
  }
  assert.equal(got.received.length, 2);
});

test("a leaf link with two subscriptions gets one copy through an import, large or small", () => {
  const rig = new Rig({}, {}, { a: { account: "A" }, b: { account: "B" } });
  const names = { account: "A", subject: "ev.*", to: "ev.*" };
  const imported = { kind: "stream", ...names, allowTrace: false } as const;
  defineAccounts(rig.engine, [emptySpec("A"), { ...emptySpec("B"), imports: [imported] }]);
  rig.engine.flush();
  const leaf = rig.engine.openLeaf({ ...PLACE, connectionType: "LEAFNODE" }, rig.now);
  rig.send(leaf, `CONNECT {"user":"b","headers":true,"version":"2.15.2"}\r\n`);
  rig.send(leaf, "LS+ ev.*\r\nLS+ ev.1\r\n");
  const client = rig.engine.openClient(PLACE, rig.now);
  rig.send(client, `CONNECT {"user":"a","verbose":false}\r\n`);
  for (const [sent, size] of [100, 40_000].entries()) {
    rig.send(client, `PUB ev.1 ${size}\r\n${"x".repeat(size)}\r\n`);
    rig.send(leaf, "PONG\r\n".repeat(9));
    assert.equal(rig.textOf(leaf.id).split("LMSG ").length - 1, sent + 1, `${size} bytes`);
  }
});

test("leaf links hear of mapping sources, imported services, shadows and replies", () => {
  const users = { ...USERS, "": { account: "A" } };
  const { sim, hub, leaf } = linkPair({
    hub: { users },
    leaf: { users },
    remote: { account: "A" },
  });
  define(hub, {
    A: {
      exports: [service("svc.>")],
      mappings: [{ source: "old.*", destinations: [to("new.$1", 100)] }],
    },
    B: {
      imports: [
        { kind: "service", account: "A", subject: "svc.x", to: "ask", share: false },
        { kind: "stream", account: "A", subject: "ev.>", to: "p.ev.>", allowTrace: false },
      ],
    },
  });
  hub.engine.flush();
  const importer = sim.client(hub, { user: "b" });
  const exporter = sim.client(leaf, { user: "a" });
  sim.run(100);
  const stream = importer.subscribe("p.ev.x");
  const box = importer.subscribe("box");
  const served = exporter.subscribe("svc.x");
  const mapped = sim.client(hub, { user: "a" }).subscribe("new.*");
  sim.run(500);
  importer.publish("ask", "q", "box");
  exporter.publish("ev.x", "1");
  exporter.publish("old.z", "2");
  sim.run(500);
  exporter.publish(served.received[0]?.reply ?? "none", "r");
  sim.run(500);
  assert.deepEqual(
    stream.received.map((m) => [m.subject, m.body]),
    [["p.ev.x", "1"]],
  );
  assert.deepEqual(
    mapped.received.map((m) => m.subject),
    ["new.z"],
  );
  assert.deepEqual(
    box.received.map((m) => m.body),
    ["r"],
  );
  sim.check();
});
