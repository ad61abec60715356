/**
 * HOT PATH (bench row "through a mapping"). An account's subject mappings: the first source that matches a
 * published subject decides; its destinations share the messages by weight.
 *
 * What a subject maps to is remembered per subject, so that a message costs a lookup, a random number where
 * there is a choice, and the new frame.
 */
import { latin1 } from "../bytes/ascii.ts";
import type { Engine } from "../engine.ts";
import { KIND_CLIENT, type Link } from "../link/link.ts";
import type { Message } from "../protocol/message.ts";
import type { MessageTrace } from "../routing/message-trace.ts";
import { dispatch, routeMapped } from "../routing/publish.ts";
import { KEEP_REPLY } from "../routing/rewrite.ts";
import { MatchCache } from "../subject/match-cache.ts";
import { RewrittenSubject } from "../subject/rewrite-cache.ts";
import { isSubset } from "../subject/subject.ts";
import { compileTransform, type SubjectTransform } from "../subject/transform.ts";
import type { Account, AccountIngress } from "./account.ts";

export interface MappingSpec {
  readonly source: string;
  readonly destinations: readonly MappingDestination[];
}

export interface MappingDestination {
  readonly subject: string;
  /** Percent. */
  readonly weight: number;
  /** Used by servers of this cluster only; "" for the others. */
  readonly cluster: string;
}

const CACHE_SUBJECTS = 65_536;
const CACHE_BYTES = 4 * 1024 * 1024;

/** One share of a mapping: messages whose draw is below `upTo`; a null transform keeps the subject. */
interface Share {
  readonly upTo: number;
  readonly transform: SubjectTransform | null;
}

interface Mapping {
  readonly source: string;
  readonly shares: readonly Share[];
}

/** What one subject becomes: shares with their results worked out. No mapping: no shares. */
class Mapped {
  readonly mapping: Mapping | null;
  readonly subject: string;
  readonly results: (RewrittenSubject | null)[] = [];

  constructor(mapping: Mapping | null, subject: string) {
    this.mapping = mapping;
    this.subject = subject;
    if (mapping !== null) for (const _ of mapping.shares) this.results.push(null);
  }
}

export class AccountMappings implements AccountIngress {
  readonly #engine: Engine;
  readonly #mappings: readonly Mapping[];
  readonly #cache: MatchCache<Mapped>;
  readonly #dropped: RewrittenSubject;

  constructor(engine: Engine, specs: readonly MappingSpec[], cluster: string) {
    this.#engine = engine;
    this.#mappings = specs.flatMap((spec) => compileMapping(spec, cluster) ?? []);
    this.#cache = new MatchCache(engine.seed, CACHE_SUBJECTS, CACHE_BYTES);
    this.#dropped = new RewrittenSubject("", engine.seed);
  }

  get sources(): readonly string[] {
    return this.#mappings.map((mapping) => mapping.source);
  }

  /** The subject that the message goes on under; null if it keeps its own. An empty one matches nothing. */
  choose(m: Message): RewrittenSubject | null {
    const entry = this.#cache.lookup(m.hash, m.bytes, m.subjectStart, m.subjectEnd);
    return this.#draw((entry.value ??= this.#find(latin1(m.bytes, m.subjectStart, m.subjectEnd))));
  }

  /** The same for a subject that is not the message's. */
  chooseFor(subject: RewrittenSubject): RewrittenSubject | null {
    const entry = this.#cache.lookup(subject.hash, subject.bytes, 0, subject.bytes.length);
    return this.#draw((entry.value ??= this.#find(subject.text)));
  }

