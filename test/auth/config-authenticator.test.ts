import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AuthRequest, PeerCertificate, Permissions, TlsState } from "../../src/core/index.ts";
import {
  ConfigAuthenticator,
  OPEN_SERVER,
  noAuthUserFault,
  type ConfigAuthOptions,
  type UserEntry,
} from "../../src/auth/index.ts";
import {
  Key,
  NONCE,
  TestCrypto,
  leafLogin,
  login,
  outcome,
  recorder,
  verdictOf,
} from "./fixtures.ts";

/** bcrypt, cost 4, of "s3cret". */
const HASH = "$2b$04$w0i7uadHlFS2WWkPN7eGA.lQeRsWTd3ckze9IU3PdAWK602.yBC5K";
const FAILED = "Authentication Failure";

type Block = Partial<ConfigAuthOptions["authorization"]>;

function user(name: string, more: Partial<UserEntry> = {}): UserEntry {
  const plain = { pass: "p", nkey: "", permissions: null, connectionTypes: [] };
  return { user: name, ...plain, proxyRequired: false, ...more };
}

function server(authorization: Block, more: Partial<ConfigAuthOptions> = {}): ConfigAuthOptions {
  const block = { ...OPEN_SERVER.authorization, defined: true, ...authorization };
  return { ...OPEN_SERVER, authorization: block, ...more };
}

function authenticator(options: ConfigAuthOptions): ConfigAuthenticator {
  return new ConfigAuthenticator(options, new TestCrypto(), () => undefined);
}

const nkey = new Key("user");
const proxy = new Key("cluster");
const signed = { nkey: nkey.public, sig: nkey.sign(NONCE) };
const byProxy = { proxySig: proxy.sign(NONCE) };
const users = server({
  users: [user("a"), user("b", { pass: HASH }), user("", { nkey: nkey.public })],
});
const WS: Partial<AuthRequest> = { connectionType: "WEBSOCKET" };

describe("logins against the configuration", () => {
  const single = server({ user: "u", pass: "p" });
  const rows: [string, ConfigAuthOptions, AuthRequest, string][] = [
    ["an open server takes anyone", OPEN_SERVER, login({}), "$G"],
    ["and any credentials", OPEN_SERVER, login({ user: "x", pass: "y" }), "$G"],
    ["the single user", single, login({ user: "u", pass: "p" }), "$G"],
    ["another password", single, login({ user: "u", pass: "q" }), `${FAILED} - User "u"`],
    ["another user", single, login({ user: "x", pass: "p" }), `${FAILED} - User "x"`],
    ["no credentials", single, login({}), FAILED],
    ["a JWT is no name outside operator mode", single, login({ jwt: "eyJ" }), FAILED],
    ["a token", server({ token: "t" }), login({ authToken: "t" }), "$G"],
    [
      "another token",
      server({ token: "t" }),
      login({ authToken: "x" }),
      `${FAILED} - Token "[REDACTED]"`,
    ],
    ["a hashed token", server({ token: HASH }), login({ authToken: "s3cret" }), "$G"],
    [
      "the hash itself is no token",
      server({ token: HASH }),
      login({ authToken: HASH }),
      `${FAILED} - Token "[REDACTED]"`,
    ],
    ["a listed user", users, login({ user: "a", pass: "p" }), "$G"],
    ["a hashed password", users, login({ user: "b", pass: "s3cret" }), "$G"],
    ["a wrong one", users, login({ user: "b", pass: "s3cres" }), `${FAILED} - User "b"`],
    ["a quoted name in the log", users, login({ user: 'x"é' }), `${FAILED} - User "x\\"é"`],
    ["an nkey", users, login(signed), "$G"],
    ["an nkey beside a user", users, login({ ...signed, user: "zz" }), "$G"],
    ["no signature", users, login({ nkey: nkey.public }), `${FAILED} - Nkey "${nkey.public}"`],
    [
      "another nonce",
      users,
      login(signed, { nonce: "other" }),
      `${FAILED} - Nkey "${nkey.public}"`,
    ],
    [
      "an unknown nkey",
      users,
      login({ ...signed, nkey: proxy.public }),
      `${FAILED} - Nkey "${proxy.public}"`,
    ],
  ];
  for (const [name, options, request, expected] of rows) {
    test(name, async () => assert.equal(await outcome(authenticator(options), request), expected));
  }
});

