import assert from "node:assert/strict";
import { test } from "node:test";
import { Fixture, list, member, remote, START } from "./fixtures.ts";

test("leafz shows the links that are up, by account, their interest on request", () => {
  const f = new Fixture();
  assert.deepEqual([f.get("/leafz")["leafnodes"], f.get("/leafz")["leafs"]], [0, []]);
  const link = f.leaf({ user: "A/edge" });
  f.leaf({ user: "B/edge", name: "other" });
  f.send(link, "LS+ one\r\nLS+ two q 1\r\nLMSG up 5\r\n12345\r\n");
  const z = f.get("/leafz?subs=1&acc=A");
  assert.equal(z["leafnodes"], 1);
  assert.deepEqual(list(z, "leafs")[0], {
    id: link.id,
    name: "edge",
    is_spoke: false,
    account: "A",
    ip: "127.0.0.1",
    port: link.port,
    rtt: "0s",
    in_msgs: 1,
    out_msgs: 0,
    in_bytes: 5,
    out_bytes: 0,
    subscriptions: 2,
    subscriptions_list: ["one", "two"],
    compression: "not supported",
  });
  assert.equal(f.get("/leafz?acc=NONE")["leafnodes"], 0);
  assert.equal(f.ask("/leafz?subs=detail").status, 400);
});

test("linkz has an entry for every remote, with why it is down and what comes next", () => {
  const f = new Fixture();
  f.remotes = [
    remote({
      lastError: "connection refused",
      lastErrorAt: START - 500,
      attempts: 3,
      nextRetry: START + 2500,
      flaps: 1,
      required: true,
    }),
    remote({ id: 2, state: "disabled" }),
  ];
  const z = f.get("/linkz");
  assert.deepEqual([z["up"], z["down"]], [0, 1]);
  const [one] = list(z, "remotes");
  assert.deepEqual(one, {
    id: 1,
    state: "waiting",
    since: "2026-01-02T03:04:05Z",
    in_state_for: "0s",
    required: true,
    url: "nats://hub:7422",
    urls: ["hub:7422"],
    credentials: "none",
    last_error: "connection refused",
    last_error_at: "2026-01-02T03:04:04.5Z",
    attempts: 3,
    next_retry: "2026-01-02T03:04:07.5Z",
    next_retry_in: "2.5s",
    flaps: 1,
    rtt: { last: null, p50: null, p99: null, samples: 0 },
    account: "$G",
    link: null,
    out: { msgs: null, bytes: null, refused: null, dropped: 0 },
  });
});

test("linkz shows a link's round trips, interest both ways and accepted links", () => {
  const f = new Fixture();
  const link = f.leaf();
  f.send(link, "LS+ one\r\n");
  const client = f.client();
  f.send(client, "SUB a 1\r\nSUB b 2\r\n");
  const rtts = Array.from({ length: 100 }, (_, i) => i + 1);
  f.remotes = [remote({ state: "up", link, rtts })];
  const z = f.get("/linkz");
  const [one] = list(z, "remotes");
  assert.deepEqual(one?.["rtt"], { last: "100ms", p50: "50ms", p99: "99ms", samples: 100 });
  // The account's loop detection subject is announced too.
  assert.deepEqual(one?.["interest"], { received: 1, announced: 3 });
  const [accepted] = list(z, "accepted");
  const at = member(accepted, "link");
  assert.deepEqual([at["remote_server"], at["is_spoke"], at["tls"]], ["edge", false, null]);
});

test("healthz is well unless links are asked for and a required one is down", () => {
  const f = new Fixture();
  f.remotes = [remote({ required: true, lastError: "connection refused" }), remote({ id: 2 })];
  assert.deepEqual([f.ask("/healthz").status, f.ask("/healthz").body], [200, '{"status":"ok"}']);
  const text = 'leafnode remote "hub:7422" (account $G) is waiting: connection refused';
  const reply = f.ask("/healthz?links=1");
  assert.equal(reply.status, 503);
  assert.deepEqual(JSON.parse(reply.body), { status: "unavailable", error: text });
  assert.equal(reply.warning, `Healthcheck failed: "${text}"`);
  assert.deepEqual(JSON.parse(f.ask("/healthz?links=1&details=1").body), {
    status: "error",
    errors: [{ type: "LINK", account: "$G", error: text }],
  });
  f.remotes = [remote({ required: true, state: "up" }), remote({ id: 2 })];
  assert.equal(f.ask("/healthz?links=1").status, 200);
});

test("healthz checks its arguments, then the listeners", () => {
  const f = new Fixture();
  const bad = f.ask("/healthz?stream=s");
  assert.deepEqual(
    [bad.status, bad.body],
    [
      400,
      '{"status":"error","error":"\\"account\\" must not be empty when checking stream health"}',
    ],
  );
  assert.equal(
    f.ask("/healthz?consumer=c&details=1").body,
    '{"status":"error","errors":[{"type":"BAD_REQUEST","error":"\\"stream\\" must not be empty when checking consumer health"}]}',
  );
  f.state = { ...f.state, listeners: [{ name: "leafnode", up: false, error: "in use" }] };
  const down = f.ask("/healthz");
  assert.equal(down.status, 500);
  assert.deepEqual(JSON.parse(down.body), {
    status: "error",
    error: "failed to be ready for connections after 1ms: leafnode(in use)",
  });
});
