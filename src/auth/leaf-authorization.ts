/**
 * `leafnodes { authorization {} }` on the accepting side: a single user, an nkey, or a list of users, each
 * bound to an account. Where the block names none of them, leaf links are asked as clients are.
 */
import type { AuthVerdict, RefusedUser } from "../core/index.ts";
import { accept, refuse, warnOfConnectUser, type Attempt, type ProxyCheck } from "./attempt.ts";
import { certificateUser } from "./certificate-user.ts";
import type { AuthLog, Crypto } from "./crypto.ts";
import { signatureFault } from "./nkeys.ts";
import { checkPassword } from "./passwords.ts";
import { GLOBAL_ACCOUNT, type LeafAuthOptions, type LeafUserEntry } from "./users.ts";

/** Decides about leaf links by the block's own credentials. */
export class LeafAuthorization {
  readonly #options: LeafAuthOptions;
  readonly #proxies: ProxyCheck;
  readonly #crypto: Crypto;
  readonly #log: AuthLog;

  constructor(options: LeafAuthOptions, proxies: ProxyCheck, crypto: Crypto, log: AuthLog) {
    this.#options = options;
    this.#proxies = proxies;
    this.#crypto = crypto;
    this.#log = log;
  }

  /** Whether the block names credentials, so that leaf links are decided here. */
  get applies(): boolean {
    const { user, nkey, users } = this.#options;
    return user !== "" || nkey !== "" || users.length > 0;
  }

  decide(attempt: Attempt, later: (verdict: AuthVerdict) => void): AuthVerdict | null {
    const { user, pass, nkey, account, proxyRequired } = this.#options;
    if (user !== "") {
      return this.#admit(attempt, { user, pass, account, proxyRequired }, later);
    }
    if (nkey !== "") return this.#admitNkey(attempt);
    const entry = this.#options.tlsMap ? this.#certificateUser(attempt) : this.#named(attempt);
    return entry === null ? refuse(attempt) : this.#admit(attempt, entry, later);
  }

  #named(attempt: Attempt): LeafUserEntry | null {
    const { user } = attempt.credentials;
    return this.#options.users.find((entry) => entry.user === user) ?? null;
  }

  #certificateUser(attempt: Attempt): LeafUserEntry | null {
    const { request } = attempt;
    const byName = (name: string): LeafUserEntry | null =>
      this.#options.users.find((entry) => entry.user === name) ?? null;
    // Here nats-server compares texts alone, never distinguished names.
    const candidates = (): [string, LeafUserEntry][] => [];
    const entry = certificateUser(request.tls, { byName, candidates }, this.#log, request.link);
    if (entry === null) return null;
    warnOfConnectUser(attempt, this.#log);
    attempt.credentials = { ...attempt.credentials, user: entry.user };
    return entry;
  }

  #proxied(attempt: Attempt, required: boolean): RefusedUser | null {
    return this.#proxies.identify(attempt) ?? this.#proxies.demand(attempt, required);
  }

  #admit(
    attempt: Attempt,
    entry: LeafUserEntry,
    later: (verdict: AuthVerdict) => void,
  ): AuthVerdict | null {
    const required = entry.proxyRequired || this.#options.proxyRequired;
    const unproxied = this.#proxied(attempt, required);
    if (unproxied !== null) return unproxied;
    if (entry.user !== attempt.credentials.user) return refuse(attempt);
    const conclude = (ok: boolean): AuthVerdict =>
      ok ? accept(attempt, bound(entry.account)) : refuse(attempt);
    const given = attempt.credentials.pass;
    const ok = checkPassword(this.#crypto, entry.pass, given, (late) => later(conclude(late)));
    return ok === null ? null : conclude(ok);
  }

  #admitNkey(attempt: Attempt): AuthVerdict {
    const { nkey, account, proxyRequired } = this.#options;
    const unproxied = this.#proxied(attempt, proxyRequired);
    if (unproxied !== null) return unproxied;
    const { credentials, request } = attempt;
    if (credentials.nkey !== nkey) return refuse(attempt);
    const fault = signatureFault(this.#crypto, nkey, credentials.sig, request.nonce);
    if (fault === null) return accept(attempt, bound(account));
    this.#log("debug", request.link, fault);
    return refuse(attempt);
  }
}

function bound(account: string): string {
  return account === "" ? GLOBAL_ACCOUNT : account;
}
