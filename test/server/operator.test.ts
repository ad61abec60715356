import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Key } from "../auth/fixtures.ts";
import { activationToken, accountToken, operatorToken, token, userToken } from "../auth/tokens.ts";
import {
  Operator,
  directory,
  outcome,
  present,
  push,
  request,
  seconds,
  user,
} from "./operators.ts";
import { logged } from "./peers.ts";

const LIMITS = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
};

test("tokens decide who gets in, and accounts are apart", async (t) => {
  const operator = new Operator();
  const [a, b] = [operator.account(), operator.account()];
  const { server } = await operator.start(t);
  const [one, other] = [await user(t, server, a), await user(t, server, b)];
  other.send("SUB > 1\r\nPING\r\n");
  await other.until(/PONG/);
  one.send("PUB foo 1\r\nx\r\nPING\r\n");
  await one.until(/PONG/);
  other.received = "";
  other.send("PING\r\n");
  await other.until(/PONG/);
  assert.doesNotMatch(other.received, /MSG/);

  const key = new Key("user");
  const stranger = userToken(new Key("account"), key.public);
  for (const jwt of [stranger, "garbage", "", userToken(a, new Key("user").public)]) {
    const peer = await present(t, server.inner.clientPort, jwt, key);
    await peer.end();
    assert.match(peer.received, /^-ERR 'Authorization Violation'\r\n$/);
  }
});

test("logins of accounts that are not pinned are counted, also over a reload", async (t) => {
  const operator = new Operator();
  const [pinned, other] = [operator.account(), operator.account()];
  const options = { resolverPinnedAccounts: [pinned.public] };
  const { server } = await operator.start(t, options);
  await user(t, server, pinned);
  const fails = async (): Promise<unknown> => {
    const system = await user(t, server, operator.system);
    const answer = await request(system, "$SYS.REQ.SERVER.PING.VARZ", "");
    return JSON.parse(answer).data.pinned_account_fails;
  };
  assert.equal(await fails(), undefined);
  const key = new Key("user");
  const refused = await present(t, server.inner.clientPort, userToken(other, key.public), key);
  await refused.end();
  assert.match(refused.received, /^-ERR 'Authorization Violation'/);
  await server.reload(operator.options({ ...options, debug: true }));
  assert.equal(await fails(), 1);
});

test("a pushed account is usable at once, stays over a restart, and is gone when deleted", async (t) => {
  const operator = new Operator();
  const account = new Key("account");
  const dir = directory(t);
  const { server } = await operator.startFull(t, dir);
  const system = await user(t, server, operator.system);
  const key = new Key("user");
  const early = await present(t, server.inner.clientPort, userToken(account, key.public), key);
  await early.end();
  assert.equal(await push(system, operator.token(account)), "jwt updated");
  await user(t, server, account);
  assert.equal(statSync(join(dir, `${account.public}.jwt`)).mode & 0o777, 0o600);
  await server.stop();

  const again = (await operator.startFull(t, dir)).server;
  const client = await user(t, again, account);
  const admin = await user(t, again, operator.system);
  const generic = { type: "generic", version: 2, accounts: [account.public] };
  const order = token(operator.key, operator.key.public, generic);
  assert.equal(
    outcome(await request(admin, "$SYS.REQ.CLAIMS.DELETE", order)),
    "deleted 1 accounts",
  );
  await client.end();
  assert.match(client.received, /-ERR 'Account Authentication Expired'/);
  const late = await present(t, again.inner.clientPort, userToken(account, key.public), key);
  await late.end();
  assert.deepEqual(
    readdirSync(dir).toSorted(),
    [`${account.public}.jwt.deleted`, `${operator.system.public}.jwt`].toSorted(),
  );
});

test("new claims reach live connections: revocations, signing keys, limits, permissions", async (t) => {
  const operator = new Operator();
  const [account, signer] = [new Key("account"), new Key("account")];
  const { server } = await operator.startFull(t);
  const system = await user(t, server, operator.system);
  await push(system, operator.token(account, { signing_keys: [signer.public] }));
  const login = async (issuer: Key, nats = {}, top = {}): ReturnType<typeof present> => {
    const key = new Key("user");
    const jwt = userToken(issuer, key.public, nats, { iat: seconds(), ...top });
    const peer = await present(t, server.inner.clientPort, jwt, key);
    await peer.until(/PONG/);
    peer.received = "";
    return peer;
  };
  const plain = await login(account);
  const old = await login(account, {}, { iat: seconds() - 100 });
  const signed = await login(signer, { issuer_account: account.public });
  const bearer = await login(account, { bearer_token: true });
  plain.send("SUB foo 1\r\nSUB bar 2\r\nPING\r\n");
  await plain.until(/PONG/);

  const claims = {
    limits: { ...LIMITS, disallow_bearer: true },
    revocations: { "*": seconds() - 50 },
    default_permissions: { sub: { allow: ["foo", "box.>"] }, pub: {} },
  };
  assert.equal(await push(system, operator.token(account, claims)), "jwt updated");
  await old.end();
  assert.match(old.received, /-ERR 'User Authentication Revoked'/);
  await signed.end();
  assert.match(signed.received, /-ERR 'Authorization Violation'/);
  await bearer.end();
  assert.match(bearer.received, /-ERR 'Authorization Violation'/);
  await plain.until(/Permissions Violation for Subscription to "bar" \(sid "2"\)/);
  assert.ok(!plain.closed);

  assert.equal(
    await push(system, operator.token(account, { limits: { ...LIMITS, subs: 1 } })),
    "jwt updated",
  );
  await plain.end();
  assert.match(plain.received, /-ERR 'maximum subscriptions exceeded'/);
});

