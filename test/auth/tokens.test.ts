import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decode, encodeAccount, encodeOperator, encodeUser } from "@nats-io/jwt";
import { createAccount, createOperator, createUser } from "@nats-io/nkeys";
import {
  accountIssues,
  decodeAs,
  encodeToken,
  isBlocking,
  operatorFault,
  readAccount,
  readActivation,
  readOperator,
  readUser,
  trustedKeys,
  viewAccount,
} from "../../src/auth/index.ts";
import { Key, NOW, TestCrypto } from "./fixtures.ts";
import {
  SECONDS,
  UNLIMITED,
  accountToken,
  activationToken,
  operatorToken,
  token,
  userToken,
} from "./tokens.ts";

const crypto = new TestCrypto();
const operator = new Key("operator");
const account = new Key("account");
const user = new Key("user");

function errorOf(text: string): string {
  const decoded = decodeAs(crypto, text, readUser);
  return decoded.ok ? "" : decoded.error;
}

function raw(header: unknown, claims: unknown, signer: Key, onlyPayload = false): string {
  const [a = "", b = ""] = [header, claims].map((part) =>
    Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url"),
  );
  return `${a}.${b}.${signer.sign(onlyPayload ? b : `${a}.${b}`)}`;
}

describe("a token that cannot be believed is refused with the reason", () => {
  const good = userToken(account, user.public);
  const [header = "", payload = "", signature = ""] = good.split(".");
  const body = { iss: account.public, sub: user.public, nats: { type: "user", version: 2 } };
  const head = { typ: "JWT", alg: "ed25519-nkey" };
  const rows: [string, string, RegExp][] = [
    ["good", good, /^$/],
    ["empty", "", /^expected 3 chunks$/],
    ["two chunks", `${header}.${payload}`, /^expected 3 chunks$/],
    ["four chunks", `${good}.x`, /^expected 3 chunks$/],
    ["no base64", `${header}.!.${signature}`, /base64/],
    ["no JSON", raw(head, "hello", account), /^json: /],
    ["a list for claims", raw(head, [1], account), /^json: /],
    ["a number for a name", raw(head, { ...body, name: 5 }, account), /^json: /],
    ["text for a number", raw(head, { ...body, exp: "5" }, account), /^json: /],
    ["another algorithm", raw({ typ: "JWT", alg: "none" }, body, account), /algorithm/],
    ["no JWT", raw({ typ: "X", alg: "ed25519" }, body, account), /type/],
    ["old algorithm's name", raw({ typ: "jwt", alg: "ED25519" }, body, account), /^$/],
    ["a truncated signature", good.slice(0, -8), /^claim failed V2 signature verification$/],
    ["another's signature", `${header}.${payload}.${user.sign("x")}`, /V2 signature/],
    [
      "tampered claims",
      `${header}.${userToken(account, operator.public).split(".")[1]}.${signature}`,
      /V2 signature/,
    ],
    ["signed by a user", userToken(user, user.public), /^unable to validate expected prefixes/],
    ["signed by an operator", userToken(operator, user.public), /expected prefixes/],
    [
      "a curve key as issuer",
      raw(head, { ...body, iss: new Key("curve").public }, account),
      /V2 signature/,
    ],
    ["an account's", accountToken(operator, account.public), /^not user claim$/],
    [
      "a newer version",
      raw(head, { ...body, nats: { type: "user", version: 3 } }, account),
      /newer version/,
    ],
    ["no version", raw(head, { ...body, nats: { type: "user" } }, account), /received 0/],
    [
      "a cluster's",
      raw(head, { ...body, nats: { type: "cluster", version: 2 } }, account),
      /not supported/,
    ],
    [
      "too long",
      `${good}${"A".repeat(1024 * 1024)}`,
      /exceeds maximum of 1048576 bytes: token too large$/,
    ],
    [
      "version 1, signing its payload",
      raw(head, { ...body, type: "user", nats: {} }, account, true),
      /^$/,
    ],
    [
      "version 1, signing both",
      raw(head, { ...body, type: "user", nats: {} }, account),
      /V1 signature/,
    ],
    ["odd members", raw(head, { ...body, nats: { ...body.nats, pub: [] } }, account), /^json: /],
  ];
  for (const [name, text, error] of rows) {
    test(name, () => assert.match(errorOf(text), error));
  }

  test("every cut of a token is refused", () => {
    for (let i = 0; i < good.length; i++) assert.notEqual(errorOf(good.slice(0, i)), "");
  });
});

