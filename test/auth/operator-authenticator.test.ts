import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AcceptedUser, AuthRequest } from "../../src/core/index.ts";
import {
  activatedUntil,
  evictionBy,
  grantOf,
  sentinelFault,
  type AccountClaims,
} from "../../src/auth/index.ts";
import { Key, NONCE, NOW, TestCrypto, leafLogin, login, outcome, verdictOf } from "./fixtures.ts";
import {
  SECONDS,
  TestOperator,
  UNLIMITED,
  accountToken,
  activationToken,
  proof,
  scopedToken,
  userToken,
} from "./tokens.ts";

const FAILED = "Authentication Failure";
const user = new Key("user");

async function accepted(o: TestOperator, request: AuthRequest): Promise<AcceptedUser> {
  const verdict = await verdictOf(o.auth, request);
  assert.ok(verdict.ok, o.lines.join("\n"));
  return verdict;
}

test("a user of a trusted account is let in with all that its token says", async () => {
  const o = new TestOperator();
  const a = o.account();
  const nats = {
    pub: { allow: ["p"], deny: ["q"] },
    resp: { max: 0, ttl: 5e9 },
    subs: 7,
    payload: 100,
    tags: ["x:y"],
  };
  const jwt = userToken(a, user.public, nats, { name: "bob", exp: SECONDS + 60 });
  const verdict = await accepted(o, login(proof(jwt, user)));
  assert.deepEqual(
    {
      account: verdict.account,
      label: verdict.label,
      authorizedUser: verdict.authorizedUser,
      permissions: verdict.permissions,
      limits: verdict.limits,
      expires: verdict.expires,
      jwt: verdict.jwt,
      issuerKey: verdict.issuerKey,
      nameTag: verdict.nameTag,
      tags: verdict.tags,
    },
    {
      account: a.public,
      label: `jwt:${user.public}`,
      authorizedUser: user.public,
      permissions: {
        publish: { allow: ["p"], deny: ["q"] },
        subscribe: { allow: null, deny: [] },
        responses: { max: 1, expires: 5000 },
      },
      limits: { maxPayload: 100, maxSubscriptions: 7 },
      expires: NOW + 60_000,
      jwt,
      issuerKey: a.public,
      nameTag: "bob",
      tags: ["x:y"],
    },
  );
  assert.equal(await outcome(o.auth, leafLogin(proof(jwt, user))), a.public);
  assert.deepEqual([o.auth.required("STANDARD"), o.auth.needsNonce()], [true, true]);
});

