/** The orders of `/connz?sort=`; equal connections come by cid. */
import type { Millis } from "../core/index.ts";
import type { ConnectionSnapshot } from "./connection-snapshot.ts";

type Key = (one: ConnectionSnapshot, now: Millis) => number | string;

interface Order {
  readonly key: Key;
  readonly descending: boolean;
}

const ORDERS = {
  cid: { key: (one) => one.cid, descending: false },
  start: { key: (one) => one.start, descending: false },
  subs: { key: (one) => one.subscriptionCount, descending: true },
  pending: { key: (one) => one.pendingBytes, descending: true },
  msgs_to: { key: (one) => one.outMsgs, descending: true },
  msgs_from: { key: (one) => one.inMsgs, descending: true },
  bytes_to: { key: (one) => one.outBytes, descending: true },
  bytes_from: { key: (one) => one.inBytes, descending: true },
  last: { key: (one) => one.lastActivity, descending: true },
  idle: { key: (one, now) => (one.stop ?? now) - one.lastActivity, descending: true },
  uptime: { key: (one, now) => (one.stop ?? now) - one.start, descending: false },
  stop: { key: (one) => one.stop ?? 0, descending: true },
  reason: { key: (one) => one.reason ?? "", descending: false },
  rtt: { key: (one) => one.rtt, descending: true },
} satisfies Record<string, Order>;

export type ConnzSort = keyof typeof ORDERS;

export function isConnzSort(text: string): text is ConnzSort {
  return Object.hasOwn(ORDERS, text);
}

export function compareBy(
  sort: ConnzSort,
  now: Millis,
): (a: ConnectionSnapshot, b: ConnectionSnapshot) => number {
  const order: Order = ORDERS[sort];
  const sign = order.descending ? -1 : 1;
  return (a, b) => {
    const x = order.key(a, now);
    const y = order.key(b, now);
    return x < y ? -sign : x > y ? sign : a.cid - b.cid;
  };
}