describe("accounts, defaults and types of connection", () => {
  const own = rules("own");
  const options = server(
    { users: [user("g")], defaultPermissions: rules("of.authorization") },
    {
      accounts: [
        {
          name: "A",
          users: [
            user("a"),
            user("o", { permissions: own }),
            user("w", { connectionTypes: ["WEBSOCKET"] }),
          ],
          defaultPermissions: rules("of.A"),
        },
      ],
    },
  );
  const auth = authenticator(options);
  const permissionsOf = async (name: string): Promise<Permissions | null> => {
    const verdict = await verdictOf(auth, login({ user: name, pass: "p" }));
    assert.ok(verdict.ok);
    return verdict.permissions;
  };

  test("users without permissions take their block's", async () => {
    assert.equal(await outcome(auth, login({ user: "a", pass: "p" })), "A");
    assert.deepEqual(await permissionsOf("a"), rules("of.A"));
    assert.deepEqual(await permissionsOf("o"), own);
    assert.deepEqual(await permissionsOf("g"), rules("of.authorization"));
  });

  test("a user of another type of connection is refused", async () => {
    const request = { user: "w", pass: "p" };
    assert.equal(await outcome(auth, login(request)), `${FAILED} - User "w"`);
    assert.equal(await outcome(auth, login(request, WS)), "A");
    assert.equal(await outcome(auth, leafLogin(request)), `${FAILED} - User "w"`);
  });

  test("zeros in allow_responses take the defaults", async () => {
    const open = { allow: null, deny: [] };
    const permissions = { publish: open, subscribe: open, responses: { max: 0, expires: 0 } };
    const verdict = await verdictOf(
      authenticator(server({ users: [user("r", { permissions })] })),
      login({ user: "r", pass: "p" }),
    );
    assert.deepEqual(verdict.ok && verdict.permissions?.responses, { max: 1, expires: 120_000 });
  });

  test("labels name the user as logs and monitoring do", async () => {
    const labels: [AuthRequest, string, string][] = [
      [login({ user: "a", pass: "p" }), "user:a", "a"],
      [login(signed), `nkey:${nkey.public}`, nkey.public],
    ];
    for (const [request, label, raw] of labels) {
      const verdict = await verdictOf(authenticator(users), request);
      assert.deepEqual(verdict.ok && [verdict.label, verdict.authorizedUser], [label, raw]);
    }
    const token = await verdictOf(authenticator(server({ token: "t" })), login({ authToken: "t" }));
    assert.deepEqual(token.ok && [token.label, token.authorizedUser], ["token", "[REDACTED]"]);
  });
});

function rules(subject: string): Permissions {
  const list = { allow: [subject], deny: [] };
  return { publish: list, subscribe: list, responses: null };
}

describe("no_auth_user", () => {
  const options = (name: string, more: Block = {}): ConfigAuthOptions =>
    server(
      {
        users: [user("anon", { pass: HASH }), user("b"), user("", { nkey: nkey.public })],
        ...more,
      },
      { noAuthUser: name },
    );

  test("stands for clients that bring nothing", async () => {
    const auth = authenticator(options("anon"));
    const verdict = await verdictOf(auth, login({}));
    assert.equal(verdict.ok && verdict.label, "user:anon");
    assert.equal(await outcome(auth, login({ user: "b", pass: "x" })), `${FAILED} - User "b"`);
    assert.equal(await outcome(auth, login({ authToken: "x" })), `${FAILED} - Token "[REDACTED]"`);
    assert.equal(await outcome(auth, leafLogin({})), "$G");
    assert.deepEqual(
      [
        auth.required("STANDARD"),
        auth.advertised("STANDARD"),
        auth.admitsWithoutConnect("STANDARD"),
      ],
      [true, false, true],
    );
    assert.equal(auth.advertised("WEBSOCKET"), true);
  });

  test("may be an nkey, which then needs no signature but cannot skip CONNECT", async () => {
    const auth = authenticator(options(nkey.public));
    assert.equal(await outcome(auth, login({})), "$G");
    assert.equal(auth.admitsWithoutConnect("STANDARD"), false);
    assert.equal(auth.needsNonce(), true);
  });

  test("must exist", () => {
    assert.equal(noAuthUserFault(options("anon"), "anon"), null);
    assert.equal(
      noAuthUserFault(options("x"), "x"),
      'no_auth_user: "x" not present as user or nkey in authorization block or account configuration',
    );
    assert.equal(
      noAuthUserFault(server({ user: "u" }), "u"),
      'no_auth_user: "u" present, but users/nkeys are not defined',
    );
  });

  test("is invented beside a lone system account, and survives a reload", async () => {
    const sys = { name: "SYS", users: [user("s")], defaultPermissions: null };
    const lone = { ...OPEN_SERVER, accounts: [sys], systemAccount: "SYS" };
    const auth = authenticator(lone);
    assert.match(auth.inventedUser, /^nats-[0-9A-Za-z]{8}$/);
    const verdict = await verdictOf(auth, login({}));
    assert.equal(verdict.ok && verdict.authorizedUser, auth.inventedUser);
    assert.equal(await outcome(auth, login({ user: "s", pass: "p" })), "SYS");
    assert.deepEqual([auth.advertised("STANDARD"), auth.plaintextPasswords()], [true, true]);
    assert.equal(
      authenticator({ ...lone, inventedUser: auth.inventedUser }).inventedUser,
      auth.inventedUser,
    );
    const other = { ...sys, name: "A", users: [] };
    assert.equal(authenticator({ ...lone, accounts: [sys, other] }).inventedUser, "");
    assert.equal(
      authenticator(server({}, { accounts: [sys], systemAccount: "SYS" })).inventedUser,
      "",
    );
  });
});

