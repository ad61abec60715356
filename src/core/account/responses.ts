/**
 * The answers that an account owes to requests from other accounts. Each request with a reply is delivered
 * with a reply subject of this account's own, `_R_.<account's block>.<random>`; a message on it goes back to
 * the requester under the subject that was asked for.
 *
 * Entries are bounded in time: by the first answer, the end of the requester's interest, or the export's
 * threshold. Nothing is subscribed, or announced to leaf links, before the first request.
 */
import type { Alarmed } from "../alarms.ts";
import { copyOf, latin1, latin1Bytes } from "../bytes/ascii.ts";
import type { Millis } from "../contract.ts";
import type { Engine } from "../engine.ts";
import type { Link, Receiver, Subscription } from "../link/link.ts";
import type { Message } from "../protocol/message.ts";
import { deliver } from "../routing/deliver.ts";
import type { MessageTrace } from "../routing/message-trace.ts";
import { KEEP_REPLY } from "../routing/rewrite.ts";
import { hashBytes } from "../subject/match-cache.ts";
import type { Account } from "./account.ts";
import type { ServiceExportSpec } from "./exports.ts";
import type { Measurement } from "./latency.ts";
import { type ExpectedTraces, TraceCrossing } from "./trace-crossing.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BLOCK = 6;
const KEYS = 62 ** BLOCK;
const SWEEP_LEAST = 50;
/** Values of base-62 digits by character code; -1 for other characters. */
const VALUES = new Int8Array(256).fill(-1);
for (let i = 0; i < DIGITS.length; i++) VALUES[DIGITS.charCodeAt(i)] = i;

export class Response {
  readonly owner: Responses;
  readonly key: number;
  /** Where the answer goes: the requester's account, and the reply it asked for. */
  readonly importer: Account;
  readonly bytes: Uint8Array;
  readonly hash: number;
  readonly offer: ServiceExportSpec;
  /** The reply subject that the responder sees. */
  readonly subject: Uint8Array;
  lastActivity: Millis;
  measurement: Measurement | null = null;
  /** Not an answer is awaited but the traces of servers behind the account. */
  traces: ExpectedTraces | null = null;

  constructor(
    owner: Responses,
    key: number,
    to: { readonly importer: Account; readonly bytes: Uint8Array; readonly hash: number },
    offer: ServiceExportSpec,
    subject: Uint8Array,
    now: Millis,
  ) {
    this.owner = owner;
    this.key = key;
    this.importer = to.importer;
    this.bytes = to.bytes;
    this.hash = to.hash;
    this.offer = offer;
    this.subject = subject;
    this.lastActivity = now;
  }
}

export class Responses implements Receiver, Alarmed {
  alarmAt: Millis = 0;
  readonly #engine: Engine;
  readonly #account: Account;
  readonly #prefix: Uint8Array;
  readonly #entries = new Map<number, Response>();

