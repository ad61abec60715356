/** Message tracing in the core: which messages are traced, what a trace has seen, and what receivers get. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AccountSpec,
  defineAccounts,
  emptySpec,
  type Link,
  type MessageTrace,
  type TraceStep,
  utf8Bytes,
} from "../../src/core/index.ts";
import { headerEntries, withHeader } from "../../src/core/protocol/header-block.ts";
import { linkPair, type SimClient, type SimServer, Simulation } from "../../src/testing/index.ts";
import { Rig } from "./rig.ts";

const PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
const DISABLED = "Nats-Trace-Dest: trace disabled\r\n";

function block(...lines: readonly string[]): string {
  return `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
}

function hpub(subject: string, header: string, body = "x", reply = ""): string {
  const to = reply === "" ? subject : `${subject} ${reply}`;
  return `HPUB ${to} ${header.length} ${header.length + body.length}\r\n${header}${body}\r\n`;
}

const TRACED = block("Nats-Trace-Dest: tr");
const ONLY = block("Nats-Trace-Dest: tr", "Nats-Trace-Only: true");

/** `eg sub`, with the account in front and the error behind where there are such. */
function shown(step: TraceStep): string {
  switch (step.type) {
    case "in":
      return step.error === "" ? `in ${step.subject}` : `in ${step.subject}: ${step.error}`;
    case "sm":
      return `sm ${step.to}`;
    case "se":
      return `se ${step.account} ${step.to}`;
    case "si":
      return `si ${step.account} ${step.from} ${step.to}`;
    case "eg": {
      const at = step.account === "" ? "" : `${step.account} `;
      const group = step.queue === "" ? "" : ` ${step.queue}`;
      const place = step.hop === "" ? step.subject : `hop ${step.hop}`;
      return `eg ${at}${place}${group}${step.error === "" ? "" : `: ${step.error}`}`;
    }
    default:
      return step satisfies never;
  }
}

const stepsOf = (trace: MessageTrace | undefined): readonly string[] =>
  trace?.steps.map(shown) ?? [];

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

/** What an engine traces from now on. */
function collect(server: { readonly engine: Rig["engine"] }): MessageTrace[] {
  const traces: MessageTrace[] = [];
  const { engine } = server;
  engine.observer = { ...engine.observer, traced: (trace) => void traces.push(trace) };
  return traces;
}

function rig(): { readonly rig: Rig; readonly traces: MessageTrace[]; readonly link: Link } {
  const made = new Rig();
  return { rig: made, traces: collect(made), link: made.client() };
}

test("a message with Nats-Trace-Dest is delivered, and each receiver noted", () => {
  const { rig: one, traces, link } = rig();
  const other = one.client("SUB foo 1\r\nSUB foo 2\r\nSUB f* 3\r\nSUB foo q 4\r\n");
  const third = one.client("SUB foo 1\r\n");
  one.send(link, hpub("foo", TRACED));
  const [trace] = traces;
  assert.equal(trace?.request.destination, "tr");
  assert.deepEqual(trace?.request.headers.get("Nats-Trace-Dest"), ["tr"]);
  assert.equal(trace?.request.size, TRACED.length + 1);
  assert.deepEqual(stepsOf(trace).toSorted(), ["eg foo", "eg foo", "eg foo", "eg foo q", "in foo"]);
  assert.equal(one.textOf(other.id).match(/HMSG foo/g)?.length, 3);
  assert.equal(one.textOf(third.id).match(/HMSG foo/g)?.length, 1);
  assert.equal(one.engine.tracing, null);
});

test("a header that asks for a trace is found wherever it stands", () => {
  const { rig: one, traces, link } = rig();
  defineAccounts(one.engine, [
    { ...emptySpec("$G"), msgTrace: { destination: "tr", sampling: 100 } },
  ]);
  const names = ["Nats-Trace-Dest: tr", `traceparent: ${PARENT}-01`, `TRACEPARENT:${PARENT}-01`];
  let sent = 0;
  for (const name of names) {
    for (let length = 0; length < 40; length++) {
      for (const filler of ["x", "t:", "-Trace-Dest:", "parent:"]) {
        const before = `A${filler.repeat(40).slice(0, length)}: v`;
        one.send(link, hpub("foo", block(before, name)));
        one.send(link, hpub("foo", block(name, before)));
        sent += 2;
      }
    }
  }
  assert.equal(traces.length, sent);
});

