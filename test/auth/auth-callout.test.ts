import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromCurveSeed } from "@nats-io/nkeys";
import type { AuthRequest } from "../../src/core/index.ts";
import { OPEN_SERVER, encodeSeed, type CalloutOptions } from "../../src/auth/index.ts";
import {
  issuer,
  serverKey,
  staticKey,
  Server,
  config,
  reply,
  type RequestClaims,
} from "./callout-server.ts";
import { Key, NONCE, TestCrypto, leafLogin, login } from "./fixtures.ts";
import { SECONDS, TestOperator, proof, scopedToken, userToken } from "./tokens.ts";

const JOE = { user: "joe", pass: "secret" };

describe("a configured server", () => {
  test("lets the service decide, and knows the user by the given name", async () => {
    const s = new Server(config(), (claims) => reply(claims));
    const verdict = await s.ask(login(JOE));
    assert.ok(verdict.ok);
    assert.deepEqual(
      [verdict.account, verdict.label, verdict.authorizedUser, verdict.permissions],
      ["APP", "user:called", "called", null],
    );
    assert.deepEqual([s.callout.pending, s.timers], [0, 0]);
  });

  test("asks in its own name, with what the client sent", async () => {
    const s = new Server(config(), (claims) => reply(claims));
    const user = new Key("user");
    const sig = user.sign(NONCE);
    const tls = { version: "1.3", cipher: "C", peerCertificates: [] };
    await s.ask(login({ nkey: user.public, sig }, { name: "n", lang: "l", version: "v", tls }));
    const [request] = s.requests;
    assert.deepEqual(
      [request?.account, request?.subject, request?.xkey],
      ["AUTH", "$SYS.REQ.USER.AUTH", ""],
    );
    const { aud, iss, sub, exp, nats } = s.seen[0] ?? assert.fail();
    assert.deepEqual(
      [aud, iss, sub, exp],
      ["nats-authorization-request", serverKey.public, issuer.public, SECONDS + 1],
    );
    assert.deepEqual(nats.server_id, {
      name: "S",
      host: "h",
      id: serverKey.public,
      version: "2.15.2",
    });
    assert.deepEqual(nats.client_info, {
      host: "127.0.0.1",
      id: 1,
      user: user.public,
      name: "n",
      kind: "Client",
      type: "nats",
      nonce: NONCE,
    });
    assert.deepEqual(nats.connect_opts, {
      nkey: user.public,
      sig,
      name: "n",
      lang: "l",
      version: "v",
      protocol: 1,
    });
    assert.deepEqual(nats.client_tls, { version: "1.3", cipher: "C" });
    await s.ask(leafLogin(JOE));
    assert.equal(s.seen[1]?.nats.client_info["kind"], "Leafnode");
    assert.notEqual(s.seen[1]?.nats.user_nkey, nats.user_nkey);
  });

  const good = { user: "plain", pass: "p" };
  const asked: [string, Partial<CalloutOptions>, AuthRequest, boolean][] = [
    ["no credentials", {}, login({}), true],
    ["an unknown user", {}, login(JOE), true],
    ["a valid user", {}, login(good), true],
    ["an auth user", {}, login({ user: "auth", pass: "p" }), false],
    ["an auth user with a wrong password", {}, login({ user: "auth", pass: "x" }), false],
    ["an administrator", {}, login({ user: "admin", pass: "p" }), false],
    ["an administrator with a wrong password", {}, login({ user: "admin", pass: "x" }), true],
    [
      "an administrator of a listed account",
      { allowedAccounts: ["SYS"] },
      login({ user: "admin", pass: "p" }),
      true,
    ],
    ["a valid user of another account", { allowedAccounts: ["TWO"] }, login(good), false],
    ["a valid user of the account", { allowedAccounts: ["APP"] }, login(good), true],
    [
      "a wrong password in another account",
      { allowedAccounts: ["TWO"] },
      login({ user: "plain" }),
      true,
    ],
    ["a leaf of another account", { allowedAccounts: ["TWO"] }, leafLogin(good), true],
    [
      "an nkey user",
      { allowedAccounts: ["TWO"] },
      login({ nkey: staticKey.public, sig: staticKey.sign(NONCE) }),
      true,
    ],
  ];
  for (const [name, options, request, expected] of asked) {
    test(`${name} is ${expected ? "" : "not "}asked about`, async () => {
      const s = new Server(config(options), (claims) => reply(claims, { error: "no" }));
      await s.ask(request);
      assert.equal(s.requests.length, expected ? 1 : 0);
    });
  }

  test("an auth user keeps the verdict, and may not ask questions itself", async () => {
    const s = new Server(config(), () => null);
    const verdict = await s.ask(login({ user: "auth", pass: "p" }));
    assert.deepEqual(verdict.ok && verdict.permissions?.publish, {
      allow: null,
      deny: ["$SYS.REQ.USER.AUTH"],
    });
    assert.equal(await s.account(login({ user: "auth", pass: "x" })), "Authentication Failure");
    const fixed = await s.ask(login({ user: "fixed", pass: "p" }));
    assert.equal(fixed.ok && fixed.permissions, null);
    const exempt = new Server(config({ allowedAccounts: ["TWO"] }), () => null);
    const other = await exempt.ask(login({ user: "other", pass: "p" }));
    assert.equal(other.ok && other.permissions, null);
  });

  test("a user placed into the service's account may not ask either", async () => {
    const s = new Server(config(), (claims) =>
      reply(claims, { account: "AUTH", nats: { pub: { allow: [">"] } } }),
    );
    const verdict = await s.ask(login(JOE));
    assert.deepEqual(verdict.ok && verdict.permissions?.publish, {
      allow: [">"],
      deny: ["$SYS.REQ.USER.AUTH"],
    });
  });

  test("rights of the answered user hold, its limits do not", async () => {
    const exp = SECONDS + 30;
    const nats = { pub: { deny: [">"] }, resp: { max: 1, ttl: 0 }, subs: 1, payload: 1 };
    const s = new Server(config(), (claims) => reply(claims, { nats, top: { exp } }));
    const verdict = await s.ask(login(JOE));
    assert.ok(verdict.ok);
    assert.deepEqual(verdict.permissions?.responses, { max: 1, expires: 120_000 });
    assert.equal(verdict.expires, exp * 1000);
    assert.deepEqual(verdict.limits, { maxPayload: -1, maxSubscriptions: -1 });
  });

  const [foreign, other] = [new Key("account"), new Key("user")];
  const refusals: [string, (claims: RequestClaims) => string, RegExp][] = [
    [
      "an error",
      (c) => reply(c, { error: "go away" }),
      /^Auth callout service returned an error: go away$/,
    ],
    ["nothing", () => "", /^Auth callout violation: "no reason supplied" on account "AUTH"$/],
    ["garbage", () => "certainly", /^Expected 3 chunks$/],
    [
      "no server as audience",
      (c) => reply(c, { aud: "X" }),
      /^Authorization response had validation errors: Audience must be a server public key$/,
    ],
    [
      "another server",
      (c) => reply(c, { aud: new Key("server").public }),
      /^Auth callout violation: auth callout response is not for server$/,
    ],
    ["another subject", (c) => reply(c, { sub: other.public }), /is not for expected user$/],
    [
      "a foreign signer",
      (c) => reply(c, { signer: foreign }),
      /^Auth callout signing key is unknown$/,
    ],
    [
      "a foreign user signer",
      (c) => reply(c, { userSigner: foreign }),
      /^Wrong issuer for auth callout response on account "AUTH", expected "A.{55}" got "A.{55}"$/,
    ],
    [
      "another user",
      (c) => reply(c, { user: other.public }),
      /^Expected authorized user of "U.{55}" but got "U.{55}" on account "AUTH"$/,
    ],
    [
      "an unknown account",
      (c) => reply(c, { account: "NOWHERE" }),
      /^No valid account "NOWHERE" for auth callout response on account "AUTH": account missing$/,
    ],
    [
      "an expired user",
      (c) => reply(c, { top: { exp: SECONDS - 9 } }),
      /^Error validating user JWT: claim is expired$/,
    ],
    [
      "a user of tomorrow",
      (c) => reply(c, { top: { nbf: SECONDS + 99 } }),
      /claim is not yet valid$/,
    ],
    [
      "an issuer account",
      (c) => reply(c, { nats: { issuer_account: foreign.public } }),
      /^Error non operator mode account "AUTH": attempted to use issuer_account$/,
    ],
    [
      "another type",
      (c) => reply(c, { nats: { allowed_connection_types: ["WEBSOCKET"] } }),
      /^Authorized user on account "AUTH" not allowed to use connection type$/,
    ],
    [
      "another time",
      (c) =>
        reply(c, {
          nats: { times: [{ start: "01:00:00", end: "01:00:01" }], times_location: "UTC" },
        }),
      /outside of valid connect times$/,
    ],
    [
      "a required proxy",
      (c) => reply(c, { nats: { proxy_required: true } }),
      /^Proxy connection required$/,
    ],
    ["no user's token", (c) => reply(c, { jwt: reply(c) }), /^Not user claim$/],
    [
      "a bent signature",
      (c) => `${reply(c).slice(0, -20)}AAAAAAAAAAAAAAAAAAAA`,
      /^Claim failed V2 signature verification$/,
    ],
  ];
  for (const [name, answer, reason] of refusals) {
    test(`${name} refuses`, async () => {
      const s = new Server(config(), answer);
      const verdict = await s.ask(login(JOE));
      assert.ok(!verdict.ok && "eventReason" in verdict);
      assert.equal(verdict.error, "Authorization Violation");
      assert.match(String(verdict.eventReason), reason);
      assert.ok(s.lines.includes(`warn ${String(verdict.eventReason)}`));
    });
  }

  test("silence refuses when the time is over", async () => {
    const s = new Server(config(), () => null);
    const waiting = s.ask(login(JOE));
    assert.equal(s.callout.pending, 1);
    s.fireTimers();
    const verdict = await waiting;
    assert.ok(!verdict.ok && "eventReason" in verdict);
    assert.equal(verdict.eventReason, "");
    assert.equal(s.callout.pending, 0);
    s.callout.onResponse("_INBOX.0", Buffer.from("late"));
    s.callout.onResponse("unknown", Buffer.from("?"));
  });

  test("nobody is asked in an account that does not exist", async () => {
    const s = new Server(config({ account: "NONE" }), () => null);
    assert.equal(await s.account(login(JOE)), "Authentication Failure");
    assert.equal(s.requests.length, 0);
  });

  test("leaf links with credentials of their own block are not asked about", async () => {
    const leafnodes = { ...OPEN_SERVER.leafnodes, user: "l", pass: "p", account: "APP" };
    const s = new Server(config({}, { leafnodes }), () => null);
    assert.equal(await s.account(leafLogin({ user: "l", pass: "p" })), "APP");
    assert.equal(await s.account(leafLogin({ user: "l", pass: "x" })), "Authentication Failure");
    assert.equal(s.requests.length, 0);
  });

  test("what a proxy without trust brings is not asked about", async () => {
    const s = new Server(config({}, { trustedProxies: [issuer.public] }), () => null);
    assert.equal(await s.account(login({ ...JOE, proxySig: "AAAA" })), "Proxy Not Trusted");
    assert.equal(s.requests.length, 0);
  });
});

