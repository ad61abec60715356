import assert from "node:assert/strict";
import { test } from "node:test";
import { Fixture, list, member, START } from "./fixtures.ts";

function cids(f: Fixture, query: string): unknown[] {
  return list(f.get(`/connz?${query}`), "connections").map((one) => one["cid"]);
}

test("a connection has the reference's members in its order", () => {
  const f = new Fixture();
  const link = f.client({ name: "n<1>", lang: "py", version: "1.0", user: "A/ann" });
  f.now += 1500;
  const [one] = list(f.get("/connz?auth=1"), "connections");
  assert.deepEqual(one, {
    cid: link.id,
    kind: "Client",
    type: "nats",
    ip: "127.0.0.1",
    port: link.port,
    start: "2026-01-02T03:04:05Z",
    last_activity: "2026-01-02T03:04:05Z",
    rtt: "1µs",
    uptime: "1s",
    idle: "1s",
    pending_bytes: 0,
    in_msgs: 0,
    out_msgs: 0,
    in_bytes: 0,
    out_bytes: 0,
    subscriptions: 0,
    name: "n<1>",
    lang: "py",
    version: "1.0",
    authorized_user: "A/ann",
    account: "A",
    name_tag: "A",
  });
  assert.deepEqual(Object.keys(one ?? {}).slice(-3), ["authorized_user", "account", "name_tag"]);
  assert.ok(f.ask("/connz").body.includes('"name": "n\\u003c1\\u003e"'));
});

test("subscriptions are listed by subject, or in detail, never both", () => {
  const f = new Fixture();
  const link = f.client();
  f.send(link, "SUB foo.* 1\r\nSUB bar q 2\r\nUNSUB 2 5\r\nPUB bar 1\r\nx\r\n");
  const [plain] = list(f.get("/connz?subs=1"), "connections");
  assert.deepEqual(plain?.["subscriptions_list"], ["foo.*", "bar"]);
  const [detail] = list(f.get("/connz?subs=DETAIL"), "connections");
  assert.equal(detail?.["subscriptions_list"], undefined);
  assert.deepEqual(detail?.["subscriptions_list_detail"], [
    { subject: "foo.*", sid: "1", msgs: 0, cid: link.id },
    { subject: "bar", qgroup: "q", sid: "2", msgs: 1, max: 5, cid: link.id },
  ]);
});

test("leaf links stand among the clients, with kind and without type", () => {
  const f = new Fixture();
  f.client();
  const leaf = f.leaf();
  f.send(leaf, "LS+ a\r\nLS+ b q 3\r\n");
  const one = list(f.get("/connz?subs=1"), "connections")[1];
  assert.deepEqual([one?.["kind"], one?.["type"], one?.["name"]], ["Leafnode", undefined, "edge"]);
  assert.deepEqual(one?.["subscriptions_list"], ["a", "b"]);
});

test("pages: limit and offset, with usable values for those that are not", () => {
  const f = new Fixture();
  const ids = Array.from({ length: 6 }, () => f.client().id);
  const z = f.get("/connz?limit=2&offset=1");
  assert.deepEqual([z["num_connections"], z["total"], z["offset"], z["limit"]], [2, 6, 1, 2]);
  assert.deepEqual(cids(f, "limit=2&offset=1"), ids.slice(1, 3));
  assert.deepEqual(cids(f, "offset=100"), []);
  assert.deepEqual(cids(f, "offset=-4&limit=-1"), ids);
  assert.equal(f.get("/connz?limit=0")["limit"], 1024);
});

test("sorting: ascending by cid, start, uptime; the rest from most to least", () => {
  const f = new Fixture();
  const links = [2, 7, 4].map((subs, i) => {
    f.now = START + i * 1000;
    const link = f.client();
    for (let n = 0; n < subs; n++) f.send(link, `SUB x${i}.${n} ${n}\r\nPUB y 1\r\nz\r\n`);
    return link.id;
  });
  const [a, b, c] = links;
  f.now = START + 10_000;
  assert.deepEqual(cids(f, "sort=cid"), [a, b, c]);
  assert.deepEqual(cids(f, "sort=start"), [a, b, c]);
  assert.deepEqual(cids(f, "sort=uptime"), [c, b, a]);
  assert.deepEqual(cids(f, "sort=subs"), [b, c, a]);
  assert.deepEqual(cids(f, "sort=msgs_from"), [b, c, a]);
  assert.deepEqual(cids(f, "sort=idle"), [a, b, c]);
  assert.deepEqual(cids(f, "sort=last"), [c, b, a]);
  assert.deepEqual(cids(f, "sort=pending"), [a, b, c]);
});

