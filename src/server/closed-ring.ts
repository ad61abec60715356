/**
 * The last `max_closed_clients` connections that are gone, and what all closed ones had moved. Fed by the
 * engine's observer; `/connz?state=closed` and the totals of varz and accstatz read it.
 */
import {
  KIND_CLIENT,
  type ClosedState,
  type Link,
  type Millis,
  type RefusedUser,
} from "../core/index.ts";
import {
  addTraffic,
  NO_TRAFFIC,
  snapshotLink,
  subscriptionsOf,
  type ClosedConnections,
  type ClosedTotals,
  type ConnectionSnapshot,
  type SubscriptionSnapshot,
  type Traffic,
} from "../monitoring/index.ts";

interface AccountTotals {
  all: Traffic;
  leafs: Traffic;
  slowConsumers: number;
}

const NO_TOTALS = { all: NO_TRAFFIC, leafs: NO_TRAFFIC, slowConsumers: 0 };

export class ClosedRing implements ClosedConnections, ClosedTotals {
  clients: Traffic = NO_TRAFFIC;
  leafs: Traffic = NO_TRAFFIC;
  readonly totals: ClosedTotals = this;
  readonly #max: number;
  readonly #ring: ConnectionSnapshot[] = [];
  readonly #accounts = new Map<string, AccountTotals>();
  /** Users that were refused, until their link closes, which is at once. */
  readonly #refused = new WeakMap<Link, string>();
  readonly #held = new WeakMap<Link, readonly SubscriptionSnapshot[]>();
  #next = 0;

  /** `max` of 0 or less keeps no connections, only totals. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Oldest first. */
  get entries(): Iterable<ConnectionSnapshot> {
    const at = this.#next;
    return [...this.#ring.slice(at), ...this.#ring.slice(0, at)];
  }

  account(name: string): AccountTotals {
    return this.#accounts.get(name) ?? NO_TOTALS;
  }

  /** From the observer's `refused`. */
  refused(link: Link, verdict: RefusedUser): void {
    const user = refusedUser(verdict.who);
    if (user !== "") this.#refused.set(link, user);
  }

  /** Before a link drops its subscriptions, which are shown of it afterwards. */
  closing(link: Link): void {
    if (this.#max > 0 && (link.subs?.size ?? 0) > 0) this.#held.set(link, subscriptionsOf(link));
  }

  /** From the observer's `closed`. */
  closed(link: Link, reason: ClosedState, now: Millis): void {
    this.#count(link, reason);
    if (this.#max <= 0) return;
    const snapshot = snapshotLink(link, true, {
      stop: now,
      reason,
      subscriptions: this.#held.get(link) ?? [],
      refusedUser: this.#refused.get(link) ?? "",
    });
    if (this.#ring.length < this.#max) this.#ring.push(snapshot);
    else {
      this.#ring[this.#next] = snapshot;
      this.#next = (this.#next + 1) % this.#max;
    }
  }

  #count(link: Link, reason: ClosedState): void {
    const isLeaf = link.kind !== KIND_CLIENT;
    const moved = addTraffic(NO_TRAFFIC, link);
    if (isLeaf) this.leafs = addTraffic(this.leafs, moved);
    else this.clients = addTraffic(this.clients, moved);
    const slow =
      reason === "Slow Consumer (Pending Bytes)" || reason === "Slow Consumer (Write Deadline)";
    if (!slow && moved.inMsgs + moved.outMsgs === 0) return;
    const name = link.account.name;
    const totals = this.#accounts.get(name) ?? { ...NO_TOTALS };
    totals.all = addTraffic(totals.all, moved);
    if (isLeaf) totals.leafs = addTraffic(totals.leafs, moved);
    if (slow) totals.slowConsumers++;
    this.#accounts.set(name, totals);
  }
}

/** ` - User "bob"` and its kind name the user in Go's quotes; only the plain escapes occur in names. */
function refusedUser(who: string): string {
  const quoted = /"((?:[^"\\]|\\.)*)"$/.exec(who)?.[1] ?? "";
  return quoted.replace(/\\(["\\])/g, "$1");
}