describe("sealed questions", () => {
  const crypto = new TestCrypto();
  const seed = encodeSeed("curve", crypto.randomBytes(32));
  const service = fromCurveSeed(Buffer.from(seed));
  const xkey = service.getPublicKey();
  const sealedServer = (
    answer: (c: RequestClaims, server: string) => string | Uint8Array,
  ): Server => {
    let curve = "";
    const s: Server = new Server(
      config({ xkey }),
      (claims) => answer(claims, curve),
      (payload) => {
        curve = s.requests.at(-1)?.xkey ?? "";
        return service.open(payload, curve) ?? assert.fail("not sealed for the service");
      },
    );
    return s;
  };

  test("are answered sealed", async () => {
    const s = sealedServer((c, server) => service.seal(Buffer.from(reply(c)), server));
    assert.equal(await s.account(login(JOE)), "APP");
    assert.equal(s.seen[0]?.nats.server_id["xkey"], s.requests[0]?.xkey);
    assert.equal(Buffer.from(s.requests[0]?.payload.subarray(0, 4) ?? []).toString(), "xkv1");
  });

  test("never in clear; sealing stands for a known signer", async () => {
    const clear = sealedServer((c) => reply(c));
    assert.equal(await clear.account(login(JOE)), "Authentication Failure");
    assert.match(
      clear.lines.at(-1) ?? "",
      /^warn Auth callout response is not encrypted on account/,
    );
    const foreign = new Key("account");
    const sealed = sealedServer((c, server) =>
      service.seal(Buffer.from(reply(c, { signer: foreign })), server),
    );
    assert.equal(await sealed.account(login(JOE)), "APP");
  });

  test("a response sealed by another key is nothing", async () => {
    const other = fromCurveSeed(Buffer.from(encodeSeed("curve", crypto.randomBytes(32))));
    for (const answer of [
      (c: RequestClaims, server: string) => other.seal(Buffer.from(reply(c)), server),
      () => "xkv1",
    ]) {
      const s = sealedServer(answer);
      assert.equal(await s.account(login(JOE)), "Authentication Failure");
      assert.match(
        s.lines.at(-1) ?? "",
        /^warn Error decrypting auth callout response on account "AUTH": /,
      );
    }
  });
});

