/** From a remote's URL to an open wire: directly, with TLS first, or over a WebSocket. */
import type { LeafRemoteOptions, ServerUrl } from "../config/index.ts";
import { dialTcp, upgradeClientTls } from "../transports/node/index.ts";
import type { ClientTls, Wire, WireHandler } from "../transports/node/index.ts";
import type { RemoteHost } from "./remote-host.ts";

export interface DialContext {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly tls: ClientTls | null;
  readonly tlsName: string;
  readonly host: RemoteHost;
}

/** Until the engine's connection takes over, nobody listens. */
const DEAF: WireHandler = { data: () => {}, drained: () => {}, closed: () => {} };

export async function dialRemote(
  remote: LeafRemoteOptions,
  url: ServerUrl,
  context: DialContext,
): Promise<Wire> {
  const wire = await dialTcp(
    { host: url.host, port: url.port, timeoutMs: context.timeoutMs, signal: context.signal },
    DEAF,
  );
  if (remote.tls?.handshakeFirst.enabled === true) {
    const tls = context.tls ?? context.host.defaultTls();
    if (tls !== null) {
      await upgradeClientTls(wire, tls, {
        serverName: context.tlsName,
        timeoutMs: remote.tls.timeout ?? 2000,
      });
    }
  }
  return wire;
}