describe("the websocket block", () => {
  const websocket = { ...OPEN_SERVER.websocket, listening: true };

  test("overrides the single credentials of an open server", async () => {
    const auth = authenticator({ ...OPEN_SERVER, websocket: { ...websocket, token: "w" } });
    assert.equal(await outcome(auth, login({})), "$G");
    assert.equal(await outcome(auth, login({}, WS)), FAILED);
    assert.equal(await outcome(auth, login({ authToken: "w" }, WS)), "$G");
    assert.deepEqual([auth.required("STANDARD"), auth.required("WEBSOCKET")], [false, true]);
  });

  test("has a no_auth_user of its own, also for leaf links over websocket", async () => {
    const auth = authenticator(
      server({ users: [user("w"), user("x")] }, { websocket: { ...websocket, noAuthUser: "w" } }),
    );
    assert.equal(await outcome(auth, login({})), FAILED);
    assert.equal(await outcome(auth, login({}, WS)), "$G");
    assert.equal(await outcome(auth, leafLogin({})), FAILED);
    assert.equal(await outcome(auth, leafLogin({}, { connectionType: "LEAFNODE_WS" })), "$G");
    assert.equal(auth.admitsWithoutConnect("WEBSOCKET"), true);
  });
});

describe("trusted proxies", () => {
  const required = { proxyRequired: true };
  const trusted = { trustedProxies: [new Key("user").public, proxy.public] };
  const options = server({ users: [user("a", required), user("b")] }, trusted);

  test("a user may require one", async () => {
    const auth = authenticator(options);
    assert.equal(auth.needsNonce(), true);
    assert.equal(await outcome(auth, login({ user: "a", pass: "p" })), 'Proxy Required - User "a"');
    const verdict = await verdictOf(auth, login({ user: "a", pass: "p", ...byProxy }));
    assert.equal(verdict.ok && verdict.proxyKey, proxy.public);
    assert.equal(await outcome(auth, login({ user: "b", pass: "p" })), "$G");
  });

  test("a bad signature refuses anybody, but only where proxies are configured", async () => {
    for (const proxySig of [new Key("user").sign(NONCE), "?", proxy.sign("x")]) {
      const request = login({ user: "b", pass: "p", proxySig });
      assert.equal(await outcome(authenticator(options), request), 'Proxy Not Trusted - User "b"');
      assert.equal(
        await outcome(authenticator(users), login({ user: "a", pass: "p", proxySig })),
        "$G",
      );
    }
  });

  test("the authorization block may require one for single credentials", async () => {
    const auth = authenticator(server({ token: "t", ...required }, trusted));
    assert.equal(
      await outcome(auth, login({ authToken: "t" })),
      'Proxy Required - Token "[REDACTED]"',
    );
    assert.equal(await outcome(auth, login({ authToken: "t", ...byProxy })), "$G");
  });
});

