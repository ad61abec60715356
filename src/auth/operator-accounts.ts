/**
 * The accounts of an operator's server: loaded through the resolver when first asked for, trusted by their
 * issuer, replaced when newer claims arrive.
 *
 * Invariant: every loaded account was signed by a trusted key and had no blocking issue when it was loaded.
 */
import type { Millis } from "../core/index.ts";
import { readAccount, type AccountClaims, type UserScope } from "./claims/account.ts";
import { accountIssues } from "./claims/account-check.ts";
import { viewAccount, type AccountClaimsView } from "./claims/account-view.ts";
import { isBlocking } from "./claims/issues.ts";
import { decodeAs, type Decoded } from "./claims/token.ts";
import type { AuthLog, Crypto } from "./crypto.ts";
import { fetchAccount, type AccountResolver, type Fetched } from "./resolver.ts";

export type AccountLookup =
  | { readonly ok: true; readonly account: LoadedAccount }
  | { readonly ok: false; readonly error: string };

export interface LoadedAccount {
  readonly claims: AccountClaims;
  readonly view: AccountClaimsView;
  /** "" for the placeholder of a system account that is not to be had yet. */
  readonly jwt: string;
  readonly updated: Millis;
}

export interface OperatorTrust {
  /** Keys whose signature makes an account trusted. */
  readonly trustedKeys: readonly string[];
  /** Those of them that forbid accounts to sign users with their own key. */
  readonly strictKeys: readonly string[];
}

/** Called with the new claims, and those they replace (null: just loaded). */
export type AccountChanged = (view: AccountClaimsView, before: AccountClaimsView | null) => void;

/** A loaded account is not fetched again sooner than this. */
const FETCH_PAUSE: Millis = 1000;
/** Longer fetches are worth a warning. */
const FETCH_SLOW: Millis = 1000;

export class OperatorAccounts {
  readonly resolver: AccountResolver;
  /** How many logins named an account that is not pinned (`/varz`). */
  pinnedFails = 0;
  readonly #trust: OperatorTrust;
  readonly #crypto: Crypto;
  readonly #log: AuthLog;
  readonly #changed: AccountChanged;
  readonly #loaded = new Map<string, LoadedAccount>();
  /** Logins that wait for one fetch of an account. */
  readonly #waiting = new Map<string, ((lookup: AccountLookup) => void)[]>();

  constructor(
    resolver: AccountResolver,
    trust: OperatorTrust,
    platform: { readonly crypto: Crypto; readonly log: AuthLog },
    changed: AccountChanged,
  ) {
    this.resolver = resolver;
    this.#trust = trust;
    this.#crypto = platform.crypto;
    this.#log = platform.log;
    this.#changed = changed;
  }

  loaded(key: string): LoadedAccount | null {
    return this.#loaded.get(key) ?? null;
  }

  all(): IterableIterator<LoadedAccount> {
    return this.#loaded.values();
  }

  isTrusted(issuer: string): boolean {
    return this.#trust.trustedKeys.includes(issuer);
  }

