/**
 * Authentication by user tokens: the trust runs from an operator's key over the account's token, which a
 * resolver finds, to the user's. The order of the questions is nats-server's.
 */
import type { AuthRequest, AuthVerdict, Authenticator, ConnectionType } from "../core/index.ts";
import { ProxyCheck, newAttempt, quote, refuse, type Attempt, type Decision } from "./attempt.ts";
import type { AccountClaims } from "./claims/account.ts";
import { isRevoked } from "./claims/activation.ts";
import { describeIssues, isBlocking } from "./claims/issues.ts";
import { isWithin } from "./claims/networks.ts";
import { scopedRights } from "./claims/template.ts";
import { windowAt } from "./claims/time-windows.ts";
import { decodeAs } from "./claims/token.ts";
import {
  accountOf,
  isBlank,
  readUser,
  userIssues,
  type UserClaims,
  type UserRights,
} from "./claims/user.ts";
import type { AuthLog, Crypto } from "./crypto.ts";
import { LeafAuthorization } from "./leaf-authorization.ts";
import { checkSignature } from "./nkeys.ts";
import type { AccountLookup, LoadedAccount, OperatorAccounts } from "./operator-accounts.ts";
import { grantUser, typeAdmitted } from "./user-grant.ts";
import type { LeafAuthOptions } from "./users.ts";

export interface OperatorAuthOptions {
  /** A user token for clients that bring none, or "". */
  readonly defaultSentinel: string;
  /** Only users of these accounts may connect (and of the system account); empty: of all. */
  readonly pinnedAccounts: readonly string[];
  readonly systemAccount: string;
  readonly trustedProxies: readonly string[];
  readonly leafnodes: LeafAuthOptions;
}

/** A decision with the account that the user's token names, where it was found. */
export interface OperatorDecision extends Decision {
  readonly account: AccountClaims | null;
}

type Later = (decision: OperatorDecision) => void;

export class OperatorAuthenticator implements Authenticator {
  readonly accounts: OperatorAccounts;
  readonly #options: OperatorAuthOptions;
  readonly #crypto: Crypto;
  readonly #log: AuthLog;
  readonly #proxies: ProxyCheck;
  readonly #leaf: LeafAuthorization;

  constructor(
    options: OperatorAuthOptions,
    accounts: OperatorAccounts,
    crypto: Crypto,
    log: AuthLog,
  ) {
    this.accounts = accounts;
    this.#options = options;
    this.#crypto = crypto;
    this.#log = log;
    this.#proxies = new ProxyCheck(options.trustedProxies, crypto, log);
    this.#leaf = new LeafAuthorization(options.leafnodes, this.#proxies, crypto, log);
  }

  required(_type: ConnectionType): boolean {
    return true;
  }

  advertised(_type: ConnectionType): boolean {
    return true;
  }

  admitsWithoutConnect(_type: ConnectionType): boolean {
    return false;
  }

  needsNonce(): boolean {
    return true;
  }

  authenticate(request: AuthRequest, later: (verdict: AuthVerdict) => void): AuthVerdict | null {
    return this.decide(request, (decision) => later(decision.verdict))?.verdict ?? null;
  }

