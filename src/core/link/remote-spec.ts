/** What the engine must know of a configured remote; dialling, URLs and back-off are the server's. */
import type { Credentials } from "../contract.ts";

export interface RemoteSpec {
  /** Names it in logs and views: the server's number or text for this remote. */
  readonly id: string;
  /** The local account that the link is bound to. */
  readonly account: string;
  readonly hub: boolean;
  readonly denyImports: readonly string[];
  readonly denyExports: readonly string[];
  /** Allow-lists, which nats-server lacks; null = everything. */
  readonly allowImports: readonly string[] | null;
  readonly allowExports: readonly string[] | null;
  readonly isolated: boolean;
  readonly requestIsolation: boolean;
  /** The configured mode: `off`, `accept`, `s2_auto`, …. */
  readonly compression: string;
  /** Milliseconds of RTT that separate the levels of `s2_auto`. */
  readonly rttThresholds: readonly number[];
  readonly firstInfoTimeout: number;
  /** Bytes that may wait for this link and what happens beyond; null = as `EngineOptions.leaf` says. */
  readonly maxPending: number | null;
  readonly pendingPolicy: "drop" | "pause" | "close" | null;
  /** TLS is wanted whatever INFO says (a `tls {}` block, `wss`). */
  readonly tls: boolean;
  /** Whether the transport is a WebSocket, already past its upgrade. */
  readonly websocket: boolean;
  /**
   * The members of CONNECT that prove who we are, made for this nonce. Throws with a message for the log if
   * the credentials cannot be read; `null` says the file was malformed: no CONNECT is sent at all.
   */
  credentials(nonce: string): Partial<Credentials> | null;
}
