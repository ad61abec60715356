/**
 * Where account tokens come from: memory, an HTTP server, or a store of files that servers share over the
 * system account. What needs the network is handed in; nothing here waits by itself.
 */
import { isPublicKey } from "./nkeys.ts";
import type { JwtStore } from "./jwt-store.ts";

export type Fetched =
  | { readonly ok: true; readonly jwt: string }
  | { readonly ok: false; readonly error: string };

export interface AccountResolver {
  readonly kind: "memory" | "url" | "full" | "cache";
  /** Now, or null and `later` once, never from inside this call. */
  fetch(account: string, later: (fetched: Fetched) => void): Fetched | null;
  /** Keeps a token that was pushed to this server; answers what went wrong, or null. */
  store(account: string, jwt: string): string | null;
}

/** The configured preload, and what was pushed since; nothing survives the process. */
export class MemoryResolver implements AccountResolver {
  readonly kind = "memory";
  #tokens: Map<string, string>;

  constructor(preload: Iterable<readonly [account: string, jwt: string]>) {
    this.#tokens = new Map(preload);
  }

  /** Another preload; what was pushed is gone. */
  replace(preload: Iterable<readonly [account: string, jwt: string]>): void {
    this.#tokens = new Map(preload);
  }

  fetch(account: string): Fetched {
    const jwt = this.#tokens.get(account);
    return jwt === undefined ? { ok: false, error: "account missing" } : { ok: true, jwt };
  }

  store(account: string, jwt: string): string | null {
    this.#tokens.set(account, jwt);
    return null;
  }
}

/** An HTTP GET; `done` is called later: with the body of a 200, else with the reason. */
export type HttpGet = (
  url: string,
  done: (answer: { readonly body: string } | { readonly reason: string }) => void,
) => void;

/** `GET <url>/<account>`; read-only. */
export class UrlResolver implements AccountResolver {
  readonly kind = "url";
  readonly #base: string;
  readonly #get: HttpGet;

  constructor(url: string, get: HttpGet) {
    this.#base = url.endsWith("/") ? url : `${url}/`;
    this.#get = get;
  }

  /** Asks the bare URL once: a server does not start without it. */
  probe(done: (error: string | null) => void): void {
    this.#ask("", (fetched) => done(fetched.ok ? null : fetched.error));
  }

  fetch(account: string, later: (fetched: Fetched) => void): Fetched | null {
    this.#ask(account, later);
    return null;
  }

  store(): string {
    return "store operation not supported for URL Resolver";
  }

  #ask(account: string, later: (fetched: Fetched) => void): void {
    const url = this.#base + account;
    this.#get(url, (answer) => {
      if ("body" in answer) later({ ok: true, jwt: answer.body });
      else later({ ok: false, error: `could not fetch <"${redact(url)}">: ${answer.reason}` });
    });
  }
}

function redact(url: string): string {
  return url.replace(/(:\/\/[^/@:]*):[^/@]*@/, "$1:xxxxx@");
}

/** Asks the other servers of the system for an account; `later` gets the token, or the reason. */
export type RemoteLookup = (account: string, later: (fetched: Fetched) => void) => void;

/** A directory of tokens (FULL: all of them, CACHE: those in use); what is missing the other servers have. */
export class StoreResolver implements AccountResolver {
  readonly kind: "full" | "cache";
  readonly tokens: JwtStore;
  readonly #remote: RemoteLookup;

  constructor(kind: "full" | "cache", tokens: JwtStore, remote: RemoteLookup) {
    this.kind = kind;
    this.tokens = tokens;
    this.#remote = remote;
  }

  fetch(account: string, later: (fetched: Fetched) => void): Fetched | null {
    const jwt = this.tokens.load(account);
    if (jwt !== null) return { ok: true, jwt };
    this.#remote(account, (fetched) => {
      const fault = fetched.ok ? this.tokens.saveIfNewer(account, fetched.jwt) : null;
      later(fault === null ? fetched : { ok: false, error: fault });
    });
    return null;
  }

  store(account: string, jwt: string): string | null {
    return this.tokens.saveIfNewer(account, jwt);
  }
}

/**
 * The answers to one lookup among servers. Empty ones mean "not here" and count only when every known server
 * has given one; the first token decides.
 */
export class LookupAnswers {
  #awaited: number;

  constructor(servers: number) {
    this.#awaited = servers;
  }

  /** Null: wait on. */
  take(payload: string): Fetched | null {
    this.#awaited--;
    if (payload !== "") return { ok: true, jwt: payload };
    return this.#awaited > 0 ? null : { ok: false, error: "account jwt not found" };
  }
}

/** The subject that asks the other servers for an account. */
export function lookupSubject(account: string): string {
  return `$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`;
}

/** `resolver.fetch` for valid keys only: nothing else ever reaches a resolver. */
export function fetchAccount(
  resolver: AccountResolver,
  account: string,
  later: (fetched: Fetched) => void,
): Fetched | null {
  if (isPublicKey(account, "account")) return resolver.fetch(account, later);
  return { ok: false, error: "will only fetch valid account keys" };
}
