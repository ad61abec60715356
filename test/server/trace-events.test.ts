/** Traces of messages as programs get them: JSON on the destination, from one server and across a leaf link. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { headers, type Msg, type NatsConnection } from "@nats-io/nats-core";
import type { Server, StartOptions } from "../../src/server/index.ts";
import { Operator, user } from "./operators.ts";
import { start, until } from "./peers.ts";

const PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

interface TraceEvent {
  readonly server: Readonly<Record<string, unknown>>;
  readonly request: {
    readonly header: Readonly<Record<string, string[]>>;
    readonly msgsize: number;
  };
  readonly hops?: number;
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

/** Collects what comes on a subject. */
async function hear(connection: NatsConnection, subject: string): Promise<Msg[]> {
  const heard: Msg[] = [];
  connection.subscribe(subject, { callback: (_, m) => void heard.push(m) });
  await connection.flush();
  return heard;
}

function publish(
  connection: NatsConnection,
  subject: string,
  lines: Readonly<Record<string, string>>,
): void {
  const block = headers();
  for (const [name, value] of Object.entries(lines)) block.set(name, value);
  connection.publish(subject, "hello", { headers: block });
}

const bySubject = (m: Msg): string => m.subject;
const typesOf = (event: TraceEvent | undefined): unknown[] =>
  event?.events.map(({ type }) => type) ?? [];

async function first(heard: readonly Msg[]): Promise<TraceEvent> {
  await until("a trace", () => heard.length > 0);
  return (heard[0] as Msg).json<TraceEvent>();
}

