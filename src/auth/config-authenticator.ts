/**
 * Authentication by the configuration: nkey users, users with passwords or certificates, a single user or
 * token, the websocket overrides, `no_auth_user`, trusted proxies, and the leafnodes block (in
 * `leaf-authorization.ts`). The order of the questions is nats-server's and part of the contract.
 */
import type { AuthRequest, AuthVerdict, Authenticator, ConnectionType } from "../core/index.ts";
import {
  ProxyCheck,
  accept,
  newAttempt,
  quote,
  refuse,
  warnOfConnectUser,
  type Attempt,
  type Decide,
  type Decision,
} from "./attempt.ts";
import { certificateUser } from "./certificate-user.ts";
import type { AuthLog, Crypto } from "./crypto.ts";
import { LeafAuthorization } from "./leaf-authorization.ts";
import { signatureFault } from "./nkeys.ts";
import { checkPassword, isBcrypt } from "./passwords.ts";
import {
  GLOBAL_ACCOUNT,
  admits,
  collectUsers,
  type BoundUser,
  type ConfigAuthOptions,
  type SingleCredentials,
  type UserTable,
} from "./users.ts";

/** Credentials and assumptions that hold for one type of connection. */
interface Rules extends SingleCredentials {
  readonly noAuthUser: string;
  readonly tlsMap: boolean;
}

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Decides by the `authorization`, `accounts`, `websocket` and `leafnodes` blocks. */
export class ConfigAuthenticator implements Authenticator {
  /** The user that stands for clients without credentials beside a lone system account; "" = none. */
  readonly inventedUser: string;
  readonly #options: ConfigAuthOptions;
  readonly #crypto: Crypto;
  readonly #log: AuthLog;
  readonly #users: ReadonlyMap<string, BoundUser>;
  readonly #nkeys: ReadonlyMap<string, BoundUser>;
  readonly #noAuthUser: string;
  readonly #proxies: ProxyCheck;
  readonly #leaf: LeafAuthorization;

  constructor(options: ConfigAuthOptions, crypto: Crypto, log: AuthLog) {
    const { users, nkeys } = collectUsers(options);
    this.#options = options;
    this.#crypto = crypto;
    this.#log = log;
    this.inventedUser = inventUser(options, crypto);
    this.#noAuthUser = this.inventedUser === "" ? options.noAuthUser : this.inventedUser;
    this.#users =
      this.inventedUser === "" ? users : new Map([...users, invented(this.inventedUser)]);
    this.#nkeys = nkeys;
    this.#proxies = new ProxyCheck(options.trustedProxies, crypto, log);
    this.#leaf = new LeafAuthorization(options.leafnodes, this.#proxies, crypto, log);
  }

  required(type: ConnectionType): boolean {
    if (isLeaf(type)) return true;
    return this.#closed || (isWebsocket(type) && this.#websocketOverrides);
  }

  advertised(type: ConnectionType): boolean {
    // As nats-server: only the client port's INFO is silent about it, and not for an invented user.
    if (isLeaf(type) || isWebsocket(type)) return this.required(type);
    return this.required(type) && this.#options.noAuthUser === "";
  }

  admitsWithoutConnect(type: ConnectionType): boolean {
    if (isLeaf(type)) return false;
    const own = isWebsocket(type) ? this.#options.websocket.noAuthUser : "";
    const user = this.#users.get(own === "" ? this.#noAuthUser : own);
    return user !== undefined && !user.proxyRequired && admits(user.connectionTypes, type);
  }

  needsNonce(): boolean {
    return this.#nkeys.size > 0 || this.#proxies.configured;
  }

  /** Whether a plain password stands where a hash or a certificate could (a warning at start). */
  plaintextPasswords(): boolean {
    const { user, pass } = this.#options.authorization;
    if (user !== "" && pass !== "" && !isBcrypt(pass)) return true;
    return [...this.#users.values()].some(
      (entry) =>
        entry.user !== this.inventedUser &&
        !(entry.pass === "" && this.#mapsFromCertificate(entry)) &&
        !isBcrypt(entry.pass),
    );
  }

  /** The users that this authenticator knows, by name and by nkey. */
  table(): UserTable {
    return { users: this.#users, nkeys: this.#nkeys };
  }

  authenticate(request: AuthRequest, later: (verdict: AuthVerdict) => void): AuthVerdict | null {
    return this.decide(request, (decision) => later(decision.verdict))?.verdict ?? null;
  }

  /** As `authenticate`, with what auth callout wants to know besides. */
  decide(request: AuthRequest, later: Decide): Decision | null {
    // Outside operator mode a JWT means nothing, and must not name anybody.
    const attempt = newAttempt(request, { ...request.credentials, jwt: "" });
    if (request.kind === "leaf" && this.#leaf.applies) {
      const conclude = (verdict: AuthVerdict): Decision => ({ verdict, attempt, delegable: false });
      const verdict = this.#leaf.decide(attempt, (late) => later(conclude(late)));
      return verdict === null ? null : conclude(verdict);
    }
    const conclude = (verdict: AuthVerdict): Decision => ({ verdict, attempt, delegable: true });
    const verdict = this.#decide(attempt, (late) => later(conclude(late)));
    return verdict === null ? null : conclude(verdict);
  }

  get #closed(): boolean {
    const { user, token } = this.#options.authorization;
    return this.#users.size + this.#nkeys.size > 0 || user !== "" || token !== "";
  }

  get #websocketOverrides(): boolean {
    const { user, token, noAuthUser } = this.#options.websocket;
    return user !== "" || token !== "" || noAuthUser !== "";
  }

