/**
 * One login on its way to a verdict: the request, the credentials as they are amended (an assumed
 * `no_auth_user`, a user taken from a certificate), and how users are named in logs and monitoring.
 */
import type {
  AcceptedUser,
  AuthRequest,
  AuthVerdict,
  ClosedState,
  Credentials,
  RefusedUser,
} from "../core/index.ts";
import { goQuote, utf8Bytes, utf8ToLatin1 } from "../core/bytes/ascii.ts";
import { decodeBase64Url } from "./base64.ts";
import type { AuthLog, Crypto } from "./crypto.ts";
import { decodePublicKey } from "./nkeys.ts";

/** The state of one login; the parts that steps fill in are mutable. */
export interface Attempt {
  readonly request: AuthRequest;
  credentials: Credentials;
  /** The name, nkey or JWT subject that was found, whether or not its proof was good; for auth callout. */
  userId: string;
  /** The public key of a verified user JWT. */
  publicKey: string;
  proxyKey: string;
  proxyRequired: boolean;
}

/** A verdict with what auth callout must know about how it came to be. */
export interface Decision {
  readonly verdict: AuthVerdict;
  readonly attempt: Attempt;
  /** False for links that were decided by `leafnodes { authorization {} }`: no callout for those. */
  readonly delegable: boolean;
}

/** What a decision may still have to wait for. */
export type Decide = (decision: Decision) => void;

export function newAttempt(request: AuthRequest, credentials: Credentials): Attempt {
  return {
    request,
    credentials,
    userId: "",
    publicKey: "",
    proxyKey: "",
    proxyRequired: false,
  };
}

const NO_LIMITS = { maxPayload: -1, maxSubscriptions: -1 } as const;

/** Lets the user in; `details` overrides the plain answer of configured users. */
export function accept(
  attempt: Attempt,
  account: string,
  details: Partial<AcceptedUser> = {},
): AcceptedUser {
  const { credentials, publicKey } = attempt;
  return {
    ok: true,
    account,
    label: userLabel(credentials, publicKey),
    permissions: null,
    limits: NO_LIMITS,
    expires: null,
    authorizedUser: rawUser(credentials, publicKey),
    jwt: "",
    issuerKey: "",
    nameTag: "",
    tags: [],
    proxyKey: attempt.proxyKey,
    ...details,
  };
}

export function refuse(
  attempt: Attempt,
  reason: ClosedState = "Authentication Failure",
): RefusedUser {
  const { credentials, publicKey } = attempt;
  // A refused JWT has no key to show at first login, and then nothing is shown.
  const named = rawUser(credentials, publicKey) !== "";
  return {
    ok: false,
    error: "Authorization Violation",
    reason,
    who: named ? ` - ${describeUser(credentials, publicKey)}` : "",
  };
}

/** The user as `authorized_user` and events show it. */
export function rawUser(credentials: Credentials, publicKey: string): string {
  if (credentials.nkey !== "") return credentials.nkey;
  if (credentials.user !== "") return credentials.user;
  if (credentials.jwt !== "") return publicKey;
  return credentials.authToken === "" ? "" : "[REDACTED]";
}

/** The user as log labels show it: `user:alice`, `nkey:U…`, `jwt:U…`, `token`. */
export function userLabel(credentials: Credentials, publicKey: string): string {
  if (credentials.nkey !== "") return `nkey:${credentials.nkey}`;
  if (credentials.user !== "") return `user:${credentials.user}`;
  if (credentials.jwt !== "") return `jwt:${publicKey}`;
  return credentials.authToken === "" ? "" : "token";
}

function describeUser(credentials: Credentials, publicKey: string): string {
  if (credentials.nkey !== "") return `Nkey ${quote(credentials.nkey)}`;
  if (credentials.user !== "") return `User ${quote(credentials.user)}`;
  if (credentials.jwt !== "") return `JWT User ${quote(publicKey)}`;
  return 'Token "[REDACTED]"';
}

/** A text quoted as Go's `%q`. */
export function quote(text: string): string {
  return goQuote(utf8ToLatin1(text));
}

/** The warning about a user named in CONNECT where the certificate names it. */
export function warnOfConnectUser(attempt: Attempt, log: AuthLog): void {
  const { user } = attempt.credentials;
  if (user === "") return;
  log("warn", null, `User ${quote(user)} found in connect proto, but user required from cert`);
}

/** What trusted proxies say about a connection. */
export class ProxyCheck {
  readonly #keys: readonly string[];
  readonly #crypto: Crypto;
  readonly #log: AuthLog;

  constructor(keys: readonly string[], crypto: Crypto, log: AuthLog) {
    this.#keys = keys;
    this.#crypto = crypto;
    this.#log = log;
  }

  get configured(): boolean {
    return this.#keys.length > 0;
  }

  /** Notes the proxy's key on the attempt; answers a refusal if its signature is none of a trusted key. */
  identify(attempt: Attempt): RefusedUser | null {
    const { proxySig } = attempt.credentials;
    const { nonce, link } = attempt.request;
    if (proxySig === "" || this.#keys.length === 0) return null;
    const signature = decodeBase64Url(proxySig);
    if (signature === null) this.#log("debug", link, "Proxy signature not valid base64");
    const data = utf8Bytes(nonce);
    const found =
      signature?.length === 64 &&
      nonce !== "" &&
      this.#keys.find((text) => {
        const key = decodePublicKey(text);
        return key !== null && this.#crypto.verifyEd25519(key.key, signature, data);
      });
    if (typeof found === "string") {
      attempt.proxyKey = found;
      return null;
    }
    this.#log("debug", link, "proxy is not trusted");
    return refuse(attempt, "Proxy Not Trusted");
  }

  /** A refusal if a proxy is required and none vouched for the connection. */
  demand(attempt: Attempt, required: boolean): RefusedUser | null {
    attempt.proxyRequired = required;
    if (!required || attempt.proxyKey !== "") return null;
    this.#log("debug", attempt.request.link, "proxy connection required");
    return refuse(attempt, "Proxy Required");
  }
}
