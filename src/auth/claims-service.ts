/**
 * The services through which tools and servers exchange account tokens over the system account
 * (`$SYS.REQ.CLAIMS.*`, `$SYS.REQ.ACCOUNT.*.CLAIMS.*`). Subject and payload in, reply payloads out; the
 * server subscribes and publishes.
 */
import { latin1, latin1ToUtf8 } from "../core/bytes/ascii.ts";
import { readAccount, type AccountClaims } from "./claims/account.ts";
import { accountIssues } from "./claims/account-check.ts";
import { isBlocking } from "./claims/issues.ts";
import { decodeAs, type Token } from "./claims/token.ts";
import type { OperatorClaims } from "./claims/operator.ts";
import { trustedKeys } from "./claims/operator.ts";
import type { AuthLog, Crypto } from "./crypto.ts";
import type { JwtStore } from "./jwt-store.ts";
import { isPublicKey } from "./nkeys.ts";
import type { OperatorAccounts } from "./operator-accounts.ts";
import { StoreResolver } from "./resolver.ts";

/** A payload for the reply subject: text, or nothing (an empty message). */
export type ClaimsReply = string;

/** A subject to subscribe in the system account, with its queue group ("" = none). */
export interface ClaimsSubscription {
  readonly subject: string;
  readonly queue: string;
}

const UPDATE = "$SYS.REQ.CLAIMS.UPDATE";
const PACK = "$SYS.REQ.CLAIMS.PACK";
const LIST = "$SYS.REQ.CLAIMS.LIST";
const DELETE = "$SYS.REQ.CLAIMS.DELETE";
const NAMED_UPDATE = /^\$SYS\.(?:REQ\.)?ACCOUNT\.([^.]+)\.CLAIMS\.UPDATE$/;
const LOOKUP = /^\$SYS\.REQ\.ACCOUNT\.([^.]+)\.CLAIMS\.LOOKUP$/;
const NAMED_UPDATES = ["$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE", "$SYS.ACCOUNT.*.CLAIMS.UPDATE"];

export interface ClaimsServiceOptions {
  /** The first operator's word counts here; null where only trusted keys are configured. */
  readonly operator: OperatorClaims | null;
  readonly systemAccount: string;
  /** The `server` member of replies, as of now. */
  readonly serverInfo: () => object;
}

/** Answers requests about account tokens. */
export class ClaimsService {
  readonly #options: ClaimsServiceOptions;
  readonly #accounts: OperatorAccounts;
  readonly #crypto: Crypto;
  readonly #log: AuthLog;

  constructor(
    options: ClaimsServiceOptions,
    accounts: OperatorAccounts,
    crypto: Crypto,
    log: AuthLog,
  ) {
    this.#options = options;
    this.#accounts = accounts;
    this.#crypto = crypto;
    this.#log = log;
  }

  /** What to subscribe to, by the kind of resolver. */
  subscriptions(): readonly ClaimsSubscription[] {
    const subjects = [...NAMED_UPDATES];
    const { kind } = this.#accounts.resolver;
    if (kind === "full" || kind === "cache") subjects.push(UPDATE, LIST, DELETE);
    if (kind === "full") subjects.push(LOOKUP_ALL);
    const plain = subjects.map((subject) => ({ subject, queue: "" }));
    return kind === "full" ? [...plain, { subject: PACK, queue: "responder" }] : plain;
  }