  #rules(request: AuthRequest): Rules {
    const { authorization, websocket, leafnodes, tlsMap } = this.#options;
    const { user, pass, token } = authorization;
    const plain = { user, pass, token, noAuthUser: this.#noAuthUser };
    if (request.kind === "leaf") {
      const own = request.connectionType === "LEAFNODE_WS" ? websocket.noAuthUser : "";
      return {
        ...plain,
        noAuthUser: own === "" ? plain.noAuthUser : own,
        tlsMap: leafnodes.tlsMap,
      };
    }
    if (!isWebsocket(request.connectionType)) return { ...plain, tlsMap };
    return this.#websocketOverrides ? websocket : { ...plain, tlsMap: websocket.tlsMap };
  }

  #decide(attempt: Attempt, later: (verdict: AuthVerdict) => void): AuthVerdict | null {
    const { request } = attempt;
    const untrusted = this.#proxies.identify(attempt);
    if (untrusted !== null) return untrusted;
    const overridden = isWebsocket(request.connectionType) && this.#websocketOverrides;
    if (!this.#closed && !overridden) {
      const bound = request.kind === "leaf" ? this.#options.leafnodes.account : "";
      return accept(attempt, bound === "" ? GLOBAL_ACCOUNT : bound);
    }
    const rules = this.#rules(request);
    const nkey = this.#findNkey(attempt, rules);
    if (nkey === "refused") return refuse(attempt);
    if (nkey !== null) return this.#admitNkey(attempt, nkey, rules);
    const user = this.#findUser(attempt, rules);
    if (user === "refused") return refuse(attempt);
    if (user !== null) return this.#admitUser(attempt, user, rules, later);
    return this.#admitSingle(attempt, rules, later);
  }

  #findNkey(attempt: Attempt, rules: Rules): BoundUser | "refused" | null {
    if (this.#nkeys.size === 0) return null;
    const { credentials } = attempt;
    if (credentials.nkey === "" && sendsNoPassword(attempt) && this.#nkeys.has(rules.noAuthUser)) {
      attempt.credentials = { ...credentials, nkey: rules.noAuthUser };
    }
    const { nkey } = attempt.credentials;
    if (nkey === "") return null;
    const found = this.#nkeys.get(nkey);
    return this.#admitted(found, attempt) ? found : "refused";
  }

  #admitted(user: BoundUser | undefined, attempt: Attempt): user is BoundUser {
    return user !== undefined && admits(user.connectionTypes, attempt.request.connectionType);
  }

  #admitNkey(attempt: Attempt, user: BoundUser, rules: Rules): AuthVerdict {
    attempt.userId = user.nkey;
    const unproxied = this.#proxies.demand(attempt, user.proxyRequired);
    if (unproxied !== null) return unproxied;
    if (user.nkey !== rules.noAuthUser) {
      const { sig } = attempt.credentials;
      const fault = signatureFault(this.#crypto, user.nkey, sig, attempt.request.nonce);
      if (fault !== null) {
        this.#log("debug", attempt.request.link, fault);
        return refuse(attempt);
      }
    }
    return accept(attempt, user.account, { permissions: user.permissions });
  }

  #findUser(attempt: Attempt, rules: Rules): BoundUser | "refused" | null {
    if (this.#users.size === 0) return null;
    if (rules.tlsMap) return this.#certificateUser(attempt) ?? "refused";
    const assumed = sendsNoPassword(attempt) ? this.#users.get(rules.noAuthUser) : undefined;
    if (assumed !== undefined) {
      const { user, pass } = assumed;
      attempt.credentials = { ...attempt.credentials, user, pass };
    }
    const { user } = attempt.credentials;
    if (user === "") return null;
    const found = this.#users.get(user);
    return this.#admitted(found, attempt) ? found : "refused";
  }

  #certificateUser(attempt: Attempt): BoundUser | null {
    const { request } = attempt;
    const byName = (name: string): BoundUser | null => {
      const user = this.#users.get(name);
      return this.#admitted(user, attempt) ? user : null;
    };
    const candidates = (): [string, BoundUser][] =>
      [...this.#users].filter(([, user]) => this.#admitted(user, attempt));
    const user = certificateUser(request.tls, { byName, candidates }, this.#log, request.link);
    if (user === null) return null;
    warnOfConnectUser(attempt, this.#log);
    attempt.credentials = { ...attempt.credentials, user: user.user };
    return user;
  }

  #admitUser(
    attempt: Attempt,
    user: BoundUser,
    rules: Rules,
    later: (verdict: AuthVerdict) => void,
  ): AuthVerdict | null {
    attempt.userId = user.user;
    const unproxied = this.#proxies.demand(attempt, user.proxyRequired);
    if (unproxied !== null) return unproxied;
    const { pass } = attempt.credentials;
    const anonymous = user.user === rules.noAuthUser;
    if (!rules.tlsMap && user.pass === "" && !anonymous && this.#mapsFromCertificate(user)) {
      const text = `User ${quote(user.user)} requires a client certificate`;
      this.#log("debug", attempt.request.link, text);
      return refuse(attempt);
    }
    const conclude = (ok: boolean): AuthVerdict =>
      ok ? accept(attempt, user.account, { permissions: user.permissions }) : refuse(attempt);
    // An assumed user is let in without a proof, also where its password is a hash.
    if (anonymous && pass === user.pass) return conclude(true);
    return this.#withPassword(user.pass, pass, conclude, later);
  }

  #admitSingle(
    attempt: Attempt,
    rules: Rules,
    later: (verdict: AuthVerdict) => void,
  ): AuthVerdict | null {
    const { authorization } = this.#options;
    const unproxied = this.#proxies.demand(attempt, authorization.proxyRequired);
    const { user, pass, authToken } = attempt.credentials;
    if (rules.token === "" && rules.user !== "" && rules.user === user) attempt.userId = user;
    if (unproxied !== null) return unproxied;
    const conclude = (ok: boolean): AuthVerdict =>
      ok ? accept(attempt, GLOBAL_ACCOUNT) : refuse(attempt);
    if (rules.token !== "") return this.#withPassword(rules.token, authToken, conclude, later);
    if (rules.user === "" || rules.user !== user) return refuse(attempt);
    return this.#withPassword(rules.pass, pass, conclude, later);
  }

  #withPassword(
    configured: string,
    given: string,
    conclude: (ok: boolean) => AuthVerdict,
    later: (verdict: AuthVerdict) => void,
  ): AuthVerdict | null {
    const ok = checkPassword(this.#crypto, configured, given, (late) => later(conclude(late)));
    return ok === null ? null : conclude(ok);
  }

  /** Whether some listener could take this user from a certificate: then its empty password is no password. */
  #mapsFromCertificate(user: BoundUser): boolean {
    const { tlsMap, listening, websocket, leafnodes } = this.#options;
    const allowed = (type: ConnectionType): boolean => admits(user.connectionTypes, type);
    if (tlsMap && listening && allowed("STANDARD")) return true;
    if (websocket.tlsMap && websocket.listening && allowed("WEBSOCKET")) return true;
    if (!leafnodes.tlsMap || !leafnodes.listening || this.#leaf.applies) return false;
    const overWebsocket = websocket.listening && websocket.asksCertificates;
    return allowed("LEAFNODE") || (overWebsocket && allowed("LEAFNODE_WS"));
  }
}

