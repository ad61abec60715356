import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  ClaimsService,
  JwtStore,
  LookupAnswers,
  OperatorAccounts,
  StoreResolver,
  UrlResolver,
  decodeAs,
  fetchAccount,
  readOperator,
  trustedKeys,
  type AccountResolver,
  type Fetched,
  type JwtFiles,
  type JwtStoreOptions,
  type RemoteLookup,
} from "../../src/auth/index.ts";
import { Key, NOW, TestCrypto, login, outcome, recorder } from "./fixtures.ts";
import {
  SECONDS,
  TestOperator,
  accountToken,
  operatorToken,
  proof,
  token,
  userToken,
} from "./tokens.ts";

/** A directory in memory. */
class Files implements JwtFiles {
  readonly files = new Map<string, string>();
  readonly aside = new Map<string, string>();
  full = false;

  list(): readonly string[] {
    return [...this.files.keys()];
  }

  read(account: string): string | null {
    return this.files.get(account) ?? null;
  }

  write(account: string, jwt: string): void {
    if (this.full) throw new Error("no space left on device");
    this.files.set(account, jwt);
  }

  remove(account: string): void {
    this.files.delete(account);
  }

  setAside(account: string): void {
    this.aside.set(account, this.files.get(account) ?? "");
    this.files.delete(account);
  }
}

const operator = new Key("operator");
const FULL: JwtStoreOptions = { limit: -1, evict: false, deleting: "rename", ttl: 0 };

function store(options: Partial<JwtStoreOptions> = {}, files = new Files()) {
  const crypto = new TestCrypto();
  const events: string[] = [];
  const jwts = new JwtStore({ ...FULL, ...options }, files, crypto, {
    changed: (account) => events.push(`changed ${account}`),
    deleted: (account) => events.push(`deleted ${account}`),
  });
  return { crypto, events, files, jwts };
}

function account(top: object = {}, key = new Key("account")): [string, string] {
  return [key.public, accountToken(operator, key.public, {}, { ...top })];
}

