/**
 * The checked, typed, frozen value a configuration becomes.
 *
 * Member names are the option names of `nats.conf` in camelCase. Durations are milliseconds, sizes bytes,
 * `null` stands for "not configured". File paths are kept as given: opening them is the server's business.
 * The tables in `schema-*.ts` are typed against these interfaces, so neither can forget a member.
 */
import type { ConnectionType, Millis, Permissions } from "../core/index.ts";
import type { ConfigPlaces } from "./places.ts";

/** Everything a server can be told, defaults applied. */
export interface Options {
  readonly host: string;
  /** -1 asks for any free port. */
  readonly port: number;
  readonly clientAdvertise: string | null;
  /** null: the server id is the name. */
  readonly serverName: string | null;
  readonly serverTags: readonly string[];
  readonly serverMetadata: Readonly<Record<string, string>>;
  readonly featureFlags: Readonly<Record<string, boolean>>;

  readonly debug: boolean;
  readonly trace: boolean;
  readonly traceVerbose: boolean;
  readonly traceHeaders: boolean;
  readonly logtime: boolean;
  readonly logtimeUtc: boolean;
  readonly logFile: string | null;
  /** 0: files are not rotated. */
  readonly logSizeLimit: number;
  readonly logMaxNum: number;
  readonly syslog: boolean;
  readonly remoteSyslog: string | null;
  readonly maxTracedMsgLen: number;
  readonly pidFile: string | null;
  readonly portsFileDir: string | null;

  readonly httpHost: string | null;
  /** 0: no monitoring listener. */
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly httpBasePath: string;

  readonly authorization: AuthorizationOptions | null;
  readonly accounts: readonly AccountOptions[] | null;
  /** Subject mappings of the global account. */
  readonly mappings: readonly MappingOptions[];
  readonly noAuthUser: string | null;
  readonly systemAccount: string | null;
  readonly noSystemAccount: boolean;
  /** Operator JWTs, or names of files that hold one. */
  readonly operator: readonly string[];
  readonly trustedKeys: readonly string[];
  readonly resolver: ResolverOptions | null;
  readonly resolverTls: TlsOptions | null;
  readonly resolverPreload: Readonly<Record<string, string>> | null;
  readonly resolverPinnedAccounts: readonly string[];
  readonly defaultSentinel: string | null;
  readonly proxies: ProxiesOptions | null;

  readonly tls: TlsOptions | null;
  readonly allowNonTls: boolean;
  readonly proxyProtocol: boolean;
  readonly leafnodes: LeafNodesOptions;
  readonly websocket: WebSocketOptions | null;
  readonly cluster: ClusterOptions | null;
  readonly gateway: GatewayOptions | null;
  /** Not supported yet: only `false` is accepted. */
  readonly jetstream: boolean;
  readonly mqtt: null;
  readonly ocsp: boolean;
  readonly ocspCache: boolean;
  readonly storeDir: string | null;
  readonly defaultJsDomain: Readonly<Record<string, string>>;
  readonly profPort: number;
  readonly profBlockRate: number;

  /** -1: nobody may connect (`max_connections: 0`). */
  readonly maxConnections: number;
  /** Per connection; 0 is unlimited. */
  readonly maxSubscriptions: number;
  readonly maxSubTokens: number;
  readonly maxControlLine: number;
  readonly maxPayload: number;
  readonly maxPending: number;
  readonly maxClosedClients: number;
  /** 0: no limit. */
  readonly maxUnauthenticated: number;
  readonly pingInterval: Millis;
  readonly pingMax: number;
  readonly writeDeadline: Millis;
  readonly writeTimeout: WriteTimeoutPolicy;
  readonly noFastProducerStall: boolean;
  readonly lameDuckDuration: Millis;
  readonly lameDuckGracePeriod: Millis;
  readonly disableSublistCache: boolean;
  readonly noHeaderSupport: boolean;
  readonly connectErrorReports: number;
  readonly reconnectErrorReports: number;
}

export type WriteTimeoutPolicy = "default" | "close" | "retry";

/** What happens to a link whose outbox is full: lose messages, hold the producers back, or close it. */
export type PendingPolicy = "drop" | "pause" | "close";

/** A certificate and its key, as file names. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsOptions {
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly caFile: string | null;
  readonly certs: readonly CertificateFiles[];
  readonly verify: boolean;
  readonly verifyAndMap: boolean;
  readonly verifyCertAndCheckKnownUrls: boolean;
  readonly insecure: boolean;
  /** null: 2 s. */
  readonly timeout: Millis | null;
  /** IANA names; empty: the platform's choice. */
  readonly cipherSuites: readonly string[];
  readonly allowInsecureCipherSuites: boolean;
  readonly curvePreferences: readonly string[];
  readonly minVersion: "1.2" | "1.3" | null;
  /** Handshakes per second; 0 is unlimited. */
  readonly connectionRateLimit: number;
  /** Lower-case hex SHA-256 of SubjectPublicKeyInfo. */
  readonly pinnedCerts: readonly string[];
  readonly handshakeFirst: HandshakeFirst;
}

