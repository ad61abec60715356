import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceData } from "../../src/monitoring/index.ts";
import { asReply, Fixture, list, member } from "./fixtures.ts";

test("subsz counts, lists on request, tests a subject, and leaves leaf interest out of the list", () => {
  const f = new Fixture();
  const link = f.client({ user: "A/ann" });
  f.send(link, "SUB s.1 1\r\nSUB s.* grp 9\r\nSUB other 10\r\n");
  f.send(f.leaf({ user: "A/edge" }), "LS+ far\r\n");
  const quiet = f.get("/subsz?acc=A");
  assert.deepEqual([quiet["num_subscriptions"], quiet["total"], quiet["limit"]], [4, 0, 1024]);
  assert.equal(quiet["subscriptions_list"], undefined);
  const z = f.get("/subsz?subs=1&acc=A");
  assert.deepEqual(
    list(z, "subscriptions_list").map((one) => one["subject"]),
    ["s.*", "s.1", "other"],
  );
  assert.deepEqual(list(z, "subscriptions_list")[0], {
    account: "A",
    account_tag: "A",
    subject: "s.*",
    qgroup: "grp",
    sid: "9",
    msgs: 0,
    cid: link.id,
  });
  assert.equal(list(f.get("/subsz?subs=1&test=s.1"), "subscriptions_list").length, 2);
  assert.equal(list(f.get("/subsz?subs=1&limit=2&offset=2"), "subscriptions_list").length, 1);
  assert.equal(f.get("/subsz?acc=NOPE")["num_subscriptions"], 0);
});

test("subsz refuses a subject that cannot be published to, and what is no number", () => {
  const f = new Fixture();
  for (const subject of ["foo..bar", "foo.*"]) {
    const reply = f.ask(`/subsz?test=${subject}`);
    assert.equal(reply.status, 400);
    assert.equal(reply.body, `invalid test subject, must be valid publish subject: ${subject}`);
  }
  assert.equal(f.ask("/subsz?limit=x").status, 400);
});

test("accountz lists the accounts, or one in detail", () => {
  const f = new Fixture();
  f.client({ user: "A/ann" });
  f.engine.account("$SYS");
  const z = f.get("/accountz");
  assert.deepEqual([z["system_account"], z["accounts"]], ["$SYS", ["$G", "A", "$SYS"]]);
  const detail = member(f.get("/accountz?acc=A"), "account_detail");
  assert.deepEqual(Object.keys(detail), [
    "account_name",
    "update_time",
    "expired",
    "complete",
    "jetstream_enabled",
    "leafnode_connections",
    "client_connections",
    "subscriptions",
    "name_tag",
    "sublist_stats",
  ]);
  assert.deepEqual([detail["client_connections"], detail["expired"]], [1, false]);
  const system = member(f.get("/accountz?acc=$SYS"), "account_detail");
  assert.equal(system["is_system"], true);
  const unknown = f.ask("/accountz?acc=X");
  assert.deepEqual([unknown.status, unknown.body], [400, "Account X does not exist"]);
});

test("accstatz tells what the server sent and received in each account in use", () => {
  const f = new Fixture();
  const [a, leaf] = [f.client({ user: "A/ann" }), f.leaf({ user: "A/edge" })];
  f.engine.account("B");
  f.send(a, "SUB up 1\r\n");
  f.send(leaf, "LMSG up 2\r\nhi\r\n");
  const none = { msgs: 0, bytes: 0 };
  assert.deepEqual(list(f.get("/accstatz"), "account_statz"), [
    {
      acc: "A",
      name: "A",
      conns: 1,
      leafnodes: 1,
      total_conns: 2,
      num_subscriptions: 1,
      sent: { msgs: 1, bytes: 2, gateways: none, routes: none, leafs: none },
      received: { msgs: 1, bytes: 2, gateways: none, routes: none, leafs: { msgs: 1, bytes: 2 } },
      slow_consumers: 0,
    },
  ]);
  assert.deepEqual(
    list(f.get("/accstatz?unused=1"), "account_statz").map((one) => one["acc"]),
    ["$G", "A", "B"],
  );
});

test("what this server does not have is empty but well-formed", () => {
  const f = new Fixture();
  assert.deepEqual([f.get("/routez")["num_routes"], f.get("/routez")["routes"]], [0, []]);
  const gateways = f.get("/gatewayz?accs=1");
  assert.deepEqual([gateways["outbound_gateways"], gateways["inbound_gateways"]], [{}, {}]);
  assert.equal(f.get("/jsz?acc=A")["disabled"], true);
  const leader = f.ask("/jsz?leader-only=1");
  assert.deepEqual([leader.status, leader.body], [400, "filtered response: not leader"]);
  assert.deepEqual(
    [f.ask("/raftz").status, f.ask("/raftz").body],
    [404, "No Raft nodes registered"],
  );
  assert.equal(f.ask("/ipqueuesz").body, "{}");
  assert.deepEqual(Object.keys(f.get("/debug/vars")), ["cmdline", "memstats"]);
  assert.equal(f.ask("/stacksz").headers["Content-Type"], "application/json");
});

test("the index page links the endpoints and escapes the server's name", () => {
  const f = new Fixture({ serverName: "<b>" });
  const { body } = f.ask("/");
  for (const path of ["varz", "connz", "routez", "subsz", "accountz", "healthz", "linkz"]) {
    assert.ok(body.includes(`href="./${path}"`), path);
  }
  assert.ok(!body.includes("<b>"));
  assert.deepEqual([f.ask("/nope").status, f.ask("/nope").body], [404, "404 page not found\n"]);
});

test("services take the same options as JSON members, and know closed from open", () => {
  const f = new Fixture();
  const [a] = [f.client({ user: "A/ann" }), f.client({ user: "B/bob" })];
  f.send(a, "SUB foo.* 1\r\n");
  const data = serviceData(f.state, "CONNZ", { acc: "A", filter_subject: "foo.bar", auth: true });
  const [one] = list(asReply(data), "connections");
  assert.equal(one?.["authorized_user"], "A/ann");
  const none = serviceData(f.state, "CONNZ", { acc: "A", filter_subject: "bar", state: 0 });
  assert.deepEqual(list(asReply(none), "connections"), []);
  assert.throws(() => serviceData(f.state, "CONNZ", { filter_subject: "foo" }), {
    name: "MonitorError",
    message: "filter by subject only valid with account filtering",
  });
  assert.deepEqual(serviceData(f.state, "HEALTHZ", {}), {
    status: "ok",
    status_code: 200,
    error: undefined,
    errors: undefined,
  });
  assert.equal(serviceData(f.state, "NOPEZ", {}), null);
});
