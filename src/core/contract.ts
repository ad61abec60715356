/**
 * The core's contract with the world: what a driver gives the engine (randomness, allocation, a log, an
 * outlet for bytes, an authenticator) and the plain values that cross the border.
 *
 * Time enters as `Millis` numbers, bytes as `Uint8Array`; nothing here names a platform.
 */
import type { ClosedState } from "./link/closed-state.ts";

/** Milliseconds since the epoch, fractions allowed; the engine never reads a clock itself. */
export type Millis = number;

export type LogLevel = "fatal" | "error" | "warn" | "notice" | "debug" | "trace";

/** What an engine needs from the process or the simulator that runs it. */
export interface World {
  /** A uniform number in [0, 1). */
  random(): number;
  /** Unpredictable bytes, for nonces and hash seeds. */
  randomBytes(length: number): Uint8Array;
  /** Memory that need not be zeroed; the engine overwrites it before anyone reads it. */
  allocate(length: number): Uint8Array;
  /** One line; `label` is the link's prefix (`127.0.0.1:4222 - cid:5`), or "" for the server's own lines. */
  log(level: LogLevel, label: string, text: string): void;
}

/** Identifies one open link inside one engine: the `cid`/`lid` of logs and monitoring. */
export type LinkId = number;

/** Where bytes and orders for a link's transport go. It never calls back into the engine. */
export interface Outlet {
  /**
   * Sends a frame. Returns how many bytes the transport still holds for this link: 0 means all was taken and
   * the caller may reuse the buffer; otherwise the buffer belongs to the transport.
   */
  write(link: LinkId, frame: Uint8Array): number;
  /** Sends frames in order; answers as `write` does. */
  writev(link: LinkId, frames: readonly Uint8Array[]): number;
  /**
   * A number that changes whenever bytes of the link leave this machine's memory, be it a part of one frame.
   * Asked only when a write takes long; without it, what `write` and `drained` told stands.
   */
  progress?(link: LinkId): number;
  /** Closes the transport; with `flush` what was written before goes out first. */
  close(link: LinkId, flush: boolean, reason: ClosedState): void;
  /** Stops and restarts reading from the peer. */
  pause(link: LinkId): void;
  resume(link: LinkId): void;
  /** Starts the TLS client handshake of a solicited leaf link; the driver answers with `tlsEstablished`. */
  startTls(link: LinkId): void;
  /** From the next written (or received) byte on, this direction is S2-framed. */
  compress(link: LinkId, direction: "write" | "read", mode: CompressionMode): void;
}

/** Effective S2 modes of a link; `off` and `not supported` are labels without framing. */
export type CompressionMode =
  | "not supported"
  | "off"
  | "s2_uncompressed"
  | "s2_fast"
  | "s2_better"
  | "s2_best";

/** As `allowed_connection_types` names them. */
export type ConnectionType =
  | "STANDARD"
  | "WEBSOCKET"
  | "LEAFNODE"
  | "LEAFNODE_WS"
  | "MQTT"
  | "MQTT_WS"
  | "IN_PROCESS";

/** What is known of a link's TLS; null on plain links. */
export interface TlsState {
  readonly version: string;
  readonly cipher: string;
  /** The peer's certificate chain, leaf first; empty if it sent none. */
  readonly peerCertificates: readonly PeerCertificate[];
  /** The chain was verified, up to a root that this server trusts. */
  readonly verified?: boolean;
}

export interface PeerCertificate {
  /** RFC 2253 text of the subject, most specific first (`CN=www,OU=Eng,O=Acme`). */
  readonly subject: string;
  readonly emails: readonly string[];
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  /** Lower-case hex SHA-256 of the DER SubjectPublicKeyInfo, and of the certificate. */
  readonly spkiSha256: string;
  readonly certSha256: string;
  /** The whole certificate as PEM. */
  readonly pem?: string;
}

/** The members of CONNECT that decide who the peer is; absent ones are "". */
export interface Credentials {
  readonly user: string;
  readonly pass: string;
  readonly authToken: string;
  readonly nkey: string;
  readonly jwt: string;
  readonly sig: string;
  readonly proxySig: string;
}

export interface AuthRequest {
  readonly link: LinkId;
  readonly kind: "client" | "leaf";
  readonly connectionType: ConnectionType;
  readonly credentials: Credentials;
  /** The client's CONNECT name, lang, version; for auth callout and events. */
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  /** The client's protocol number; for auth callout. */
  readonly protocol?: number;
  /** The text that was sent as `nonce` in INFO, or "". */
  readonly nonce: string;
  /** The peer's IP address. */
  readonly host: string;
  readonly tls: TlsState | null;
  readonly now: Millis;
}

/** Publish or subscribe rules. `allow: null` allows everything; deny overrides. Entries may be `subject queue`. */
export interface SubjectRules {
  readonly allow: readonly string[] | null;
  readonly deny: readonly string[];
}

export interface Permissions {
  readonly publish: SubjectRules;
  readonly subscribe: SubjectRules;
  /** `allow_responses`: negative `max` or `expires` mean without limit. */
  readonly responses: { readonly max: number; readonly expires: Millis } | null;
}

/** -1 stands for "no limit". */
export interface UserLimits {
  readonly maxPayload: number;
  readonly maxSubscriptions: number;
}

export interface AcceptedUser {
  readonly ok: true;
  readonly account: string;
  /** As logs and `connz?auth=1` show the user: `user:alice`, `nkey:U…`, `jwt:U…`, `token`, or "". */
  readonly label: string;
  readonly permissions: Permissions | null;
  readonly limits: UserLimits;
  /** When the link must be closed with `User Authentication Expired`; null = never. */
  readonly expires: Millis | null;
  /** What monitoring shows besides; all may be "". */
  readonly authorizedUser: string;
  readonly jwt: string;
  readonly issuerKey: string;
  readonly nameTag: string;
  readonly tags: readonly string[];
  /** The trusted proxy key that vouched for this connection, or "". */
  readonly proxyKey: string;
}

export interface RefusedUser {
  readonly ok: false;
  /** The text inside the quotes of `-ERR`; almost always `Authorization Violation`. */
  readonly error: string;
  readonly reason: ClosedState;
  /** What follows `authentication error` in the log: ` - User "bob"`, or "". */
  readonly who: string;
}

export type AuthVerdict = AcceptedUser | RefusedUser;

/** Decides who may connect. May be asked again for live links after a reload. */
export interface Authenticator {
  /** INFO's `auth_required` for this type of connection. */
  required(type: ConnectionType): boolean;
  /** INFO's `auth_required` is left out although required (a configured `no_auth_user`). */
  advertised(type: ConnectionType): boolean;
  /** Whether the first operation may be something else than CONNECT (`no_auth_user` steps in). */
  admitsWithoutConnect(type: ConnectionType): boolean;
  /** Whether INFO carries a nonce for clients. */
  needsNonce(): boolean;
  /**
   * Decides now, or returns null and calls `later` exactly once, never from inside this call
   * (bcrypt in a worker, an auth callout, a resolver that asks the network).
   */
  authenticate(request: AuthRequest, later: (verdict: AuthVerdict) => void): AuthVerdict | null;
}
