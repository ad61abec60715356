/** `pinned_certs` at a reload: connections whose certificate is no longer listed are closed. */
import type { Options } from "../config/index.ts";
import { KIND_CLIENT, KIND_LEAF, type Engine, type Link } from "../core/index.ts";
import { isPinned } from "../transports/node/index.ts";

type Pins = ReadonlySet<string>;

/** Where lists have changed; null = unchanged. */
interface ChangedPins {
  readonly clients: Pins | null;
  readonly websocket: Pins | null;
  readonly leaves: Pins | null;
}

/** Closes what the new lists refuse; `notice` is told how many there are, before. The caller flushes. */
export function recheckPinnedCerts(
  engine: Engine,
  before: Options,
  after: Options,
  notice: (text: string) => void,
): void {
  const pins: ChangedPins = {
    clients: changed(before.tls?.pinnedCerts, after.tls?.pinnedCerts),
    websocket: changed(before.websocket?.tls?.pinnedCerts, after.websocket?.tls?.pinnedCerts),
    leaves: changed(before.leafnodes.tls?.pinnedCerts, after.leafnodes.tls?.pinnedCerts),
  };
  const refused = [...engine.links.values()].filter((link) => isRefused(link, pins));
  if (refused.length === 0) return;
  notice(`Disconnect ${refused.length} clients due to pinned certs reload`);
  for (const link of refused) engine.close(link, "TLS Handshake Failure");
}

function changed(
  before: readonly string[] = [],
  after: readonly string[] = [],
): ReadonlySet<string> | null {
  const known = new Set(before);
  const next = new Set(after);
  return known.size === next.size && after.every((pin) => known.has(pin)) ? null : next;
}

function isRefused(link: Link, pins: ChangedPins): boolean {
  const listed = pinsFor(link, pins);
  if (listed === null || listed.size === 0) return false;
  return link.tls === null || !isPinned(link.tls, listed);
}

function pinsFor(link: Link, pins: ChangedPins): Pins | null {
  if (link.kind === KIND_LEAF) return pins.leaves;
  if (link.kind !== KIND_CLIENT) return null;
  if (link.connectionType === "WEBSOCKET") return pins.websocket;
  return link.connectionType === "STANDARD" ? pins.clients : null;
}
