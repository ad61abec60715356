/** Configured accounts in a running server: what they share, at the start and after a reload; the system account. */
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { test } from "node:test";
import { headers, type Msg, type NatsConnection } from "@nats-io/nats-core";
import type { Server, StartOptions } from "../../src/server/index.ts";
import { start, until } from "./peers.ts";

const user = (name: string): { user: string; password: string } => ({ user: name, password: "p" });

const ACCOUNTS = {
  A: { users: [user("a")], exports: [{ service: "svc.>" }, { stream: "ev.>" }] },
  B: {
    users: [user("b")],
    imports: [
      { service: { account: "A", subject: "svc.x" }, to: "ask" },
      { stream: { account: "A", subject: "ev.>" }, prefix: "p" },
    ],
  },
  $SYS: { users: [user("s")] },
};

const BASE = { port: -1, serverName: "one", accounts: ACCOUNTS } as StartOptions;

function as(server: Server, name: string): Promise<NatsConnection> {
  return server.connect({ user: name, pass: "p" });
}

async function json(
  connection: NatsConnection,
  subject: string,
  body = "",
): Promise<Record<string, unknown>> {
  return (await connection.request(subject, body, { timeout: 2000 })).json();
}

test("services and streams cross accounts, and a reload moves them", async (t) => {
  const { server } = await start(t, BASE);
  const a = await as(server, "a");
  const b = await as(server, "b");
  a.subscribe("svc.x", { callback: (_, m) => void m.respond(`${m.string()}!`) });
  const heard: string[] = [];
  b.subscribe("p.ev.*", { callback: (_, m) => void heard.push(m.subject) });
  b.subscribe("q.ev.*", { callback: (_, m) => void heard.push(m.subject) });
  await Promise.all([a.flush(), b.flush()]);
  assert.equal((await b.request("ask", "1")).string(), "1!");
  a.publish("ev.1", "");
  await until("the stream", () => heard.length === 1);
  const imports = [
    { service: { account: "A", subject: "svc.x" }, to: "other" },
    { stream: { account: "A", subject: "ev.>" }, prefix: "q" },
  ];
  const accounts = { ...ACCOUNTS, B: { ...ACCOUNTS.B, imports } };
  await server.reload({ ...BASE, accounts });
  assert.equal((await b.request("other", "2")).string(), "2!");
  await assert.rejects(b.request("ask", "3", { timeout: 500 }));
  a.publish("ev.2", "");
  await until("the stream moved", () => heard.length === 2);
  assert.deepEqual(heard, ["p.ev.1", "q.ev.2"]);
  await Promise.all([a.close(), b.close()]);
});

test("top-level mappings are $G's, and a reload without the block takes them away", async (t) => {
  const options = { port: -1, mappings: { foo: "bar" } } as StartOptions;
  const { server } = await start(t, options);
  const connection = await server.connect();
  const subjects: string[] = [];
  connection.subscribe("*", { callback: (_, m) => void subjects.push(m.subject) });
  connection.publish("foo");
  await connection.flush();
  await server.reload({ port: -1 });
  connection.publish("foo");
  await connection.flush();
  await until("both", () => subjects.length === 2);
  assert.deepEqual(subjects, ["bar", "foo"]);
  await connection.close();
});

test("limits of an account hold, and are looked at again after a reload", async (t) => {
  const limited = (limits: Readonly<Record<string, number>>): StartOptions => ({
    port: -1,
    accounts: { A: { users: [user("a")], limits } },
  });
  const { server } = await start(t, limited({ maxConnections: 1 }));
  const first = await as(server, "a");
  await assert.rejects(server.connect({ user: "a", pass: "p", reconnect: false }));
  await server.reload(limited({ maxConnections: 2 }));
  const second = await server.connect({ user: "a", pass: "p", reconnect: false });
  await server.reload(limited({ maxConnections: 1 }));
  await second.closed();
  assert.equal(first.isClosed(), false);
  await first.close();
});

test("every user may ask about himself, his account's connections and their traffic", async (t) => {
  const { server } = await start(t, BASE);
  const a = await as(server, "a");
  const info = await json(a, "$SYS.REQ.USER.INFO");
  assert.deepEqual(info["data"], { user: "a", account: "A", account_name: "A" });
  assert.equal((info["server"] as { name: string }).name, "one");
  const connz = (await json(a, "$SYS.REQ.ACCOUNT.PING.CONNZ", '{"auth":true,"acc":"B"}'))["data"];
  const { connections } = connz as { connections: { account: string }[] };
  assert.deepEqual(
    connections.map((one) => one.account),
    ["A"],
  );
  const statz = (await json(a, "$SYS.REQ.ACCOUNT.PING.STATZ"))["data"];
  assert.equal((statz as { account_statz: { acc: string }[] }).account_statz[0]?.acc, "A");
  await a.close();
});