test("filters: account, user, cid; an unknown account is an empty answer", () => {
  const f = new Fixture();
  const [a, b, c] = ["A/ann", "A/bob", "B/cy"].map((user) => f.client({ user }));
  assert.deepEqual(cids(f, "acc=A"), [a?.id, b?.id]);
  assert.deepEqual(cids(f, "user=B/cy"), [c?.id]);
  assert.equal(f.get("/connz?user=B/cy")["total"], 3);
  const one = f.get(`/connz?cid=${b?.id}`);
  assert.deepEqual([one["num_connections"], one["total"], one["limit"]], [1, 3, 1]);
  const none = f.get("/connz?acc=NOPE");
  assert.deepEqual([none["server_id"], none["connections"], none["total"]], ["", null, 0]);
});

test("closed connections come with when and why", () => {
  const f = new Fixture();
  const link = f.client(null);
  f.now += 2000;
  f.send(link, 'CONNECT {"user":"wrong"}\r\n');
  const live = f.client();
  f.now += 60_000;
  const [one] = list(f.get("/connz?state=closed&auth=1&sort=reason"), "connections");
  assert.deepEqual(
    [one?.["stop"], one?.["reason"], one?.["uptime"], one?.["authorized_user"]],
    ["2026-01-02T03:04:07Z", "Authentication Failure", "2s", "wrong"],
  );
  assert.deepEqual([one?.["account"], one?.["name_tag"]], [undefined, undefined]);
  assert.deepEqual(cids(f, "state=any"), [link.id, live.id]);
  assert.deepEqual(cids(f, ""), [live.id]);
});

test("the ring keeps the latest closed connections, the totals count them all", () => {
  const f = new Fixture();
  const links = Array.from({ length: 5 }, () => f.client({ user: "A/ann" }));
  for (const link of links) {
    f.now += 1000;
    f.send(link, "SUB foo 1\r\nPUB foo 2\r\nhi\r\n");
    f.closed.closing(link);
    f.engine.closed(link.id, "Client Closed", f.now);
  }
  const kept = links.slice(2).map((link) => link.id);
  assert.deepEqual(cids(f, "state=closed"), kept);
  assert.deepEqual(cids(f, "state=closed&sort=stop"), kept.toReversed());
  const [one] = list(f.get("/connz?state=closed&subs=detail&limit=1"), "connections");
  assert.deepEqual(one?.["subscriptions_list_detail"], [
    { account: "A", account_tag: "A", subject: "foo", sid: "1", msgs: 1, cid: kept[0] },
  ]);
  const v = f.get("/varz");
  assert.deepEqual([v["in_msgs"], v["in_client_msgs"], v["out_client_bytes"]], [5, 5, 10]);
  const [a] = list(f.get("/accstatz?unused=1"), "account_statz").filter((z) => z["acc"] === "A");
  assert.equal(member(a, "sent")["msgs"], 5);
});

test("what cannot be answered is a 400 with the reference's text", () => {
  const f = new Fixture();
  for (const [query, text] of [
    ["sort=wibble", "invalid sorting option: wibble"],
    ["sort=stop", "sort by stop only valid on closed connections"],
    ["sort=reason&state=all", "sort by reason only valid on closed connections"],
    [
      "subs=foo",
      `Error decoding boolean for 'subs': strconv.ParseBool: parsing "foo": invalid syntax`,
    ],
    [
      "auth=yes",
      `Error decoding boolean for 'auth': strconv.ParseBool: parsing "yes": invalid syntax`,
    ],
    ["limit=1x", `Error decoding int for 'limit': strconv.Atoi: parsing "1x": invalid syntax`],
    [
      "offset=99999999999999999999",
      `Error decoding int for 'offset': strconv.Atoi: parsing "99999999999999999999": value out of range`,
    ],
    ["cid=-1", `Error decoding uint64 for 'cid': strconv.ParseUint: parsing "-1": invalid syntax`],
    ["state=foo", "Error decoding state for foo"],
  ] as const) {
    const reply = f.ask(`/connz?${query}`);
    assert.deepEqual([reply.status, reply.body], [400, text]);
    assert.equal(reply.headers["Content-Type"], "text/plain; charset=utf-8");
  }
});