test("tokens are exchanged with the client library", async () => {
  const [o, a, u] = [createOperator(), createAccount(), createUser()];
  const accountJwt = await encodeAccount("ACC", a, { limits: { conn: 5 } }, { signer: o });
  const decoded = decodeAs(crypto, accountJwt, readAccount);
  assert.ok(decoded.ok);
  assert.equal(decoded.claims.limits.connections, 5);
  assert.equal(decoded.claims.name, "ACC");
  const operatorJwt = await encodeOperator("OP", o);
  assert.equal(decodeAs(crypto, operatorJwt, readOperator).ok, true);
  const userJwt = await encodeUser("bob", u, a, { pub: { allow: ["x"], deny: [] } });
  const mine = decodeAs(crypto, userJwt, readUser);
  assert.deepEqual(mine.ok && mine.claims.rights.permissions.publish.allow, ["x"]);

  const server = new Key("server");
  const nats = { type: "authorization_request", version: 2, who: "me" };
  const ours = encodeToken(crypto, server.seed, server.public, { iat: SECONDS, sub: "A", nats });
  const theirs = decode<{ who: string }>(ours);
  assert.deepEqual([theirs.iss, theirs.nats.who], [server.public, "me"]);
});

describe("account claims", () => {
  const issues = (nats: Record<string, unknown>, top = {}): [boolean, string] => {
    const decoded = decodeAs(
      crypto,
      accountToken(operator, account.public, nats, top),
      readAccount,
    );
    assert.ok(decoded.ok, decoded.ok ? "" : decoded.error);
    const found = accountIssues(crypto, decoded.claims, NOW);
    return [isBlocking(found, true), found.map((issue) => issue.text).join("; ")];
  };
  const stream = { subject: "e.>", type: "stream" };
  const service = { subject: "s", type: "service" };
  const from = { account: operator.public };
  const activation = activationToken(account, account.public, { subject: "priv.>" });
  const rows: [string, Record<string, unknown>, RegExp][] = [
    ["nothing", {}, /^$/],
    [
      "exports and imports",
      { exports: [stream, service], imports: [{ ...service, ...from }] },
      /^$/,
    ],
    ["an export without kind", { exports: [{ subject: "x" }] }, /invalid export type/],
    ["a bad subject", { exports: [{ ...stream, subject: "a..b" }] }, /consecutive/],
    [
      "a strange response type",
      { exports: [{ ...service, response_type: "X" }] },
      /response type for service/,
    ],
    [
      "a stream that answers",
      { exports: [{ ...stream, response_type: "Stream" }] },
      /response type for stream/,
    ],
    [
      "a position beside the wildcard",
      { exports: [{ subject: "a.*", type: "stream", account_token_position: 1 }] },
      /must match a \*/,
    ],
    [
      "a position past the end",
      { exports: [{ subject: "a.*", type: "stream", account_token_position: 3 }] },
      /exceeds length/,
    ],
    [
      "exports within one another",
      { exports: [stream, { ...stream, subject: "e.x" }] },
      /stream export subject "e.>" already exports "e.x"/,
    ],
    [
      "latency of a stream",
      { exports: [{ ...stream, service_latency: { sampling: 5, results: "l" } }] },
      /only permitted for services/,
    ],
    [
      "latency above all",
      { exports: [{ ...service, service_latency: { sampling: 101, results: "l" } }] },
      /between 1-100/,
    ],
    [
      "overlapping services",
      {
        imports: [
          { ...service, ...from },
          { ...service, ...from, subject: "z", local_subject: "s" },
        ],
      },
      /overlapping subject namespace/,
    ],
    [
      "services of two accounts may overlap",
      {
        imports: [
          { ...service, ...from },
          { ...service, account: user.public },
        ],
      },
      /^$/,
    ],
    ["no exporter", { imports: [service] }, /account to import from/],
    [
      "references too far",
      { imports: [{ subject: "a.*", type: "stream", ...from, local_subject: "b.$2" }] },
      /Reference \$2/,
    ],
    [
      "a wildcard unused",
      { imports: [{ subject: "a.*", type: "stream", ...from, local_subject: "b" }] },
      /not contain enough/,
    ],
    [
      "half a full wildcard",
      { imports: [{ subject: "a.>", type: "stream", ...from, local_subject: "b" }] },
      /end or not end in >/,
    ],
    [
      "a token of a stranger",
      { imports: [{ subject: "priv.x", type: "stream", ...from, token: activation }] },
      /doesn't match account for import/,
    ],
    [
      "a token for less",
      {
        imports: [{ subject: "other", type: "stream", account: account.public, token: activation }],
      },
      /activation token import subject/,
    ],
    [
      "garbage as token",
      { imports: [{ subject: "x", type: "stream", ...from, token: "x" }] },
      /invalid activation token/,
    ],
    [
      "too many imports",
      { limits: { ...UNLIMITED, imports: 0 }, imports: [{ ...service, ...from }] },
      /more imports/,
    ],
    [
      "wildcard exports",
      { limits: { ...UNLIMITED, exports: 5, wildcards: false }, exports: [stream] },
      /wildcard exports/,
    ],
    [
      "contradicting JetStream limits",
      { limits: { ...UNLIMITED, mem_storage: 1, tiered_limits: { R1: { mem_storage: 1 } } } },
      /mutually exclusive/,
    ],
    ["a signing key of a user", { signing_keys: [user.public] }, /not a valid account signing key/],
    [
      "mappings above 100",
      { mappings: { a: [{ subject: "b" }, { subject: "c", weight: 1 }] } },
      /exceeds 100%/,
    ],
    [
      "callout accounts without users",
      { authorization: { allowed_accounts: ["*"] } },
      /without users/,
    ],
    [
      "an xkey of another kind",
      { authorization: { auth_users: [user.public], xkey: user.public } },
      /not a valid public xkey/,
    ],
    ["a wildcard trace", { trace: { dest: "a.*" } }, /not a valid publish subject/],
  ];
  for (const [name, nats, text] of rows) {
    test(name, () => {
      const [blocking, texts] = issues(nats);
      assert.match(texts, text);
      assert.equal(blocking, texts !== "");
    });
  }

  test("the old member `to` is only a warning", () => {
    const [blocking, text] = issues({ imports: [{ ...service, ...from, to: "t" }] });
    assert.equal(blocking, false);
    assert.match(text, /deprecated/);
  });

  test("absent numbers are zero in version 2", () => {
    const decoded = decodeAs(
      crypto,
      token(operator, account.public, { type: "account", version: 2 }),
      readAccount,
    );
    assert.equal(decoded.ok && decoded.claims.limits.connections, 0);
  });

  test("become the shape of configured accounts", () => {
    const nats = {
      exports: [
        { ...stream, token_req: true },
        { ...service, response_type: "Chunked", response_threshold: 5e9 },
      ],
      imports: [
        { ...service, ...from, local_subject: "mine" },
        { ...service, ...from, subject: "old", to: "theirs" },
        { subject: "e.>", type: "stream", ...from, to: "pre" },
        { subject: "e.*", type: "stream", ...from, local_subject: "l.$1" },
      ],
      mappings: { a: [{ subject: "b" }] },
      limits: { ...UNLIMITED, leaf: 2 },
      default_permissions: { pub: { deny: ["x"] } },
    };
    const decoded = decodeAs(
      crypto,
      accountToken(operator, account.public, nats, { exp: SECONDS + 5 }),
      readAccount,
    );
    assert.ok(decoded.ok);
    const view = viewAccount(decoded.claims);
    assert.equal(view.expires, NOW + 5000);
    assert.equal(view.limits.maxLeafnodes, 2);
    assert.deepEqual(view.defaultPermissions?.publish, { allow: null, deny: ["x"] });
    assert.deepEqual(view.mappings, [
      { subject: "a", destinations: [{ subject: "b", weight: 100, cluster: "" }] },
    ]);
    const [first, second] = view.exports;
    assert.deepEqual(first?.accounts, []);
    assert.deepEqual(second?.kind === "service" && [second.responseType, second.threshold], [
      "chunked",
      5000,
    ]);
    assert.deepEqual(
      view.imports.map((each) => [
        each.kind,
        each.subject,
        each.to,
        each.kind === "stream" && each.prefix,
      ]),
      [
        ["service", "s", "mine", false],
        ["service", "theirs", "old", false],
        ["stream", "e.>", "", "pre"],
        ["stream", "e.*", "l.$1", ""],
      ],
    );
  });
});