/** `fallback`: after this time without a ClientHello the server sends INFO first after all; null = never. */
export interface HandshakeFirst {
  readonly enabled: boolean;
  readonly fallback: Millis | null;
}

export interface UserOptions {
  readonly user: string;
  readonly password: string;
  readonly account: string;
  readonly permissions: Permissions | null;
  /** Empty: all types. */
  readonly allowedConnectionTypes: readonly ConnectionType[];
  readonly proxyRequired: boolean;
}

export interface NkeyUserOptions {
  /** The public user key, `U…`. */
  readonly nkey: string;
  readonly account: string;
  readonly permissions: Permissions | null;
  readonly allowedConnectionTypes: readonly ConnectionType[];
  readonly proxyRequired: boolean;
}

export interface AuthorizationOptions {
  /** The single user, "" if none. */
  readonly user: string;
  readonly password: string;
  readonly token: string;
  readonly timeout: Millis | null;
  /** All belong to `$G`; default permissions are already applied. */
  readonly users: readonly UserOptions[];
  readonly nkeys: readonly NkeyUserOptions[];
  readonly defaultPermissions: Permissions | null;
  readonly authCallout: AuthCalloutOptions | null;
  readonly proxyRequired: boolean;
}

export interface AuthCalloutOptions {
  readonly issuer: string;
  readonly account: string;
  readonly authUsers: readonly string[];
  readonly xkey: string | null;
  readonly allowedAccounts: readonly string[];
}

/** -1 stands for "no limit". */
export interface AccountLimits {
  readonly maxConnections: number;
  readonly maxSubscriptions: number;
  readonly maxPayload: number;
  readonly maxLeafnodes: number;
}

export interface AccountOptions {
  readonly name: string;
  /** The public account key, if given. */
  readonly nkey: string | null;
  readonly users: readonly UserOptions[];
  readonly nkeys: readonly NkeyUserOptions[];
  readonly defaultPermissions: Permissions | null;
  readonly exports: readonly ExportOptions[];
  readonly imports: readonly ImportOptions[];
  readonly mappings: readonly MappingOptions[];
  readonly limits: AccountLimits;
  readonly jetstream: boolean;
  readonly msgTrace: { readonly dest: string; readonly sampling: number } | null;
}

/** One source of a mapping block; definition order matters. */
export interface MappingOptions {
  readonly subject: string;
  readonly destinations: readonly {
    readonly subject: string;
    readonly weight: number;
    readonly cluster: string;
  }[];
}

interface AnyExport {
  readonly subject: string;
  /** null: public. */
  readonly accounts: readonly string[] | null;
  /** 1-based; 0 if not used. */
  readonly accountTokenPosition: number;
}

export interface StreamExport extends AnyExport {
  readonly kind: "stream";
}

export interface ServiceExport extends AnyExport {
  readonly kind: "service";
  readonly responseType: "singleton" | "stream" | "chunked";
  readonly threshold: Millis;
  readonly latency: LatencyOptions | null;
  readonly allowTrace: boolean;
}

export interface LatencyOptions {
  readonly subject: string;
  /** Percent, or `headers`: sampled as the tracing headers of the request say. */
  readonly sampling: number | "headers";
}

export type ExportOptions = StreamExport | ServiceExport;

export interface StreamImport {
  readonly kind: "stream";
  readonly account: string;
  readonly subject: string;
  readonly prefix: string;
  readonly to: string;
  readonly allowTrace: boolean;
}

export interface ServiceImport {
  readonly kind: "service";
  readonly account: string;
  readonly subject: string;
  /** The local subject; defaults to `subject`. */
  readonly to: string;
  readonly share: boolean;
}

export type ImportOptions = StreamImport | ServiceImport;

export type ResolverOptions =
  | { readonly type: "memory" }
  | { readonly type: "url"; readonly url: string }
  | {
      readonly type: "full" | "cache";
      readonly dir: string;
      readonly allowDelete: boolean;
      readonly hardDelete: boolean;
      /** Full only: how often servers compare their stores. */
      readonly interval: Millis;
      /** -1: unlimited. */
      readonly limit: number;
      /** Cache only. */
      readonly ttl: Millis;
      readonly timeout: Millis;
    };

export interface ProxiesOptions {
  /** Public keys of the trusted proxies. */
  readonly trusted: readonly string[];
}

/** Effective modes of the `compression` option; `s2_auto` picks by round-trip time. */
export type CompressionChoice =
  | "not supported"
  | "off"
  | "accept"
  | "s2_auto"
  | "s2_uncompressed"
  | "s2_fast"
  | "s2_better"
  | "s2_best";