describe("verify_and_map", () => {
  const tls = (certificate: Partial<PeerCertificate>, more: PeerCertificate[] = []): TlsState => ({
    version: "1.3",
    cipher: "",
    peerCertificates: [
      {
        subject: "",
        emails: [],
        dnsNames: [],
        uris: [],
        spkiSha256: "",
        certSha256: "",
        ...certificate,
      },
      ...more,
    ],
  });
  const names = [
    "d@x.io",
    "app.x.io",
    "spiffe://x/y",
    "O=NATS,CN=example.com",
    "CN=dc,OU=a+OU=b,DC=io,DC=x",
    "CN=plain",
  ];
  const mapped = server({ users: names.map((name) => user(name, { pass: "" })) }, { tlsMap: true });
  const rows: [Partial<PeerCertificate>, string][] = [
    [{ emails: ["nobody@x.io", "d@x.io"], dnsNames: ["app.x.io"] }, "user:d@x.io"],
    [{ dnsNames: ["app.x.io"], subject: "CN=plain" }, "user:app.x.io"],
    [{ uris: ["spiffe://x/y"] }, "user:spiffe://x/y"],
    [{ subject: "CN=example.com,O=NATS" }, "user:O=NATS,CN=example.com"],
    [{ subject: "CN=plain" }, "user:CN=plain"],
  ];
  for (const [certificate, label] of rows) {
    test(`maps to ${label}`, async () => {
      const verdict = await verdictOf(authenticator(mapped), login({}, { tls: tls(certificate) }));
      assert.equal(verdict.ok && verdict.label, label);
    });
  }

  test("says why not", async () => {
    const failures: [TlsState | null, string][] = [
      [null, "debug User required in cert, no TLS connection state"],
      [
        { ...tls({}), peerCertificates: [] },
        "debug User required in cert, no peer certificates found",
      ],
      [tls({}), "debug User required in cert, none found"],
      [tls({ subject: "CN=no,O=one" }), 'debug User in cert ["CN=no,O=one"], not found'],
    ];
    for (const [state, line] of failures) {
      const { lines, log } = recorder();
      const auth = new ConfigAuthenticator(mapped, new TestCrypto(), log);
      assert.equal(await outcome(auth, login({}, { tls: state })), FAILED);
      assert.equal(lines.at(-1), line);
    }
  });

  test("a user in CONNECT is warned about, a password is still compared", async () => {
    const { lines, log } = recorder();
    const auth = new ConfigAuthenticator(mapped, new TestCrypto(), log);
    const state = { tls: tls({ subject: "CN=plain" }) };
    assert.equal(await outcome(auth, login({ user: "x" }, state)), "$G");
    assert.ok(lines.includes('warn User "x" found in connect proto, but user required from cert'));
    assert.equal(await outcome(auth, login({ pass: "x" }, state)), `${FAILED} - User "CN=plain"`);
  });

  test("a certificate identity cannot log in elsewhere with an empty password", async () => {
    const { lines, log } = recorder();
    const auth = new ConfigAuthenticator(mapped, new TestCrypto(), log);
    const request = login({ user: "CN=plain" }, WS);
    assert.equal(await outcome(auth, request), `${FAILED} - User "CN=plain"`);
    assert.deepEqual(lines, ['debug User "CN=plain" requires a client certificate']);
    assert.equal(auth.plaintextPasswords(), false);
  });
});

describe("leaf links", () => {
  const leafnodes = { ...OPEN_SERVER.leafnodes, listening: true };
  const leafUser = (
    name: string,
    account: string,
  ): ConfigAuthOptions["leafnodes"]["users"][number] => ({
    user: name,
    pass: "p",
    account,
    proxyRequired: false,
  });
  const rows: [string, ConfigAuthOptions, AuthRequest, string][] = [
    [
      "an open server binds to the block's account",
      { ...OPEN_SERVER, leafnodes: { ...leafnodes, account: "A" } },
      leafLogin({ user: "x" }),
      "A",
    ],
    ["or to $G", OPEN_SERVER, leafLogin({}), "$G"],
    ["a server with users wants credentials", users, leafLogin({}), FAILED],
    ["and asks leaves as it asks clients", users, leafLogin({ user: "a", pass: "p" }), "$G"],
    [
      "the block's user",
      server(
        { user: "c", pass: "c" },
        { leafnodes: { ...leafnodes, user: "l", pass: HASH, account: "A" } },
      ),
      leafLogin({ user: "l", pass: "s3cret" }),
      "A",
    ],
    [
      "excludes the clients'",
      server({ user: "c", pass: "c" }, { leafnodes: { ...leafnodes, user: "l", pass: "p" } }),
      leafLogin({ user: "c", pass: "c" }),
      `${FAILED} - User "c"`,
    ],
    [
      "the block's nkey",
      { ...OPEN_SERVER, leafnodes: { ...leafnodes, nkey: nkey.public, account: "A" } },
      leafLogin(signed),
      "A",
    ],
    [
      "the block's nkey unsigned",
      { ...OPEN_SERVER, leafnodes: { ...leafnodes, nkey: nkey.public } },
      leafLogin({ nkey: nkey.public }),
      `${FAILED} - Nkey "${nkey.public}"`,
    ],
    [
      "the block's users",
      {
        ...OPEN_SERVER,
        leafnodes: { ...leafnodes, users: [leafUser("a", "A"), leafUser("g", "")] },
      },
      leafLogin({ user: "a", pass: "p" }),
      "A",
    ],
    [
      "without account",
      {
        ...OPEN_SERVER,
        leafnodes: { ...leafnodes, users: [leafUser("a", "A"), leafUser("g", "")] },
      },
      leafLogin({ user: "g", pass: "p" }),
      "$G",
    ],
    [
      "none of them",
      { ...OPEN_SERVER, leafnodes: { ...leafnodes, users: [leafUser("a", "A")] } },
      leafLogin({}),
      FAILED,
    ],
    [
      "a required proxy",
      {
        ...OPEN_SERVER,
        leafnodes: { ...leafnodes, users: [leafUser("a", "A")], proxyRequired: true },
      },
      leafLogin({ user: "a", pass: "p" }),
      'Proxy Required - User "a"',
    ],
  ];
  for (const [name, options, request, expected] of rows) {
    test(name, async () => assert.equal(await outcome(authenticator(options), request), expected));
  }
});
