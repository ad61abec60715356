/** The limits of one link: the least of what the server, its account and its user allow. */
import type { Engine } from "../engine.ts";
import { schedule } from "./deadlines.ts";
import { KIND_CLIENT, type Link } from "./link.ts";

/** As in nats-server, what a client sends on in the meantime is still answered. */
const OVERFULL_GRACE = 20;

/** Sets them anew; after a link was bound, and whenever one of the three changed. */
export function applyLimits(engine: Engine, link: Link): void {
  const { options } = engine;
  const user = link.user?.limits;
  const account = link.account.limits;
  link.maxPayload = least(options.maxPayload, user?.maxPayload ?? -1, account.maxPayload);
  link.maxSubscriptions = least(
    serverSubscriptions(options.maxSubscriptions),
    user?.maxSubscriptions ?? -1,
    account.maxSubscriptions,
  );
}

/** A client that may not subscribe (any more) is closed a little later. */
export function endOverfull(engine: Engine, link: Link): void {
  if (link.kind !== KIND_CLIENT || !hasAllSubscriptions(link)) return;
  link.overfullAt = engine.now + OVERFULL_GRACE;
  schedule(engine, link);
}

/** `max_subscriptions` knows no "none at all": 0 stands for unlimited there, and for nothing elsewhere. */
export function serverSubscriptions(configured: number): number {
  return configured === 0 ? -1 : configured;
}

export function hasAllSubscriptions(link: Link): boolean {
  return link.maxSubscriptions >= 0 && (link.subs?.size ?? 0) >= link.maxSubscriptions;
}

/** The smallest of limits of which a negative one means none; -1 if none is set. */
export function least(...limits: readonly number[]): number {
  const set = limits.filter((limit) => limit >= 0);
  return set.length === 0 ? -1 : Math.min(...set);
}
