/**
 * What snapshots are taken of: the engine, and the facts around it that only the server layer knows. The
 * server makes one `MonitorState` per request (members may be getters); nothing here is changed by a snapshot
 * but the request counters, which belong to the HTTP listener.
 */
import type { Engine, Link, Millis, Reason, RemoteLists } from "../core/index.ts";
import type { ClosedConnections } from "./connection-snapshot.ts";
import type { Json } from "./json.ts";

export interface MonitorState {
  readonly engine: Engine;
  readonly now: Millis;
  readonly start: Millis;
  /** Start or the last successful reload. */
  readonly configLoadTime: Millis;
  /** `sha256:<hex>`, or "". */
  readonly configDigest: string;
  readonly process: ProcessFacts;
  readonly http: HttpFacts;
  /** Path -> requests so far. */
  readonly requests: Map<string, number>;
  readonly config: ConfigFacts;
  readonly closed: ClosedConnections;
  /** Every configured listener, up or not. */
  readonly listeners: readonly ListenerView[];
  /** Every configured remote, up or down, in the configuration's order. */
  readonly remotes: readonly RemoteView[];
  /** Logins so far that named an account outside `resolver_pinned_accounts`. */
  readonly pinnedAccountFails: number;
  /** What the engine does not know of an account; null = nothing. */
  account(name: string): AccountFacts | null;
  /** Where a rule stands in the configuration: `file:line:column`, an option's path, or "". */
  place(reason: Reason): string;
}

export interface ProcessFacts {
  /** Resident bytes. */
  readonly memory: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly cpuPercent: number;
  readonly cores: number;
  readonly commandLine: readonly string[];
}

/** The monitoring listener; a port is 0 where that kind is off. */
export interface HttpFacts {
  readonly host: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** As configured, "" if not. */
  readonly basePath: string;
}

/** From the configuration; the engine's options hold the rest. */
export interface ConfigFacts {
  readonly tlsTimeout: Millis;
  readonly tlsCertNotAfter: Millis | null;
  readonly writeDeadline: Millis;
  /** "" if not configured. */
  readonly writeTimeout: string;
  readonly clusterName: string;
  readonly leaf: LeafFacts | null;
  readonly leafRemotes: readonly LeafRemoteFacts[];
  readonly websocket: WebSocketFacts | null;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly featureFlags: Readonly<Record<string, boolean>>;
  readonly trustedOperatorsJwt: readonly string[];
  /** Decoded operator claims, as JSON values. */
  readonly trustedOperatorsClaim: readonly Json[];
  readonly trustedProxies: readonly string[];
}

/** A leaf listener as configured (its port as bound). */
export interface LeafFacts {
  readonly host: string;
  readonly port: number;
  readonly authTimeout: Millis;
  readonly tlsTimeout: Millis;
  readonly tlsRequired: boolean;
  readonly tlsVerify: boolean;
  readonly tlsCertNotAfter: Millis | null;
}

export interface LeafRemoteFacts {
  readonly account: string;
  /** 0 without a `tls` block. */
  readonly tlsTimeout: Millis;
  /** `host:port`, without scheme and user. */
  readonly urls: readonly string[];
  readonly denyImports: readonly string[];
  readonly denyExports: readonly string[];
}

export interface WebSocketFacts {
  readonly host: string;
  readonly port: number;
  readonly advertise: string;
  readonly noAuthUser: string;
  readonly jwtCookie: string;
  /** 0 if not configured. */
  readonly handshakeTimeout: Millis;
  readonly authTimeout: Millis;
  readonly noTls: boolean;
  readonly tlsMap: boolean;
  readonly tlsPinnedCerts: readonly string[];
  readonly sameOrigin: boolean;
  readonly allowedOrigins: readonly string[];
  readonly compression: boolean;
  readonly tlsCertNotAfter: Millis | null;
}

export interface ListenerView {
  readonly name: "server" | "route" | "gateway" | "leafnode" | "websocket" | "mqtt";
  readonly up: boolean;
  /** Why it is not up, or "". */
  readonly error: string;
}

/** One configured remote, as its dialler shows it. */
export interface RemoteView {
  readonly id: number;
  /** `host:port` of every URL that is tried, discovered ones included. */
  readonly urls: readonly string[];
  readonly currentUrl: { readonly scheme: string; readonly host: string; readonly port: number };
  readonly account: string;
  readonly state: "disabled" | "waiting" | "connecting" | "handshake" | "up" | "stopped";
  /** When `state` was entered. */
  readonly since: Millis;
  /** Why the last attempt failed or the last link ended; kept while the link is up. */
  readonly lastError: string;
  readonly lastErrorAt: Millis | null;
  /** Failed attempts since the last success. */
  readonly attempts: number;
  readonly nextRetry: Millis | null;
  /** How often a link that was up went down. */
  readonly flaps: number;
  readonly link: Link | null;
  /** The latest round-trip times, newest last. */
  readonly rtts: readonly Millis[];
  /** Messages that were not sent since the link's outbox was full. */
  readonly dropped: number;
  readonly required: boolean;
  readonly credentials: "creds" | "nkey" | "user" | "token" | "none";
  /** What its options let through. */
  readonly rules: Omit<RemoteLists, "id"> & { readonly hub: boolean };
}

export interface AccountFacts {
  /** "" if the account has none. */
  readonly nameTag: string;
  readonly updateTime: Millis | null;
  readonly expired: boolean;
  /** False while the account's claims refer to something unresolved. */
  readonly complete: boolean;
  readonly jwt: string;
  readonly issuerKey: string;
  readonly tags: readonly string[];
  /** Decoded claims as a JSON value; null = none. */
  readonly decodedJwt: Json;
  /** User key (or `*`) -> time of revocation. */
  readonly revokedUsers: ReadonlyMap<string, Millis>;
  /** Source -> destinations in the order they are tried, weights summed up. */
  readonly mappings: ReadonlyMap<string, readonly MappingFacts[]>;
  readonly exports: readonly ExportFacts[];
  readonly imports: readonly ImportFacts[];
}

export interface MappingFacts {
  readonly subject: string;
  readonly weight: number;
  readonly cluster: string;
}

export interface ExportFacts {
  readonly name: string;
  readonly subject: string;
  readonly type: "stream" | "service";
  readonly tokenRequired: boolean;
  /** `Singleton`, `Streamed`, `Chunked`; "" for a stream and for the default. */
  readonly responseType: string;
  readonly accountTokenPosition: number;
  readonly approvedAccounts: readonly string[];
}

export interface ImportFacts {
  readonly subject: string;
  readonly account: string;
  /** "" if not given; always given for services. */
  readonly to: string;
  readonly localSubject: string;
  readonly type: "stream" | "service";
  readonly share: boolean;
  readonly invalid: boolean;
}