  constructor(engine: Engine, account: Account) {
    this.#engine = engine;
    this.#account = account;
    const prefix = `_R_.${digits(randomKey(engine))}.`;
    this.#prefix = latin1Bytes(prefix);
    engine.internal.receive(account, { subject: `${prefix}>`, queue: "" }, this, true);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Expects an answer to `m`, to be sent on to `importer`. `suffix` is appended to the reply subject. */
  open(importer: Account, m: Message, offer: ServiceExportSpec, suffix: string): Response {
    const bytes = copyOf(m.bytes, m.replyStart, m.replyEnd);
    return this.openTo(importer, bytes, offer, suffix);
  }

  /** The same for a reply that is not the message's. */
  openTo(
    importer: Account,
    bytes: Uint8Array,
    offer: ServiceExportSpec,
    suffix: string = "",
  ): Response {
    const engine = this.#engine;
    let key = randomKey(engine);
    while (this.#entries.has(key)) key = randomKey(engine);
    const hash = hashBytes(engine.seed, bytes, 0, bytes.length);
    const subject = this.#subject(key, suffix);
    const response = new Response(this, key, { importer, bytes, hash }, offer, subject, engine.now);
    this.#entries.set(key, response);
    importer.awaited.add(latin1(bytes, 0, bytes.length), response);
    const due = engine.now + offer.threshold;
    if (this.alarmAt === 0 || due < this.alarmAt) engine.alarms.set(this, due);
    return response;
  }

  /** No answer is expected any more. Requests made on behalf of this one go with it. */
  remove(response: Response): void {
    if (!this.#entries.delete(response.key)) return;
    response.importer.awaited.remove(latin1(response.bytes, 0, response.bytes.length), response);
    if (this.#account.awaited.size > 0) {
      const subject = latin1(response.subject, 0, response.subject.length);
      this.#account.awaited.abandon(subject);
    }
  }

  /** The requester does not listen any more. */
  abandon(response: Response): void {
    response.measurement?.abandoned(this.#engine);
    this.remove(response);
  }

  /** A responder's answer, on the way to the requester. */
  receive(engine: Engine, source: Link | null, m: Message, _queue: string): number {
    const response = this.#entries.get(this.#keyOf(m));
    // Too late, or one too many: the responder is not told.
    if (response === undefined) return 1;
    const { importer, offer } = response;
    response.lastActivity = engine.now;
    const trace = engine.tracing;
    const crossing = trace === null ? null : this.#cross(trace, m, response);
    if (crossing?.ends === true) {
      crossing.leave();
      this.remove(response);
      return 0;
    }
    const ends =
      response.traces === null
        ? offer.responseType === "singleton" || m.size === 0
        : response.traces.came(m);
    let reply: Uint8Array | null = null;
    if (m.replyEnd !== 0) {
      // The answer asks back: the way is the same, the other way round.
      reply = isAck(m)
        ? KEEP_REPLY
        : importer.responsesFor(engine).open(this.#account, m, offer, "").subject;
    }
    // Before the delivery, which may end the requester's interest: this request is answered.
    if (ends) this.remove(response);
    const header = crossing === null ? null : crossing.header(m, null);
    const inner = engine.rewriter.enter(m, response, reply, header);
    if (inner === null) {
      crossing?.leave();
      return 0;
    }
    inner.queues = null;
    engine.rewriter.services++;
    const match = importer.matchMessage(inner);
    engine.announceInterest();
    const delivered = deliver(engine, source, match);
    engine.rewriter.services--;
    engine.rewriter.leave(m);
    crossing?.leave();
    response.measurement?.answered(engine, source);
    return delivered;
  }

  /** An answer that is traced itself: it goes on untraced. */
  #cross(trace: MessageTrace, m: Message, { importer, bytes }: Response): TraceCrossing {
    const subject = latin1(bytes, 0, bytes.length);
    const crossing = { from: this.#account, to: importer, subject, offer: null };
    return new TraceCrossing(this.#engine, trace, m, crossing);
  }

  alarm(now: Millis): void {
    let next = Infinity;
    for (const response of this.#entries.values()) {
      const due = response.lastActivity + response.offer.threshold;
      if (due > now) next = Math.min(next, due);
      else {
        response.measurement?.expired(this.#engine);
        this.remove(response);
      }
    }
    if (next !== Infinity) this.#engine.alarms.set(this, Math.max(next, now + SWEEP_LEAST));
  }

  #subject(key: number, suffix: string): Uint8Array {
    const prefix = this.#prefix;
    const bytes = new Uint8Array(prefix.length + BLOCK + suffix.length);
    bytes.set(prefix);
    let rest = key;
    for (let i = prefix.length + BLOCK - 1; i >= prefix.length; i--) {
      const next = Math.floor(rest / 62);
      bytes[i] = DIGITS.charCodeAt(rest - next * 62);
      rest = next;
    }
    for (let i = 0; i < suffix.length; i++) {
      bytes[prefix.length + BLOCK + i] = suffix.charCodeAt(i);
    }
    return bytes;
  }

  #keyOf(m: Message): number {
    const start = m.subjectStart + this.#prefix.length;
    if (m.subjectEnd < start + BLOCK) return -1;
    let key = 0;
    for (let i = start; i < start + BLOCK; i++) {
      const value = VALUES[m.bytes[i] as number] as number;
      if (value < 0) return -1;
      key = key * 62 + value;
    }
    return key;
  }
}

/** `$JS.ACK.…`: acknowledged where it came from, whatever accounts it crosses. */
export function isAck(m: Message): boolean {
  if (m.replyEnd - m.replyStart < 8 || m.bytes[m.replyStart] !== 36) return false;
  return latin1(m.bytes, m.replyStart, m.replyStart + 8) === "$JS.ACK.";
}

function randomKey(engine: Engine): number {
  return Math.floor(engine.world.random() * KEYS);
}

function digits(key: number): string {
  let text = "";
  for (let i = 0; i < BLOCK; i++) {
    text = DIGITS.charAt(key % 62) + text;
    key = Math.floor(key / 62);
  }
  return text;
}

/** The answers that an account's requesters wait for, by the reply they listen on. */
export class Awaited {
  readonly #account: Account;
  readonly #responses = new Map<string, Response[]>();

  constructor(account: Account) {
    this.#account = account;
  }

  get size(): number {
    return this.#responses.size;
  }

  add(reply: string, response: Response): void {
    const list = this.#responses.get(reply);
    if (list === undefined) this.#responses.set(reply, [response]);
    else list.push(response);
  }

  remove(reply: string, response: Response): void {
    const list = this.#responses.get(reply);
    if (list === undefined) return;
    const index = list.indexOf(response);
    if (index >= 0) list.splice(index, 1);
    if (list.length === 0) this.#responses.delete(reply);
  }

  /** Gives up what is awaited on this reply. */
  abandon(reply: string): void {
    const list = this.#responses.get(reply);
    if (list === undefined) return;
    for (const response of list.slice()) response.owner.abandon(response);
  }

  /** A subscription has gone: replies that nobody listens on any more are given up. */
  lost(sub: Subscription, isLiteral: boolean): void {
    const replies = isLiteral ? [sub.subject] : [...this.#responses.keys()];
    for (const reply of replies) {
      if (!this.#responses.has(reply)) continue;
      if (this.#account.sublist.match(reply, []).length === 0) this.abandon(reply);
    }
  }
}