export interface CompressionOptions {
  readonly mode: CompressionChoice;
  /** Ascending; 0 skips a level. Only for `s2_auto`. */
  readonly rttThresholds: readonly Millis[];
}

export interface LeafNodesOptions {
  readonly host: string;
  /** 0: no listener. */
  readonly port: number;
  readonly authorization: LeafAuthorizationOptions | null;
  readonly remotes: readonly LeafRemoteOptions[];
  readonly reconnect: Millis;
  readonly dialTimeout: Millis;
  readonly tls: TlsOptions | null;
  readonly advertise: string | null;
  readonly noAdvertise: boolean;
  readonly minVersion: string | null;
  readonly compression: CompressionOptions;
  readonly isolateLeafnodeInterest: boolean;
  /** null: the server's. */
  readonly writeDeadline: Millis | null;
  readonly writeTimeout: WriteTimeoutPolicy;
  /** null: the server's. */
  readonly maxPending: number | null;
  readonly pendingPolicy: PendingPolicy;
}

export interface LeafAuthorizationOptions {
  readonly user: string;
  readonly password: string;
  readonly nkey: string | null;
  /** Where the single user, the nkey or unauthenticated links go. */
  readonly account: string;
  readonly timeout: Millis | null;
  readonly users: readonly LeafUserOptions[];
  readonly proxyRequired: boolean;
}

export interface LeafUserOptions {
  readonly user: string;
  readonly password: string;
  readonly account: string;
  readonly proxyRequired: boolean;
}

export interface LeafRemoteOptions {
  readonly urls: readonly ServerUrl[];
  readonly account: string;
  readonly credentials: string | null;
  /** A user seed, `SU…`. */
  readonly nkey: string | null;
  readonly tls: TlsOptions | null;
  readonly hub: boolean;
  readonly denyImports: readonly string[];
  readonly denyExports: readonly string[];
  /** null: no restriction. */
  readonly allowImports: readonly string[] | null;
  readonly allowExports: readonly string[] | null;
  readonly noRandomize: boolean;
  readonly wsCompression: boolean;
  readonly wsNoMasking: boolean;
  readonly jetstreamClusterMigrate: { readonly leaderMigrateDelay: Millis } | null;
  readonly isolateLeafnodeInterest: boolean;
  readonly requestIsolation: boolean;
  readonly compression: CompressionOptions;
  readonly firstInfoTimeout: Millis;
  /** null: that of `leafnodes`. */
  readonly dialTimeout: Millis | null;
  readonly disabled: boolean;
  readonly proxy: HttpProxyOptions | null;
  readonly ignoreDiscoveredServers: boolean;
  /** Whether `/healthz?links=1` fails while this link is down. */
  readonly required: boolean;
  /** Upper bound of the exponential back-off between attempts. */
  readonly reconnectMax: Millis;
  /** null: that of `leafnodes`. */
  readonly maxPending: number | null;
  /** null: that of `leafnodes`. */
  readonly pendingPolicy: PendingPolicy | null;
}

export interface HttpProxyOptions {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly timeout: Millis;
  readonly tls: TlsOptions | null;
}

/** A URL of a server, taken apart; `port` has its default filled in. */
export interface ServerUrl {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly user: string | null;
  readonly password: string | null;
  readonly path: string;
  /** As configured, with the default port added. */
  readonly text: string;
}

export interface WebSocketOptions {
  readonly host: string;
  /** 0: no listener. */
  readonly port: number;
  readonly advertise: string | null;
  readonly noTls: boolean;
  readonly tls: TlsOptions | null;
  readonly sameOrigin: boolean;
  readonly allowedOrigins: readonly string[];
  readonly handshakeTimeout: Millis;
  readonly compression: boolean;
  readonly authorization: SimpleAuthorizationOptions | null;
  readonly jwtCookie: string | null;
  readonly userCookie: string | null;
  readonly passCookie: string | null;
  readonly tokenCookie: string | null;
  readonly noAuthUser: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** null: the server's. */
  readonly pingInterval: Millis | null;
}

export interface SimpleAuthorizationOptions {
  readonly user: string;
  readonly password: string;
  readonly token: string;
  readonly timeout: Millis | null;
}

/** Only the name is supported so far. */
export interface ClusterOptions {
  readonly name: string | null;
}

export interface GatewayOptions {
  readonly name: string | null;
}

/** Where options came from, besides their values. */
export interface OptionsOrigin {
  /** Dotted option names that were given (`leafnodes.port`), as opposed to defaulted. */
  readonly explicit: ReadonlySet<string>;
  /** Whether some configured password is not a bcrypt hash. */
  readonly plaintextPasswords: boolean;
  /** `sha256:<hex>` of the parsed file, or "". */
  readonly digest: string;
  /** The file the options were read from, or null. */
  readonly file: string | null;
  /** Where each option stands there. */
  readonly places: ConfigPlaces;
}
