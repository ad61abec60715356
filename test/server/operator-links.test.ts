import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Server, StartOptions } from "../../src/server/index.ts";
import { Key } from "../auth/fixtures.ts";
import { Operator, credsFile, directory, push, user } from "./operators.ts";
import { logged, until } from "./peers.ts";

const leafnodes = { host: "127.0.0.1", port: -1 };

function remote(port: number, account: Key, credentials: string, more = {}): StartOptions {
  const url = `nats://127.0.0.1:${port}`;
  const one = { url, account: account.public, credentials, ...more };
  return { leafnodes: { reconnect: 100, remotes: [one] } };
}

for (const hub of [false, true]) {
  test(`a remote joins accounts of two operators (hub: ${hub})`, async (t) => {
    const [above, below] = [new Operator(), new Operator()];
    const [there, here] = [above.account(), below.account()];
    const upper = await above.start(t, { leafnodes });
    const creds = credsFile(t, there);
    const { leafPort } = upper.server.inner;
    const lower = await below.start(t, remote(leafPort, here, creds.path, { hub }));
    await lower.server.ready({ links: true });
    const listener = await user(t, upper.server, there);
    listener.send("SUB foo 1\r\nPING\r\n");
    await listener.until(/PONG/);
    const speaker = await user(t, lower.server, here);
    const account = lower.server.inner.engine.account(here.public);
    await until("interest", () => account.sublist.match("foo", []).length > 0);
    speaker.send("PUB foo 2\r\nhi\r\n");
    await listener.until(/MSG foo 1 2\r\nhi/);
    for (const line of [...upper.log, ...lower.log]) assert.ok(!line.includes(creds.seed));
    assert.ok(!lower.log.some((line) => line.includes("can be read by")));
  });
}

test("a remote whose account is not to be had tells so, and asks again", async (t) => {
  const [above, below] = [new Operator(), new Operator()];
  const there = above.account();
  const upper = await above.start(t, { leafnodes });
  const creds = credsFile(t, there, 0o644);
  const nowhere = new Key("account");
  const options = remote(upper.server.inner.leafPort, nowhere, creds.path);
  const { log } = await below.start(t, options);
  const line = `error Unable to lookup account ${nowhere.public} for solicited leafnode connection: account missing`;
  await until("two attempts", () => log.filter((one) => one === line).length >= 2);
  await logged(log, /warn Credentials file ".*" can be read by every user of this machine/);
});

test("an account that allows no leaf nodes refuses them", async (t) => {
  const [above, below] = [new Operator(), new Operator()];
  const limits = { subs: -1, payload: -1, imports: -1, exports: -1, conn: -1, leaf: 0 };
  const there = above.account({ limits });
  const upper = await above.start(t, { leafnodes });
  const creds = credsFile(t, there);
  const options = remote(upper.server.inner.leafPort, below.account(), creds.path);
  const { log } = await below.start(t, options);
  await logged(log, /Leafnode Error 'maximum account active connections exceeded'/);
});

test("full resolvers share tokens over a leaf link of their system account", async (t) => {
  const operator = new Operator();
  const { system } = operator;
  const [one, two] = [directory(t), directory(t)];
  const resolver = { type: "full", interval: 200 };
  const upper = await operator.start(t, { leafnodes, resolver: { ...resolver, dir: one } });
  const joined = remote(upper.server.inner.leafPort, system, credsFile(t, system).path);
  const lower = await operator.start(t, { ...joined, resolver: { ...resolver, dir: two } });
  await lower.server.ready({ links: true });
  const interest = (server: Server): boolean =>
    server.inner.engine.account(system.public).sublist.match(LOOKUP, []).length > 1;
  await until("interest", () => interest(upper.server) && interest(lower.server));

  const admin = await user(t, upper.server, system);
  const [asked, packed] = [new Key("account"), new Key("account")];
  // Asked for: a login there finds the token here.
  assert.equal(await push(admin, operator.token(asked)), "jwt updated");
  await user(t, lower.server, asked);
  // Packed: it comes by itself.
  assert.equal(await push(admin, operator.token(packed)), "jwt updated");
  await until("the pack", () => existsSync(join(two, `${packed.public}.jwt`)));
});

const LOOKUP = "$SYS.REQ.ACCOUNT.A.CLAIMS.LOOKUP";
