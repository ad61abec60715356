/** `/varz`: who this server is, how it is configured, and what it has done so far. */
import type { Millis } from "../core/index.ts";
import { nanoseconds, seconds, timestamp, uptime } from "./formats.ts";
import { type JsonObject, omit, sortedObject } from "./json.ts";
import type { ConfigFacts, LeafRemoteFacts, MonitorState, WebSocketFacts } from "./state.ts";
import { leafLinks, serverTraffic, subscriptionCount } from "./traffic.ts";

/** Flags of the reference with their defaults; tools read them though nothing here acts on them. */
export const FEATURE_FLAGS: Readonly<Record<string, boolean>> = {
  js_ack_fc_v2: false,
  js_api_reply_v2: false,
  js_raft_delete_range: true,
  js_snapshot_sources: false,
};

export function varz(state: MonitorState): JsonObject {
  return { ...identity(state), ...configuration(state), ...runtime(state), ...rest(state) };
}

function identity({ engine }: MonitorState): JsonObject {
  const { options, authenticator } = engine;
  return {
    server_id: options.serverId,
    server_name: options.serverName,
    version: options.version,
    proto: 1,
    git_commit: omit(options.gitCommit),
    go: options.goVersion,
    host: options.host,
    port: options.port,
    auth_required: omit(authenticator.required("STANDARD")),
    tls_required: omit(options.tlsRequired),
    tls_verify: omit(options.tlsVerify),
    connect_urls: omit(options.connectUrls),
    ws_connect_urls: omit(options.websocket?.connectUrls),
  };
}

function configuration({ engine: { options }, http, config }: MonitorState): JsonObject {
  return {
    // -1: nobody may connect.
    max_connections: options.maxConnections,
    max_subscriptions: omit(options.maxSubscriptions),
    ping_interval: nanoseconds(options.pingInterval),
    ping_max: options.pingMax,
    http_host: http.host,
    http_port: http.httpPort,
    http_base_path: http.basePath,
    https_port: http.httpsPort,
    auth_timeout: seconds(options.authTimeout),
    max_control_line: options.maxControlLine,
    max_payload: options.maxPayload,
    max_pending: options.maxPending,
    cluster: { name: omit(config.clusterName) },
    gateway: {},
    leaf: leafBlock(config),
    mqtt: {},
    websocket: config.websocket === null ? {} : websocketBlock(config.websocket),
    jetstream: {},
    tls_timeout: seconds(config.tlsTimeout),
    write_deadline: nanoseconds(config.writeDeadline),
    write_timeout: omit(config.writeTimeout),
  };
}

function runtime(state: MonitorState): JsonObject {
  const { engine, process } = state;
  const { all, clients } = serverTraffic(state);
  const { slowConsumers: slow, staleConnections: stale } = engine;
  return {
    start: timestamp(state.start),
    now: timestamp(state.now),
    uptime: uptime(state.now - state.start),
    mem: process.memory,
    cores: process.cores,
    gomaxprocs: process.cores,
    cpu: process.cpuPercent,
    connections: engine.clientCount,
    total_connections: engine.totalConnections,
    routes: 0,
    remotes: 0,
    leafnodes: leafLinks(engine).length,
    in_msgs: all.inMsgs,
    in_bytes: all.inBytes,
    in_client_msgs: clients.inMsgs,
    in_client_bytes: clients.inBytes,
    out_msgs: all.outMsgs,
    out_bytes: all.outBytes,
    out_client_msgs: clients.outMsgs,
    out_client_bytes: clients.outBytes,
    slow_consumers: slow.clients + slow.leafs,
    stale_connections: stale.clients + stale.leafs,
    stalled_clients: engine.stallsOf.count,
    subscriptions: subscriptionCount(engine),
    http_req_stats: sortedObject(state.requests),
    config_load_time: timestamp(state.configLoadTime),
    config_digest: state.configDigest,
  };
}

function rest({ engine, config, pinnedAccountFails }: MonitorState): JsonObject {
  return {
    tags: omit(config.tags.map((tag) => tag.toLowerCase())),
    metadata: omit(sortedObject(Object.entries(config.metadata))),
    feature_flags: sortedObject(Object.entries({ ...FEATURE_FLAGS, ...config.featureFlags })),
    trusted_operators_jwt: omit(config.trustedOperatorsJwt),
    trusted_operators_claim: omit(config.trustedOperatorsClaim),
    system_account: omit(engine.options.systemAccount),
    pinned_account_fails: omit(pinnedAccountFails),
    slow_consumer_stats: byKind(engine.slowConsumers),
    stale_connection_stats: byKind(engine.staleConnections),
    disk_io_wait_stats: { waiters: 0, waits: 0, wait_time: 0, max_wait_time: 0 },
    proxies:
      config.trustedProxies.length === 0
        ? undefined
        : { trusted: config.trustedProxies.map((key) => ({ key })) },
    tls_cert_not_after: expiry(config.tlsCertNotAfter),
  };
}

function byKind(count: { clients: number; leafs: number }): JsonObject {
  return { clients: count.clients, routes: 0, gateways: 0, leafs: count.leafs };
}

function expiry(at: Millis | null): string | undefined {
  return at === null ? undefined : timestamp(at);
}

function leafBlock({ leaf, leafRemotes }: ConfigFacts): JsonObject {
  const remotes = omit(leafRemotes.map(leafRemote));
  if (leaf === null) return { remotes };
  return {
    host: omit(leaf.host),
    port: omit(leaf.port),
    auth_timeout: omit(seconds(leaf.authTimeout)),
    tls_timeout: omit(seconds(leaf.tlsTimeout)),
    tls_required: omit(leaf.tlsRequired),
    tls_verify: omit(leaf.tlsVerify),
    remotes,
    tls_cert_not_after: expiry(leaf.tlsCertNotAfter),
  };
}

function leafRemote(remote: LeafRemoteFacts): JsonObject {
  const { denyExports, denyImports } = remote;
  const denies = denyExports.length > 0 || denyImports.length > 0;
  return {
    local_account: omit(remote.account),
    tls_timeout: omit(seconds(remote.tlsTimeout)),
    urls: omit(remote.urls),
    deny: denies ? { exports: omit(denyExports), imports: omit(denyImports) } : undefined,
  };
}

function websocketBlock(ws: WebSocketFacts): JsonObject {
  return {
    host: omit(ws.host),
    port: omit(ws.port),
    advertise: omit(ws.advertise),
    no_auth_user: omit(ws.noAuthUser),
    jwt_cookie: omit(ws.jwtCookie),
    handshake_timeout: omit(nanoseconds(ws.handshakeTimeout)),
    auth_timeout: omit(seconds(ws.authTimeout)),
    no_tls: omit(ws.noTls),
    tls_map: omit(ws.tlsMap),
    tls_pinned_certs: omit(ws.tlsPinnedCerts),
    same_origin: omit(ws.sameOrigin),
    allowed_origins: omit(ws.allowedOrigins),
    compression: omit(ws.compression),
    tls_cert_not_after: expiry(ws.tlsCertNotAfter),
  };
}
