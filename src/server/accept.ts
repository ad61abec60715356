/**
 * What happens between a TCP connection and an open link, for the client and the leaf listener: PROXY
 * protocol, TLS before, after or instead of INFO, and the limits that hold before anyone is authenticated.
 */
import type { Link, LinkPlace, TlsState } from "../core/index.ts";
import { peekForTls, TlsHandshakeError, upgradeServerTls } from "../transports/node/index.ts";
import type { ServerTls, SocketWire } from "../transports/node/index.ts";
import { Connection, type ConnectionHub } from "./connection.ts";

export interface AcceptRules {
  readonly kind: "client" | "leaf";
  readonly tls: ServerTls | null;
  readonly tlsTimeout: number;
  /** Plain peers are welcome on a TLS listener. */
  readonly allowNonTls: boolean;
  readonly handshakeFirst: { readonly enabled: boolean; readonly fallback: number | null };
}

export interface AcceptHost {
  readonly hub: ConnectionHub;
  openLink(kind: "client" | "leaf", connection: Connection, place: LinkPlace): Link;
  tlsEstablished(link: Link, tls: TlsState): void;
  /** A handshake failed; `link` is null if none was opened yet. */
  tlsFailed(kind: "client" | "leaf", link: Link | null, where: string, error: unknown): void;
}

export function accept(host: AcceptHost, wire: SocketWire, rules: AcceptRules): void {
  const connection = new Connection(wire, host.hub);
  wire.handler = connection;
  if (rules.tls === null) {
    open(host, connection, rules, null, true);
    return;
  }
  void acceptTls(host, connection, wire, rules, rules.tls);
}

async function acceptTls(
  host: AcceptHost,
  connection: Connection,
  wire: SocketWire,
  rules: AcceptRules,
  tls: ServerTls,
): Promise<void> {
  let link: Link | null = null;
  try {
    if (rules.handshakeFirst.enabled && (await wantsTlsFirst(wire, rules))) {
      const state = await upgradeServerTls(wire, tls, rules.tlsTimeout);
      open(host, connection, rules, state, true);
      return;
    }
    link = open(host, connection, rules, null, false);
    if (link.state === "closed") return;
    if (rules.allowNonTls && (await peekForTls(wire, rules.tlsTimeout)) !== "tls") {
      wire.resume();
      return;
    }
    const state = await upgradeServerTls(wire, tls, rules.tlsTimeout);
    host.tlsEstablished(link, state);
    wire.resume();
  } catch (error) {
    host.tlsFailed(rules.kind, link, `${wire.remoteHost}:${wire.remotePort}`, error);
    wire.destroy();
  }
}

async function wantsTlsFirst(wire: SocketWire, rules: AcceptRules): Promise<boolean> {
  const { fallback } = rules.handshakeFirst;
  if (fallback === null) return true;
  return (await peekForTls(wire, fallback)) !== "nothing";
}

function open(
  host: AcceptHost,
  connection: Connection,
  rules: AcceptRules,
  tls: TlsState | null,
  resume: boolean,
): Link {
  const { wire } = connection;
  const place: LinkPlace = {
    host: wire.remoteHost,
    port: wire.remotePort,
    connectionType: rules.kind === "leaf" ? "LEAFNODE" : "STANDARD",
    tls,
    tlsOptional: false,
  };
  const link = host.openLink(rules.kind, connection, place);
  if (resume && link.state !== "closed") wire.resume();
  return link;
}

export function isQuiet(error: unknown): boolean {
  return error instanceof TlsHandshakeError && error.probe;
}
