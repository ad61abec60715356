/**
 * What one engine is told about itself. The server layer makes it from the configuration and replaces members
 * on reload; the engine reads it anew each time and keeps no copies.
 */
import type { Millis } from "./contract.ts";

export interface EngineOptions {
  readonly serverId: string;
  serverName: string;
  readonly version: string;
  readonly goVersion: string;
  readonly gitCommit: string;
  /** As INFO shows them to clients (advertise applied). */
  host: string;
  port: number;
  headers: boolean;
  maxPayload: number;
  maxControlLine: number;
  maxPending: number;
  /** How long a link may take none of what it is sent; 0 = for ever. */
  writeDeadline: Millis;
  /** What is done with a client that takes longer. */
  writeTimeout: WriteTimeout;
  /** Negative: nobody may connect. */
  maxConnections: number;
  /** 0 = unlimited. */
  maxSubscriptions: number;
  /** 0 = unlimited. */
  maxSubTokens: number;
  pingInterval: Millis;
  pingMax: number;
  authTimeout: Millis;
  /** The JetStream domain shown in INFO and CONNECT; "" = none. */
  domain: string;
  clusterName: string;
  tlsRequired: boolean;
  tlsVerify: boolean;
  tlsAvailable: boolean;
  connectUrls: readonly string[];
  /** Trace operations to the log, payloads cut to `traceLength` bytes (0 = whole). */
  trace: boolean;
  traceLength: number;
  traceHeaders: boolean;
  xkey: string;
  systemAccount: string;
  websocket: WebsocketInfo | null;
  leaf: LeafOptions;
  /** Account name -> domain, as `default_js_domain`. */
  defaultJsDomain: ReadonlyMap<string, string>;
  noStall: boolean;
}

/** What INFO says to WebSocket clients instead. */
export interface WebsocketInfo {
  host: string;
  port: number;
  tls: boolean;
  authTimeout: Millis;
  pingInterval: Millis;
  connectUrls: readonly string[];
}

export interface LeafOptions {
  host: string;
  port: number;
  /** `host:port` for INFO's `ip`. */
  ip: string;
  urls: readonly string[];
  tlsRequired: boolean;
  tlsVerify: boolean;
  authTimeout: Millis;
  /** "" = none; else three dotted numbers. */
  minVersion: string;
  /** The accepting side's configured compression mode. */
  compression: string;
  rttThresholds: readonly number[];
  isolated: boolean;
  /** Bytes that may wait for a leaf link, and what happens beyond. */
  maxPending: number;
  pendingPolicy: "drop" | "pause" | "close";
  writeDeadline: Millis;
  writeTimeout: WriteTimeout;
}

/**
 * What is done when a write is not over by the deadline. `default`: a client that took none of it is closed, a
 * leaf link is retried. `retry`: the link stays as long as some of it goes. `close`: it is closed, a leaf link
 * only if none of it went, as its output never ends on a busy link.
 */
export type WriteTimeout = "default" | "close" | "retry";