test("messages that ask in another way are not traced", () => {
  const { rig: one, traces, link } = rig();
  const other = one.client("SUB foo 1\r\n");
  const headers = [
    block("nats-trace-dest: tr"),
    block("Nats-Trace-Destination: tr"),
    block("X: Nats-Trace-Dest: tr"),
    block("Nats-Trace-Dest:"),
    block("Nats-Trace-Dest: trace disabled"),
    block("Nats-Trace-Only: 1"),
    block(`traceparent: ${PARENT}-01`),
    block("no colon", "Nats-Trace-Dest: tr"),
    `NATS/1.0 200\r\nNats-Trace-Dest: tr\r\n\r\n`,
  ];
  for (const header of headers) one.send(link, hpub("foo", header));
  assert.deepEqual(traces, []);
  assert.equal(one.textOf(other.id).match(/HMSG foo/g)?.length, headers.length);
});

test("what is traced only reaches nobody, and counts as delivered", () => {
  const { rig: one, traces } = rig();
  const link = one.client(
    `CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB box 1\r\n`,
  );
  const other = one.client("SUB foo 1\r\nUNSUB 1 1\r\n");
  const before = one.textOf(other.id);
  for (const word of ["1", "TRUE", "on"]) {
    one.send(
      link,
      hpub("foo", block("Nats-Trace-Dest: tr", `Nats-Trace-Only: ${word}`), "x", "box"),
    );
  }
  assert.deepEqual(traces.map(stepsOf), times(3, ["in foo", "eg foo"]));
  assert.equal(one.textOf(other.id), before);
  assert.doesNotMatch(one.textOf(link.id), /503/);
  // Anything else is no such order.
  one.send(link, hpub("foo", block("Nats-Trace-Dest: tr", "Nats-Trace-Only: yes")));
  assert.match(one.textOf(other.id), /HMSG foo/);
});

test("a destination that is none keeps the trace back, and the message if it was to be traced only", () => {
  const { rig: one, traces, link } = rig();
  const other = one.client("SUB foo 1\r\n");
  one.send(link, hpub("foo", block("Nats-Trace-Dest: a.*")));
  one.send(link, hpub("foo", block("Nats-Trace-Dest: a.*", "Nats-Trace-Only: 1"), "lost"));
  assert.deepEqual(traces, []);
  assert.match(one.textOf(other.id), /\r\nx\r\n/);
  assert.doesNotMatch(one.textOf(other.id), /lost/);
  assert.ok(
    one.log.includes(`error Destination "a.*" is not valid, won't be able to trace events`),
  );
});

test("the old header Nats-Trace-Origin-Account switches tracing off on the whole path", () => {
  const { rig: one, traces, link } = rig();
  const other = one.client("SUB foo 1\r\n");
  one.send(link, hpub("foo", block("Nats-Trace-Dest: tr", "Nats-Trace-Origin-Account: A", "K: v")));
  assert.deepEqual(traces, []);
  assert.ok(
    one.textOf(other.id).includes(`Nats-Trace-Origin-Account: A\r\nK: v\r\n${DISABLED}\r\nx\r\n`),
  );
  assert.match(one.log.join("\n"), /because of header "Nats-Trace-Origin-Account" with value="A"/);
});