describe("the store of tokens", () => {
  test("keeps, replaces and finds tokens, and tells of changes", () => {
    const { jwts, events, files } = store();
    const [a, jwt] = account();
    assert.equal(jwts.load(a), null);
    assert.equal(jwts.save(a, jwt), null);
    assert.equal(jwts.save(a, jwt), null);
    assert.deepEqual([jwts.load(a), files.read(a), events], [jwt, jwt, [`changed ${a}`]]);
    assert.equal(jwts.save("../../etc/passwd", jwt), "invalid public key");
    assert.equal(jwts.save(a, ""), "invalid JWT");
    files.full = true;
    assert.equal(jwts.save(...account()), "no space left on device");
    assert.equal(jwts.size, 1);
  });

  test("starts with what lies in the directory", () => {
    const files = new Files();
    const [a, jwt] = account();
    files.write(a, jwt);
    files.write("README", "x");
    const { jwts } = store({}, files);
    assert.deepEqual([jwts.size, [...jwts.pack()]], [1, [`${a}|${jwt}`]]);
  });

  test("takes a newer token only", () => {
    const { jwts } = store();
    const key = new Key("account");
    const at = (iat: number, jti: string): string => account({ iat, jti }, key)[1];
    const a = key.public;
    assert.equal(jwts.saveIfNewer(a, at(10, "1")), null);
    assert.equal(jwts.saveIfNewer(a, at(9, "2")), null);
    assert.equal(jwts.load(a), at(10, "1"));
    assert.equal(jwts.saveIfNewer(a, at(11, "3")), null);
    assert.equal(jwts.load(a), at(11, "3"));
    assert.equal(
      jwts.saveIfNewer(a, account({ iat: 12, jti: "4" })[1]),
      "jwt subject nkey and provided nkey do not match",
    );
    assert.equal(jwts.saveIfNewer(a, "junk"), "expected 3 chunks");
  });

  test("is bounded: full, or forgetting the least used", () => {
    const full = store({ limit: 1 }).jwts;
    const [first, second, third] = [account(), account(), account()];
    assert.equal(full.save(...first), null);
    assert.equal(full.save(...second), "jwt store is full");
    assert.equal(full.save(first[0], account({ jti: "Y" }, undefined)[1]), null);
    const cache = store({ limit: 2, evict: true });
    cache.jwts.save(...first);
    cache.jwts.save(...second);
    cache.jwts.load(first[0]);
    assert.equal(cache.jwts.save(...third), null);
    assert.deepEqual(cache.files.list(), [first[0], third[0]]);
  });

  test("drops tokens that expired, or that nobody used for the ttl", () => {
    const full = store();
    full.jwts.save(...account({ exp: SECONDS + 10 }));
    full.jwts.save(...account());
    full.crypto.time += 11_000;
    full.jwts.expire();
    assert.equal(full.jwts.size, 1);
    const cache = store({ ttl: 1000, evict: true });
    const [a, b] = [account(), account()];
    cache.jwts.save(...a);
    cache.jwts.save(...b);
    cache.crypto.time += 900;
    cache.jwts.load(a[0]);
    cache.crypto.time += 200;
    cache.jwts.expire();
    assert.deepEqual(cache.files.list(), [a[0]]);
  });

  test("equal stores have equal hashes, and merging makes them equal", () => {
    const [one, two] = [store().jwts, store().jwts];
    const [a, b] = [account(), account()];
    one.save(...a);
    one.save(...b);
    two.save(...b);
    assert.notDeepEqual(one.hash(), two.hash());
    assert.equal(two.merge([...one.pack()].join("\n")), null);
    assert.deepEqual(one.hash(), two.hash());
    assert.match(two.merge("x") ?? "", /didn't contain 2 entries/);
    assert.match(two.merge("x|y") ?? "", /not a valid public account key/);
  });

  test("deletes as it was told to", () => {
    const [a, jwt] = account();
    const rename = store();
    rename.jwts.save(a, jwt);
    assert.equal(rename.jwts.delete(a), null);
    assert.deepEqual([rename.files.aside.get(a), rename.events.at(-1)], [jwt, `deleted ${a}`]);
    const no = store({ deleting: "no" });
    assert.equal(no.jwts.delete(a), "store is not set up to for delete");
  });

  test("reads the directory again", () => {
    const { jwts, files, events } = store();
    const key = new Key("account");
    jwts.save(...account({}, key));
    files.write(...account({ jti: "new" }, key));
    jwts.reload();
    assert.equal(events.length, 2);
    assert.equal(jwts.size, 1);
  });
});

describe("resolvers", () => {
  test("only valid keys are ever fetched", () => {
    const never: AccountResolver = {
      kind: "memory",
      fetch: () => assert.fail("fetched"),
      store: () => null,
    };
    const answer = fetchAccount(never, "../x", () => undefined);
    assert.deepEqual(answer, { ok: false, error: "will only fetch valid account keys" });
  });

  test("a URL is asked with the key at its end", () => {
    const asked: string[] = [];
    const resolver = new UrlResolver("http://u:p@h/jwt", (url, done) => {
      asked.push(url);
      done(url.endsWith("Y") ? { body: "J" } : { reason: "404 Not Found" });
    });
    const got: Fetched[] = [];
    resolver.fetch("Y", (f) => got.push(f));
    resolver.fetch("N", (f) => got.push(f));
    resolver.probe((error) =>
      assert.equal(error, 'could not fetch <"http://u:xxxxx@h/jwt/">: 404 Not Found'),
    );
    assert.deepEqual(asked, ["http://u:p@h/jwt/Y", "http://u:p@h/jwt/N", "http://u:p@h/jwt/"]);
    assert.deepEqual(got, [
      { ok: true, jwt: "J" },
      { ok: false, error: 'could not fetch <"http://u:xxxxx@h/jwt/N">: 404 Not Found' },
    ]);
  });

  test("what a store lacks the others are asked for, and it is kept", async () => {
    const [a, jwt] = account();
    const { jwts } = store();
    const remote: RemoteLookup = (_key, later) => setImmediate(() => later({ ok: true, jwt }));
    const resolver = new StoreResolver("full", jwts, remote);
    const fetched = await new Promise<Fetched>((resolve) => resolver.fetch(a, resolve));
    assert.deepEqual(fetched, { ok: true, jwt });
    assert.deepEqual(
      resolver.fetch(a, () => undefined),
      { ok: true, jwt },
    );
  });

  test("empty answers count when all servers gave one", () => {
    const none = new LookupAnswers(2);
    assert.equal(none.take(""), null);
    assert.deepEqual(none.take(""), { ok: false, error: "account jwt not found" });
    const some = new LookupAnswers(2);
    assert.equal(some.take(""), null);
    assert.deepEqual(some.take("J"), { ok: true, jwt: "J" });
  });

  test("logins wait together for one fetch", async () => {
    let fetches = 0;
    const waiting: ((f: Fetched) => void)[] = [];
    const slow: AccountResolver = {
      kind: "url",
      fetch: (_key, later) => {
        fetches++;
        waiting.push(later);
        return null;
      },
      store: () => null,
    };
    const o = new TestOperator({}, {}, slow);
    const a = new Key("account");
    const user = new Key("user");
    const request = login(proof(userToken(a, user.public), user));
    const both = [outcome(o.auth, request), outcome(o.auth, request)];
    setImmediate(() => {
      for (const later of waiting) later({ ok: true, jwt: accountToken(o.key, a.public) });
    });
    assert.deepEqual(await Promise.all(both), [a.public, a.public]);
    assert.equal(fetches, 1);
  });
});

describe("the claims services", () => {
  const system = new Key("account");

  function service(kind: "full" | "cache" | "memory", strict = false) {
    const { crypto, files, jwts } = store(kind === "cache" ? { evict: true } : {});
    const memory: AccountResolver = {
      kind: "memory",
      fetch: () => ({ ok: false, error: "account missing" }),
      store: () => null,
    };
    const resolver = kind === "memory" ? memory : new StoreResolver(kind, jwts, () => undefined);
    const decoded = decodeAs(
      crypto,
      operatorToken(operator, { strict_signing_key_usage: strict }),
      readOperator,
    );
    assert.ok(decoded.ok);
    const { lines, log } = recorder();
    const trust = { trustedKeys: trustedKeys([decoded.claims]), strictKeys: [] };
    const accounts = new OperatorAccounts(resolver, trust, { crypto, log }, () => undefined);
    const options = {
      operator: decoded.claims,
      systemAccount: system.public,
      serverInfo: () => ({ id: "N" }),
    };
    const claims = new ClaimsService(options, accounts, crypto, log);
    const ask = (subject: string, payload: string | Uint8Array = ""): string[] => [
      ...claims.handle(subject, typeof payload === "string" ? Buffer.from(payload) : payload),
    ];
    return { accounts, ask, claims, crypto, files, jwts, lines };
  }

  const server = { id: "N" };
  const answer = (text: string | undefined): unknown => JSON.parse(text ?? "null");

  test("a full resolver stores what is pushed, and lists and returns it", () => {
    const { ask, files } = service("full");
    const [a, jwt] = account();
    const [reply] = ask("$SYS.REQ.CLAIMS.UPDATE", jwt);
    assert.equal(
      reply,
      JSON.stringify({ server, data: { account: a, code: 200, message: "jwt updated" } }),
    );
    assert.deepEqual(files.list(), [a]);
    assert.deepEqual(ask(`$SYS.REQ.ACCOUNT.${a}.CLAIMS.LOOKUP`), [jwt]);
    assert.deepEqual(ask(`$SYS.REQ.ACCOUNT.${system.public}.CLAIMS.LOOKUP`), [""]);
    assert.deepEqual(ask("$SYS.REQ.ACCOUNT.x.CLAIMS.LOOKUP"), []);
    assert.deepEqual(ask("$SYS.REQ.CLAIMS.LIST"), [JSON.stringify({ data: [a], server })]);
    assert.deepEqual(ask("$SYS.REQ.SOMETHING"), []);
  });

  test("pushes that make no sense are refused with code 500", () => {
    const { ask, jwts, lines } = service("full", true);
    const [a, jwt] = account();
    const failure = (named: string, description: string): unknown => ({
      server,
      error: { account: named, code: 500, description },
    });
    const rows: [string, string, unknown][] = [
      [
        "$SYS.REQ.CLAIMS.UPDATE",
        "junk",
        failure("n/a", "jwt update resulted in error - expected 3 chunks"),
      ],
      [
        "$SYS.REQ.CLAIMS.UPDATE",
        userToken(new Key("account"), "U"),
        failure("n/a", "jwt update resulted in error - not account claim"),
      ],
      [
        `$SYS.ACCOUNT.${system.public}.CLAIMS.UPDATE`,
        jwt,
        failure(system.public, "jwt update resulted in error - subject does not match jwt content"),
      ],
      [
        "$SYS.REQ.CLAIMS.UPDATE",
        jwt,
        failure(a, "jwt update resulted in error - operator requires issuer to be a signing key"),
      ],
      [
        "$SYS.REQ.CLAIMS.UPDATE",
        accountToken(new Key("operator"), a, { exports: [{ subject: "a" }] }),
        failure(a, 'jwt validation failed - validation errors: [invalid export type: "unknown"]'),
      ],
    ];
    for (const [subject, payload, expected] of rows) {
      assert.deepEqual(answer(ask(subject, payload)[0]), expected);
    }
    assert.equal(jwts.size, 0);
    assert.ok(lines.includes("error jwt update resulted in error - n/a - expected 3 chunks"));
  });

  test("packs are exchanged by hash", () => {
    const { ask, jwts } = service("full");
    const [a, jwt] = account();
    jwts.save(a, jwt);
    assert.deepEqual(ask("$SYS.REQ.CLAIMS.PACK", jwts.hash()), [""]);
    assert.deepEqual(ask("$SYS.REQ.CLAIMS.PACK", new Uint8Array(32)), [`${a}|${jwt}`, ""]);
    assert.deepEqual(ask("$SYS.REQ.CLAIMS.PACK", "x"), [`${a}|${jwt}`, ""]);
  });

  test("deleting takes a word of the operator", () => {
    const { ask, jwts } = service("full");
    const [a, jwt] = account();
    jwts.save(a, jwt);
    const failed = (by: string, cause: string): unknown => ({
      server,
      error: { code: 500, description: `delete accounts request by ${by} failed - ${cause}` },
    });
    const stranger = new Key("operator");
    const asks = (signer: Key, accounts: unknown): unknown =>
      answer(ask("$SYS.REQ.CLAIMS.DELETE", token(signer, signer.public, { accounts }))[0]);
    assert.deepEqual(asks(stranger, [a]), failed(stranger.public, "not trusted"));
    assert.deepEqual(asks(operator, "x"), failed(operator.public, "malformed request"));
    assert.deepEqual(
      asks(operator, [system.public]),
      failed(operator.public, "not allowed to delete system account"),
    );
    assert.deepEqual(
      answer(ask("$SYS.REQ.CLAIMS.DELETE", "x")[0]),
      failed("", "expected 3 chunks"),
    );
    assert.equal(jwts.size, 1);
    assert.deepEqual(asks(operator, [a]), {
      server,
      data: { code: 200, message: "deleted 1 accounts" },
    });
    assert.equal(jwts.size, 0);
  });

  test("a cache and a memory resolver update loaded accounts only", () => {
    for (const [kind, words] of [
      ["cache", "jwt update cache skipped"],
      ["memory", "jwt update skipped"],
    ] as const) {
      const { ask } = service(kind);
      const [a, jwt] = account();
      assert.deepEqual(answer(ask(`$SYS.REQ.ACCOUNT.${a}.CLAIMS.UPDATE`, jwt)[0]), {
        server,
        data: { account: a, code: 200, message: words },
      });
    }
    assert.deepEqual(service("memory").ask("$SYS.REQ.CLAIMS.UPDATE", account()[1]), []);
  });

  test("tokens that are of no use are refused, and the stored one stays", () => {
    const { accounts, ask, jwts } = service("full");
    const key = new Key("account");
    const [a, jwt] = account({}, key);
    jwts.save(a, jwt);
    assert.ok(accounts.lookup(a, () => undefined)?.ok);
    const rows: [string, string][] = [
      [account({ exp: SECONDS - 1 }, key)[1], "account validation failed"],
      [accountToken(new Key("operator"), a), "account validation failed"],
      [account({ iat: SECONDS - 1 }, key)[1], "jwt was issued before the stored one"],
    ];
    for (const [pushed, reason] of rows) {
      const description = `jwt update resulted in error - ${reason}`;
      assert.deepEqual(answer(ask("$SYS.REQ.CLAIMS.UPDATE", pushed)[0]), {
        server,
        error: { account: a, code: 500, description },
      });
    }
    assert.equal(jwts.load(a), jwt);
  });

  test("subscriptions depend on the resolver", () => {
    const subjects = (kind: "full" | "cache" | "memory"): number =>
      service(kind).claims.subscriptions().length;
    assert.deepEqual([subjects("memory"), subjects("cache"), subjects("full")], [2, 5, 7]);
    const pack = service("full").claims.subscriptions().at(-1);
    assert.deepEqual(pack, { subject: "$SYS.REQ.CLAIMS.PACK", queue: "responder" });
    assert.equal(NOW % 1000, 0);
  });
});