describe("a login is refused, and the debug log says why", () => {
  const signer = new Key("account");
  const rogue = new Key("account");
  const cases: [
    string,
    (o: TestOperator, a: Key) => Partial<AuthRequest["credentials"]>,
    RegExp,
    object?,
    object?,
  ][] = [
    ["no token", () => ({}), /^debug Authentication requires a user JWT$/],
    ["a password", () => ({ user: "a", pass: "b" }), /requires a user JWT$/],
    ["garbage", () => ({ jwt: "eyJ.x.y" }), /requires a user JWT$/],
    [
      "an account's token",
      (o, a) => ({ jwt: o.tokens.get(a.public) ?? "" }),
      /requires a user JWT$/,
    ],
    ["unsigned", (_, a) => ({ jwt: userToken(a, user.public) }), /^debug Signature missing$/],
    [
      "signed by another",
      (_, a) => ({ jwt: userToken(a, user.public), sig: signer.sign(NONCE) }),
      /Signature not verified$/,
    ],
    [
      "expired",
      (_, a) => proof(userToken(a, user.public, {}, { exp: SECONDS - 1 }), user),
      /^debug User JWT no longer valid: &\{Issues:\[claim is expired\]\}$/,
    ],
    [
      "not yet valid",
      (_, a) => proof(userToken(a, user.public, {}, { nbf: SECONDS + 9 }), user),
      /claim is not yet valid/,
    ],
    [
      "an unknown zone",
      (_, a) => proof(userToken(a, user.public, { times_location: "Mars/Base" }), user),
      /could not parse iana time zone by name/,
    ],
    [
      "an unknown account",
      () => proof(userToken(rogue, user.public), user),
      /^debug Account JWT lookup error: account missing$/,
    ],
    [
      "an unknown signing key",
      (_, a) => proof(userToken(rogue, user.public, { issuer_account: a.public }), user),
      /^debug User JWT issuer is not known$/,
    ],
    [
      "a revoked user",
      (_, a) => proof(userToken(a, user.public), user),
      /User authentication revoked$/,
      { revocations: { [user.public]: SECONDS } },
    ],
    [
      "all revoked",
      (_, a) => proof(userToken(a, user.public), user),
      /User authentication revoked$/,
      { revocations: { "*": SECONDS } },
    ],
    [
      "bearer where forbidden",
      (_, a) => ({ jwt: userToken(a, user.public, { bearer_token: true }) }),
      /does not allow bearer tokens$/,
      { limits: { ...UNLIMITED, disallow_bearer: true } },
    ],
    [
      "another type of connection",
      (_, a) => proof(userToken(a, user.public, { allowed_connection_types: ["websocket"] }), user),
      /Connection type not allowed$/,
    ],
    [
      "unknown types only",
      (_, a) => proof(userToken(a, user.public, { allowed_connection_types: ["CARRIER"] }), user),
      /^debug invalid connection types \["CARRIER"\]$/,
    ],
    [
      "another network",
      (_, a) => proof(userToken(a, user.public, { src: ["10.0.0.0/8", "::1/128"] }), user),
      /^error Bad src Ip 127.0.0.1$/,
    ],
    [
      "another time",
      (_, a) =>
        proof(
          userToken(a, user.public, {
            times: [{ start: "01:00:00", end: "02:00:00" }],
            times_location: "UTC",
          }),
          user,
        ),
      /^error Outside connect times$/,
    ],
    [
      "an expired account",
      (_, a) => proof(userToken(a, user.public), user),
      /lookup error: account validation failed$/,
      {},
      { exp: SECONDS - 5 },
    ],
    [
      "a required proxy",
      (_, a) => proof(userToken(a, user.public, { proxy_required: true }), user),
      /proxy connection required$/,
    ],
  ];
  for (const [name, credentials, line, nats, top] of cases) {
    test(name, async () => {
      const o = new TestOperator();
      const a = o.account({ ...nats }, { ...top });
      const verdict = await verdictOf(o.auth, login(credentials(o, a)));
      assert.ok(!verdict.ok);
      assert.equal(verdict.error, "Authorization Violation");
      assert.ok(
        o.lines.some((each) => line.test(each)),
        o.lines.join("\n"),
      );
    });
  }

  test("a refused token names nobody", async () => {
    const o = new TestOperator();
    assert.equal(
      await outcome(o.auth, login({ jwt: userToken(o.account(), user.public) })),
      FAILED,
    );
  });

  test("accounts that another operator signed are not trusted", async () => {
    const o = new TestOperator();
    const a = o.account({}, {}, new Key("account"), new Key("operator"));
    const self = new Key("account");
    o.account({}, {}, self, self);
    for (const key of [a, self]) {
      assert.equal(await outcome(o.auth, login(proof(userToken(key, user.public), user))), FAILED);
    }
  });

  test("a token stored under another account's key is none of that account", async () => {
    const o = new TestOperator();
    const [a, b] = [o.account(), new Key("account")];
    o.tokens.set(b.public, o.tokens.get(a.public) ?? "");
    assert.equal(await outcome(o.auth, login(proof(userToken(b, user.public), user))), FAILED);
  });
});

