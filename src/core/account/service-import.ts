/**
 * HOT PATH (bench row "through a service import"). A service of another account under a local subject: the
 * importing account holds a subscription of the server's on it, which hands each request over to the exporter.
 */
import type { Engine } from "../engine.ts";
import type { Link, Receiver, Subscription } from "../link/link.ts";
import type { Message } from "../protocol/message.ts";
import { deliver } from "../routing/deliver.ts";
import type { MessageTrace } from "../routing/message-trace.ts";
import { KEEP_REPLY } from "../routing/rewrite.ts";
import { RewriteCache, RewrittenSubject } from "../subject/rewrite-cache.ts";
import { hasWildcard } from "../subject/subject.ts";
import { compileTransform, destinationPattern, numberWildcards } from "../subject/transform.ts";
import type { Account } from "./account.ts";
import type { LatencySpec, ServiceExportSpec } from "./exports.ts";
import { Measurement, sampled } from "./latency.ts";
import { type InfoDetail, RequestInfo } from "./request-info.ts";
import { isAck, type Response } from "./responses.ts";
import { TraceCrossing } from "./trace-crossing.ts";

export interface ServiceImportSpec {
  readonly kind: "service";
  /** The exporting account, and the subject there. */
  readonly account: string;
  readonly subject: string;
  /** The local subject; may refer to the wildcards of `subject`. */
  readonly to: string;
  readonly share: boolean;
}

export class ServiceImport implements Receiver {
  /** The local subjects that are imported. */
  readonly pattern: string;
  subscription: Subscription | null = null;
  readonly #engine: Engine;
  readonly #importer: Account;
  readonly #exporter: Account;
  readonly #offer: ServiceExportSpec;
  readonly #target: RewrittenSubject | null;
  readonly #targets: RewriteCache | null;
  readonly #share: boolean;
  readonly #info: RequestInfo;
  /** For requests that have come through another import. */
  readonly #chained: RequestInfo;

  constructor(
    engine: Engine,
    importer: Account,
    exporter: Account,
    spec: ServiceImportSpec,
    offer: ServiceExportSpec,
  ) {
    this.#engine = engine;
    this.#importer = importer;
    this.#exporter = exporter;
    this.#offer = offer;
    this.#share = spec.share;
    const wild = hasWildcard(spec.subject);
    this.pattern = wild ? destinationPattern(numberWildcards(spec.to)) : spec.to;
    this.#target = wild ? null : new RewrittenSubject(spec.subject, engine.seed);
    this.#targets = wild ? new RewriteCache(engine.seed, targetOf(spec)) : null;
    this.#info = new RequestInfo(engine, this.#detail(""));
    this.#chained = new RequestInfo(engine, {
      through: importer.name,
      full: false,
      server: spec.share || this.#isSystem,
    });
  }

  /** Delivers a request in the exporting account. */
  receive(engine: Engine, source: Link | null, m: Message, _queue: string): number {
    const exporter = this.#exporter;
    let subject = this.#target ?? (this.#targets as RewriteCache).of(m);
    if (exporter.mappings !== null) subject = exporter.mappings.chooseFor(subject) ?? subject;
    const { latency } = this.#offer;
    const traced = latency === null ? null : sampled(engine, latency, m);
    const measurement =
      traced === null || latency === null ? null : this.#measure(latency, source, traced);
    let reply: Uint8Array | null = null;
    let response: Response | null = null;
    if (m.replyEnd === 0) measurement?.badRequest(engine);
    else if (isAck(m)) reply = KEEP_REPLY;
    else {
      const suffix = measurement === null ? "" : engine.latencySuffix;
      response = exporter.responsesFor(engine).open(this.#importer, m, this.#offer, suffix);
      response.measurement = measurement;
      reply = response.subject;
    }
    const trace = engine.tracing;
    const crossing = trace === null ? null : this.#cross(trace, m, subject);
    const header = crossing?.header(m, this.#header(source, m)) ?? this.#header(source, m);
    const inner = crossing?.ends === true ? null : engine.rewriter.enter(m, subject, reply, header);
    if (inner === null) {
      crossing?.leave();
      if (response !== null) exporter.responsesFor(engine).remove(response);
      return 0;
    }
    inner.queues = null;
    engine.rewriter.services++;
    const match = exporter.matchMessage(inner);
    if (match.result.leaves.length > 0 || match.result.queues.length > 0) engine.announceInterest();
    const delivered = deliver(engine, source, match);
    engine.rewriter.services--;
    engine.rewriter.leave(m);
    crossing?.leave();
    if (response !== null && (delivered === 0 || crossing?.isUnanswered === true)) {
      if (delivered === 0) measurement?.unavailable(engine);
      exporter.responsesFor(engine).remove(response);
    }
    return delivered;
  }

  #cross(trace: MessageTrace, m: Message, subject: RewrittenSubject): TraceCrossing {
    return new TraceCrossing(this.#engine, trace, m, {
      from: this.#importer,
      to: this.#exporter,
      subject: subject.text,
      offer: this.#offer,
    });
  }

  get #isSystem(): boolean {
    return this.#exporter.name === this.#engine.options.systemAccount;
  }

  #detail(through: string): InfoDetail {
    return { through, full: this.#share, server: this.#isSystem };
  }

  #header(source: Link | null, m: Message): Uint8Array | null {
    if (source === null || !this.#engine.options.headers) return null;
    const info = source.account === this.#importer ? this.#info : this.#chained;
    return info.header(source, m);
  }

  #measure(latency: LatencySpec, source: Link | null, header: string): Measurement {
    const by = { link: source, detail: this.#detail(""), header };
    return new Measurement(this.#engine, latency, this.#exporter, by);
  }
}

/** From the local subject of a request to the exporter's; the import's transform read backwards. */
function targetOf(spec: ServiceImportSpec): (subject: string) => string {
  if (spec.to === spec.subject) return (subject) => subject;
  const made = compileTransform(spec.subject, numberWildcards(spec.to), true);
  if ("fault" in made) return () => "";
  return (subject) => made.reverse(subject) ?? "";
}
