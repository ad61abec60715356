/** What a `Remote` needs of the server it belongs to. */
import type { Crypto } from "../auth/index.ts";
import type { LeafRemoteOptions } from "../config/index.ts";
import type {
  ClosedState,
  Link,
  LinkPlace,
  LogLevel,
  RemoteSpec,
  TlsState,
} from "../core/index.ts";
import type { ClientTls } from "../transports/node/index.ts";
import type { Connection, ConnectionHub } from "./connection.ts";
import type { Remote } from "./remote.ts";

export interface RemoteHost {
  readonly hub: ConnectionHub;
  readonly crypto: Crypto;
  /** Milliseconds. */
  readonly reconnect: number;
  readonly dialTimeout: number;
  readonly connectErrorReports: number;
  readonly reconnectErrorReports: number;
  log(level: LogLevel, label: string, text: string): void;
  /** The `tls {}` block of a remote, loaded; null without one. */
  clientTls(remote: LeafRemoteOptions): ClientTls | null;
  /** System roots and full verification, for a hub that demands TLS of a remote without a block. */
  defaultTls(): ClientTls | null;
  delaysFirst(account: string): boolean;
  /** Why links cannot be bound to this account now, as a line for the log; null if they can. */
  accountFault(account: string): Promise<string | null>;
  openRemote(
    remote: Remote,
    connection: Connection,
    place: LinkPlace,
    spec: RemoteSpec,
    closed: (link: Link) => void,
  ): void;
  tlsEstablished(link: Link, tls: TlsState): void;
  transportFailed(link: Link, reason: ClosedState): void;
  closeLink(link: Link, reason: ClosedState): void;
}