describe("admitted by special terms", () => {
  test("a bearer needs no signature, and its token is not shown", async () => {
    const o = new TestOperator();
    const jwt = userToken(o.account(), user.public, { bearer_token: true });
    assert.equal((await accepted(o, login({ jwt }))).jwt, "");
  });

  test("networks and windows that fit", async () => {
    const o = new TestOperator();
    const a = o.account();
    // 2023-11-14 22:13:20 UTC
    const times = [
      { start: "22:00:00", end: "22:30:00" },
      { start: "21:00:00", end: "03:00:00" },
      { start: "01:00:00", end: "02:00:00" },
    ];
    const nats = { src: "10.0.0.0/8,127.0.0.0/8", times, times_location: "UTC" };
    const verdict = await accepted(o, login(proof(userToken(a, user.public, nats), user)));
    assert.equal(verdict.expires, NOW + (4 * 3600 + 46 * 60 + 40) * 1000);
    const v6 = userToken(a, user.public, { src: ["2001:db8::/32"] });
    await accepted(o, login(proof(v6, user), { host: "2001:db8:1::5" }));
    assert.equal(await outcome(o.auth, login(proof(v6, user), { host: "2001:db9::1" })), FAILED);
  });

  test("users without permissions have the account's default ones", async () => {
    const o = new TestOperator();
    const a = o.account({ default_permissions: { pub: { allow: ["d"] }, sub: {} } });
    const plain = await accepted(o, login(proof(userToken(a, user.public), user)));
    assert.deepEqual(plain.permissions?.publish.allow, ["d"]);
    assert.equal(grantOf(plain)?.defaulted, true);
    const own = userToken(a, user.public, { sub: { deny: ["x"] } });
    assert.equal((await accepted(o, login(proof(own, user)))).permissions?.publish.allow, null);
  });

  test("the sentinel stands in for absent and unreadable tokens", async () => {
    const o = new TestOperator();
    const a = o.account();
    const defaultSentinel = userToken(a, user.public, { bearer_token: true });
    const s = new TestOperator({}, { defaultSentinel });
    s.account({}, {}, a);
    for (const credentials of [{}, { user: "x", pass: "y" }, { jwt: "garbage" }]) {
      assert.equal((await accepted(s, login(credentials))).account, a.public);
    }
    const crypto = new TestCrypto();
    assert.equal(sentinelFault(crypto, defaultSentinel), null);
    assert.equal(sentinelFault(crypto, "x"), "default sentinel JWT not valid");
    assert.equal(
      sentinelFault(crypto, userToken(a, user.public)),
      "default sentinel must be a bearer token",
    );
    assert.equal(sentinelFault(crypto, scopedToken(new Key("account"), a, user.public)), null);
  });

  test("pinned accounts exclude the others", async () => {
    const probe = new TestOperator();
    const [a, b] = [probe.account(), probe.account()];
    const o = new TestOperator({}, { pinnedAccounts: [a.public] });
    for (const key of [a, b, o.system]) o.account({}, {}, key);
    assert.equal(await outcome(o.auth, login(proof(userToken(a, user.public), user))), a.public);
    assert.equal(
      await outcome(o.auth, login(proof(userToken(o.system, user.public), user))),
      o.system.public,
    );
    assert.equal(await outcome(o.auth, login(proof(userToken(b, user.public), user))), FAILED);
    assert.equal(o.accounts.pinnedFails, 1);
  });

  test("a strict operator makes accounts use signing keys", async () => {
    const operatorSigner = new Key("operator");
    const o = new TestOperator({
      strict_signing_key_usage: true,
      signing_keys: [operatorSigner.public],
    });
    const signer = new Key("account");
    const a = o.account({ signing_keys: [signer.public] }, {}, new Key("account"), operatorSigner);
    assert.equal(await outcome(o.auth, login(proof(userToken(a, user.public), user))), FAILED);
    const jwt = userToken(signer, user.public, { issuer_account: a.public });
    assert.equal((await accepted(o, login(proof(jwt, user)))).issuerKey, signer.public);
    const plain = o.account();
    assert.equal(await outcome(o.auth, login(proof(userToken(plain, user.public), user))), FAILED);
  });
});

