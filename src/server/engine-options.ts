/** The configuration as the engine wants it, and how it changes on reload. */
import { networkInterfaces } from "node:os";
import type { Options } from "../config/index.ts";
import type { EngineOptions } from "../core/index.ts";
import { joinHostPort } from "../transports/node/index.ts";
import { type Advertised, parseAdvertise } from "./advertise.ts";
import { NATS_VERSION, RUNTIME_VERSION } from "./version.ts";

/** What is known only once listeners are up. */
export interface Bound {
  readonly clientPort: number;
  readonly leafPort: number;
  readonly websocketPort: number;
}

const AUTH_TIMEOUT = 2000;
const DEFAULT_PING_INTERVAL = 120_000;
const TLS_TIMEOUT = 2000;

export function engineOptions(serverId: string, options: Options, bound: Bound): EngineOptions {
  const advertised = splitAdvertise(options.clientAdvertise, options.host, bound.clientPort);
  return {
    serverId,
    serverName: options.serverName ?? serverId,
    version: NATS_VERSION,
    goVersion: RUNTIME_VERSION,
    gitCommit: "",
    host: advertised.host,
    port: advertised.port,
    headers: !options.noHeaderSupport,
    maxPayload: options.maxPayload,
    maxControlLine: options.maxControlLine,
    maxPending: options.maxPending,
    writeDeadline: options.writeDeadline,
    writeTimeout: options.writeTimeout,
    maxConnections: options.maxConnections,
    maxSubscriptions: options.maxSubscriptions,
    maxSubTokens: options.maxSubTokens,
    // As in nats-server, 0 is no interval but stands for the default.
    pingInterval: options.pingInterval > 0 ? options.pingInterval : DEFAULT_PING_INTERVAL,
    pingMax: options.pingMax,
    authTimeout: authTimeout(
      options.authorization?.timeout ?? null,
      options.tls?.timeout,
      options.tls !== null,
    ),
    domain: "",
    clusterName: clusterName(options),
    tlsRequired: options.tls !== null && !options.allowNonTls,
    tlsVerify: options.tls?.verify === true || options.tls?.verifyAndMap === true,
    tlsAvailable: options.tls !== null && options.allowNonTls,
    connectUrls: [],
    trace: options.trace,
    traceLength: options.maxTracedMsgLen,
    traceHeaders: options.traceHeaders,
    xkey: "",
    systemAccount: options.noSystemAccount ? "" : (options.systemAccount ?? "$SYS"),
    websocket: websocketInfo(options, bound),
    leaf: leafOptions(options, bound),
    defaultJsDomain: new Map(Object.entries(options.defaultJsDomain)),
    noStall: options.noFastProducerStall,
  };
}

function authTimeout(
  configured: number | null,
  tls: number | null | undefined,
  hasTls: boolean,
): number {
  if (configured !== null) return configured;
  return hasTls ? (tls ?? TLS_TIMEOUT) + 1000 : AUTH_TIMEOUT;
}

/** A server with remotes but no cluster lends its configured name to the links, as nats-server does. */
function clusterName(options: Options): string {
  const own = options.cluster?.name ?? "";
  if (own !== "") return own;
  return options.leafnodes.remotes.length > 0 ? (options.serverName ?? "") : "";
}

function websocketInfo(options: Options, bound: Bound): EngineOptions["websocket"] {
  const ws = options.websocket;
  if (ws === null || ws.port === 0) return null;
  return {
    host: ws.host,
    port: bound.websocketPort,
    tls: ws.tls !== null,
    authTimeout:
      ws.authorization?.timeout ??
      authTimeout(options.authorization?.timeout ?? null, ws.tls?.timeout, ws.tls !== null),
    pingInterval: ws.pingInterval ?? 0,
    connectUrls: [],
  };
}

function leafOptions(options: Options, bound: Bound): EngineOptions["leaf"] {
  const leaf = options.leafnodes;
  const listening = leaf.port !== 0;
  const at = splitAdvertise(leaf.advertise, leaf.host, bound.leafPort);
  const host = isAny(at.host) ? (globalAddresses()[0] ?? at.host) : at.host;
  const url = joinHostPort(host, at.port);
  return {
    host,
    port: at.port,
    ip: url,
    urls: listening && !leaf.noAdvertise ? [url] : [],
    tlsRequired: leaf.tls !== null,
    tlsVerify: leaf.tls?.verify === true || leaf.tls?.verifyAndMap === true,
    authTimeout: authTimeout(
      leaf.authorization?.timeout ?? null,
      leaf.tls?.timeout,
      leaf.tls !== null,
    ),
    minVersion: leaf.minVersion ?? "",
    compression: leaf.compression.mode,
    rttThresholds: leaf.compression.rttThresholds,
    isolated: leaf.isolateLeafnodeInterest,
    maxPending: leaf.maxPending ?? options.maxPending,
    pendingPolicy: leaf.pendingPolicy,
    writeDeadline: leaf.writeDeadline ?? options.writeDeadline,
    writeTimeout: leaf.writeTimeout,
  };
}

function splitAdvertise(advertise: string | null, host: string, port: number): Advertised {
  if (advertise === null || advertise === "") return { host, port };
  const parsed = parseAdvertise(advertise, port);
  return typeof parsed === "string" ? { host, port } : parsed;
}

export function isAny(host: string): boolean {
  return host === "" || host === "0.0.0.0" || host === "::";
}

/** This machine's addresses that others can reach. */
export function globalAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => !entry.internal && !entry.address.startsWith("fe80:"))
    .map((entry) => entry.address);
}