  /** The keys that may sign this account's users: null stands for one without a scope. */
  signers(claims: AccountClaims): ReadonlyMap<string, UserScope | null> {
    if (this.#trust.strictKeys.includes(claims.issuer)) return claims.signingKeys;
    return new Map([...claims.signingKeys, [claims.subject, null]]);
  }

  isExpired(account: LoadedAccount): boolean {
    const { expires } = account.view;
    return expires !== null && this.#crypto.now() >= expires;
  }

  /** The account now, or null and `later` once. */
  lookup(key: string, later: (lookup: AccountLookup) => void): AccountLookup | null {
    const account = this.#loaded.get(key);
    if (account !== undefined && !this.isExpired(account)) return { ok: true, account };
    if (account !== undefined) {
      this.#log("debug", null, `Requested account [${key}] has expired`);
      if (this.#crypto.now() - account.updated < FETCH_PAUSE) return expired();
    }
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      waiting.push(later);
      return null;
    }
    const asked = this.#crypto.now();
    const fetched = fetchAccount(this.resolver, key, (late) => {
      const took = this.#crypto.now() - asked;
      if (took > FETCH_SLOW) this.#log("warn", null, `Account [${key}] fetch took ${took / 1000}s`);
      this.#arrive(key, late);
    });
    if (fetched !== null) return this.#load(key, fetched);
    this.#waiting.set(key, [later]);
    return null;
  }

  /** Replaces the claims of a loaded account; answers why not, or null. */
  update(key: string, jwt: string): string | null {
    const account = this.#loaded.get(key);
    if (account === undefined) return "account missing";
    if (account.jwt === jwt) {
      this.#log("debug", null, `Requested account update for [${key}], same claims detected`);
      return null;
    }
    const checked = this.verify(jwt);
    if (!checked.ok) return checked.error;
    if (checked.claims.subject !== key) return "account validation failed";
    this.#set(key, checked.claims, jwt);
    return null;
  }

  /** Claims that this server would trust. */
  verify(jwt: string): Decoded<AccountClaims> {
    const decoded = decodeAs(this.#crypto, jwt.trim(), readAccount);
    if (!decoded.ok) return decoded;
    const { claims } = decoded;
    const issues = accountIssues(this.#crypto, claims, this.#crypto.now());
    if (this.isTrusted(claims.issuer) && !isBlocking(issues, true)) return decoded;
    return { ok: false, error: "account validation failed" };
  }

  /** A system account without claims, so that its users can bring the first ones. */
  addPlaceholder(key: string, operator: string): void {
    const claims: AccountClaims = { ...PLACEHOLDER, subject: key, issuer: operator };
    const view = viewAccount(claims);
    this.#loaded.set(key, { claims, view, jwt: "", updated: 0 });
    this.#changed(view, null);
  }

  /** Forgets a deleted account. */
  remove(key: string): void {
    this.#loaded.delete(key);
  }

  #arrive(key: string, fetched: Fetched): void {
    const waiting = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    const lookup = this.#load(key, fetched);
    for (const later of waiting) later(lookup);
  }

  #load(key: string, fetched: Fetched): AccountLookup {
    const known = this.#loaded.has(key);
    const failed = (error: string): AccountLookup => (known ? expired() : { ok: false, error });
    if (!fetched.ok) {
      this.#log("warn", null, `Account fetch failed: ${fetched.error}`);
      return failed(fetched.error);
    }
    const checked = this.verify(fetched.jwt);
    if (!checked.ok) return failed(checked.error);
    if (checked.claims.subject !== key) return failed("account validation failed");
    return { ok: true, account: this.#set(key, checked.claims, fetched.jwt) };
  }

  #set(key: string, claims: AccountClaims, jwt: string): LoadedAccount {
    const before = this.#loaded.get(key)?.view ?? null;
    const account = { claims, view: viewAccount(claims), jwt, updated: this.#crypto.now() };
    this.#loaded.set(key, account);
    this.#log("debug", null, `Updating account claims: ${key}/${claims.name}`);
    this.#changed(account.view, before);
    return account;
  }
}

function expired(): AccountLookup {
  return { ok: false, error: "account expired" };
}

const NO_SUBJECTS = { allow: [], deny: [] };

const PLACEHOLDER: AccountClaims = {
  audience: "",
  expires: 0,
  id: "",
  issuedAt: 0,
  issuer: "",
  name: "",
  notBefore: 0,
  subject: "",
  tags: [],
  imports: [],
  exports: [],
  limits: {
    subscriptions: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    wildcardExports: true,
    disallowBearer: false,
    connections: -1,
    leafnodes: -1,
  },
  jetStream: false,
  jetStreamConflict: false,
  signingKeys: new Map(),
  revocations: new Map(),
  defaultPermissions: { publish: NO_SUBJECTS, subscribe: NO_SUBJECTS, responses: null },
  mappings: new Map(),
  authorization: { authUsers: [], allowedAccounts: [], xkey: "" },
  trace: null,
  clusterTraffic: "",
};