describe("scoped signing keys", () => {
  const signer = new Key("account");
  const scope = (template: object): object => ({
    signing_keys: [{ kind: "user_scope", key: signer.public, role: "r", template }],
  });
  const enter = async (
    template: object,
    nats: object = {},
    top: object = {},
  ): Promise<AcceptedUser | string> => {
    const o = new TestOperator();
    const a = o.account({ ...scope(template), tags: ["env:test"] }, { name: "ACC" });
    const jwt = scopedToken(signer, a, user.public, { ...nats }, { name: "bob", ...top });
    const verdict = await verdictOf(o.auth, login(proof(jwt, user)));
    return verdict.ok ? verdict : (o.lines.at(-1) ?? "");
  };
  const rows: [string[], object, string[] | null, string[]][] = [
    [["u.{{name()}}.{{ NAME() }}"], {}, ["u.bob.bob"], []],
    [["{{account-name()}}.{{account-tag(env)}}"], {}, ["ACC.test"], []],
    [["{{subject()}}"], {}, [user.public], []],
    [
      ["{{tag(a)}}.{{tag(b)}}"],
      { tags: ["a:1", "a:2", "b:x", "b:y"] },
      ["1.x", "1.y", "2.x", "2.y"],
      [],
    ],
    [["{{tag(none)}}", "plain"], {}, ["plain"], []],
    [["{{tag(none)}}"], {}, null, [">"]],
    [["plain"], {}, ["plain"], []],
  ];
  for (const [allow, nats, expected, denied] of rows) {
    test(`allow ${allow.join(" ")} becomes ${String(expected)}`, async () => {
      const verdict = await enter({ pub: { allow } }, nats);
      assert.ok(typeof verdict !== "string", JSON.stringify(verdict));
      assert.deepEqual(verdict.permissions?.publish, { allow: expected, deny: denied });
      assert.deepEqual(verdict.limits, { maxPayload: -1, maxSubscriptions: -1 });
    });
  }

  test("a name that is no token is dropped from allow, and refuses in deny", async () => {
    const top = { name: "two words" };
    const allowed = await enter({ sub: { allow: ["{{name()}}", "x"] } }, {}, top);
    assert.ok(typeof allowed !== "string");
    assert.deepEqual(allowed.permissions?.subscribe.allow, ["x"]);
    const refused = "debug User JWT generated invalid permissions";
    assert.equal(await enter({ sub: { deny: ["{{name()}}"] } }, {}, top), refused);
    assert.equal(await enter({ sub: { deny: ["{{tag(none)}}"] } }), refused);
    assert.equal(await enter({ pub: { allow: ["{{nothing()}}"] } }), refused);
  });

  test("expansion is bounded", async () => {
    const tags = Array.from({ length: 70 }, (_, i) => `a:${i}`);
    const refused = "debug User JWT generated invalid permissions";
    assert.equal(await enter({ pub: { allow: ["{{tag(a)}}.{{tag(A)}}"] } }, { tags }), refused);
    const many = Array.from({ length: 60 }, (_, i) => `s${i}.{{tag(a)}}`);
    assert.equal(await enter({ pub: { allow: many } }, { tags }), refused);
  });

  test("users may not bring rights of their own", async () => {
    const line = "debug User JWT is not valid: scoped users require no permissions or limits set";
    for (const nats of [
      { pub: { allow: ["x"] } },
      { subs: -1 },
      { bearer_token: true },
      { src: ["1.0.0.0/8"] },
    ]) {
      assert.equal(await enter({}, nats), line);
    }
  });

  test("the template's other terms hold", async () => {
    assert.match(
      JSON.stringify(await enter({ allowed_connection_types: ["LEAFNODE"] })),
      /Connection type/,
    );
    assert.match(
      JSON.stringify(await enter({ proxy_required: true })),
      /proxy connection required/,
    );
    const verdict = await enter({ subs: 0, payload: 5 });
    assert.ok(typeof verdict !== "string");
    assert.deepEqual(verdict.limits, { maxPayload: 5, maxSubscriptions: 0 });
  });
});