function sendsNoPassword(attempt: Attempt): boolean {
  const { user, pass, authToken } = attempt.credentials;
  return user === "" && pass === "" && authToken === "";
}

function isLeaf(type: ConnectionType): boolean {
  return type === "LEAFNODE" || type === "LEAFNODE_WS";
}

function isWebsocket(type: ConnectionType): boolean {
  return type === "WEBSOCKET";
}

/**
 * A lone system account beside `$G`, with neither an `authorization` block nor a `no_auth_user`: its users
 * must not lock out clients that bring no credentials, so a user is invented for them.
 */
function inventUser(options: ConfigAuthOptions, crypto: Crypto): string {
  const { authorization, accounts, systemAccount, noAuthUser, inventedUser } = options;
  const others = accounts.filter((account) => account.name !== GLOBAL_ACCOUNT);
  const lone = systemAccount !== "" && others.length === 1 && others[0]?.name === systemAccount;
  if (!lone || authorization.defined || noAuthUser !== "") return "";
  if (inventedUser !== "") return inventedUser;
  let name = "nats-";
  for (const byte of crypto.randomBytes(8)) name += LETTERS.charAt(byte % LETTERS.length);
  return name;
}

function invented(name: string): readonly [string, BoundUser] {
  return [
    name,
    {
      user: name,
      pass: name.slice(-8),
      nkey: "",
      account: GLOBAL_ACCOUNT,
      permissions: null,
      connectionTypes: [],
      proxyRequired: false,
    },
  ];
}
