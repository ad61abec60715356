/**
 * What a remote's connection goes through before the first INFO: TLS where it comes first, and the upgrade to a
 * WebSocket. The link is open already, so that its log lines name it.
 */
import type { LeafRemoteOptions, ServerUrl } from "../config/index.ts";
import type { Link } from "../core/index.ts";
import {
  dialWebSocket,
  joinHostPort,
  TlsHandshakeError,
  upgradeClientTls,
  type ClientTls,
  type SocketWire,
  type Wire,
  type WireHandler,
} from "../transports/node/index.ts";
import type { RemoteHost } from "./remote-host.ts";

const TLS_TIMEOUT = 2000;
/** The upgrade gives up this much before the engine would miss INFO, so that the log names the right one. */
const EARLIER_MS = 20;
const DEAF: WireHandler = { data: () => {}, drained: () => {}, closed: () => {} };

export interface EarlyHandshake {
  readonly options: LeafRemoteOptions;
  readonly url: ServerUrl;
  /** Some earlier INFO demanded TLS of this remote. */
  readonly sticksToTls: boolean;
  readonly tls: ClientTls | null;
  readonly serverName: string;
  readonly host: RemoteHost;
}

export function isWebSocketUrl(url: ServerUrl): boolean {
  return url.scheme.startsWith("ws");
}

/** Whether TLS is wanted whatever INFO says. */
export function wantsTls(options: LeafRemoteOptions, url: ServerUrl, sticks: boolean): boolean {
  return options.tls !== null || url.scheme === "tls" || url.scheme === "wss" || sticks;
}

/** Whether anything is to be done before INFO. */
export function hasEarlyHandshake(options: LeafRemoteOptions, url: ServerUrl): boolean {
  return isWebSocketUrl(url) || options.tls?.handshakeFirst.enabled === true;
}

/** Why an upgrade failed; TLS has an error of its own. */
export class WebSocketDialError extends Error {}

/**
 * Makes the wire ready to be read INFO from. Rejects with a TlsHandshakeError or a WebSocketDialError; the wire
 * is closed then.
 */
export async function earlyHandshake(
  wire: SocketWire,
  link: Link,
  about: EarlyHandshake,
): Promise<Wire> {
  const { options, url, host } = about;
  // Whatever ends the connection now is told by the promise.
  wire.handler = DEAF;
  const websocket = isWebSocketUrl(url);
  if (!websocket || wantsTls(options, url, about.sticksToTls)) {
    const tls = about.tls ?? host.defaultTls();
    if (tls === null) throw new TlsHandshakeError("no TLS settings", {});
    host.log("debug", link.label, "Starting TLS leafnode client handshake");
    const { serverName } = about;
    const timeoutMs = options.tls?.timeout ?? TLS_TIMEOUT;
    host.tlsEstablished(link, await upgradeClientTls(wire, tls, { serverName, timeoutMs }));
  }
  if (!websocket) return wire;
  let upgraded;
  try {
    upgraded = await dialWebSocket(wire, {
      host: joinHostPort(url.host, url.port),
      path: url.path,
      compression: options.wsCompression,
      noMasking: options.wsNoMasking,
      maxPayload: link.maxPayload,
      timeoutMs: Math.max(1, options.firstInfoTimeout - EARLIER_MS),
    });
  } catch (error) {
    throw new WebSocketDialError(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  link.deflate = upgraded.compression;
  const traits = `compression=${upgraded.compression} masking=${upgraded.masks}`;
  host.log("debug", link.label, `Leafnode ${traits}`);
  return upgraded;
}
