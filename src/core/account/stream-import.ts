/**
 * A stream of another account under local subjects. Every subscription here that takes some of them has a
 * shadow in the exporting account: a subscription of the server's for just those subjects, which passes
 * messages on to the one it stands for, under the local subject.
 */
import type { LinkId } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { KIND_LEAF, type Link, type Receiver, type Subscription } from "../link/link.ts";
import type { Message } from "../protocol/message.ts";
import { deliverToLeaf, subjectOf } from "../routing/deliver.ts";
import { deliverToSub } from "../routing/deliver-one.ts";
import { deliverTraced } from "../routing/deliver-traced.ts";
import { KEEP_REPLY } from "../routing/rewrite.ts";
import { intersect } from "../subject/intersect.ts";
import { RewriteCache } from "../subject/rewrite-cache.ts";
import {
  compileTransform,
  destinationPattern,
  numberWildcards,
  type SubjectTransform,
} from "../subject/transform.ts";
import { hasWildcard } from "../subject/subject.ts";
import type { Account } from "./account.ts";

export interface StreamImportSpec {
  readonly kind: "stream";
  /** The exporting account, and the subject there. */
  readonly account: string;
  readonly subject: string;
  /** The local subject; may refer to the wildcards of `subject`. */
  readonly to: string;
  /** Traced messages are traced in this account too. */
  readonly allowTrace: boolean;
}

/** What a leaf link got last, so that two subscriptions of it make one copy. */
interface Sent {
  from: LinkId;
  count: number;
  /** Of the subject in the exporting account. */
  hash: number;
}

export class StreamImport {
  readonly exporter: Account;
  /** Local subjects as local subscriptions see them. */
  readonly pattern: string;
  readonly #from: string;
  readonly #allowTrace: boolean;
  readonly #transform: SubjectTransform | null;
  readonly #rewrite: RewriteCache | null;
  readonly #sent = new WeakMap<Link, Sent>();

  constructor(engine: Engine, exporter: Account, spec: StreamImportSpec) {
    this.exporter = exporter;
    this.#from = spec.subject;
    this.#allowTrace = spec.allowTrace;
    const { subject, to } = spec;
    const wild = hasWildcard(subject);
    this.pattern = wild ? destinationPattern(numberWildcards(to)) : to;
    const made =
      subject === to || !wild ? null : compileTransform(subject, numberWildcards(to), true);
    this.#transform = made === null || "fault" in made ? null : made;
    // Imports know no `{{random}}`.
    const rewrite = (text: string): string => this.#transform?.apply(text, () => 0) ?? to;
    this.#rewrite = subject === to ? null : new RewriteCache(engine.seed, rewrite);
  }

  /** The exporter's subjects that a local subscription takes through this import; null = none. */
  shadowSubject(subscribed: string): string | null {
    const common = intersect(subscribed, this.pattern);
    if (common === null) return null;
    if (this.#transform !== null) return this.#transform.reverse(common);
    return this.#rewrite === null ? common : this.#from;
  }

  /** Passes a message of the exporting account on to the subscription of ours that `shadow` stands for. */
  pass(engine: Engine, source: Link | null, m: Message, shadow: Shadow, queue: string): number {
    const { target } = shadow;
    const isLeaf = target.link.kind === KIND_LEAF;
    if (isLeaf && this.#sentAlready(engine, source, m, target.link)) return 0;
    let view = m;
    if (this.#rewrite !== null) {
      const entered = engine.rewriter.enter(m, this.#rewrite.of(m), KEEP_REPLY, null);
      if (entered === null) return 0;
      view = entered;
    }
    let delivered: number;
    if (isLeaf) delivered = toLeaf(engine, source, view, target);
    else if (engine.tracing !== null) delivered = this.#passTraced(engine, source, shadow, queue);
    else delivered = deliverToSub(engine, source, view, target, queue);
    if (view !== m) engine.rewriter.leave(m);
    return delivered;
  }

  /** Unless the import allows it, the trace ends here, and what is to be traced only is not passed on. */
  #passTraced(engine: Engine, source: Link | null, shadow: Shadow, queue: string): number {
    const { target } = shadow;
    const trace = engine.tracing;
    trace?.imported("se", target.link.account, "", subjectOf(engine.message));
    if (this.#allowTrace) return deliverTraced(engine, source, target, queue, shadow.subject);
    if (trace?.request.only === true) return 1;
    engine.tracing = null;
    const delivered = deliverToSub(engine, source, engine.message, target, queue);
    engine.tracing = trace;
    return delivered;
  }

  #sentAlready(engine: Engine, source: Link | null, m: Message, link: Link): boolean {
    let sent = this.#sent.get(link);
    if (sent === undefined) this.#sent.set(link, (sent = { from: 0, count: -1, hash: 0 }));
    // Another one with every message of this source; where its bytes stand tells nothing, as buffers are used again.
    const count = (source?.inMsgs ?? 0) + engine.publishQueue.delivered;
    const from = source?.id ?? 0;
    const same = sent.from === from && sent.count === count && sent.hash === m.hash;
    sent.from = from;
    sent.count = count;
    sent.hash = m.hash;
    return same;
  }
}

function toLeaf(engine: Engine, source: Link | null, m: Message, target: Subscription): number {
  // The entry that the message knows is the exporting account's.
  const { entry } = m;
  m.entry = null;
  const match = target.link.account.matchMessage(m);
  m.entry = entry;
  const group =
    target.queue === ""
      ? null
      : [{ name: target.queue, subs: [target], weight: target.weight, remote: true }];
  return deliverToLeaf(engine, source, m, match, target.link, group);
}

/** Stands for one subscription of the importing account. */
export class Shadow implements Receiver {
  readonly target: Subscription;
  readonly #from: StreamImport;
  readonly #sub: Subscription;

  constructor(engine: Engine, from: StreamImport, target: Subscription, subject: string) {
    this.target = target;
    this.#from = from;
    const { queue } = target;
    this.#sub = engine.internal.receive(from.exporter, { subject, queue }, this, false);
    this.#sub.weight = target.weight;
    this.#count(engine, target.weight);
  }

  receive(engine: Engine, source: Link | null, m: Message, queue: string): number {
    // What came in through a service import is no part of the stream.
    if (engine.rewriter.services > 0 || this.target.closed) return 0;
    return this.#from.pass(engine, source, m, this, queue);
  }

  /** The exporter's subjects that it stands for. */
  get subject(): string {
    return this.#sub.subject;
  }

  remove(engine: Engine): void {
    if (this.#sub.closed) return;
    this.#sub.closed = true;
    this.#from.exporter.remove(this.#sub);
    this.#count(engine, -this.#sub.weight);
  }

  reweigh(engine: Engine, delta: number): void {
    this.#sub.weight += delta;
    this.#from.exporter.touch(this.#sub);
    this.#count(engine, delta);
  }

  /** Leaf links of the exporting account are told of the interest as of the target's own. */
  #count(engine: Engine, by: number): void {
    const { interest } = this.#from.exporter;
    const { subject, queue } = this.#sub;
    const { link } = this.target;
    if (link.kind === KIND_LEAF) interest.addLeaf(link, subject, queue, by);
    else interest.addLocal(subject, queue, by);
    engine.interestChanged(this.#from.exporter);
  }
}