  /** The payloads to send to the reply subject, in order; none where the request is not answered. */
  handle(subject: string, payload: Uint8Array): readonly ClaimsReply[] {
    const store = this.#store();
    const account = NAMED_UPDATE.exec(subject)?.[1];
    if (account !== undefined) return [this.#update(textOf(payload), account)];
    if (store === null) return [];
    const wanted = LOOKUP.exec(subject)?.[1];
    if (wanted !== undefined) return this.#lookup(store, wanted);
    switch (subject) {
      case UPDATE:
        return [this.#update(textOf(payload), null)];
      case PACK:
        return this.#pack(store, payload);
      case LIST:
        return [this.#list(store)];
      case DELETE:
        return [this.#delete(store, textOf(payload))];
      default:
        return [];
    }
  }

  #store(): JwtStore | null {
    const { resolver } = this.#accounts;
    return resolver instanceof StoreResolver ? resolver.tokens : null;
  }

  #update(jwt: string, named: string | null): ClaimsReply {
    const { kind } = this.#accounts.resolver;
    if (kind === "full") return this.#updateStore(jwt, named, "jwt update", "jwt updated");
    if (kind === "cache") {
      return this.#updateStore(jwt, named, "jwt update cache", "jwt updated cache");
    }
    return this.#updateLoaded(jwt, named ?? "");
  }

  /** Without a store only loaded accounts take part, and nothing outlives the process. */
  #updateLoaded(jwt: string, named: string): ClaimsReply {
    if (jwt === "") return this.#status(named, "jwt update error", "request body is empty");
    const decoded = decodeAs(this.#crypto, jwt, readAccount);
    const failed = (error: string): ClaimsReply =>
      this.#status(named, "jwt update resulted in error", error);
    if (!decoded.ok) return failed(decoded.error);
    if (decoded.claims.subject !== named) return failed("subject does not match jwt content");
    if (this.#accounts.loaded(named) === null) return this.#status(named, "jwt update skipped");
    const fault = this.#accounts.update(named, jwt);
    return fault === null ? this.#status(named, "jwt updated") : failed(fault);
  }

  #updateStore(jwt: string, named: string | null, what: string, done: string): ClaimsReply {
    const cache = this.#accounts.resolver.kind === "cache";
    const decoded = decodeAs(this.#crypto, jwt, readAccount);
    const failed = (account: string, error: string): ClaimsReply =>
      this.#status(account, `${what} resulted in error`, error);
    if (!decoded.ok) return failed((cache ? named : null) ?? "n/a", decoded.error);
    const { subject, issuer } = decoded.claims;
    const { operator } = this.#options;
    if (named !== null && subject !== named) {
      return failed(named, "subject does not match jwt content");
    }
    if (operator?.strictSigningKeyUsage === true && issuer === operator.subject) {
      return failed(subject, "operator requires issuer to be a signing key");
    }
    if (cache && this.#accounts.loaded(subject) === null)
      return this.#status(subject, `${what} skipped`);
    const invalid = this.#invalid(decoded.claims);
    if (invalid !== null) {
      const validation = cache ? "jwt update cache validation failed" : "jwt validation failed";
      return this.#status(subject, validation, invalid);
    }
    const fault = this.#useless(decoded.claims) ?? this.#store()?.save(subject, jwt) ?? null;
    return fault === null ? this.#status(subject, done) : failed(subject, fault);
  }

  /** What is not worth its room, or would take an account back or down; nats-server keeps it. */
  #useless({ subject, issuer, issuedAt, expires }: AccountClaims): string | null {
    const expired = expires > 0 && expires * 1000 <= this.#crypto.now();
    if (!this.#accounts.isTrusted(issuer) || (expired && this.#accounts.loaded(subject) !== null)) {
      return "account validation failed";
    }
    const stored = decodeAs(this.#crypto, this.#store()?.load(subject) ?? "", readAccount);
    const older = stored.ok && stored.claims.issuedAt > issuedAt;
    return older ? "jwt was issued before the stored one" : null;
  }

  #invalid(claims: AccountClaims): string | null {
    const issues = accountIssues(this.#crypto, claims, this.#crypto.now());
    if (!isBlocking(issues, false)) return null;
    const texts = issues.filter((issue) => issue.level === "error").map((issue) => issue.text);
    return `validation errors: [${texts.join(" ")}]`;
  }

  #lookup(store: JwtStore, account: string): readonly ClaimsReply[] {
    if (isPublicKey(account)) {
      const jwt = store.load(account);
      if (jwt === null)
        this.#log("debug", null, `DirResolver - Could not find account "${account}"`);
      return [jwt ?? ""];
    }
    const text = `DirResolver - Error looking up account "${account}": invalid public key`;
    this.#log("error", null, text);
    return [];
  }

  #pack(store: JwtStore, theirs: Uint8Array): readonly ClaimsReply[] {
    if (this.#crypto.timingSafeEqual(theirs, store.hash())) return [""];
    return [...store.pack(), ""];
  }

  #list(store: JwtStore): ClaimsReply {
    const data = [...store.pack()].map((line) => line.slice(0, line.indexOf("|")));
    this.#log("debug", null, `list request responded with ${data.length} account ids`);
    return JSON.stringify({ data, server: this.#options.serverInfo() });
  }

  #delete(store: JwtStore, jwt: string): ClaimsReply {
    const decoded = decodeAs(this.#crypto, jwt, (token) => token);
    const by = decoded.ok ? decoded.claims.subject : "";
    const accounts = decoded.ok ? this.#deletable(store, decoded.claims) : decoded.error;
    if (typeof accounts === "string") {
      return this.#status("", `delete accounts request by ${by} failed`, accounts);
    }
    const faults = accounts.map((account) => store.delete(account)).filter((f) => f !== null);
    const deleted = `deleted ${accounts.length - faults.length} accounts`;
    if (faults.length === 0) return this.#status("", deleted);
    return this.#status("", `${deleted}, failed for ${faults.length}`, faults.join("\n"));
  }

  /** The accounts that a request may delete, or why it may not. */
  #deletable(store: JwtStore, token: Token): readonly string[] | string {
    const { operator, systemAccount } = this.#options;
    const accounts = token.nats["accounts"];
    if (store.options.deleting === "no") return "delete must be enabled in server config";
    if (token.subject !== token.issuer) return "not self signed";
    if (operator === null || !trustedKeys([operator]).includes(token.issuer)) return "not trusted";
    if (!isKeyList(accounts)) return "malformed request";
    return accounts.includes(systemAccount) ? "not allowed to delete system account" : accounts;
  }

  #status(account: string, message: string, error: string | null = null): ClaimsReply {
    const parts = [message, account, error].filter((part) => part !== null && part !== "");
    this.#log(error === null ? "debug" : "error", null, parts.join(" - "));
    const named = account === "" ? {} : { account };
    const server = this.#options.serverInfo();
    return JSON.stringify(
      error === null
        ? { server, data: { ...named, code: 200, message } }
        : { server, error: { ...named, code: 500, description: `${message} - ${error}` } },
    );
  }
}

const LOOKUP_ALL = "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP";

/** The request that full servers send each other to find out what they lack: its payload is a store's hash. */
export const PACK_SUBJECT = PACK;

function isKeyList(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.every((item) => typeof item === "string" && isPublicKey(item, "account"))
  );
}

function textOf(payload: Uint8Array): string {
  return latin1ToUtf8(latin1(payload, 0, payload.length));
}