test("no echo and deny lists stand in the trace", () => {
  const deny = {
    publish: { allow: null, deny: ["no.>"] },
    subscribe: { allow: null, deny: ["foo.x"] },
  };
  const sim = new Simulation();
  const server = sim.server("one", {
    users: {
      "": { account: "$G" },
      few: { account: "$G", permissions: { ...deny, responses: null } },
    },
  });
  const traces = collect(server);
  const few = sim.client(server, { user: "few", echo: false });
  const denied = few.subscribe("foo.*");
  const sender = sim.client(server);
  sim.run(10);
  few.send(hpub("foo.a", TRACED));
  sim.run(10);
  sender.send(hpub("foo.x", TRACED));
  sim.run(10);
  few.send(hpub("no.a", TRACED));
  few.send(hpub("foo.a", block("Nats-Trace-Dest: no.tr")));
  sim.run(10);
  assert.deepEqual(traces.map(stepsOf), [
    ["in foo.a", "eg foo.*: Not delivered because of no echo"],
    ["in foo.x", "eg foo.*: Not delivered because subscription denies this subject"],
    [`in no.a: Permissions Violation for Publish to "no.a"`],
  ]);
  assert.deepEqual(denied.received, []);
  assert.deepEqual(few.errors, [
    `Permissions Violation for Publish to "no.a"`,
    `Permissions Violation for Publish to "no.tr"`,
  ]);
});

test("a message that is too large leaves a trace of its refusal", () => {
  const made = new Rig({ maxPayload: 64 });
  const traces = collect(made);
  const link = made.client();
  made.send(link, hpub("foo", TRACED, "y".repeat(100)));
  assert.deepEqual(traces.map(stepsOf), [["in foo: maximum payload exceeded"]]);
  assert.equal(link.state, "closed");
});

test("traceparent has a message traced as its account says", () => {
  const { rig: one, traces, link } = rig();
  const other = one.client("SUB foo 1\r\n");
  const spec = emptySpec("$G");
  defineAccounts(one.engine, [{ ...spec, msgTrace: { destination: "acc.tr", sampling: 100 } }]);
  const parents = [`TraceParent: ${PARENT}-01`, `traceparent: ${PARENT}-7f`];
  for (const parent of parents) one.send(link, hpub("foo", block(parent, "Nats-Trace-Only: 1")));
  for (const flags of ["00", "02", "80", "ff", "1", "xx"]) {
    one.send(link, hpub("foo", block(`traceparent: ${PARENT}-${flags}`)));
  }
  assert.deepEqual(
    traces.map((trace) => trace.request.destination),
    ["acc.tr", "acc.tr"],
  );
  assert.equal(one.textOf(other.id).match(/HMSG foo/g)?.length, 8);
  assert.doesNotMatch(one.textOf(other.id), /trace disabled/);
  defineAccounts(one.engine, [{ ...spec, msgTrace: { destination: "acc.tr", sampling: 30 } }]);
  for (let i = 0; i < 400; i++) one.send(link, hpub("foo", block(`traceparent: ${PARENT}-01`)));
  const sampled = traces.length - 2;
  assert.ok(sampled > 60 && sampled < 180, `${sampled} of 400`);
  assert.equal(one.textOf(other.id).match(/trace disabled/g)?.length, 400 - sampled);
  defineAccounts(one.engine, [spec]);
  one.send(link, hpub("foo", block(`traceparent: ${PARENT}-01`)));
  assert.equal(traces.length, sampled + 2);
});

test("mappings are noted, those too that keep the subject", () => {
  const { rig: one, traces, link } = rig();
  const to = (subject: string, weight = 100) => ({ subject, weight, cluster: "" });
  const mappings = [
    { source: "old.*", destinations: [to("new.$1")] },
    { source: "same", destinations: [to("same")] },
  ];
  defineAccounts(one.engine, [{ ...emptySpec("$G"), mappings }]);
  one.client("SUB > 1\r\n");
  for (const subject of ["old.a", "same", "other"]) one.send(link, hpub(subject, TRACED));
  assert.deepEqual(traces.map(stepsOf), [
    ["in old.a", "sm new.a", "eg >"],
    ["in same", "sm same", "eg >"],
    ["in other", "eg >"],
  ]);
});

test("a leaf link gets the hop, and the next server traces with it", () => {
  const { sim, hub, leaf } = linkPair();
  const [here, there] = [collect(hub), collect(leaf)];
  const heard = sim.client(leaf).subscribe("foo");
  const sender = sim.client(hub);
  sim.run(100);
  sender.send(hpub("foo", TRACED));
  sender.send(hpub("foo", ONLY));
  sim.run(100);
  assert.equal(heard.received.length, 1);
  assert.deepEqual(here.map(stepsOf), times(2, ["in foo", "eg hop 1"]));
  assert.deepEqual(there.map(stepsOf), times(2, ["in foo", "eg foo"]));
  assert.deepEqual([here[0]?.hops, there[0]?.hops, there[0]?.request.hop], [1, 0, "1"]);
  sim.checkConverged();
});