describe("an operator's server", () => {
  const service = new Key("user");
  const sentinel = new Key("user");

  function operatorServer(
    answer: (claims: RequestClaims, target: Key, callout: Key) => string,
    authorization: Record<string, unknown> = {},
    target: Record<string, unknown> = {},
  ) {
    const o = new TestOperator();
    const targetKey = o.account(target);
    const auth = {
      auth_users: [service.public],
      allowed_accounts: [targetKey.public],
      ...authorization,
    };
    const callout = o.account({ authorization: auth });
    const s = new Server(
      () => ({ mode: "operator", auth: o.auth }),
      (claims) => answer(claims, targetKey, callout),
    );
    const jwt = userToken(callout, sentinel.public, { bearer_token: true });
    return { s, o, callout, target: targetKey, request: login({ jwt, user: "joe" }) };
  }

  const respond = (claims: RequestClaims, signer: Key, jwt: string): string =>
    reply(claims, { signer, jwt });
  const place = (c: RequestClaims, target: Key, callout: Key): string =>
    respond(c, callout, userToken(target, c.nats.user_nkey, {}, { name: "placed" }));

  test("asks in the account of the token, and places into allowed accounts", async () => {
    const { s, callout, target, request } = operatorServer(place);
    const verdict = await s.ask(request);
    assert.ok(verdict.ok, s.lines.join("\n"));
    assert.deepEqual(
      [verdict.account, verdict.label, verdict.jwt],
      [target.public, "user:placed", ""],
    );
    assert.deepEqual([s.requests[0]?.account, s.seen[0]?.sub], [callout.public, callout.public]);
    assert.equal(s.seen[0]?.nats.connect_opts["jwt"], request.credentials.jwt);
  });

  test("does not ask about auth users, nor for accounts without callout, nor with bad tokens", async () => {
    const { s, o, callout, target } = operatorServer(place);
    const own = await s.ask(login(proof(userToken(callout, service.public), service)));
    assert.deepEqual(own.ok && own.permissions?.publish.deny, ["$SYS.REQ.USER.AUTH"]);
    const plain = userToken(target, sentinel.public, { bearer_token: true });
    assert.equal(await s.account(login({ jwt: plain })), target.public);
    const unsigned = userToken(callout, sentinel.public);
    assert.equal(await s.account(login({ jwt: unsigned })), "Authentication Failure");
    assert.equal(s.requests.length, 0);
    assert.equal(o.changes.length, 2);
  });

  test("applies scopes of the target account", async () => {
    const signer = new Key("account");
    const scope = {
      kind: "user_scope",
      key: signer.public,
      role: "r",
      template: { pub: { allow: ["{{name()}}"] } },
    };
    const { s, request } = operatorServer(
      (c, target, callout) =>
        respond(c, callout, scopedToken(signer, target, c.nats.user_nkey, {}, { name: "me" })),
      {},
      { signing_keys: [scope] },
    );
    const verdict = await s.ask(request);
    assert.deepEqual(verdict.ok && verdict.permissions?.publish.allow, ["me"], s.lines.join("\n"));
  });

  const rows: [string, Parameters<typeof operatorServer>[0], Record<string, unknown>, RegExp][] = [
    [
      "an account that is not allowed",
      place,
      { allowed_accounts: [new Key("account").public] },
      /^warn Account "A.{55}" not permitted as valid account option/,
    ],
    [
      "a foreign signer",
      (c, target) => respond(c, new Key("account"), userToken(target, c.nats.user_nkey)),
      {},
      /^warn Auth callout signing key is unknown$/,
    ],
    [
      "an unknown user issuer",
      (c, target, callout) =>
        respond(
          c,
          callout,
          userToken(new Key("account"), c.nats.user_nkey, { issuer_account: target.public }),
        ),
      {},
      /^warn User JWT issuer "A.{55}" is not known$/,
    ],
    [
      "an account nobody has",
      (c, _t, callout) => respond(c, callout, userToken(new Key("account"), c.nats.user_nkey)),
      { allowed_accounts: ["*"] },
      /^warn No valid account "A.{55}" for auth callout response/,
    ],
  ];
  for (const [name, answer, authorization, line] of rows) {
    test(`${name} refuses`, async () => {
      const { s, request } = operatorServer(answer, authorization);
      assert.equal(await s.account(request), "Authentication Failure");
      assert.match(s.lines.at(-1) ?? "", line);
    });
  }
});
