/** `/leafz`: the leaf links that are up, as nats-server shows them. `/linkz` knows the others too. */
import { type Link, latin1ToUtf8 } from "../core/index.ts";
import { roundTrip, timestamp } from "./formats.ts";
import { type JsonObject, omit } from "./json.ts";
import { type Query, queryBool, queryText } from "./query.ts";
import type { MonitorState } from "./state.ts";
import { leafLinks } from "./traffic.ts";

export interface LeafzOptions {
  readonly subscriptions?: boolean;
  readonly account?: string;
}

export function leafzOptions(query: Query): LeafzOptions {
  return { subscriptions: queryBool(query, "subs"), account: queryText(query, "acc") };
}

export function leafz(state: MonitorState, options: LeafzOptions = {}): JsonObject {
  const { account = "", subscriptions = false } = options;
  const links = leafLinks(state.engine).filter(
    (link) => account === "" || link.account.name === account,
  );
  return {
    server_id: state.engine.options.serverId,
    now: timestamp(state.now),
    leafnodes: links.length,
    leafs: links.map((link) => leaf(link, subscriptions)),
  };
}

function leaf(link: Link, listsSubscriptions: boolean): JsonObject {
  const proxyKey = link.user?.proxyKey ?? "";
  return {
    id: link.id,
    name: link.leaf?.remoteServer ?? "",
    is_spoke: link.leaf?.isSpoke === true,
    is_isolated: omit(link.leaf?.isolated),
    account: link.account.name,
    ip: link.host,
    port: link.port,
    rtt: roundTrip(link.rtt),
    in_msgs: link.inMsgs,
    out_msgs: link.outMsgs,
    in_bytes: link.inBytes,
    out_bytes: link.outBytes,
    subscriptions: link.subs?.size ?? 0,
    subscriptions_list: listsSubscriptions ? omit(subjects(link)) : undefined,
    compression: omit(link.leaf?.compression),
    websocket: omit(link.connectionType === "LEAFNODE_WS"),
    proxy: proxyKey === "" ? undefined : { key: proxyKey },
  };
}

function subjects(link: Link): string[] {
  return [...(link.subs?.values() ?? [])].map((sub) => latin1ToUtf8(sub.subject));
}