test("fewer connections allowed: the youngest go", async (t) => {
  const operator = new Operator();
  const account = new Key("account");
  const { server } = await operator.startFull(t);
  const system = await user(t, server, operator.system);
  await push(system, operator.token(account));
  const first = await user(t, server, account);
  const second = await user(t, server, account);
  await push(system, operator.token(account, { limits: { ...LIMITS, conn: 1 } }));
  await second.end();
  assert.match(second.received, /-ERR 'maximum account active connections exceeded'/);
  first.send("PING\r\n");
  await first.until(/PONG/);
});

test("an account that expires takes its connections with it, and comes back when renewed", async (t) => {
  const operator = new Operator();
  const account = new Key("account");
  const { server } = await operator.startFull(t);
  const system = await user(t, server, operator.system);
  await push(system, operator.token(account, {}, { exp: seconds() + 2 }));
  const client = await user(t, server, account);
  await client.end();
  assert.match(client.received, /-ERR 'Account Authentication Expired'/);
  const key = new Key("user");
  const late = await present(t, server.inner.clientPort, userToken(account, key.public), key);
  await late.end();
  await push(system, operator.token(account));
  await user(t, server, account);
});

test("an import by activation token holds while the token does", async (t) => {
  const operator = new Operator();
  const [a, b] = [new Key("account"), new Key("account")];
  const { server } = await operator.startFull(t);
  const system = await user(t, server, operator.system);
  const imported = {
    name: "e",
    subject: "private.*",
    account: a.public,
    type: "stream",
    token: activationToken(a, b.public, { subject: "private.*" }, { exp: seconds() + 1 }),
  };
  // The importer first: it waits for its exporter.
  await push(system, operator.token(b, { imports: [imported] }));
  const listener = await user(t, server, b);
  listener.send("SUB private.x 1\r\nPING\r\n");
  await listener.until(/PONG/);
  const exports = [{ name: "e", subject: "private.*", type: "stream", token_req: true }];
  await push(system, operator.token(a, { exports }));
  const speaker = await user(t, server, a);
  await sleep(20);
  speaker.send("PUB private.x 2\r\nhi\r\n");
  await listener.until(/MSG private\.x 1 2\r\nhi/);
  await sleep(2200);
  listener.received = "";
  speaker.send("PUB private.x 2\r\nno\r\nPING\r\n");
  await speaker.until(/PONG/);
  listener.send("PING\r\n");
  await listener.until(/PONG/);
  assert.doesNotMatch(listener.received, /MSG/);
});

test("without its system account, a server lets that account's users in to bring it", async (t) => {
  const operator = new Operator();
  const { server, log } = await operator.start(t, {
    resolver: { type: "full", dir: directory(t) },
    resolverPreload: {},
  });
  await logged(log, /Using bootstrapping system account/);
  const system = await user(t, server, operator.system);
  assert.equal(await push(system, operator.token(operator.system)), "jwt updated");
  await logged(log, /System account fetched and updated/);
});

test("a reload reads the preload of a resolver in memory anew", async (t) => {
  const operator = new Operator();
  const [kept, gone] = [operator.account(), operator.account()];
  const { server, log } = await operator.start(t);
  const [stays, goes] = [await user(t, server, kept), await user(t, server, gone)];
  operator.preload.delete(gone.public);
  operator.preload.set(kept.public, operator.token(kept, { limits: { ...LIMITS, payload: 4 } }));
  await server.reload(operator.options());
  await goes.end();
  assert.ok(log.some((line) => line.includes(`deleting account [removed]: "${gone.public}"`)));
  await sleep(20);
  stays.send("PUB foo 5\r\nhello\r\n");
  await stays.end();
  assert.match(stays.received, /Maximum Payload Violation/);
});

test("a server that could not trust anybody does not start, and says why", async (t) => {
  const operator = new Operator();
  const { system, key } = operator;
  const other = new Key("operator");
  const foreign = { [system.public]: accountToken(other, system.public) };
  const newer = operatorToken(key, {
    system_account: system.public,
    assert_server_version: "99.0.0",
  });
  const rows = [
    [{ resolverPreload: {} }, "error resolving system account: account missing"],
    [{ resolverPreload: foreign }, "error resolving system account: account validation failed"],
    [
      { systemAccount: new Key("account").public },
      "system_account in config and operator JWT must be identical",
    ],
    [
      { operator: [newer] },
      `operator ${key.public} expected major version 99 > server major version 2`,
    ],
    [{ defaultSentinel: "x" }, "default sentinel JWT not valid"],
    [
      { resolver: "URL(http://127.0.0.1:1/)", resolverPreload: {} },
      'could not fetch <"http://127.0.0.1:1/">: Get "http://127.0.0.1:1/": ' +
        "dial tcp 127.0.0.1:1: connect: connection refused",
    ],
  ] as const;
  for (const [options, message] of rows) {
    await assert.rejects(operator.start(t, options), { message });
  }
});