test("the system account may ask every server, filter, and get errors as answers", async (t) => {
  const { server } = await start(t, BASE);
  const s = await as(server, "s");
  for (const name of ["VARZ", "CONNZ", "SUBSZ", "LEAFZ", "ACCOUNTZ", "HEALTHZ", "JSZ", "RAFTZ"]) {
    for (const scope of ["PING", server.serverId]) {
      const answer = await json(s, `$SYS.REQ.SERVER.${scope}.${name}`);
      assert.equal((answer["server"] as { id: string }).id, server.serverId, name);
      assert.ok("data" in answer, name);
    }
  }
  const statsz = (await json(s, "$SYS.REQ.SERVER.PING"))["statsz"] as { connections: number };
  assert.equal(statsz.connections, 1);
  const refused = await json(s, "$SYS.REQ.SERVER.PING.CONNZ", "{bad");
  assert.deepEqual(refused["error"], {
    code: 400,
    description: "invalid character 'b' looking for beginning of object key string",
  });
  const unknown = await json(s, "$SYS.REQ.ACCOUNT.nope.INFO");
  assert.deepEqual(unknown["error"], { code: 500, description: "Account nope does not exist" });
  const other = s.request("$SYS.REQ.SERVER.PING", '{"server_name":"two"}', { timeout: 200 });
  await assert.rejects(other);
  await s.close();
});

test("answers come compressed where the request says so", async (t) => {
  const { server } = await start(t, BASE);
  const s = await as(server, "s");
  const ask = (encoding: string): Promise<Msg> => {
    const wanted = headers();
    wanted.set("Accept-Encoding", encoding);
    return s.request("$SYS.REQ.SERVER.PING.VARZ", "", { timeout: 2000, headers: wanted });
  };
  const zipped = await ask("gzip");
  assert.equal(zipped.headers?.get("Content-Encoding"), "gzip");
  assert.ok(JSON.parse(gunzipSync(zipped.data).toString()).data.max_payload > 0);
  const framed = await ask("snappy");
  assert.equal(framed.headers?.get("Content-Encoding"), "snappy");
  assert.equal(Buffer.from(framed.data.subarray(4, 10)).toString(), "sNaPpY");
  assert.equal((await ask("br")).headers?.get("Content-Encoding"), "identity");
  await s.close();
});

test("connections are announced, and can be warned and kicked", async (t) => {
  const { server } = await start(t, BASE);
  const s = await as(server, "s");
  const events = new Map<string, Record<string, unknown>>();
  s.subscribe("$SYS.ACCOUNT.>", { callback: (_, m) => void events.set(m.subject, m.json()) });
  s.subscribe("$SYS.SERVER.*.CLIENT.AUTH.ERR", {
    callback: (_, m) => void events.set("AUTH", m.json()),
  });
  await s.flush();
  const a = await server.connect({ user: "a", pass: "p", name: "me", reconnect: false });
  await until("CONNECT", () => events.has("$SYS.ACCOUNT.A.CONNECT"));
  const connect = events.get("$SYS.ACCOUNT.A.CONNECT");
  assert.equal(connect?.["type"], "io.nats.server.advisory.v1.client_connect");
  const client = connect?.["client"] as { id: number; name: string; user: string; kind: string };
  assert.deepEqual([client.name, client.user, client.kind], ["me", "a", "Client"]);
  assert.equal(events.get("$SYS.ACCOUNT.A.SERVER.CONNS")?.["conns"], 1);
  const order = JSON.stringify({ cid: client.id });
  const warned = await json(s, `$SYS.REQ.SERVER.${server.serverId}.LDM`, order);
  assert.deepEqual(Object.keys(warned), ["server"]);
  await json(s, `$SYS.REQ.SERVER.${server.serverId}.KICK`, order);
  await a.closed();
  await until("DISCONNECT", () => events.has("$SYS.ACCOUNT.A.DISCONNECT"));
  assert.equal(events.get("$SYS.ACCOUNT.A.DISCONNECT")?.["reason"], "Kicked");
  await assert.rejects(server.connect({ user: "a", pass: "wrong", reconnect: false }));
  await until("AUTH.ERR", () => events.has("AUTH"));
  assert.equal(events.get("AUTH")?.["reason"], "Authentication Failure");
  const fault = await json(s, `$SYS.REQ.SERVER.${server.serverId}.KICK`, order);
  assert.equal(
    (fault["error"] as { description: string }).description,
    "no such client or leafnode id",
  );
  await s.close();
});

test("a server that ends says so", async (t) => {
  const { server } = await start(t, BASE);
  const s = await as(server, "s");
  let said = false;
  s.subscribe("$SYS.SERVER.*.SHUTDOWN", { callback: () => void (said = true) });
  await s.flush();
  await server.stop();
  await until("SHUTDOWN", () => said);
  await s.close();
});
