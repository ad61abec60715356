/**
 * Tokens for tests, written without the code under test, and a small operator with accounts.
 */
import {
  MemoryResolver,
  OPEN_SERVER,
  OperatorAccounts,
  OperatorAuthenticator,
  decodeAs,
  readOperator,
  strictKeys,
  trustedKeys,
  type AccountChanged,
  type AccountResolver,
  type OperatorAuthOptions,
} from "../../src/auth/index.ts";
import { Key, NONCE, NOW, TestCrypto, recorder } from "./fixtures.ts";

export const SECONDS = NOW / 1000;

type Json = Record<string, unknown>;

/** A signed token; `top` adds or replaces claims beside `nats`. */
export function token(signer: Key, subject: string, nats: Json, top: Json = {}): string {
  const claims = {
    jti: "X",
    iat: SECONDS,
    iss: signer.public,
    name: "t",
    sub: subject,
    ...top,
    nats,
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const data = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part(claims)}`;
  return `${data}.${signer.sign(data)}`;
}

export function operatorToken(signer: Key, nats: Json = {}, top: Json = {}): string {
  return token(signer, signer.public, { type: "operator", version: 2, ...nats }, top);
}

export const UNLIMITED = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
};

export function accountToken(
  signer: Key,
  subject: string,
  nats: Json = {},
  top: Json = {},
): string {
  const base = { limits: UNLIMITED, type: "account", version: 2 };
  return token(signer, subject, { ...base, ...nats }, top);
}

/** A user's token without limits. */
export function userToken(signer: Key, subject: string, nats: Json = {}, top: Json = {}): string {
  const base = { subs: -1, data: -1, payload: -1, type: "user", version: 2 };
  return token(signer, subject, { ...base, ...nats }, top);
}

/** A user's token that grants and limits nothing, as scoped signing keys want it. */
export function scopedToken(
  signer: Key,
  account: Key,
  subject: string,
  nats: Json = {},
  top: Json = {},
): string {
  const base = { issuer_account: account.public, type: "user", version: 2 };
  return token(signer, subject, { ...base, ...nats }, top);
}

export function activationToken(signer: Key, to: string, nats: Json = {}, top: Json = {}): string {
  return token(signer, to, { kind: "stream", type: "activation", version: 2, ...nats }, top);
}

/** A server that trusts one operator. */
export class TestOperator {
  readonly crypto = new TestCrypto();
  readonly key = new Key("operator");
  readonly system = new Key("account");
  readonly tokens = new Map<string, string>();
  readonly lines: string[];
  readonly changes: Parameters<AccountChanged>[] = [];
  readonly accounts: OperatorAccounts;
  readonly auth: OperatorAuthenticator;

  constructor(
    operator: Json = {},
    options: Partial<OperatorAuthOptions> = {},
    resolver?: AccountResolver,
  ) {
    const { lines, log } = recorder();
    this.lines = lines;
    const decoded = decodeAs(this.crypto, operatorToken(this.key, operator), readOperator);
    if (!decoded.ok) throw new Error(decoded.error);
    const claims = [decoded.claims];
    const memory = {
      kind: "memory" as const,
      fetch: (account: string) => new MemoryResolver(this.tokens).fetch(account),
      store: () => null,
    };
    this.accounts = new OperatorAccounts(
      resolver ?? memory,
      { trustedKeys: trustedKeys(claims), strictKeys: strictKeys(claims) },
      { crypto: this.crypto, log },
      (...change) => this.changes.push(change),
    );
    const base = {
      defaultSentinel: "",
      pinnedAccounts: [],
      systemAccount: this.system.public,
      trustedProxies: [],
      leafnodes: OPEN_SERVER.leafnodes,
    };
    this.auth = new OperatorAuthenticator({ ...base, ...options }, this.accounts, this.crypto, log);
  }

  account(nats: Json = {}, top: Json = {}, key = new Key("account"), signer = this.key): Key {
    this.tokens.set(key.public, accountToken(signer, key.public, nats, top));
    return key;
  }
}

/** CONNECT members of a user with this token and key. */
export function proof(jwt: string, key: Key): { jwt: string; sig: string } {
  return { jwt, sig: key.sign(NONCE) };
}
