/**
 * Auth callout: after the ordinary decision a service is asked about the login and may overrule it, in either
 * direction. One question is one row in a table until its answer or its timeout, whichever comes first.
 *
 * The server must bring messages on a question's reply subject back by `onResponse`.
 */
import type {
  AcceptedUser,
  AuthRequest,
  AuthVerdict,
  Authenticator,
  ClosedState,
  ConnectionType,
  Millis,
  RefusedUser,
} from "../core/index.ts";
import { refuse, type Attempt, type Decision } from "./attempt.ts";
import {
  encodeRequest,
  readResponse,
  type CalloutServer,
  type Question,
} from "./callout-messages.ts";
import type { AccountClaims } from "./claims/account.ts";
import { scopedRights } from "./claims/template.ts";
import { windowAt } from "./claims/time-windows.ts";
import { userIssues, type UserClaims, type UserRights } from "./claims/user.ts";
import type { ConfigAuthenticator } from "./config-authenticator.ts";
import type { CurveKey } from "./curve-key.ts";
import type { AuthLog, Crypto } from "./crypto.ts";
import { encodePublicKey } from "./nkeys.ts";
import type { AccountLookup } from "./operator-accounts.ts";
import type { OperatorAuthenticator, OperatorDecision } from "./operator-authenticator.ts";
import { grantUser, typeAdmitted } from "./user-grant.ts";
import { GLOBAL_ACCOUNT } from "./users.ts";

/** The subject that services listen to in their account. */
export const CALLOUT_SUBJECT = "$SYS.REQ.USER.AUTH";
/** The header of sealed requests: the server's public curve key. */
export const CALLOUT_XKEY_HEADER = "Nats-Server-Xkey";

/** `authorization { auth_callout {} }`. */
export interface CalloutOptions {
  readonly issuer: string;
  /** "" stands for `$G`. */
  readonly account: string;
  readonly authUsers: readonly string[];
  /** A public curve key, or "". */
  readonly xkey: string;
  readonly allowedAccounts: readonly string[];
}

export interface CalloutRequest {
  readonly account: string;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly reply: string;
  /** The value of `Nats-Server-Xkey`; "": no headers. */
  readonly xkey: string;
}

/** What callout needs from the server. */
export interface CalloutWorld {
  readonly crypto: Crypto;
  readonly log: AuthLog;
  /** The seed of the server's nkey (`SN…`), and its curve key. */
  readonly seed: string;
  readonly curve: CurveKey;
  /** `authorization.timeout`: how long an answer may take. */
  readonly timeout: Millis;
  server(): CalloutServer;
  /** "" = none. */
  readonly systemAccount: string;
  /** Whether a configured account of this name exists. */
  hasAccount(name: string): boolean;
  /** A fresh reply subject. */
  newReply(): string;
  /** May be called inside `authenticate`; must not call back from inside. */
  publishRequest(request: CalloutRequest): void;
  /** Calls `fire` once after the delay, unless the returned function was called before. */
  startTimer(delay: Millis, fire: () => void): () => void;
}

/** The ordinary authentication that callout comes after. */
export type CalloutBase =
  | {
      readonly mode: "config";
      readonly auth: ConfigAuthenticator;
      readonly options: CalloutOptions;
    }
  | { readonly mode: "operator"; readonly auth: OperatorAuthenticator };

/** A refusal whose account event gives another reason than the close. */
export interface CalloutRefusal extends RefusedUser {
  /** "" after a timeout. */
  readonly eventReason: string;
  /** The account that hears of it. */
  readonly eventAccount: string;
}

type Later = (verdict: AuthVerdict) => void;

interface Pending extends Question {
  readonly later: Later;
  readonly callout: AccountClaims | null;
  readonly stopTimer: () => void;
}

/** The user, where it goes, and by which rights. */
interface Placement {
  readonly user: UserClaims;
  readonly rights: UserRights;
  readonly account: Pick<AccountClaims, "subject" | "defaultPermissions">;
}

const NOTHING = { allow: [], deny: [] };
const NO_DEFAULTS = { publish: NOTHING, subscribe: NOTHING, responses: null };

