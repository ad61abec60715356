/** `/routez` and `/gatewayz` of a server that has neither routes nor gateways, and `/jsz` without JetStream. */
import { timestamp } from "./formats.ts";
import type { JsonObject } from "./json.ts";
import { MonitorError, type Query, queryBool, queryInt, querySubs } from "./query.ts";
import type { MonitorState } from "./state.ts";

/** Checks the parameters that would be used. */
export function checkRoutezQuery(query: Query): void {
  querySubs(query);
}

export function routez(state: MonitorState): JsonObject {
  return {
    server_id: state.engine.options.serverId,
    server_name: state.engine.options.serverName,
    now: timestamp(state.now),
    num_routes: 0,
    routes: [],
  };
}

export function checkGatewayzQuery(query: Query): void {
  querySubs(query);
  queryBool(query, "accs");
}

export function gatewayz(state: MonitorState): JsonObject {
  return {
    server_id: state.engine.options.serverId,
    now: timestamp(state.now),
    outbound_gateways: {},
    inbound_gateways: {},
  };
}

export interface JszOptions {
  readonly leaderOnly?: boolean;
}

export function jszOptions(query: Query): JszOptions {
  for (const name of ["accounts", "streams", "consumers", "direct-consumers", "config", "raft"]) {
    queryBool(query, name);
  }
  queryInt(query, "offset");
  queryInt(query, "limit");
  queryBool(query, "stream-leader-only");
  return { leaderOnly: queryBool(query, "leader-only") };
}

export function jsz(state: MonitorState, options: JszOptions = {}): JsonObject {
  if (options.leaderOnly === true) throw new MonitorError(400, "filtered response: not leader");
  return {
    memory: 0,
    storage: 0,
    reserved_memory: 0,
    reserved_storage: 0,
    accounts: 0,
    ha_assets: 0,
    api: { level: 0, total: 0, errors: 0 },
    server_id: state.engine.options.serverId,
    now: timestamp(state.now),
    disabled: true,
    config: { max_memory: 0, max_storage: 0 },
    streams: 0,
    consumers: 0,
    messages: 0,
    bytes: 0,
    total: 0,
  };
}