test("a leaf of an older protocol is said not to trace, and does not get what is to be traced only", () => {
  const made = new Rig();
  const traces = collect(made);
  const sender = made.client();
  const leaf = made.engine.openLeaf({ host: "h", port: 1, connectionType: "LEAFNODE" }, made.now);
  made.send(leaf, `CONNECT {"headers":true,"protocol":1,"name":"OLD"}\r\nLS+ foo\r\n`);
  made.send(sender, hpub("foo", TRACED));
  made.send(sender, hpub("foo", ONLY, "lost"));
  assert.deepEqual(traces.map(stepsOf), [
    [
      "in foo",
      "eg hop 1: Message delivered but remote does not support message tracing so no trace event generated from there",
    ],
    ["in foo", "eg hop 1: Not delivered because remote does not support message tracing"],
  ]);
  assert.deepEqual(
    traces.map(({ hops }) => hops),
    [1, 1],
  );
  assert.match(made.textOf(leaf.id), /Nats-Trace-Hop: 1\r\n\r\nx\r\n/);
  assert.doesNotMatch(made.textOf(leaf.id), /lost/);
});

const USERS = { a: { account: "A" }, b: { account: "B" } };

function define(server: SimServer, specs: Readonly<Record<string, Partial<AccountSpec>>>): void {
  const all = Object.entries(specs).map(([name, spec]) => ({ ...emptySpec(name), ...spec }));
  defineAccounts(server.engine, all);
}

interface Pair {
  readonly sim: Simulation;
  readonly server: SimServer;
  readonly traces: MessageTrace[];
  readonly a: SimClient;
  readonly b: SimClient;
}

/** A server with a service of A that B asks for as `ask`, and a stream of A that B hears as `heard.>`. */
function sharing(allowTrace: boolean): Pair {
  const sim = new Simulation();
  const server = sim.server("one", { users: USERS });
  const [a, b] = [sim.client(server, { user: "a" }), sim.client(server, { user: "b" })];
  define(server, accounts(allowTrace));
  sim.run(100);
  return { sim, server, traces: collect(server), a, b };
}

function accounts(allowTrace: boolean): Readonly<Record<string, Partial<AccountSpec>>> {
  const kept = { responseType: "singleton", threshold: 60_000, latency: null } as const;
  return {
    A: { exports: [{ subject: "svc", ...kept, allowTrace }] },
    B: {
      imports: [
        { kind: "service", account: "A", subject: "svc", to: "ask", share: false },
        { kind: "stream", account: "A", subject: "news.>", to: "heard.news.>", allowTrace },
      ],
    },
  };
}

for (const allowed of [true, false]) {
  const how = allowed
    ? "on where the export allows it"
    : "not beyond an export that does not allow it";
  test(`a request is traced ${how}`, () => {
    const { sim, server, traces, a, b } = sharing(allowed);
    const served = a.subscribe("svc");
    const box = b.subscribe("box");
    sim.run(10);
    b.send(hpub("ask", TRACED, "?", "box"));
    b.send(hpub("ask", ONLY, "only", "box"));
    sim.run(10);
    const steps = ["in ask", "si A ask svc", ...(allowed ? ["eg A svc"] : [])];
    assert.deepEqual(traces.map(stepsOf), [steps, steps]);
    assert.deepEqual(
      served.received.map(({ body }) => body),
      ["?"],
    );
    // The trace's own way back is not needed, and only one answer is awaited.
    assert.equal(server.engine.account("A").responses?.size, 1);
    a.publish(served.received[0]?.reply ?? "", "!");
    sim.run(10);
    assert.equal(box.received[0]?.body, "!");
    assert.equal(server.engine.account("A").responses?.size, 0);
  });

  test(`a stream is traced ${allowed ? "in accounts that allow it" : "up to an import that does not allow it"}`, () => {
    const { sim, traces, a, b } = sharing(allowed);
    const heard = b.subscribe("heard.news.x");
    const member = b.subscribe("heard.>", "q");
    sim.run(10);
    a.send(hpub("news.x", TRACED));
    a.send(hpub("news.x", ONLY, "only"));
    sim.run(10);
    const steps = [
      "in news.x",
      "se B heard.news.x",
      ...(allowed ? ["eg B news.x"] : []),
      "se B heard.news.x",
      ...(allowed ? ["eg B news.> q"] : []),
    ];
    assert.deepEqual(traces.map(stepsOf), [steps, steps]);
    assert.equal(heard.received.length + member.received.length, 2);
  });
}

