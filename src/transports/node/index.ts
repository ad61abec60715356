export { dialTcp, joinHostPort, listenTcp, resolveHost } from "./tcp.ts";
export type { DialOptions, Listener, ListenOptions } from "./tcp.ts";
export { SocketWire, wireFromSocket } from "./socket-wire.ts";
export type { Wire, WireHandler } from "./wire.ts";
export { describeCertificate, tlsStateOf } from "./certificates.ts";
export { peek } from "./peek.ts";
export type { PeekResult } from "./peek.ts";
export {
  isPinned,
  peekForTls,
  TlsHandshakeError,
  upgradeClientTls,
  upgradeServerTls,
} from "./tls.ts";
export type { ClientUpgradeOptions, FirstBytes } from "./tls.ts";
export { buildClientTls, buildServerTls } from "./tls-options.ts";
export type { ClientTls, ServerTls, TlsIdentity, TlsSettings } from "./tls-options.ts";
export { closeStatus, WebSocketWire } from "./websocket.ts";
export type { WebSocketWireOptions } from "./websocket.ts";
export { WebSocketAcceptor, WebSocketHandshakeError } from "./websocket-accept.ts";
export type { AcceptedWebSocket, WebSocketRequest, WebSocketSettings } from "./websocket-accept.ts";
export { dialWebSocket } from "./websocket-dial.ts";
export type { WebSocketDialOptions } from "./websocket-dial.ts";
export { dialThroughProxy } from "./proxy.ts";
export type { ProxyDialOptions } from "./proxy.ts";
export {
  parseProxyHeader,
  PROXY_PROTOCOL_ERRORS,
  PROXY_PROTOCOL_TIMEOUT_MS,
} from "./proxy-protocol.ts";
export type { ProxyHeader } from "./proxy-protocol.ts";