describe("while the nonce's signature is checked in another thread", () => {
  /** A platform whose checks end when the test says so. */
  function slow(): { o: TestOperator; a: Key; finish: () => void; waiting: () => number } {
    const o = new TestOperator();
    const ends: (() => void)[] = [];
    o.crypto.verifyEd25519Later = (key, signature, data, done) => {
      ends.push(() => done(o.crypto.verifyEd25519(key, signature, data)));
    };
    const finish = (): void => ends.splice(0).forEach((end) => end());
    return { o, a: o.account(), finish, waiting: () => ends.length };
  }

  test("the login waits for it, and is let in or refused by it", async () => {
    const { o, a, finish, waiting } = slow();
    const good = outcome(o.auth, login(proof(userToken(a, user.public), user)));
    const sig = new Key("user").sign(NONCE);
    const bad = outcome(o.auth, login({ jwt: userToken(a, user.public), sig }));
    assert.equal(waiting(), 2);
    finish();
    assert.equal(await good, a.public);
    assert.match(await bad, /^Authentication Failure/);
    assert.match(o.lines.join("\n"), /debug Signature not verified$/m);
  });

  test("what the account says at the end of it counts", async () => {
    const { o, a, finish } = slow();
    o.auth.accounts.lookup(a.public, () => {});
    const revoked = outcome(o.auth, login(proof(userToken(a, user.public), user)));
    const token = accountToken(
      o.key,
      a.public,
      { revocations: { [user.public]: SECONDS } },
      { iat: SECONDS + 1 },
    );
    assert.equal(o.accounts.update(a.public, token), null);
    finish();
    assert.match(await revoked, /^Authentication Failure/);
    assert.match(o.lines.join("\n"), /debug User authentication revoked$/m);
  });

  test("what needs no signature does not wait, and strangers cost none", async () => {
    const { o, a, waiting } = slow();
    const rogue = new Key("account");
    for (const jwt of [
      userToken(rogue, user.public),
      userToken(rogue, user.public, { issuer_account: a.public }),
    ]) {
      assert.match(await outcome(o.auth, login(proof(jwt, user))), /^Authentication Failure/);
    }
    const bearer = userToken(a, user.public, { bearer_token: true });
    assert.equal(await outcome(o.auth, login({ jwt: bearer })), a.public);
    const missing = await outcome(o.auth, login({ jwt: userToken(a, user.public) }));
    assert.match(missing, /^Authentication Failure/);
    assert.equal(waiting(), 0);
  });
});

