/**
 * The services about account tokens on the system account of a running server: requests to `ClaimsService` and
 * its replies, the look-up of accounts at other servers, and the exchange of packs by which FULL resolvers
 * come to hold the same tokens.
 */
import {
  ClaimsService,
  LookupAnswers,
  PACK_SUBJECT,
  lookupSubject,
  type AuthLog,
  type Fetched,
  type JwtStore,
} from "../auth/index.ts";
import {
  latin1,
  latin1ToUtf8,
  utf8Bytes,
  type Engine,
  type InternalMessage,
  type Link,
  type Millis,
  type Subscription,
} from "../core/index.ts";
import { now } from "./clock.ts";

export interface ClaimsHost {
  readonly engine: Engine;
  readonly log: AuthLog;
  readonly systemAccount: string;
  /** Other servers of the system that are known. */
  peers(): number;
  /** After messages were published from outside the engine's own calls. */
  afterCall(): void;
}

/** How often a store looks for tokens that have gone out of date. */
const EXPIRE_EVERY: Millis = 1000;

export class ClaimsResponder {
  readonly #host: ClaimsHost;
  readonly #service: ClaimsService;
  readonly #store: JwtStore | null;
  readonly #inbox: string;
  readonly #lookups = new Map<string, (payload: string | null) => void>();
  readonly #subscriptions: Subscription[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #link: Link | null = null;
  #lastLookup = 0;

  constructor(host: ClaimsHost, service: ClaimsService, store: JwtStore | null, inbox: string) {
    this.#host = host;
    this.#service = service;
    this.#store = store;
    this.#inbox = inbox;
  }

  /** Subscribes; with an `interval`, the stores of other servers are compared that often. */
  start(interval: Millis | null): void {
    const { engine, systemAccount } = this.#host;
    const link = engine.internal.quiet(engine.account(systemAccount));
    this.#link = link;
    for (const { subject, queue } of this.#service.subscriptions()) {
      this.#listen(link, subject, queue, (message) => this.#handle(message));
    }
    const store = this.#store;
    if (store === null) return;
    this.#listen(link, `${this.#inbox}.lookup.*`, "", ({ subject, payload }) => {
      this.#lookups.get(subject)?.(textOf(payload));
    });
    this.#every(EXPIRE_EVERY, () => store.expire());
    if (interval === null) return;
    this.#listen(link, `${this.#inbox}.pack`, "", ({ payload }) => this.#merge(store, payload));
    this.#every(interval, () => {
      this.#debug(`Checking store state: ${hex(store.hash())}`);
      this.#publish(PACK_SUBJECT, `${this.#inbox}.pack`, store.hash());
    });
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    for (const sub of this.#subscriptions) this.#host.engine.removeSubscription(sub);
    this.#subscriptions.length = 0;
    for (const answer of this.#lookups.values()) answer(null);
  }

  /** Asks the other servers for an account; `later` is called once. */
  lookup(key: string, timeout: Millis, later: (fetched: Fetched) => void): void {
    const account = this.#link?.account ?? null;
    // Whoever else could know would be behind a link of the system account.
    if (account === null || (this.#host.peers() === 0 && account.leaves.size === 0)) {
      const error = account === null ? "eventing shut down" : "account jwt not found";
      setImmediate(() => later({ ok: false, error }));
      return;
    }
    const reply = `${this.#inbox}.lookup.${++this.#lastLookup}`;
    const answers = new LookupAnswers(this.#host.peers());
    const finish = (fetched: Fetched): void => {
      clearTimeout(timer);
      this.#lookups.delete(reply);
      later(fetched);
    };
    const timer = setTimeout(() => finish({ ok: false, error: "fetching jwt timed out" }), timeout);
    this.#lookups.set(reply, (payload) => {
      if (payload === null) finish({ ok: false, error: "fetching jwt failed due to shutdown" });
      else {
        const fetched = answers.take(payload);
        if (fetched !== null) finish(fetched);
      }
    });
    queueMicrotask(() => this.#publish(lookupSubject(key), reply, new Uint8Array(0)));
  }

  /** Handlers run when the engine is done with the message that brings them. */
  #listen(
    link: Link,
    subject: string,
    queue: string,
    handler: (message: InternalMessage) => void,
  ): void {
    const deferred = (message: InternalMessage): void => queueMicrotask(() => handler(message));
    this.#subscriptions.push(this.#host.engine.internal.subscribe(link, subject, queue, deferred));
  }

  #every(interval: Millis, action: () => void): void {
    this.#timers.push(setInterval(action, interval).unref());
  }

  #handle({ subject, reply, payload }: InternalMessage): void {
    const replies = this.#service.handle(subject, payload);
    if (reply === "") return;
    for (const text of replies) this.#publish(reply, "", utf8Bytes(text));
  }

  #merge(store: JwtStore, payload: Uint8Array): void {
    if (payload.length === 0) {
      this.#debug(`Merging Finished and resulting in: ${hex(store.hash())}`);
      return;
    }
    const before = hex(store.hash());
    const fault = store.merge(textOf(payload));
    if (fault !== null) this.#host.log("error", null, `Merging resulted in error: ${fault}`);
    else this.#debug(`Merging succeeded and changed ${before} to ${hex(store.hash())}`);
  }

  #publish(subject: string, reply: string, payload: Uint8Array): void {
    const source = this.#link;
    if (source === null) return;
    const { account } = source;
    const message = { account, subject, reply, header: null, payload, source, queues: null };
    this.#host.engine.publish(message, now());
    this.#host.afterCall();
  }

  #debug(text: string): void {
    this.#host.log("debug", null, text);
  }
}

function textOf(payload: Uint8Array): string {
  return latin1ToUtf8(latin1(payload, 0, payload.length));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
