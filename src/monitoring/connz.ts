/** `/connz`: clients and leaf links, open or closed, filtered, sorted and paged. */
import { KIND_LEAF, type Engine, type Link, collide, latin1ToUtf8 } from "../core/index.ts";
import {
  type ConnectionSnapshot,
  type SubscriptionSnapshot,
  snapshotLink,
} from "./connection-snapshot.ts";
import { type ConnzSort, compareBy, isConnzSort } from "./connz-sort.ts";
import { roundTrip, timestamp, uptime } from "./formats.ts";
import { type Json, type JsonObject, omit } from "./json.ts";
import {
  MonitorError,
  type Query,
  paging,
  queryBool,
  queryInt,
  querySubs,
  queryText,
  queryUint,
} from "./query.ts";
import type { MonitorState } from "./state.ts";

export interface ConnzOptions {
  readonly sort?: string;
  /** With users, accounts and certificates. */
  readonly auth?: boolean;
  readonly subscriptions?: boolean;
  readonly subscriptionsDetail?: boolean;
  readonly offset?: number;
  readonly limit?: number;
  /** 0 = all. */
  readonly cid?: number;
  readonly state?: "open" | "closed" | "all";
  readonly user?: string;
  readonly account?: string;
  /** Only with `account`: connections with a subscription that overlaps this subject. */
  readonly filterSubject?: string;
  readonly mqttClient?: string;
}

export function connzOptions(query: Query): ConnzOptions {
  const sort = queryText(query, "sort");
  const auth = queryBool(query, "auth");
  const { subscriptions, detail } = querySubs(query);
  const offset = queryInt(query, "offset");
  const limit = queryInt(query, "limit");
  const cid = queryUint(query, "cid");
  return {
    sort,
    auth,
    subscriptions,
    subscriptionsDetail: detail,
    offset,
    limit,
    cid,
    state: stateOf(queryText(query, "state")),
    user: queryText(query, "user"),
    account: queryText(query, "acc"),
    mqttClient: queryText(query, "mqtt_client"),
  };
}

function stateOf(text: string): "open" | "closed" | "all" {
  switch (text.toLowerCase()) {
    case "":
    case "open":
      return "open";
    case "closed":
      return "closed";
    case "any":
    case "all":
      return "all";
    default:
      throw new MonitorError(400, `Error decoding state for ${text}`);
  }
}

export function connz(state: MonitorState, options: ConnzOptions = {}): JsonObject {
  const sort = sortOf(options);
  const { cid = 0, account = "", user = "", mqttClient = "" } = options;
  const filter = options.filterSubject === ">" ? "" : (options.filterSubject ?? "");
  if (filter !== "" && account === "") {
    throw new MonitorError(400, "filter by subject only valid with account filtering");
  }
  const page = paging(cid > 0 ? { ...options, limit: 1 } : options);
  const head = { now: timestamp(state.now), num_connections: 0, total: 0, ...page };
  if (account !== "" && !state.engine.accounts.has(account)) {
    return { server_id: "", ...head, connections: null };
  }
  const detail = options.subscriptionsDetail === true;
  const listsSubscriptions = detail || options.subscriptions === true;
  const all = candidates(state, options, filter, listsSubscriptions);
  const found = all.filter(
    (one) =>
      (cid === 0 || one.cid === cid) &&
      (user === "" || one.authorizedUser === user) &&
      (mqttClient === "" || one.type === "mqtt"),
  );
  if (found.length > 1) found.sort(compareBy(sort, state.now));
  const shown = found.slice(page.offset, page.offset + page.limit);
  return {
    server_id: state.engine.options.serverId,
    ...head,
    num_connections: shown.length,
    total: all.length,
    connections: shown.map((one) =>
      connection(one, state.now, { auth: options.auth === true, subs: listsSubscriptions, detail }),
    ),
  };
}

function sortOf(options: ConnzOptions): ConnzSort {
  const sort = options.sort ?? "";
  if (sort === "") return "cid";
  if (!isConnzSort(sort)) throw new MonitorError(400, `invalid sorting option: ${sort}`);
  if ((sort === "stop" || sort === "reason") && options.state !== "closed") {
    throw new MonitorError(400, `sort by ${sort} only valid on closed connections`);
  }
  return sort;
}

