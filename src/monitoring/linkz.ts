/**
 * `/linkz`, Frond's own: the truth about every leaf link. Each configured remote has an entry whether it is up
 * or not, with why it is not and what happens next; accepted links follow. Numbers of a link are null while
 * there is none, never a zero that looks measured.
 */
import { type Link, type Millis } from "../core/index.ts";
import { roundTrip, timestamp, uptime } from "./formats.ts";
import { type JsonObject, omit } from "./json.ts";
import { type Query, queryText } from "./query.ts";
import type { MonitorState, RemoteView } from "./state.ts";
import { leafLinks } from "./traffic.ts";

export interface LinkzOptions {
  readonly account?: string;
}

export function linkzOptions(query: Query): LinkzOptions {
  return { account: queryText(query, "acc") };
}

export function linkz(state: MonitorState, options: LinkzOptions = {}): JsonObject {
  const { account = "" } = options;
  const remotes = state.remotes.filter((remote) => account === "" || remote.account === account);
  const accepted = leafLinks(state.engine).filter(
    (link) => link.leaf?.solicited !== true && (account === "" || link.account.name === account),
  );
  return {
    server_id: state.engine.options.serverId,
    server_name: state.engine.options.serverName,
    now: timestamp(state.now),
    up: remotes.filter((remote) => remote.state === "up").length,
    down: remotes.filter(isDown).length,
    remotes: remotes.map((remote) => remoteEntry(state, remote)),
    accepted: accepted.map((link) => ({
      since: timestamp(link.opened),
      uptime: uptime(state.now - link.opened),
      rtt: { last: roundTrip(link.rtt) },
      ...linkEntry(link),
      out: {
        msgs: link.outMsgs,
        bytes: link.outBytes,
        refused: link.leaf?.refusedOut ?? 0,
        dropped: link.leaf?.output.droppedMsgs ?? 0,
      },
    })),
  };
}

/** Wanted, and not up. */
export function isDown(remote: RemoteView): boolean {
  return remote.state !== "up" && remote.state !== "disabled";
}

export function remoteAddress(remote: RemoteView): string {
  const { host, port } = remote.currentUrl;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function remoteEntry(state: MonitorState, remote: RemoteView): JsonObject {
  const { link } = remote;
  return {
    id: remote.id,
    state: remote.state,
    since: timestamp(remote.since),
    in_state_for: uptime(state.now - remote.since),
    required: remote.required,
    url: `${remote.currentUrl.scheme}://${remoteAddress(remote)}`,
    urls: remote.urls,
    credentials: remote.credentials,
    last_error: omit(remote.lastError),
    last_error_at: remote.lastErrorAt === null ? undefined : timestamp(remote.lastErrorAt),
    attempts: remote.attempts,
    next_retry: remote.nextRetry === null ? undefined : timestamp(remote.nextRetry),
    next_retry_in:
      remote.nextRetry === null ? undefined : roundTrip(Math.max(0, remote.nextRetry - state.now)),
    flaps: remote.flaps,
    rtt: roundTrips(link, remote.rtts),
    ...(link === null ? { account: remote.account, link: null } : linkEntry(link)),
    out: {
      msgs: link?.outMsgs ?? null,
      bytes: link?.outBytes ?? null,
      refused: link?.leaf?.refusedOut ?? null,
      dropped: remote.dropped,
    },
  };
}

function linkEntry(link: Link): JsonObject {
  const { leaf, tls } = link;
  return {
    account: link.account.name,
    link: {
      id: link.id,
      ip: link.host,
      port: link.port,
      is_spoke: leaf?.isSpoke === true,
      is_isolated: leaf?.isolated === true,
      remote_server: leaf?.remoteServer ?? "",
      remote_server_id: leaf?.remoteServerId ?? "",
      remote_account: omit(leaf?.remoteAccount),
      remote_cluster: omit(leaf?.remoteCluster),
      remote_domain: omit(leaf?.remoteDomain),
      authorized_user: omit(link.user?.authorizedUser),
      websocket: link.connectionType === "LEAFNODE_WS",
      compression: leaf?.compression ?? "not supported",
      tls: tls === null ? null : { version: tls.version, cipher_suite: tls.cipher },
      last_error: omit(leaf?.lastError),
      // Held by us, and by the transport; and how much of what it took may not have been worked through yet.
      pending_bytes: link.queued + (leaf?.output.waiting(link) ?? 0),
      in_flight_bytes: leaf?.output.window.inFlight ?? 0,
      window_bytes: Math.round(leaf?.output.window.bytes ?? 0),
      last_byte: timestamp(link.lastByte),
    },
    interest: { received: link.subs?.size ?? 0, announced: announcedKeys(link) },
    // Refused: kept back by permissions.
    in: { msgs: link.inMsgs, bytes: link.inBytes, refused: leaf?.refusedIn ?? 0 },
  };
}

/** How many keys stand announced to the peer; walks the account's table once. */
export function announcedKeys(link: Link): number {
  const slot = link.leaf?.slot ?? -1;
  let count = 0;
  if (slot < 0) return count;
  for (const entry of link.account.interest.entries())
    if ((entry.announced[slot] ?? 0) > 0) count++;
  return count;
}

function roundTrips(link: Link | null, rtts: readonly Millis[]): JsonObject {
  const { last, p50, p99 } = roundTripStats(link, rtts);
  const text = (value: Millis | null): string | null => (value === null ? null : roundTrip(value));
  return { last: text(last), p50: text(p50), p99: text(p99), samples: rtts.length };
}

/** Of a remote's latest round trips, newest last. */
export function roundTripStats(
  link: Link | null,
  rtts: readonly Millis[],
): { last: Millis | null; p50: Millis | null; p99: Millis | null } {
  const sorted = rtts.toSorted((a, b) => a - b);
  const last = link !== null && link.rtt > 0 ? link.rtt : rtts.at(-1);
  return { last: last ?? null, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** The smallest value that this share of all is not above; null without values. */
function percentile(sorted: readonly Millis[], share: number): Millis | null {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
