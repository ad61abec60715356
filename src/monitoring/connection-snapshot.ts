/**
 * One connection as `/connz` shows it: plain values taken from a live link, or kept of a link that is closed.
 * What a link sent as its user is shown even if it was refused.
 */
import {
  KIND_LEAF,
  type ClosedState,
  type ConnectionType,
  type Link,
  type Millis,
  type Subscription,
} from "../core/index.ts";

export interface SubscriptionSnapshot {
  /** Latin1, as the core keeps it; so are `queue` and `sid`. */
  readonly subject: string;
  readonly queue: string;
  readonly sid: string;
  readonly delivered: number;
  readonly max: number;
}

export interface ConnectionSnapshot {
  readonly cid: number;
  readonly kind: "Client" | "Leafnode";
  readonly type: "" | "nats" | "websocket" | "mqtt";
  readonly ip: string;
  readonly port: number;
  readonly start: Millis;
  readonly lastActivity: Millis;
  /** Null while it is open. */
  readonly stop: Millis | null;
  readonly reason: ClosedState | null;
  readonly rtt: Millis;
  readonly pendingBytes: number;
  readonly inMsgs: number;
  readonly outMsgs: number;
  readonly inBytes: number;
  readonly outBytes: number;
  readonly stalls: number;
  readonly subscriptionCount: number;
  readonly subscriptions: readonly SubscriptionSnapshot[];
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  readonly tls: Link["tls"];
  readonly authorizedUser: string;
  /** "" if it never got past authentication. */
  readonly account: string;
  readonly jwt: string;
  readonly issuerKey: string;
  readonly nameTag: string;
  readonly tags: readonly string[];
  readonly proxyKey: string;
}

/** Closed connections, oldest first. */
export interface ClosedConnections {
  readonly entries: Iterable<ConnectionSnapshot>;
  /** What closed links had moved. */
  readonly totals: ClosedTotals;
}

export interface ClosedTotals {
  readonly clients: Traffic;
  readonly leafs: Traffic;
  /** By account: all links, and the leaf links among them. */
  account(name: string): {
    readonly all: Traffic;
    readonly leafs: Traffic;
    readonly slowConsumers: number;
  };
}

/** `in` is from the peer, `out` to it. */
export interface Traffic {
  readonly inMsgs: number;
  readonly inBytes: number;
  readonly outMsgs: number;
  readonly outBytes: number;
}

export const NO_TRAFFIC: Traffic = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0 };

export function addTraffic(a: Traffic, b: Traffic): Traffic {
  return {
    inMsgs: a.inMsgs + b.inMsgs,
    inBytes: a.inBytes + b.inBytes,
    outMsgs: a.outMsgs + b.outMsgs,
    outBytes: a.outBytes + b.outBytes,
  };
}

export interface ClosedFacts {
  readonly stop: Millis;
  readonly reason: ClosedState;
  /** The subscriptions it held; the link itself has dropped them by now. */
  readonly subscriptions: readonly SubscriptionSnapshot[];
  /** The user that was refused, or "". */
  readonly refusedUser: string;
}

/** `closed`: null for a live link; `withSubscriptions` copies its subscriptions too. */
export function snapshotLink(
  link: Link,
  withSubscriptions: boolean,
  closed: ClosedFacts | null = null,
): ConnectionSnapshot {
  const { user, peer } = link;
  const isLeaf = link.kind === KIND_LEAF;
  const subscriptions = closed?.subscriptions ?? (withSubscriptions ? subscriptionsOf(link) : []);
  const known = closed === null || user !== null || link.leaf?.solicited === true;
  return {
    cid: link.id,
    kind: isLeaf ? "Leafnode" : "Client",
    type: TYPES[link.connectionType],
    ip: link.host,
    port: link.port,
    start: link.opened,
    lastActivity: link.lastActivity,
    stop: closed?.stop ?? null,
    reason: closed?.reason ?? null,
    rtt: link.rtt,
    pendingBytes: link.queued + link.out.bytes,
    inMsgs: link.inMsgs,
    outMsgs: link.outMsgs,
    inBytes: link.inBytes,
    outBytes: link.outBytes,
    stalls: link.stalls,
    subscriptionCount: closed === null ? (link.subs?.size ?? 0) : subscriptions.length,
    subscriptions,
    name: peer?.name ?? "",
    lang: peer?.lang ?? "",
    version: peer?.version ?? "",
    tls: link.tls,
    authorizedUser: user?.authorizedUser ?? closed?.refusedUser ?? "",
    account: known ? link.account.name : "",
    jwt: user?.jwt ?? "",
    issuerKey: user?.issuerKey ?? "",
    nameTag: known ? user?.nameTag || link.account.name : "",
    tags: user?.tags ?? [],
    proxyKey: user?.proxyKey ?? "",
  };
}

export function subscriptionsOf(link: Link): SubscriptionSnapshot[] {
  return [...(link.subs?.values() ?? [])].map(snapshotSubscription);
}

function snapshotSubscription(sub: Subscription): SubscriptionSnapshot {
  const { subject, queue, sid, delivered, max } = sub;
  return { subject, queue, sid, delivered, max };
}

const TYPES = {
  STANDARD: "nats",
  IN_PROCESS: "nats",
  WEBSOCKET: "websocket",
  MQTT: "mqtt",
  MQTT_WS: "mqtt",
  LEAFNODE: "",
  LEAFNODE_WS: "",
} as const satisfies Record<ConnectionType, string>;