  /** As `authenticate`, with what auth callout wants to know besides. */
  decide(request: AuthRequest, later: Later): OperatorDecision | null {
    const attempt = newAttempt(request, request.credentials);
    if (request.kind === "leaf" && this.#leaf.applies) return this.#decideLeaf(attempt, later);
    const untrusted = this.#proxies.identify(attempt);
    if (untrusted !== null) return concluded(attempt, untrusted);
    const user = this.#user(attempt);
    if (user === null) {
      return this.#refuse(attempt, "Authentication requires a user JWT");
    }
    const unproxied = this.#proxies.demand(attempt, user.rights.proxyRequired);
    if (unproxied !== null) return concluded(attempt, unproxied);
    const issues = userIssues(user, request.now);
    if (isBlocking(issues, true)) {
      return this.#refuse(attempt, `User JWT no longer valid: ${describeIssues(issues)}`);
    }
    const key = accountOf(user);
    if (!this.#isPinned(key)) {
      this.accounts.pinnedFails++;
      return this.#refuse(attempt, `Account ${key} not listed as operator pinned account`);
    }
    const answer = (decision: OperatorDecision | null): void => {
      if (decision !== null) later(decision);
    };
    const lookup = this.accounts.lookup(key, (late) =>
      answer(this.#prove(attempt, user, late, answer)),
    );
    return lookup === null ? null : this.#prove(attempt, user, lookup, answer);
  }

  /** Checks the nonce's signature, and what the account says when that is done: it may have changed meanwhile. */
  #prove(
    attempt: Attempt,
    user: UserClaims,
    lookup: AccountLookup,
    later: Later,
  ): OperatorDecision | null {
    const conclude = (found: AccountLookup, fault: string | null): OperatorDecision =>
      found.ok
        ? this.#admit(attempt, user, found.account, fault)
        : this.#refuse(attempt, `Account JWT lookup error: ${found.error}`);
    const { nonce } = attempt.request;
    const known = lookup.ok && this.accounts.signers(lookup.account.claims).has(user.issuer);
    // Whoever signs tokens with keys of their own is refused for that, and costs no further check.
    if (!known) return conclude(lookup, "Signature not verified");
    const { sig } = attempt.credentials;
    const proof = checkSignature(this.#crypto, user.subject, sig, nonce, (fault) => {
      const again = this.accounts.lookup(accountOf(user), (late) => later(conclude(late, fault)));
      if (again !== null) later(conclude(again, fault));
    });
    return proof === null ? null : conclude(lookup, proof.fault);
  }