export class CalloutAuthenticator implements Authenticator {
  #base: CalloutBase;
  readonly #world: CalloutWorld;
  readonly #pending = new Map<string, Pending>();

  constructor(base: CalloutBase, world: CalloutWorld) {
    this.#base = base;
    this.#world = world;
  }

  /** After a reload: other users come first, and questions that wait go on. */
  rebase(base: CalloutBase): void {
    this.#base = base;
  }

  /** How many logins wait for an answer. */
  get pending(): number {
    return this.#pending.size;
  }

  required(type: ConnectionType): boolean {
    return this.#base.auth.required(type);
  }

  advertised(type: ConnectionType): boolean {
    return this.#base.auth.advertised(type);
  }

  admitsWithoutConnect(type: ConnectionType): boolean {
    return this.#base.auth.admitsWithoutConnect(type);
  }

  needsNonce(): boolean {
    return this.#base.auth.needsNonce();
  }

  authenticate(request: AuthRequest, later: Later): AuthVerdict | null {
    const base = this.#base;
    const proceed = (decision: Decision | OperatorDecision): AuthVerdict | null =>
      "account" in decision
        ? this.#afterOperator(decision, later)
        : this.#afterConfig(decision, later);
    const wait = (decision: Decision | OperatorDecision): void => {
      const verdict = proceed(decision);
      if (verdict !== null) later(verdict);
    };
    const decision = base.auth.decide(request, wait);
    return decision === null ? null : proceed(decision);
  }

  /** A message on a question's reply subject. */
  onResponse(reply: string, payload: Uint8Array): void {
    const pending = this.#pending.get(reply);
    if (pending === undefined) return;
    this.#pending.delete(reply);
    pending.stopTimer();
    this.#answer(pending, payload);
  }

  #afterConfig(decision: Decision, later: Later): AuthVerdict | null {
    const { verdict, attempt, delegable } = decision;
    if (this.#base.mode !== "config" || !delegable || isUntrusted(verdict)) return verdict;
    const { options } = this.#base;
    const account = options.account === "" ? GLOBAL_ACCOUNT : options.account;
    // Who is refused is bound to `$G` at this moment, whichever user it tried to be.
    const bound = verdict.ok ? verdict.account : GLOBAL_ACCOUNT;
    const { allowedAccounts, authUsers } = options;
    if (attempt.request.kind === "client" && bound !== GLOBAL_ACCOUNT) {
      if (allowedAccounts.length > 0 && !allowedAccounts.includes(bound)) return verdict;
    }
    if (attempt.userId !== "" && authUsers.includes(attempt.userId)) {
      return withholding(verdict, account);
    }
    // Administrators get in while the service is down; nats-server asks about them too.
    if (verdict.ok && allowedAccounts.length === 0 && bound === this.#world.systemAccount) {
      return verdict;
    }
    if (!this.#world.hasAccount(account)) {
      const text = `No valid account "${account}" for auth callout request: account missing`;
      return this.#refuse(attempt, account, text);
    }
    this.#ask({ attempt, account, subject: options.issuer, xkey: options.xkey }, null, later);
    return null;
  }

