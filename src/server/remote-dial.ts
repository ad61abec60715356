/** From a remote's URL to an open TCP connection: directly, or through the remote's HTTP proxy. */
import type { LeafRemoteOptions, ServerUrl } from "../config/index.ts";
import {
  buildClientTls,
  dialTcp,
  dialThroughProxy,
  resolveHost,
  type SocketWire,
  type WireHandler,
} from "../transports/node/index.ts";

export interface DialContext {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** Until the engine's connection takes over, nobody listens. */
const DEAF: WireHandler = { data: () => {}, drained: () => {}, closed: () => {} };

export async function dialRemote(
  remote: LeafRemoteOptions,
  url: ServerUrl,
  context: DialContext,
): Promise<SocketWire> {
  const { proxy } = remote;
  const { signal, timeoutMs } = context;
  const direct = { host: url.host, port: url.port, timeoutMs, signal };
  if (proxy === null) return dialTcp(direct, DEAF);
  // The proxy is given the name; but a name that we cannot resolve is not dialled, as in nats-server.
  await resolveHost(direct);
  return dialThroughProxy(
    {
      url: proxy.url,
      username: proxy.username,
      password: proxy.password,
      targetHost: url.host,
      targetPort: url.port,
      timeoutMs: proxy.timeout > 0 ? proxy.timeout : timeoutMs,
      tls: buildClientTls(proxy.tls),
      signal,
    },
    DEAF,
  );
}