  #decideLeaf(attempt: Attempt, later: Later): OperatorDecision | null {
    const finish = (verdict: AuthVerdict, wait: Later): OperatorDecision | null => {
      if (!verdict.ok) return concluded(attempt, verdict);
      const { account } = verdict;
      const conclude = (lookup: AccountLookup): OperatorDecision => {
        if (lookup.ok) return concluded(attempt, verdict);
        const user = quote(attempt.credentials.user);
        const where = `unable to lookup account ${quote(account)}: ${lookup.error}`;
        this.#log("error", null, `authentication of user ${user} failed, ${where}`);
        return concluded(attempt, refuse(attempt));
      };
      const lookup = this.accounts.lookup(account, (late) => wait(conclude(late)));
      return lookup === null ? null : conclude(lookup);
    };
    const verdict = this.#leaf.decide(attempt, (late) => {
      const decision = finish(late, later);
      if (decision !== null) later(decision);
    });
    return verdict === null ? null : finish(verdict, later);
  }

  /** The user of CONNECT's token, or of the sentinel; a token that does not verify counts as absent. */
  #user(attempt: Attempt): UserClaims | null {
    const { jwt } = attempt.credentials;
    const own = jwt === "" ? null : decodeAs(this.#crypto, jwt, readUser);
    if (own?.ok === true) return own.claims;
    const { defaultSentinel } = this.#options;
    if (defaultSentinel === "") return null;
    attempt.credentials = { ...attempt.credentials, jwt: defaultSentinel };
    const sentinel = decodeAs(this.#crypto, defaultSentinel, readUser);
    return sentinel.ok ? sentinel.claims : null;
  }

  #isPinned(account: string): boolean {
    const { pinnedAccounts, systemAccount } = this.#options;
    return (
      pinnedAccounts.length === 0 || pinnedAccounts.includes(account) || account === systemAccount
    );
  }

  /** `unproven`: what is wrong with the nonce's signature, which bearers need not give. */
  #admit(
    attempt: Attempt,
    user: UserClaims,
    loaded: LoadedAccount,
    unproven: string | null,
  ): OperatorDecision {
    const account = loaded.claims;
    attempt.userId = user.subject;
    const refused = (text: string): OperatorDecision => this.#refuse(attempt, text, account);
    if (!this.accounts.isTrusted(account.issuer)) {
      return refused("Account JWT not signed by trusted operator");
    }
    const rights = this.#rights(user, account);
    if (typeof rights === "string") return refused(rights);
    const unproxied = this.#proxies.demand(attempt, rights.proxyRequired);
    if (unproxied !== null) return concluded(attempt, unproxied, account);
    if (this.accounts.isExpired(loaded)) return refused("Account JWT has expired");
    const fault = this.#proofFault(attempt, user, rights, account, unproven);
    if (fault !== null) return refused(fault);
    return this.#grant(attempt, user, rights, account);
  }

  /** The user's rights, by its own token or the scope of its signer; a text says why it has none. */
  #rights(user: UserClaims, account: AccountClaims): UserRights | string {
    const scope = this.accounts.signers(account).get(user.issuer);
    if (scope === undefined) return "User JWT issuer is not known";
    if (scope === null) return user.rights;
    const scoped = scopedRights(scope, user, account);
    if (scoped.ok) return scoped.rights;
    return scoped.fault === "blank"
      ? `User JWT is not valid: ${scoped.error}`
      : "User JWT generated invalid permissions";
  }

  #proofFault(
    attempt: Attempt,
    user: UserClaims,
    rights: UserRights,
    account: AccountClaims,
    unproven: string | null,
  ): string | null {
    const { request } = attempt;
    if (rights.bearer && account.limits.disallowBearer) {
      return "Account does not allow bearer tokens";
    }
    const debug = (text: string): void => this.#log("debug", request.link, text);
    const admitted = typeAdmitted(rights.connectionTypes, request.connectionType, debug);
    // "unknown" has already said what it does not know.
    if (admitted !== "yes") return admitted === "no" ? "Connection type not allowed" : "";
    if (!rights.bearer && unproven !== null) return unproven;
    return isRevoked(account.revocations, user.subject, user.issuedAt)
      ? "User authentication revoked"
      : null;
  }

  #grant(
    attempt: Attempt,
    user: UserClaims,
    rights: UserRights,
    account: AccountClaims,
  ): OperatorDecision {
    const { host, link, now } = attempt.request;
    const closed = (text: string): OperatorDecision => {
      this.#log("error", link, text);
      return concluded(attempt, refuse(attempt), account);
    };
    if (rights.networks.length > 0 && !isWithin(host, rights.networks)) {
      return closed(`Bad src Ip ${host}`);
    }
    const window = windowAt(rights.windows, rights.zone, now);
    if (window === null) return closed("Outside connect times");
    attempt.publicKey = user.subject;
    this.#log("debug", link, describeLogin(attempt, user, account));
    return concluded(attempt, grantUser(attempt, user, rights, account, window.ends), account);
  }

  #refuse(attempt: Attempt, text: string, account: AccountClaims | null = null): OperatorDecision {
    if (text !== "") this.#log("debug", attempt.request.link, text);
    return concluded(attempt, refuse(attempt), account);
  }
}

function concluded(
  attempt: Attempt,
  verdict: AuthVerdict,
  account: AccountClaims | null = null,
): OperatorDecision {
  return { verdict, attempt, delegable: account !== null, account };
}

function describeLogin(attempt: Attempt, user: UserClaims, account: AccountClaims): string {
  const kind = attempt.request.kind === "leaf" ? "Leafnode" : "Client";
  const claims = (name: string, tags: readonly string[]): string =>
    `(claim-name: ${quote(name)}, claim-tags: [${tags.map(quote).join(" ")}])`;
  const signed = `signed with ${quote(user.issuer)} by Account ${quote(account.subject)}`;
  const mappings = `has mappings ${account.mappings.size > 0}`;
  return (
    `Authenticated JWT: ${kind} ${quote(user.subject)} ${claims(user.name, user.tags)} ` +
    `${signed} ${claims(account.name, account.tags)} signed with ${quote(account.issuer)} ${mappings}`
  );
}

/** What is wrong with a configured default sentinel; null if nothing. */
export function sentinelFault(crypto: Crypto, sentinel: string): string | null {
  if (sentinel === "") return null;
  const decoded = decodeAs(crypto, sentinel, readUser);
  if (!decoded.ok) return "default sentinel JWT not valid";
  const { rights, issuerAccount } = decoded.claims;
  // A scoped user may become a bearer by its template, which is not known yet.
  if (rights.bearer || (issuerAccount !== "" && isBlank(rights))) return null;
  return "default sentinel must be a bearer token";
}