test("a traced answer is noted to leave the account, and goes on untraced", () => {
  const { sim, traces, a, b } = sharing(true);
  const served = a.subscribe("svc");
  const box = b.subscribe("box");
  sim.run(10);
  b.publish("ask", "?", "box");
  sim.run(10);
  const reply = served.received[0]?.reply ?? "";
  a.send(hpub(reply, TRACED, "!"));
  sim.run(10);
  assert.deepEqual(traces.map(stepsOf), [[`in ${reply}`, `si B ${reply} box`]]);
  assert.equal(box.received[0]?.body, "!");
});

for (const [asker, hop] of [
  ["a client", "1"],
  ["a leaf link", "1.1"],
] as const) {
  test(`traces of servers behind an exporting account come back to ${asker}, and then the way is closed`, () => {
    const { sim, hub, leaf } = linkPair({
      hub: { users: { ...USERS, "": { account: "A" } } },
      leaf: { users: { "": { account: "$G" } } },
    });
    define(hub, accounts(true));
    hub.engine.flush();
    const other = sim.server("other");
    sim.remote(other, hub, { user: "b" });
    sim.settle();
    const [here, there] = [collect(hub), collect(leaf)];
    const client = hop === "1" ? sim.client(hub, { user: "b" }) : sim.client(other);
    const tr = client.subscribe("tr");
    const served = sim.client(leaf).subscribe("svc");
    sim.run(500);
    client.send(hpub("ask", TRACED));
    sim.run(100);
    assert.equal(served.received.length, 1);
    assert.deepEqual(stepsOf(here[0]), ["in ask", "si A ask svc", `eg A hop ${hop}`]);
    const destination = there[0]?.request.destination ?? "";
    assert.match(destination, /^_R_\./);
    const { responses } = hub.engine.account("A");
    const account = leaf.engine.account("$G");
    const answer = (from: string, hops: number): void => {
      const trace = { request: { header: { "Nats-Trace-Hop": [from] } }, hops };
      const payload = utf8Bytes(JSON.stringify(trace));
      const message = { account, subject: destination, reply: "", header: null, payload };
      leaf.engine.publish({ ...message, source: null, queues: null }, sim.clock.now);
      sim.run(100);
    };
    answer(`${hop}.1`, 0);
    assert.equal(responses?.size, 1, "of the first server nothing came yet");
    answer(hop, 1);
    assert.equal(responses?.size, 0);
    assert.equal(tr.received.length, 2);
    sim.checkConverged();
  });
}

test("header blocks are read as far as they are whole", () => {
  const entries = headerEntries("NATS/1.0\r\nA: 1 \r\nB:\r\n: x\r\nC:\t2\r\nD: cut");
  assert.deepEqual(entries, [
    ["A", "1"],
    ["C", "2"],
  ]);
  assert.equal(headerEntries("NATS/1.0 404\r\nA: 1\r\n\r\n"), null);
});

test("a header that is set stands last, once", () => {
  const set = (text: string): string => Buffer.from(withHeader(text, "K", "new")).toString();
  assert.equal(set(""), "NATS/1.0\r\nK: new\r\n\r\n");
  assert.equal(set(block("K: old", "L: 1", "K: older")), block("L: 1", "K: new"));
  assert.equal(set("NATS/1.0 503\r\n\r\n"), "NATS/1.0 503\r\nK: new\r\n\r\n");
});
