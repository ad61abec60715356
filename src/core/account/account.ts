/**
 * An isolated subject space: its subscriptions, the cache of what subjects lead to, its links and the
 * interest that its leaf links announce.
 *
 * The cache stays right through churn without being emptied: a change of a literal subject resets that one
 * entry; a change of a wildcard goes into a short log that an entry reads when it is next looked up.
 */
import { latin1, latin1Bytes } from "../bytes/ascii.ts";
import type { InterestTable } from "../routing/interest.ts";
import type { Link, Subscription } from "../link/link.ts";
import type { BufferPool } from "../bytes/pool.ts";
import type { Message } from "../protocol/message.ts";
import { type CacheEntry, MatchCache } from "../subject/match-cache.ts";
import { hasWildcard, matchesBytes } from "../subject/subject.ts";
import { Sublist } from "../subject/sublist.ts";
import type { Engine } from "../engine.ts";
import type { ServiceExportSpec } from "./exports.ts";
import type { AccountImports, AccountSpec } from "./imports.ts";
import { Awaited, Responses } from "./responses.ts";
import type { AccountMappings } from "./mappings.ts";
import { buildResult, Match, type MatchResult } from "./match-result.ts";

const DOLLAR = 36;
const CHANGE_LOG = 64;
/** Subjects kept per generation, and their bytes: `docs/differences.md` says why the reference's 1,024 hurts. */
const CACHE_SUBJECTS = 131_072;
const CACHE_BYTES = 16 * 1024 * 1024;
const SHARED_RESULTS = 4096;

export interface AccountLimits {
  /** -1 = unlimited. */
  readonly maxConnections: number;
  readonly maxLeafNodes: number;
  readonly maxSubscriptions: number;
  readonly maxPayload: number;
}

export const NO_LIMITS: AccountLimits = {
  maxConnections: -1,
  maxLeafNodes: -1,
  maxSubscriptions: -1,
  maxPayload: -1,
};

/** Where traces go that a message's `traceparent` alone asks for, and for which part of such messages. */
export interface TraceDestination {
  /** A latin1 string. */
  readonly destination: string;
  /** Percent. */
  readonly sampling: number;
}

export class Account {
  readonly name: string;
  /** As logs show it: the name, or `name/nametag`. */
  label: string;
  readonly sublist = new Sublist<Subscription>();
  readonly interest: InterestTable;
  /** Links bound to this account. */
  readonly clients = new Set<Link>();
  readonly leaves = new Set<Link>();
  /** This account's loop detection subject. */
  readonly lds: string;
  limits: AccountLimits = NO_LIMITS;
  msgTrace: TraceDestination | null = null;
  inMsgs = 0;
  inBytes = 0;
  outMsgs = 0;
  outBytes = 0;
  /** Work on messages of this account before they are matched; null = none. */
  ingress: AccountIngress | null = null;
  /** The same, as imports into this account ask for it. */
  mappings: AccountMappings | null = null;
  /** The definition in force; null for an account that has none. */
  spec: AccountSpec | null = null;
  /** Services that others may import. */
  exports: readonly ServiceExportSpec[] = [];
  imports: AccountImports | null = null;
  /** Answers to requests of others, and answers of others that ours wait for. */
  responses: Responses | null = null;
  readonly awaited = new Awaited(this);
  /** Told of every subscription of a client or leaf, for stream imports; null = none. */
  observer: SubscriptionObserver | null = null;
  readonly #pool: BufferPool;
  readonly #cache: MatchCache<Match>;
  readonly #changes: (Uint8Array | null)[] = Array.from({ length: CHANGE_LOG }, () => null);
  #version = 0;
  /** Results by the subscriptions they hold, so that many subjects with the same receivers share one. */
  readonly #results = new Map<string, MatchResult>();

  constructor(name: string, seed: number, pool: BufferPool, lds: string, interest: InterestTable) {
    this.name = name;
    this.label = name;
    this.lds = lds;
    this.interest = interest;
    this.#pool = pool;
    this.#cache = new MatchCache(seed, CACHE_SUBJECTS, CACHE_BYTES);
  }

  responsesFor(engine: Engine): Responses {
    return (this.responses ??= new Responses(engine, this));
  }

  get cachedSubjects(): number {
    return this.#cache.count;
  }

  get cacheMisses(): number {
    return this.#cache.misses;
  }

  insert(sub: Subscription): void {
    this.sublist.insert(sub.subject, sub);
    this.#changed(sub.subject);
  }

  remove(sub: Subscription): void {
    if (!this.sublist.remove(sub.subject, sub)) return;
    this.#results.clear();
    this.#changed(sub.subject);
  }

  /** Call when something that results are built from changed: a weight, `max`, a link's permissions. */
  touch(sub: Subscription): void {
    this.#results.clear();
    this.#changed(sub.subject);
  }

  /** Forgets all results, after a change that is not bound to a subject. */
  forgetResults(): void {
    this.#results.clear();
    this.#cache.clear();
  }

  /** The answer for a message's subject, from the cache where it is still right. */
  matchMessage(m: Message): Match {
    const entry = (m.entry ??= this.#cache.lookup(m.hash, m.bytes, m.subjectStart, m.subjectEnd));
    const value = entry.value;
    if (value !== null && entry.version === this.#version) return value;
    return this.#refresh(entry, m.bytes, m.subjectStart, m.subjectEnd);
  }

  /** The same, with room for what filters say of this very subject. */
  matchForFilters(m: Message): Match {
    const match = this.matchMessage(m);
    if (!match.isShared || m.entry === null) return match;
    return (m.entry.value = new Match(match.result));
  }

  /** The same for a subject given as a latin1 string. */
  matchText(subject: string): MatchResult {
    return buildResult(this.sublist.match(subject, []), this.#pool);
  }

  #refresh(entry: CacheEntry<Match>, bytes: Uint8Array, start: number, end: number): Match {
    const behind = this.#version - entry.version;
    let fresh = entry.value !== null && behind <= CHANGE_LOG;
    for (let v = entry.version + 1; fresh && v <= this.#version; v++) {
      const pattern = this.#changes[v % CHANGE_LOG] ?? null;
      if (pattern === null || matchesBytes(pattern, bytes, start, end)) fresh = false;
    }
    entry.version = this.#version;
    if (fresh && entry.value !== null) return entry.value;
    const result = this.#result(latin1(bytes, start, end));
    const isAlone = result.isFiltered || bytes[start] === DOLLAR;
    return (entry.value = isAlone ? new Match(result) : result.shared);
  }

  #result(subject: string): MatchResult {
    const matching = this.sublist.match(subject, []);
    const key = matching.map((sub) => sub.id).join(",");
    let result = this.#results.get(key);
    if (result === undefined) {
      result = buildResult(matching, this.#pool);
      if (this.#results.size >= SHARED_RESULTS) this.#results.clear();
      this.#results.set(key, result);
    }
    return result;
  }

  #changed(subject: string): void {
    if (!hasWildcard(subject)) {
      const entry = this.#cache.peek(subject);
      if (entry !== null) entry.value = null;
      return;
    }
    this.#version++;
    this.#changes[this.#version % CHANGE_LOG] = latin1Bytes(subject);
  }
}

/** What is done to the engine's message before its subject is looked at: the account's mappings. */
export interface AccountIngress {
  /** False: the message was handled (or dropped) here and must not be matched as it is. */
  admit(link: Link): boolean;
}

export interface SubscriptionObserver {
  added(sub: Subscription): void;
  removed(sub: Subscription): void;
  /** A leaf's queue group has another number of members; `delta` is the change. */
  reweighed(sub: Subscription, delta: number): void;
}
