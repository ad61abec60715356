/** What STATSZ events and answers say of a server, and who the server is in every system message. */
import { timestamp } from "./formats.ts";
import { type JsonObject, omit, sortedObject } from "./json.ts";
import type { MonitorState } from "./state.ts";
import { serverTraffic, subscriptionCount } from "./traffic.ts";
import { FEATURE_FLAGS } from "./varz.ts";

export function statsz(state: MonitorState): JsonObject {
  const { engine, process } = state;
  const { all, clients } = serverTraffic(state);
  const { slowConsumers: slow, staleConnections: stale } = engine;
  const used = [...engine.accounts.values()].filter(
    (account) => account.clients.size + account.leaves.size > 0,
  );
  return {
    start: timestamp(state.start),
    mem: process.memory,
    cores: process.cores,
    cpu: process.cpuPercent,
    connections: engine.clientCount,
    total_connections: engine.totalConnections,
    active_accounts: used.length,
    subscriptions: subscriptionCount(engine),
    sent: { msgs: all.outMsgs, bytes: all.outBytes },
    sent_to_clients: { msgs: clients.outMsgs, bytes: clients.outBytes },
    received: { msgs: all.inMsgs, bytes: all.inBytes },
    received_from_clients: { msgs: clients.inMsgs, bytes: clients.inBytes },
    slow_consumers: slow.clients + slow.leafs,
    slow_consumer_stats: byKind(slow),
    stale_connections: omit(stale.clients + stale.leafs),
    stale_connection_stats: byKind(stale),
    stalled_clients: omit(engine.stallsOf.count),
    active_servers: 1,
    gomaxprocs: process.cores,
  };
}

function byKind(count: { clients: number; leafs: number }): JsonObject | undefined {
  if (count.clients + count.leafs === 0) return undefined;
  return { clients: count.clients, routes: 0, gateways: 0, leafs: count.leafs };
}

/** `seq` counts the messages that carry it. */
export function serverInfo(state: MonitorState, seq: number): JsonObject {
  const { engine, config } = state;
  const { options } = engine;
  return {
    name: options.serverName,
    host: options.host,
    id: options.serverId,
    cluster: omit(options.clusterName),
    domain: omit(options.domain),
    ver: options.version,
    tags: omit(config.tags.map((tag) => tag.toLowerCase())),
    metadata: omit(sortedObject(Object.entries(config.metadata))),
    feature_flags: sortedObject(Object.entries({ ...FEATURE_FLAGS, ...config.featureFlags })),
    jetstream: false,
    flags: 0,
    seq,
    time: timestamp(state.now),
  };
}
