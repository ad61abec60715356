/**
 * What the leaf links of one account announce to each other: for every key (`subject` or `subject queue`) how
 * much interest there is, from whom, and to which links it has been announced.
 *
 * Changes mark a key; marked keys are announced together, before the next message could overtake them and at
 * the latest at the end of the read chunk. Whether a link has a key announced is a bit per link, so that a
 * thousand links cost a thousand bits a key and not a thousand tables.
 *
 * Invariant (checked by the simulator): after `announce`, each link has exactly the keys a fresh link would get.
 */
import { latin1Bytes } from "../bytes/ascii.ts";
import { isSubset } from "../subject/subject.ts";
import type { Link } from "../link/link.ts";
import { Slab } from "../bytes/pool.ts";

/** Interest in one key, split by where it comes from. */
export class InterestEntry {
  readonly key: string;
  readonly subject: string;
  readonly queue: string;
  readonly isLds: boolean;
  /** May fall under the denies of JetStream's API, which all start so. */
  readonly isReserved: boolean;
  /** Our own clients, internal subscriptions and the account's imports and mappings. */
  local = 0;
  /** Through leaf links of which we are the hub, and of which we are the spoke. */
  down = 0;
  up = 0;
  leaves: Map<Link, number> | null = null;
  /** Sums of the links with a cluster name. */
  clusters: Map<string, number> | null = null;
  /** By slot of the link: what was announced (plain: 1). */
  announced: number[] = [];
  dirty = false;
  /** `LS+ subject CRLF`, made when first needed: a snapshot for a thousand links needs it a thousand times. */
  line: Slab | null = null;

  constructor(key: string, subject: string, queue: string) {
    this.key = key;
    this.subject = subject;
    this.queue = queue;
    this.isLds = subject.startsWith("$LDS.");
    this.isReserved = subject.startsWith("$");
  }
}

export type Announce = (link: Link, entry: InterestEntry, weight: number) => void;

/** The `LS+` or `LS-` line that tells of `weight` (0 = none any more), without its CRLF. */
export function announcementText(entry: InterestEntry, weight: number): string {
  const suffix = entry.queue === "" || weight === 0 ? entry.key : `${entry.key} ${weight}`;
  return `${weight > 0 ? "LS+" : "LS-"} ${suffix}`;
}

export function announcementLine(entry: InterestEntry, weight: number): Slab {
  const plain = entry.queue === "" && weight > 0;
  if (plain && entry.line !== null) return entry.line;
  const slab = new Slab(latin1Bytes(`${announcementText(entry, weight)}\r\n`));
  if (plain) entry.line = slab;
  return slab;
}

export class InterestTable {
  /** Since the last announcement our own clients changed something: that is told at once. */
  localChanged = false;
  readonly #entries = new Map<string, InterestEntry>();
  readonly #dirty: InterestEntry[] = [];
  /** Links by slot; a freed slot is used again. */
  readonly #slots: (Link | null)[] = [];