test("a trace names the server, the request, and what happened to it", async (t) => {
  const { server } = await start(t, {
    port: -1,
    serverName: "one",
    serverTags: ["a:b"],
  });
  const pub = await server.connect({ name: "pub" });
  const sub = await server.connect({ name: "sub" });
  const traces = await hear(sub, "tr");
  await hear(sub, "foo.*");
  publish(pub, "foo.<ä>", { "Nats-Trace-Dest": "tr", "K-v": "ü" });
  const event = await first(traces);
  assert.deepEqual(Object.keys(event), ["server", "request", "events"]);
  assert.equal(event.server["name"], "one");
  assert.equal(event.server["id"], server.serverId);
  assert.equal(typeof event.server["seq"], "number");
  assert.deepEqual(event.request.header, { "K-v": ["ü"], "Nats-Trace-Dest": ["tr"] });
  const [ingress, egress] = event.events;
  const { ts } = ingress ?? {};
  assert.match(String(ts), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const [from, to] = [pub, sub].map((one) => one.info?.client_id);
  assert.deepEqual(ingress, {
    type: "in",
    ts,
    kind: 0,
    cid: from,
    name: "pub",
    acc: "$G",
    subj: "foo.<ä>",
  });
  assert.deepEqual(egress, { type: "eg", ts, kind: 0, cid: to, name: "sub", sub: "foo.*" });
  await Promise.all([pub.close(), sub.close()]);
});

test("a trace comes in the encoding that the message accepts", async (t) => {
  const { server } = await start(t);
  const nc = await server.connect();
  const traces = await hear(nc, "tr");
  for (const accepted of ["gzip", "s2, gzip", "br"]) {
    publish(nc, "foo", { "Nats-Trace-Dest": "tr", "Accept-Encoding": accepted });
  }
  await until("the traces", () => traces.length === 3);
  assert.deepEqual(
    traces.map((m) => m.headers?.get("Content-Encoding")),
    ["gzip", "snappy", "identity"],
  );
  const [zipped, , plain] = traces as [Msg, Msg, Msg];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a trace, as its members show
  const event = JSON.parse(gunzipSync(zipped.data).toString()) as TraceEvent;
  assert.deepEqual(typesOf(event), ["in"]);
  assert.deepEqual(typesOf(plain.json<TraceEvent>()), ["in"]);
  await nc.close();
});

test("without a system account there are no traces", async (t) => {
  const { server } = await start(t, { port: -1, noSystemAccount: true });
  const nc = await server.connect();
  const traces = await hear(nc, "tr");
  const got = await hear(nc, "foo");
  publish(nc, "foo", { "Nats-Trace-Dest": "tr" });
  await nc.flush();
  assert.deepEqual([got.length, traces.length], [1, 0]);
  await nc.close();
});

const account = (msgTrace: unknown): StartOptions =>
  ({
    port: -1,
    accounts: {
      A: { users: [{ user: "a", password: "p" }], ...(msgTrace === null ? {} : { msgTrace }) },
    },
  }) as StartOptions;

test("msg_trace of an account names the destination of traceparent, and a reload another one", async (t) => {
  const { server, log } = await start(t, account("one.tr"));
  const nc = await server.connect({ user: "a", pass: "p" });
  const traces = await hear(nc, "*.tr");
  const send = async (): Promise<void> => {
    publish(nc, "foo", { traceparent: PARENT });
    await nc.flush();
  };
  await send();
  await server.reload(account({ dest: "two.tr", sampling: "100%" }));
  await send();
  await server.reload(account(null));
  await send();
  assert.deepEqual(traces.map(bySubject), ["one.tr", "two.tr"]);
  assert.ok(!log.some((line) => line.startsWith("warn") && line.includes("trace")), log.join("\n"));
  await nc.close();
});

const shared = (allow: boolean): StartOptions => ({
  port: -1,
  accounts: {
    A: {
      users: [{ user: "a", password: "p" }],
      exports: [{ service: "svc", allowTrace: allow }, { stream: "news" }],
    },
    B: {
      users: [{ user: "b", password: "p" }],
      imports: [
        { service: { account: "A", subject: "svc" } },
        { stream: { account: "A", subject: "news" }, allowTrace: allow },
      ],
    },
  },
});

test("allow_trace of exports and imports is reloaded", async (t) => {
  const { server } = await start(t, shared(true));
  const as = (name: string): Promise<NatsConnection> => server.connect({ user: name, pass: "p" });
  const [a, b] = await Promise.all([as("a"), as("b")]);
  const traces = await Promise.all([hear(a, "tr"), hear(b, "tr")]);
  await Promise.all([hear(a, "svc"), hear(b, "news")]);
  const seen = async (): Promise<unknown[]> => {
    for (const heard of traces) heard.length = 0;
    publish(b, "svc", { "Nats-Trace-Dest": "tr" });
    publish(a, "news", { "Nats-Trace-Dest": "tr" });
    await until("both traces", () => traces.every((heard) => heard.length === 1));
    return traces.map((heard) => typesOf(heard[0]?.json<TraceEvent>()));
  };
  assert.deepEqual(await seen(), [
    ["in", "se", "eg"],
    ["in", "si", "eg"],
  ]);
  await server.reload(shared(false));
  assert.deepEqual(await seen(), [
    ["in", "se"],
    ["in", "si"],
  ]);
  await Promise.all([a.close(), b.close()]);
});

test("tokens of accounts say where traces go and which exports are traced", async (t) => {
  const operator = new Operator();
  const exporter = operator.account({
    exports: [{ name: "s", subject: "svc", type: "service", allow_trace: true }],
  });
  const importer = operator.account({
    trace: { dest: "acc.tr", sampling: 100 },
    imports: [
      {
        name: "s",
        subject: "svc",
        account: exporter.public,
        type: "service",
        local_subject: "ask",
      },
    ],
  });
  const { server } = await operator.start(t);
  const [a, b] = [await user(t, server, exporter), await user(t, server, importer)];
  a.send("SUB svc 1\r\nPING\r\n");
  await a.until(/PONG/);
  const block = `NATS/1.0\r\ntraceparent: ${PARENT}\r\n\r\n`;
  b.send(`SUB acc.tr 1\r\nHPUB ask ${block.length} ${block.length}\r\n${block}\r\n`);
  await b.until(/"events":.*"type":"si".*"type":"eg"/);
});

async function joined(t: Parameters<typeof start>[0]): Promise<readonly [Server, Server]> {
  const { server: hub } = await start(t, {
    port: -1,
    serverName: "hub",
    leafnodes: { port: -1 },
  });
  const remotes = [{ url: hub.leafUrl }];
  const { server: leaf } = await start(t, {
    port: -1,
    serverName: "leaf",
    leafnodes: { remotes },
  });
  await leaf.ready({ links: true });
  return [hub, leaf];
}

test("both ends of a leaf link send their trace, joined by the hop", async (t) => {
  const [hub, leaf] = await joined(t);
  const [below, above] = await Promise.all([leaf.connect(), hub.connect()]);
  const traces = await hear(below, "tr.*");
  const got = await hear(above, "foo");
  let last = 0;
  let both: Msg[] = [];
  await until("the traces of both servers", () => {
    both = traces.filter((m) => m.subject === `tr.${last}`);
    if (both.length === 2) return true;
    publish(below, "foo", { "Nats-Trace-Dest": `tr.${++last}`, "Nats-Trace-Only": "1" });
    return false;
  });
  assert.equal(got.length, 0);
  const events = both.map((m) => m.json<TraceEvent>());
  const [near, far] = events.toSorted((x, y) => (y.hops ?? 0) - (x.hops ?? 0));
  assert.deepEqual([near?.server["name"], far?.server["name"]], ["leaf", "hub"]);
  const { kind, name, hop } = near?.events[1] ?? {};
  assert.deepEqual({ kind, name, hop }, { kind: 4, name: "hub", hop: "1" });
  assert.deepEqual(far?.request.header["Nats-Trace-Hop"], ["1"]);
  const { kind: by, name: from, acc, subj } = far?.events[0] ?? {};
  assert.deepEqual([by, from, acc, subj], [4, "leaf", "$G", "foo"]);
  await Promise.all([below.close(), above.close()]);
});
