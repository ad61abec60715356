/**
 * What happens between a TCP connection and an open link on the `websocket {}` listener: TLS, the HTTP upgrade,
 * and who is behind it: a client, or a leaf node by the path it asked for.
 */
import type { WebSocketOptions } from "../config/index.ts";
import type { Cookies } from "../core/index.ts";
import {
  upgradeServerTls,
  type AcceptedWebSocket,
  type ServerTls,
  type SocketWire,
  type WebSocketAcceptor,
  type WebSocketRequest,
  WebSocketHandshakeError,
} from "../transports/node/index.ts";
import { addressOf, type AcceptHost } from "./accept.ts";
import { Connection } from "./connection.ts";

export interface WebSocketRules {
  readonly acceptor: WebSocketAcceptor;
  readonly tls: ServerTls | null;
  readonly tlsTimeout: number;
  readonly maxPayload: number;
  /** The names of the cookies that may stand in for members of CONNECT. */
  readonly cookies: Pick<
    WebSocketOptions,
    "jwtCookie" | "userCookie" | "passCookie" | "tokenCookie"
  >;
  /** The server has a leaf listener too, so leaf nodes may come over WebSockets. */
  readonly acceptsLeaves: boolean;
}

export async function acceptWebSocket(
  host: AcceptHost,
  wire: SocketWire,
  rules: WebSocketRules,
): Promise<void> {
  const connection = new Connection(wire, host.hub);
  wire.handler = connection;
  host.unauthenticated.add(connection);
  if (rules.tls !== null) {
    try {
      await upgradeServerTls(wire, rules.tls, rules.tlsTimeout);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const from = addressOf(wire);
      host.log("error", "", `websocket: TLS handshake error from ${from}: ${text}`);
      wire.destroy();
      return;
    }
  }
  let accepted: AcceptedWebSocket;
  try {
    accepted = await rules.acceptor.accept(wire, rules.maxPayload);
  } catch (error) {
    if (!(error instanceof WebSocketHandshakeError) || !error.logged) return;
    host.log("error", addressOf(wire), `websocket handshake error: ${error.message}`);
    return;
  }
  open(host, connection, accepted, rules);
}

function open(
  host: AcceptHost,
  connection: Connection,
  accepted: AcceptedWebSocket,
  rules: WebSocketRules,
): void {
  const { wire, request } = accepted;
  connection.wire = wire;
  const isLeaf = request.endpoint === "leafnode";
  if (isLeaf && !rules.acceptsLeaves) {
    host.log("error", "", "Not configured to accept leaf node connections");
    wire.inner.end(REFUSAL_FLUSH_MS);
    return;
  }
  const link = host.openLink(isLeaf ? "leaf" : "client", connection, {
    host: wire.remoteHost,
    port: wire.remotePort,
    connectionType: isLeaf ? "LEAFNODE_WS" : "WEBSOCKET",
    tls: wire.tls,
    forwardedFor: request.realIp,
    cookies: cookiesOf(request, rules),
    deflate: request.compression,
  });
  if (link.state !== "closed") wire.resume();
}

const REFUSAL_FLUSH_MS = 1000;

function cookiesOf(request: WebSocketRequest, rules: WebSocketRules): Cookies {
  const value = (name: string | null): string =>
    name === null ? "" : (request.cookies.get(name) ?? "");
  const { jwtCookie, userCookie, passCookie, tokenCookie } = rules.cookies;
  return {
    jwt: value(jwtCookie),
    user: value(userCookie),
    pass: value(passCookie),
    authToken: value(tokenCookie),
  };
}