/** What counts into `total`: by state and account, before the other filters. */
function candidates(
  state: MonitorState,
  options: ConnzOptions,
  filter: string,
  withSubscriptions: boolean,
): ConnectionSnapshot[] {
  const { account = "", cid = 0, state: which = "open" } = options;
  const list: ConnectionSnapshot[] = [];
  if (which !== "closed") {
    for (const link of openLinks(state.engine, account)) {
      if (filter !== "" && !overlaps(link, filter)) continue;
      // With a `cid`, the subscriptions of all others are not needed.
      const wanted = withSubscriptions && (cid === 0 || cid === link.id);
      list.push(snapshotLink(link, wanted));
    }
  }
  if (which !== "open") {
    for (const one of state.closed.entries) {
      if (account !== "" && one.account !== account) continue;
      if (filter !== "" && !one.subscriptions.some((sub) => collide(sub.subject, filter))) continue;
      list.push(one);
    }
  }
  return list;
}

/** Clients from their first byte on, leaf links once they take part in interest. */
function* openLinks(engine: Engine, account: string): IterableIterator<Link> {
  for (const link of engine.links.values()) {
    if (link.kind === KIND_LEAF && link.leaf?.registered !== true) continue;
    if (account === "" || link.account.name === account) yield link;
  }
}

function overlaps(link: Link, filter: string): boolean {
  for (const sub of link.subs?.values() ?? []) if (collide(sub.subject, filter)) return true;
  return false;
}

/** One item; also what gatewayz shows of a connection. */
export function connection(
  one: ConnectionSnapshot,
  now: number,
  show: { auth: boolean; subs: boolean; detail: boolean },
): JsonObject {
  const until = one.stop ?? now;
  const { tls } = one;
  const auth = show.auth ? one : null;
  return {
    cid: one.cid,
    kind: one.kind,
    type: omit(one.type),
    ip: one.ip,
    port: one.port,
    start: timestamp(one.start),
    last_activity: timestamp(one.lastActivity),
    stop: one.stop === null ? undefined : timestamp(one.stop),
    reason: one.reason ?? undefined,
    rtt: roundTrip(one.rtt),
    uptime: uptime(until - one.start),
    idle: uptime(until - one.lastActivity),
    pending_bytes: one.pendingBytes,
    in_msgs: one.inMsgs,
    out_msgs: one.outMsgs,
    in_bytes: one.inBytes,
    out_bytes: one.outBytes,
    stalls: omit(one.stalls),
    subscriptions: one.subscriptionCount,
    name: omit(one.name),
    lang: omit(one.lang),
    version: omit(one.version),
    tls_version: omit(tls?.version),
    tls_cipher_suite: omit(tls?.cipher),
    tls_peer_certs: auth === null ? undefined : omit(certificates(one)),
    authorized_user: omit(auth?.authorizedUser),
    account: auth === null || auth.account === "$G" ? undefined : omit(auth.account),
    subscriptions_list:
      show.subs && !show.detail
        ? omit(one.subscriptions.map((sub) => latin1ToUtf8(sub.subject)))
        : undefined,
    subscriptions_list_detail: show.detail
      ? omit(one.subscriptions.map((sub) => subscriptionDetail(sub, one)))
      : undefined,
    jwt: omit(auth?.jwt),
    issuer_key: omit(auth?.issuerKey),
    name_tag: omit(auth?.nameTag),
    tags: omit(auth?.tags),
    proxy: one.proxyKey === "" ? undefined : { key: one.proxyKey },
  };
}

function certificates(one: ConnectionSnapshot): readonly Json[] {
  const peers = one.tls?.peerCertificates ?? [];
  return peers.map((peer) => ({
    subject: omit(peer.subject),
    spki_sha256: omit(peer.spkiSha256),
    cert_sha256: omit(peer.certSha256),
  }));
}

function subscriptionDetail(sub: SubscriptionSnapshot, owner: ConnectionSnapshot): JsonObject {
  const closed = owner.stop !== null;
  return {
    account: closed ? omit(owner.account) : undefined,
    account_tag: closed ? omit(owner.nameTag) : undefined,
    subject: latin1ToUtf8(sub.subject),
    qgroup: omit(latin1ToUtf8(sub.queue)),
    sid: latin1ToUtf8(sub.sid),
    msgs: sub.delivered,
    max: closed ? undefined : omit(sub.max),
    cid: owner.cid,
  };
}