  get isDirty(): boolean {
    return this.#dirty.length > 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Adds (or, negative, takes off) interest of our own. */
  addLocal(subject: string, queue: string, delta: number): void {
    const entry = this.#entry(subject, queue);
    const before = entry.local;
    entry.local += delta;
    // With no leaf link there is nobody to tell; the count alone matters.
    if (this.#slots.length === 0) {
      this.#dropIfEmpty(entry);
      return;
    }
    if (entry.queue === "" && before > 0 && entry.local > 0) return;
    this.localChanged = true;
    this.#mark(entry);
  }

  /** Adds interest learnt from a leaf link. */
  addLeaf(link: Link, subject: string, queue: string, delta: number): void {
    const leaf = link.leaf;
    if (leaf === null) return;
    const entry = this.#entry(subject, queue);
    entry.leaves ??= new Map();
    const n = (entry.leaves.get(link) ?? 0) + delta;
    if (n > 0) entry.leaves.set(link, n);
    else entry.leaves.delete(link);
    if (leaf.isSpoke) entry.up += delta;
    else entry.down += delta;
    if (leaf.remoteCluster !== "") {
      entry.clusters ??= new Map();
      const sum = (entry.clusters.get(leaf.remoteCluster) ?? 0) + delta;
      if (sum > 0) entry.clusters.set(leaf.remoteCluster, sum);
      else entry.clusters.delete(leaf.remoteCluster);
    }
    // Our own clients' plain interest stands announced already, whatever other leaves add to it.
    if (entry.queue === "" && entry.local > 0) return;
    this.#mark(entry);
  }

  /** Gives a link its slot and announces the whole account to it. */
  open(link: Link, announce: Announce): void {
    const leaf = link.leaf;
    if (leaf === null) return;
    const free = this.#slots.indexOf(null);
    leaf.slot = free >= 0 ? free : this.#slots.length;
    this.#slots[leaf.slot] = link;
    for (const entry of this.#entries.values()) this.#tell(link, leaf.slot, entry, announce);
  }

  close(link: Link): void {
    const slot = link.leaf?.slot ?? -1;
    if (slot < 0 || this.#slots[slot] !== link) return;
    this.#slots[slot] = null;
    while (this.#slots.length > 0 && this.#slots.at(-1) === null) this.#slots.pop();
    for (const entry of this.#entries.values()) {
      if (slot < entry.announced.length) entry.announced[slot] = 0;
    }
    if (link.leaf !== null) link.leaf.slot = -1;
  }

  /** Looks at every key again, after a link's permissions or role changed. */
  recheck(link: Link, announce: Announce): void {
    const slot = link.leaf?.slot ?? -1;
    if (slot < 0) return;
    for (const entry of this.#entries.values()) this.#tell(link, slot, entry, announce);
  }

  /** Tells every link what changed since the last call. */
  announce(announce: Announce): void {
    const dirty = this.#dirty;
    this.localChanged = false;
    for (let i = 0; i < dirty.length; i++) {
      const entry = dirty[i] as InterestEntry;
      entry.dirty = false;
      for (let slot = 0; slot < this.#slots.length; slot++) {
        const link = this.#slots[slot] ?? null;
        if (link !== null) this.#tell(link, slot, entry, announce);
      }
      this.#dropIfEmpty(entry);
    }
    dirty.length = 0;
  }

  /** What a link should have been told of a key; 0 = nothing. */
  wanted(link: Link, entry: InterestEntry): number {
    const leaf = link.leaf;
    if (leaf === null) return 0;
    let n = entry.local;
    if (!leaf.isolated) {
      // Interest learnt from an up-link is not told to other up-links, except for loop detection.
      const includesUp = !leaf.isSpoke || entry.isLds;
      n += entry.down + (includesUp ? entry.up : 0);
      if (leaf.remoteCluster !== "") {
        n -= includesUp
          ? (entry.clusters?.get(leaf.remoteCluster) ?? 0)
          : this.#downOfCluster(entry, leaf.remoteCluster);
      } else if (!leaf.isSpoke || includesUp) n -= entry.leaves?.get(link) ?? 0;
    }
    if (n <= 0) return 0;
    if (!this.#permitted(link, entry)) return 0;
    return entry.queue === "" ? 1 : n;
  }

  *entries(): IterableIterator<InterestEntry> {
    yield* this.#entries.values();
  }

  #downOfCluster(entry: InterestEntry, cluster: string): number {
    let sum = 0;
    if (entry.leaves === null) return 0;
    for (const [link, n] of entry.leaves) {
      if (link.leaf !== null && !link.leaf.isSpoke && link.leaf.remoteCluster === cluster) sum += n;
    }
    return sum;
  }

  #permitted(link: Link, entry: InterestEntry): boolean {
    const subject = entry.subject;
    if (entry.isLds || subject.startsWith("_GR_.") || subject.startsWith("$GR.")) return true;
    const leaf = link.leaf;
    if (leaf === null) return false;
    if (
      leaf.quietReceive !== null &&
      entry.isReserved &&
      coveredByDeny(leaf.quietReceive.rules.deny, subject)
    )
      return false;
    return leaf.receiveFilter === null || leaf.receiveFilter.allowsAnnouncement(subject);
  }

  #tell(link: Link, slot: number, entry: InterestEntry, announce: Announce): void {
    const had = entry.announced[slot] ?? 0;
    const want = this.wanted(link, entry);
    if (had === want) return;
    while (entry.announced.length < slot) entry.announced.push(0);
    entry.announced[slot] = want;
    announce(link, entry, want);
  }

  #entry(subject: string, queue: string): InterestEntry {
    const key = queue === "" ? subject : `${subject} ${queue}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, (entry = new InterestEntry(key, subject, queue)));
    }
    return entry;
  }

  #mark(entry: InterestEntry): void {
    if (entry.dirty) return;
    entry.dirty = true;
    this.#dirty.push(entry);
  }

  #dropIfEmpty(entry: InterestEntry): void {
    if (entry.dirty || entry.local > 0 || (entry.leaves !== null && entry.leaves.size > 0)) return;
    this.#entries.delete(entry.key);
  }
}

function coveredByDeny(deny: readonly string[], subject: string): boolean {
  return deny.some((entry) => isSubset(subject, entry));
}