test("an operator trusts itself and its signing keys, a strict one only these", () => {
  const signer = new Key("operator");
  const claimsOf = (nats: Record<string, unknown>): Parameters<typeof trustedKeys>[0] => {
    const decoded = decodeAs(
      crypto,
      operatorToken(operator, { signing_keys: [signer.public], ...nats }),
      readOperator,
    );
    assert.ok(decoded.ok);
    return [decoded.claims];
  };
  assert.deepEqual(trustedKeys(claimsOf({})), [operator.public, signer.public]);
  assert.deepEqual(trustedKeys(claimsOf({ strict_signing_key_usage: true })), [signer.public]);
  const versions: [string, string | null][] = [
    ["2.15.2", null],
    ["2.14.9", null],
    ["1.99.0", null],
    ["3.0.0", "expected major version 3 > server major version 2"],
    ["2.16.0", "expected minor version 16 > server minor version 15"],
    ["2.15.3", "expected update version 3 > server update version 2"],
  ];
  for (const [asked, fault] of versions) {
    const text = operatorFault(claimsOf({ assert_server_version: asked }), "2.15.2");
    assert.equal(text, fault === null ? null : `operator ${operator.public} ${fault}`);
  }
});

test("an activation is what it says", () => {
  const decoded = decodeAs(
    crypto,
    activationToken(account, user.public, { subject: "a.>" }),
    readActivation,
  );
  assert.deepEqual(decoded.ok && [decoded.claims.importSubject, decoded.claims.importKind], [
    "a.>",
    "stream",
  ]);
});