describe("claims that change while users are connected", () => {
  const signer = new Key("account");
  const claimsAfter = async (
    before: object,
    after: object,
    sign: (a: Key) => string = (a) => userToken(a, user.public),
  ): Promise<ReturnType<typeof evictionBy>> => {
    const o = new TestOperator();
    const a = o.account({ ...before });
    const verdict = await accepted(o, login(proof(sign(a), user)));
    const grant = grantOf(verdict);
    const was = o.accounts.loaded(a.public)?.claims;
    assert.equal(
      o.accounts.update(
        a.public,
        accountToken(o.key, a.public, { ...after }, { iat: SECONDS + 1 }),
      ),
      null,
    );
    const now = o.accounts.loaded(a.public)?.claims;
    assert.ok(grant !== null && was !== undefined && now !== undefined);
    return evictionBy(grant, was, now, o.accounts.signers(now));
  };
  const bySigner = (a: Key): string => userToken(signer, user.public, { issuer_account: a.public });
  const scoped = (role: string): object => ({
    signing_keys: [{ kind: "user_scope", key: signer.public, role, template: {} }],
  });

  test("revocation, bearers and signing keys end a stay", async () => {
    const revoked = { error: "User Authentication Revoked", reason: "Credentials Revoked" };
    assert.equal(await claimsAfter({}, {}), null);
    assert.deepEqual(await claimsAfter({}, { revocations: { [user.public]: SECONDS } }), revoked);
    assert.equal(await claimsAfter({}, { revocations: { "*": SECONDS - 1 } }), null);
    const bearer = (a: Key): string => userToken(a, user.public, { bearer_token: true });
    const limits = { ...UNLIMITED, disallow_bearer: true };
    assert.deepEqual(await claimsAfter({}, { limits }, bearer), {
      error: "Authorization Violation",
      reason: FAILED,
    });
    const unsigned = { error: "Authorization Violation", reason: FAILED };
    const keys = { signing_keys: [signer.public] };
    assert.equal(await claimsAfter(keys, keys, bySigner), null);
    assert.deepEqual(await claimsAfter(keys, {}, bySigner), unsigned);
    const scopedUser = (a: Key): string => scopedToken(signer, a, user.public);
    assert.equal(await claimsAfter(scoped("r"), scoped("r"), scopedUser), null);
    assert.deepEqual(await claimsAfter(scoped("r"), scoped("other"), scopedUser), unsigned);
  });

  test("changes are told, the same claims are not, bad ones change nothing", async () => {
    const o = new TestOperator();
    const a = o.account();
    await accepted(o, login(proof(userToken(a, user.public), user)));
    assert.equal(o.changes.length, 1);
    const same = o.tokens.get(a.public) ?? "";
    assert.equal(o.accounts.update(a.public, same), null);
    const bad = accountToken(o.key, a.public, {}, { exp: SECONDS - 9 });
    assert.equal(o.accounts.update(a.public, bad), "account validation failed");
    const other = accountToken(o.key, new Key("account").public);
    assert.equal(o.accounts.update(a.public, other), "account validation failed");
    assert.equal(o.changes.length, 1);
  });

  test("an expired account is asked for anew", async () => {
    const o = new TestOperator();
    const a = o.account({}, { exp: SECONDS + 10 });
    const request = (): AuthRequest =>
      login(proof(userToken(a, user.public), user), { now: o.crypto.time });
    await accepted(o, request());
    o.crypto.time += 20_000;
    assert.equal(await outcome(o.auth, request()), FAILED);
    assert.ok(o.lines.includes("debug Account JWT lookup error: account expired"));
    o.account({}, { exp: SECONDS + 100 }, a);
    await accepted(o, request());
  });
});

describe("activations", () => {
  const crypto = new TestCrypto();
  const [exporterKey, importer, signer] = [
    new Key("account"),
    new Key("account"),
    new Key("account"),
  ];
  const o = new TestOperator();
  const until = (
    token: string,
    revocations: Record<string, number> = {},
  ): ReturnType<typeof activatedUntil> => {
    const shared = { subject: "priv.>", type: "stream" };
    const ex = claims(exporterKey, {
      signing_keys: [signer.public],
      exports: [{ ...shared, token_req: true, revocations }],
    });
    const im = claims(importer, {
      imports: [{ subject: "priv.x", type: "stream", account: exporterKey.public, token }],
    });
    const [claim, exported] = [im.imports[0], ex.exports[0]];
    assert.ok(claim !== undefined && exported !== undefined);
    return activatedUntil(
      crypto,
      { importer: importer.public, claim, exporter: ex, exported },
      NOW,
    );
  };
  function claims(key: Key, nats: object): AccountClaims {
    const checked = o.accounts.verify(accountToken(o.key, key.public, { ...nats }));
    assert.ok(checked.ok, JSON.stringify(nats));
    return checked.claims;
  }
  const nats = { subject: "priv.>" };
  const byKey = { ...nats, issuer_account: exporterKey.public };

  test("hold, until they expire or are revoked", () => {
    const good = activationToken(exporterKey, importer.public, nats);
    assert.equal(until(good), "always");
    assert.equal(
      until(activationToken(exporterKey, importer.public, nats, { exp: SECONDS + 5 })),
      NOW + 6000,
    );
    assert.equal(until(activationToken(signer, importer.public, byKey)), "always");
    assert.equal(
      until(activationToken(exporterKey, importer.public, nats, { exp: SECONDS - 5 })),
      null,
    );
    assert.equal(until(""), null);
    assert.equal(until(good, { [importer.public]: SECONDS }), null);
    assert.equal(until(good, { "*": SECONDS - 1 }), "always");
  });

  test("of a key that does not sign for the exporter are nothing", () => {
    const stranger = activationToken(new Key("account"), importer.public, byKey);
    assert.equal(until(stranger), null);
  });
});