  admit(link: Link): boolean {
    const engine = this.#engine;
    const m = engine.message;
    const subject = this.choose(m);
    if (subject === null) {
      if (engine.tracing !== null) this.#traceKept(engine.tracing, m);
      return true;
    }
    engine.tracing?.mapped(subject.text);
    if (engine.options.trace) {
      const from = latin1(m.bytes, m.subjectStart, m.subjectEnd);
      engine.trace(link, "<<-", `MAPPING ${from} -> ${subject.text}`);
    }
    const mapped = engine.rewriter.enter(m, subject, KEEP_REPLY, null);
    if (mapped === null) return false;
    // A leaf that named no queue group could not know those of the new subject.
    if (mapped.queues !== null && mapped.queues.length === 0) mapped.queues = null;
    if (link.kind === KIND_CLIENT) routeMapped(engine, link, mapped);
    else dispatch(engine, link, mapped, link.account.matchMessage(mapped));
    engine.rewriter.leave(m);
    return false;
  }

  /** A mapping may have chosen the subject that there was. */
  #traceKept(trace: MessageTrace, m: Message): void {
    const subject = latin1(m.bytes, m.subjectStart, m.subjectEnd);
    if (this.#find(subject).mapping !== null) trace.mapped(subject);
  }

  #draw(mapped: Mapped): RewrittenSubject | null {
    const { mapping, results } = mapped;
    if (mapping === null) return null;
    const { shares } = mapping;
    let chosen = 0;
    if (shares.length > 1 || (shares[0]?.upTo ?? 0) < 100) {
      const draw = Math.floor(this.#engine.world.random() * 100);
      while (chosen < shares.length && draw >= (shares[chosen]?.upTo ?? 0)) chosen++;
    }
    const share = shares[chosen];
    if (share === undefined) return this.#dropped;
    const { transform } = share;
    if (transform === null) return null;
    const known = results[chosen] ?? null;
    if (known !== null) return known;
    const { seed, world } = this.#engine;
    const made = new RewrittenSubject(
      transform.apply(mapped.subject, () => world.random()),
      seed,
    );
    if (transform.isConstant) results[chosen] = made;
    return made;
  }

  #find(subject: string): Mapped {
    const mapping = this.#mappings.find(({ source }) => isSubset(subject, source)) ?? null;
    return new Mapped(mapping, subject);
  }
}

/** The shares in ascending order of weight, as they are drawn; null if the mapping changes nothing. */
function compileMapping(spec: MappingSpec, cluster: string): Mapping | null {
  const mine = spec.destinations.filter((one) => cluster !== "" && one.cluster === cluster);
  const used = mine.length > 0 ? mine : spec.destinations.filter((one) => one.cluster === "");
  const listed = used.filter((one) => one.subject !== "");
  if (listed.length === 0) return null;
  const weighted = listed.map((one) => ({
    weight: one.weight,
    transform: one.subject === spec.source ? null : compiled(spec.source, one.subject),
  }));
  const total = weighted.reduce((sum, one) => sum + one.weight, 0);
  // What is left over keeps its subject, unless the source itself is listed: then it is lost on purpose.
  const lossy = listed.some((one) => one.subject === spec.source);
  if (total < 100 && !lossy) weighted.push({ weight: 100 - total, transform: null });
  weighted.sort((a, b) => a.weight - b.weight);
  let upTo = 0;
  const shares = weighted
    .filter((one) => one.weight > 0)
    .map((one) => ({ upTo: (upTo += one.weight), transform: one.transform }));
  return { source: spec.source, shares };
}

function compiled(source: string, destination: string): SubjectTransform | null {
  const made = compileTransform(source, destination, false);
  return "fault" in made ? null : made;
}

/** Replaces an account's mappings and tells its leaf links which subjects it takes. */
export function setMappings(engine: Engine, account: Account, specs: readonly MappingSpec[]): void {
  const old = account.mappings;
  const next =
    specs.length === 0 ? null : new AccountMappings(engine, specs, engine.options.clusterName);
  for (const source of next?.sources ?? []) account.interest.addLocal(source, "", 1);
  for (const source of old?.sources ?? []) account.interest.addLocal(source, "", -1);
  account.mappings = next;
  account.ingress = next;
  engine.interestChanged(account);
}