  #afterOperator(decision: OperatorDecision, later: Later): AuthVerdict | null {
    const { verdict, attempt, account } = decision;
    if (account === null || account.authorization.authUsers.length === 0) return verdict;
    const { authUsers, xkey } = account.authorization;
    if (authUsers.includes(attempt.userId)) return withholding(verdict, account.subject);
    // A token that is not good names no account whose service could be asked.
    if (!verdict.ok) return verdict;
    const { subject } = account;
    this.#ask({ attempt, account: subject, subject, xkey }, account, later);
    return null;
  }

  #ask(asked: Omit<Question, "userKey">, callout: AccountClaims | null, later: Later): void {
    const { crypto, seed, curve, timeout } = this.#world;
    // Nobody ever signs with this key: it only has to be fresh, so any 32 bytes will do.
    const userKey = encodePublicKey("user", crypto.randomBytes(32));
    const question = { ...asked, userKey };
    const reply = this.#world.newReply();
    const expires = crypto.now() + timeout;
    const server = this.#world.server();
    const payload = encodeRequest(crypto, question, server, { seed, curve }, expires);
    const stopTimer = this.#world.startTimer(timeout, () => this.#timedOut(reply));
    this.#pending.set(reply, { ...question, callout, later, stopTimer });
    this.#world.publishRequest({
      account: asked.account,
      subject: CALLOUT_SUBJECT,
      payload,
      reply,
      xkey: asked.xkey === "" ? "" : curve.publicKey,
    });
  }

  #timedOut(reply: string): void {
    const pending = this.#pending.get(reply);
    if (pending === undefined) return;
    this.#pending.delete(reply);
    const { attempt, account, later } = pending;
    const text = "Authorization callout response not received in time on account";
    this.#world.log("debug", null, `${text} "${account}"`);
    later(calloutRefusal(attempt, account, ""));
  }

  #answer(pending: Pending, payload: Uint8Array): void {
    const { attempt, account, later } = pending;
    const { crypto, curve } = this.#world;
    const failed = (text: string, reason?: ClosedState): void =>
      later(this.#refuse(attempt, account, text, reason));
    const { id } = this.#world.server();
    const decoded = readResponse(crypto, payload, pending, { id, curve }, (issuer, issuerAccount) =>
      this.#signerFault(pending, issuer, issuerAccount),
    );
    if (!decoded.ok) {
      failed(decoded.error);
      return;
    }
    const user = decoded.claims;
    const required = attempt.proxyRequired || user.rights.proxyRequired;
    if (required && attempt.proxyKey === "") {
      failed("proxy connection required", "Proxy Required");
      return;
    }
    const [issue] = userIssues(user, crypto.now());
    const fault =
      issue === undefined
        ? this.#userFault(pending, user)
        : `Error validating user JWT: ${issue.text}`;
    if (fault !== null) {
      failed(fault);
      return;
    }
    this.#place(pending, user, (placed) => {
      if (typeof placed === "string") failed(placed);
      else this.#admit(pending, placed, failed);
    });
  }

  /** Who may sign a plain response. */
  #signerFault(pending: Pending, issuer: string, issuerAccount: string): string | null {
    const base = this.#base;
    const unknown = "auth callout signing key is unknown";
    if (base.mode === "config") return issuer === base.options.issuer ? null : unknown;
    const { account, callout } = pending;
    if (issuerAccount !== "" && issuerAccount !== account) {
      return `auth callout response issuer account "${issuerAccount}" is not the callout account`;
    }
    if (issuer === account) return null;
    const known = callout !== null && base.auth.accounts.signers(callout).has(issuer);
    return known ? null : unknown;
  }

  #userFault(pending: Pending, user: UserClaims): string | null {
    const { userKey, account, callout } = pending;
    if (user.subject !== userKey) {
      return `Expected authorized user of "${userKey}" but got "${user.subject}" on account "${account}"`;
    }
    const base = this.#base;
    const { issuer, issuerAccount } = user;
    if (base.mode === "config") {
      if (issuerAccount !== "") {
        return `error non operator mode account "${account}": attempted to use issuer_account`;
      }
      const expected = base.options.issuer;
      if (issuer === expected) return null;
      const where = `wrong issuer for auth callout response on account "${account}"`;
      return `${where}, expected "${expected}" got "${issuer}"`;
    }
    const target = issuerAccount === "" ? issuer : issuerAccount;
    const allowed = callout?.authorization.allowedAccounts ?? [];
    if (target === account || allowed.includes(target)) return null;
    if (allowed.length === 1 && allowed[0] === "*") return null;
    const option = "not permitted as valid account option for auth callout for account";
    return `account "${issuer}" ${option} "${account}"`;
  }

  /** Finds the user's account, and its rights there; a text says why not. */
  #place(pending: Pending, user: UserClaims, done: (placed: Placement | string) => void): void {
    const base = this.#base;
    const missing = (name: string, error: string): string => {
      const where = `for auth callout response on account "${pending.account}"`;
      return `no valid account "${name}" ${where}: ${error}`;
    };
    if (base.mode === "config") {
      const name = user.audience;
      const account = { subject: name, defaultPermissions: NO_DEFAULTS };
      if (this.#world.hasAccount(name)) done({ user, rights: user.rights, account });
      else done(missing(name, "account missing"));
      return;
    }
    const key = user.issuerAccount === "" ? user.issuer : user.issuerAccount;
    const conclude = (lookup: AccountLookup): void => {
      if (!lookup.ok) {
        done(missing(key, lookup.error));
        return;
      }
      const account = lookup.account.claims;
      const scope = base.auth.accounts.signers(account).get(user.issuer);
      if (scope === undefined) {
        done(`user JWT issuer "${user.issuer}" is not known`);
      } else if (scope === null) {
        done({ user, rights: user.rights, account });
      } else {
        const scoped = scopedRights(scope, user, account);
        const what =
          !scoped.ok && scoped.fault === "blank"
            ? "user JWT is not valid"
            : "user JWT generated invalid permissions";
        done(scoped.ok ? { user, rights: scoped.rights, account } : `${what}: ${scoped.error}`);
      }
    };
    const lookup = base.auth.accounts.lookup(key, conclude);
    if (lookup !== null) conclude(lookup);
  }

  #admit(
    pending: Pending,
    { user, rights, account }: Placement,
    failed: (text: string, reason?: ClosedState) => void,
  ): void {
    const { attempt, later } = pending;
    const { log, crypto } = this.#world;
    const { link, connectionType } = attempt.request;
    const window = windowAt(rights.windows, rights.zone, crypto.now());
    const someone = `authorized user on account "${pending.account}"`;
    if (window === null) {
      log("error", link, "Outside connect times");
      failed(`${someone} outside of valid connect times`);
      return;
    }
    const debug = (text: string): void => log("debug", link, text);
    const admitted = typeAdmitted(rights.connectionTypes, connectionType, debug);
    if (admitted !== "yes") {
      const what =
        admitted === "no" ? "not allowed to use connection type" : "using invalid connection type";
      failed(`${someone} ${what}`);
      return;
    }
    if (rights.proxyRequired && attempt.proxyKey === "") {
      failed("proxy connection required", "Proxy Required");
      return;
    }
    // The connection is now known by the name that the service gave it.
    const kept = { ...attempt.credentials, jwt: "" };
    attempt.credentials =
      user.name === "" ? kept : { ...kept, user: user.name, nkey: "", authToken: "" };
    attempt.publicKey = "";
    const granted = grantUser(attempt, user, rights, account, window.ends);
    // As in nats-server, the limits of such a user's token are not looked at.
    const limits = { maxPayload: -1, maxSubscriptions: -1 };
    later(withholding({ ...granted, limits }, pending.account));
  }

  #refuse(
    attempt: Attempt,
    account: string,
    text: string,
    reason: ClosedState = "Authentication Failure",
  ): CalloutRefusal {
    const shown = text.charAt(0).toUpperCase() + text.slice(1);
    this.#world.log("warn", null, shown);
    return calloutRefusal(attempt, account, shown, reason);
  }
}

function calloutRefusal(
  attempt: Attempt,
  eventAccount: string,
  eventReason: string,
  reason?: ClosedState,
): CalloutRefusal {
  return { ...refuse(attempt, reason), eventReason, eventAccount };
}

function isUntrusted(verdict: AuthVerdict): boolean {
  return !verdict.ok && verdict.reason === "Proxy Not Trusted";
}

/** Users of the service's own account may not pose questions to it. */
function withholding(verdict: AuthVerdict, account: string): AuthVerdict {
  if (!verdict.ok || verdict.account !== account) return verdict;
  const { permissions } = verdict;
  const publish = permissions?.publish ?? { allow: null, deny: [] };
  const denied: AcceptedUser = {
    ...verdict,
    permissions: {
      subscribe: permissions?.subscribe ?? { allow: null, deny: [] },
      responses: permissions?.responses ?? null,
      publish: { ...publish, deny: [...publish.deny, CALLOUT_SUBJECT] },
    },
  };
  return denied;
}
