/**
 * Which member of a queue group gets a message: a weighted-random start, then the list is walked in a circle.
 * Members of our own clients are taken first come; members behind leaf links are remembered and used only if
 * no local one took the message.
 */
import type { QueueGroup } from "../account/match-result.ts";
import type { Engine } from "../engine.ts";
import { KIND_LEAF, type Link, type Subscription } from "../link/link.ts";
import type { Message } from "../protocol/message.ts";
import { deliverToSub, mayBeReserved } from "./deliver-one.ts";
import { deliverTraced } from "./deliver-traced.ts";

/**
 * Delivers to a local member and returns it, or returns the member behind a leaf link that must get it (not
 * yet delivered), or null.
 */
export function chooseMember(
  engine: Engine,
  source: Link | null,
  m: Message,
  group: QueueGroup,
): Subscription | null {
  const subs = group.subs;
  let start = 0;
  if (subs.length > 1) {
    let point = engine.world.random() * group.weight;
    while (start < subs.length - 1 && (point -= (subs[start] as Subscription).weight) >= 0) start++;
  }
  let fallback: Subscription | null = null;
  for (let i = 0; i < subs.length; i++) {
    const sub = subs[(start + i) % subs.length] as Subscription;
    if (sub.link.kind !== KIND_LEAF) {
      const took =
        engine.tracing === null
          ? deliverToSub(engine, source, m, sub, group.name)
          : deliverTraced(engine, source, sub, group.name);
      if (took === 1) return sub;
    } else if (fallback === null && mayCross(engine, source, m, sub)) fallback = sub;
  }
  return fallback;
}

function mayCross(engine: Engine, source: Link | null, m: Message, sub: Subscription): boolean {
  const link = sub.link;
  if (link === source || link.state !== "active" || sub.closed) return false;
  const from = source?.leaf?.remoteCluster ?? "";
  if (from !== "" && from === link.leaf?.remoteCluster) return false;
  return (
    !(link.checksDelivery || mayBeReserved(m)) || engine.leafProtocol.permitsQueue(link, m, sub)
  );
}
