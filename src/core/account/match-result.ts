/**
 * What a published subject leads to in one account, worked out once per change and then only read:
 * who gets a frame of its own, who shares one, which leaf links, which queue groups.
 */
import type { SubjectFilter } from "./permissions.ts";
import { type Link, KIND_CLIENT, KIND_LEAF, type Subscription } from "../link/link.ts";
import type { BufferPool } from "../bytes/pool.ts";
import { Batch } from "../link/outbound.ts";

/** Subscriptions of different links whose frames are byte-equal: same subject, same sid. */
export interface Fan {
  readonly batch: Batch;
  /** All of them understand headers; else none does, and only messages without are shared. */
  readonly headers: boolean;
  readonly subs: readonly Subscription[];
}

export interface QueueGroup {
  readonly name: string;
  readonly subs: readonly Subscription[];
  readonly weight: number;
  /** Some member is behind a leaf link. */
  readonly remote: boolean;
}

export class MatchResult {
  readonly singles: readonly Subscription[];
  readonly fans: readonly Fan[];
  /** Leaf links with plain interest, each once; the subscription is the first that matched. */
  readonly leaves: readonly Subscription[];
  readonly leafBatch: Batch | null;
  readonly queues: readonly QueueGroup[];
  /** The one client subscription or fan that gets everything; null if there are others. */
  readonly sole: Subscription | Fan | null;
  /** Some leaf link asks its filters about each message. */
  readonly isFiltered: boolean;
  /** The cached value of all its subjects about which no filter is asked. */
  readonly shared: Match;

  constructor(
    singles: readonly Subscription[],
    fans: readonly Fan[],
    leaves: readonly Subscription[],
    leafBatch: Batch | null,
    queues: readonly QueueGroup[],
  ) {
    this.singles = singles;
    this.fans = fans;
    this.leaves = leaves;
    this.leafBatch = leafBatch;
    this.queues = queues;
    this.shared = new Match(this, true);
    this.isFiltered =
      leaves.some(isFiltered) ||
      queues.some((group) => group.remote && group.subs.some(isFiltered));
    const others = leaves.length + queues.length;
    const [single] = singles;
    const [fan] = fans;
    this.sole = null;
    if (others === 0 && singles.length === 1 && fans.length === 0 && single !== undefined) {
      this.sole = single.link.kind === KIND_CLIENT ? single : null;
    } else if (others === 0 && singles.length === 0 && fans.length === 1 && fan !== undefined) {
      this.sole = fan;
    }
  }

  get isEmpty(): boolean {
    return (
      this.singles.length === 0 &&
      this.fans.length === 0 &&
      this.leaves.length === 0 &&
      this.queues.length === 0
    );
  }
}

/**
 * The cached value of a subject: the result, and what filters said of the subject. Subjects that have the same result
 * and about which no filter is asked share one, which keeps a hundred thousand of them near the processor.
 */
export class Match {
  readonly result: MatchResult;
  /** It stands for many subjects: no answer of a filter is kept. */
  readonly isShared: boolean;
  /** The filter that asked last, and its answer: one publisher's case without a look into the map. */
  lastFilter: SubjectFilter | null = null;
  lastAllowed = true;
  #answers: Map<SubjectFilter, boolean> | null = null;

  constructor(result: MatchResult, isShared = false) {
    this.result = result;
    this.isShared = isShared;
  }

  /** What `filter` says of this subject; `subject` is made only when nobody asked before. */
  allows(filter: SubjectFilter, subject: () => string): boolean {
    if (filter === this.lastFilter) return this.lastAllowed;
    if (this.isShared) return filter.allows(subject());
    let answer = this.#answers?.get(filter);
    if (answer === undefined) {
      answer = filter.allows(subject());
      this.#answers ??= new Map();
      // A bound: a subject asked for by thousands of users keeps no more than this.
      if (this.#answers.size >= 1024) this.#answers.clear();
      this.#answers.set(filter, answer);
    }
    this.lastFilter = filter;
    this.lastAllowed = answer;
    return answer;
  }
}

function isFiltered({ link }: Subscription): boolean {
  return link.kind === KIND_LEAF && link.checksDelivery;
}

/** Splits matching subscriptions into the parts of a result. */
export function buildResult(matching: readonly Subscription[], pool: BufferPool): MatchResult {
  const singles: Subscription[] = [];
  const bySid = new Map<string, Subscription[]>();
  const leaves = new Map<Link, Subscription>();
  const queues = new Map<string, Subscription[]>();
  for (const sub of matching) {
    if (sub.queue !== "") addTo(queues, sub.queue, sub);
    else if (sub.link.kind === KIND_LEAF) {
      if (!leaves.has(sub.link)) leaves.set(sub.link, sub);
    } else if (shareable(sub)) addTo(bySid, `${sub.link.headers ? "h" : "-"}${sub.sid}`, sub);
    else singles.push(sub);
  }
  const fans: Fan[] = [];
  for (const subs of bySid.values()) {
    const [first] = subs;
    const distinct = new Set(subs.map((sub) => sub.link)).size === subs.length;
    if (subs.length > 1 && distinct)
      fans.push({ batch: new Batch(pool), headers: first?.link.headers === true, subs });
    else singles.push(...subs);
  }
  const groups = [...queues].map(([name, subs]) => ({
    name,
    subs,
    weight: subs.reduce((sum, sub) => sum + sub.weight, 0),
    remote: subs.some((sub) => sub.link.kind === KIND_LEAF),
  }));
  const targets = [...leaves.values()];
  return new MatchResult(
    singles,
    fans,
    targets,
    targets.length > 1 ? new Batch(pool) : null,
    groups,
  );
}

function shareable(sub: Subscription): boolean {
  const link = sub.link;
  return link.kind === KIND_CLIENT && !link.checksDelivery && sub.max === 0;
}

function addTo(groups: Map<string, Subscription[]>, key: string, sub: Subscription): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [sub]);
  else group.push(sub);
}
