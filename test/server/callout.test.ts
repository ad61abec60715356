import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { CurveKey } from "../../src/auth/index.ts";
import type { Server, StartOptions } from "../../src/server/index.ts";
import { Key, TestCrypto } from "../auth/fixtures.ts";
import { token, userToken } from "../auth/tokens.ts";
import { dialPlain, start, type Peer } from "./peers.ts";

interface Question {
  readonly user: string;
  readonly server: string;
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A service that admits everyone but `mallory` into account APP. */
class Service {
  readonly issuer = new Key("account");
  readonly curve = new CurveKey(new TestCrypto());
  readonly questions: Question[] = [];
  sealed = false;
  silent = false;

  options(xkey: boolean): StartOptions {
    return {
      accounts: { AUTH: { users: [{ user: "auth", password: "auth" }] }, APP: {} },
      authorization: {
        timeout: 300,
        authCallout: {
          issuer: this.issuer.public,
          account: "AUTH",
          authUsers: ["auth"],
          ...(xkey ? { xkey: this.curve.publicKey } : {}),
        },
      },
    };
  }

  async join(t: TestContext, server: Server): Promise<void> {
    const peer = dialPlain(t, server.inner.clientPort);
    const connect = { verbose: false, headers: true, user: "auth", pass: "auth" };
    peer.send(`CONNECT ${JSON.stringify(connect)}\r\nSUB $SYS.REQ.USER.AUTH 1\r\nPING\r\n`);
    await peer.until(/PONG/);
    this.#serve(peer);
  }

  /** Answers whatever request comes in whole. */
  #serve(peer: Peer): void {
    let taken = 0;
    const look = setInterval(() => {
      const text = peer.received.slice(taken);
      const found = /H?MSG \$SYS\.REQ\.USER\.AUTH 1 (\S+) (?:(\d+) )?(\d+)\r\n/.exec(text);
      const start = (found?.index ?? 0) + (found?.[0].length ?? 0);
      const size = Number(found?.[3] ?? 0);
      if (peer.closed) clearInterval(look);
      if (found === null || text.length < start + size + 2) return;
      taken += start + size + 2;
      const header = Number(found[2] ?? 0);
      const xkey = /Nats-Server-Xkey: (\S+)/.exec(text.slice(start, start + header))?.[1] ?? "";
      this.#answer(peer, found[1] ?? "", text.slice(start + header, start + size), xkey);
    }, 2);
  }

  #answer(peer: Peer, reply: string, payload: string, xkey: string): void {
    this.sealed = xkey !== "";
    const raw = Buffer.from(payload, "latin1");
    const opened = this.sealed ? this.curve.open(raw, xkey) : raw;
    const jwt = Buffer.from(opened ?? []).toString("latin1");
    const { nats, iss } = JSON.parse(
      Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString(),
    ) as {
      iss: string;
      nats: { user_nkey: string; connect_opts: Record<string, unknown> };
    };
    const name = String(nats.connect_opts["user"]);
    const question = { user: nats.user_nkey, server: iss, name, options: nats.connect_opts };
    this.questions.push(question);
    if (this.silent) return;
    const answer = Buffer.from(this.#verdict(question), "latin1");
    const sent = this.sealed ? Buffer.from(this.curve.seal(answer, xkey)) : answer;
    peer.send(`PUB ${reply} ${sent.length}\r\n${sent.toString("latin1")}\r\n`);
  }

  #verdict({ user, server, name }: Question): string {
    const admitted = { jwt: userToken(this.issuer, user, {}, { aud: "APP", name }) };
    const nats = name === "mallory" ? { error: "not you" } : admitted;
    const base = { type: "authorization_response", version: 2 };
    return token(this.issuer, user, { ...base, ...nats }, { aud: server });
  }
}

async function login(t: TestContext, server: Server, name: string): Promise<Peer> {
  const peer = dialPlain(t, server.inner.clientPort);
  const connect = { verbose: false, user: name, pass: "secret", protocol: 1, lang: "test" };
  peer.send(`CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`);
  return peer;
}

for (const xkey of [false, true]) {
  test(`a service decides who gets in and where to (sealed: ${xkey})`, async (t) => {
    const service = new Service();
    const { server, log } = await start(t, service.options(xkey));
    await service.join(t, server);
    const alice = await login(t, server, "alice");
    await alice.until(/PONG/);
    assert.match(alice.received, /"remote_account":"APP"/);
    assert.equal(service.sealed, xkey);
    assert.deepEqual(service.questions[0]?.options, {
      user: "alice",
      pass: "secret",
      lang: "test",
      protocol: 1,
    });
    const [link] = server.inner.engine.account("APP").clients;
    assert.equal(link?.user?.nameTag, "alice");

    const mallory = await login(t, server, "mallory");
    await mallory.end();
    assert.match(mallory.received, /-ERR 'Authorization Violation'/);
    assert.ok(log.includes("warn Auth callout service returned an error: not you"));
  });
}

test("without an answer in time nobody gets in", async (t) => {
  const service = new Service();
  const { server, log } = await start(t, service.options(false));
  const alone = await login(t, server, "alice");
  await alone.end();
  assert.match(alone.received, /-ERR 'Authorization Violation'/);
  service.silent = true;
  await service.join(t, server);
  const peer = await login(t, server, "alice");
  await peer.end();
  assert.equal(service.questions.length, 1);
  const text = 'debug Authorization callout response not received in time on account "AUTH"';
  assert.equal(log.filter((line) => line === text).length, 2);
});
