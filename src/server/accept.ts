/**
 * What happens between a TCP connection and an open link, for the client and the leaf listener: PROXY
 * protocol, TLS before, after or instead of INFO, and the limits that hold before anyone is authenticated.
 */
import type { ClosedState, Link, LinkPlace, LogLevel, TlsState } from "../core/index.ts";
import {
  parseProxyHeader,
  peek,
  peekForTls,
  PROXY_PROTOCOL_ERRORS,
  PROXY_PROTOCOL_TIMEOUT_MS,
  TlsHandshakeError,
  upgradeServerTls,
} from "../transports/node/index.ts";
import type { ProxyHeader, ServerTls, SocketWire } from "../transports/node/index.ts";
import { now } from "./clock.ts";
import { Connection, type ConnectionHub } from "./connection.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { Unauthenticated } from "./unauthenticated.ts";

export interface AcceptRules {
  readonly kind: "client" | "leaf";
  readonly tls: ServerTls | null;
  readonly tlsTimeout: number;
  /** Plain peers are welcome on a TLS listener. */
  readonly allowNonTls: boolean;
  readonly handshakeFirst: { readonly enabled: boolean; readonly fallback: number | null };
  /** A PROXY header may come first. */
  readonly proxyProtocol: boolean;
  readonly handshakes: RateLimit | null;
}

export interface AcceptHost {
  readonly hub: ConnectionHub;
  readonly unauthenticated: Unauthenticated;
  log(level: LogLevel, label: string, text: string): void;
  openLink(kind: "client" | "leaf", connection: Connection, place: LinkPlace): Link;
  tlsEstablished(link: Link, tls: TlsState): void;
  /** A handshake failed; `link` is null if none was opened yet. */
  tlsFailed(kind: "client" | "leaf", link: Link | null, where: string, error: unknown): void;
  /** A PROXY header told whom a client's connection comes from. */
  readdress(link: Link, host: string, port: number): void;
  transportFailed(link: Link, reason: ClosedState): void;
  /** Too many TLS handshakes. */
  throttle(link: Link): void;
}

export function accept(host: AcceptHost, wire: SocketWire, rules: AcceptRules): void {
  const connection = new Connection(wire, host.hub);
  wire.handler = connection;
  host.unauthenticated.add(connection);
  if (rules.tls === null && !rules.proxyProtocol) {
    const link = open(host, connection, rules, null);
    if (link.state !== "closed") wire.resume();
    return;
  }
  void acceptSlowly(host, connection, wire, rules);
}

/** The address of a wire, as it begins log lines while there is no link. */
export function addressOf(wire: SocketWire): string {
  const host = wire.remoteHost.includes(":") ? `[${wire.remoteHost}]` : wire.remoteHost;
  return `${host}:${wire.remotePort}`;
}

async function acceptSlowly(
  host: AcceptHost,
  connection: Connection,
  wire: SocketWire,
  rules: AcceptRules,
): Promise<void> {
  const { tls } = rules;
  let link: Link | null = null;
  try {
    if (tls !== null && (await wantsTlsFirst(wire, rules))) {
      if (rules.proxyProtocol && !(await readProxyHeader(host, wire, null))) return;
      if (rules.handshakes?.allow(now()) === false) {
        wire.destroy();
        return;
      }
      const state = await upgradeServerTls(wire, tls, rules.tlsTimeout);
      if (isOpen(open(host, connection, rules, state))) wire.resume();
      return;
    }
    link = open(host, connection, rules, null);
    if (!isOpen(link)) return;
    if (rules.proxyProtocol && !(await readProxyHeader(host, wire, link))) return;
    if (tls !== null && (await wantsTls(wire, rules))) {
      if (rules.handshakes?.allow(now()) === false) {
        host.throttle(link);
        return;
      }
      const state = await upgradeServerTls(wire, tls, rules.tlsTimeout);
      if (isOpen(link)) host.tlsEstablished(link, state);
    }
    if (isOpen(link)) wire.resume();
  } catch (error) {
    host.tlsFailed(rules.kind, link, addressOf(wire), error);
    wire.destroy();
  }
}

function isOpen(link: Link): boolean {
  return link.state !== "closed" && link.state !== "closing";
}

async function wantsTlsFirst(wire: SocketWire, rules: AcceptRules): Promise<boolean> {
  const { enabled, fallback } = rules.handshakeFirst;
  if (!enabled) return false;
  return fallback === null || (await peekForTls(wire, fallback)) !== "nothing";
}

async function wantsTls(wire: SocketWire, rules: AcceptRules): Promise<boolean> {
  return !rules.allowNonTls || (await peekForTls(wire, rules.tlsTimeout)) === "tls";
}

/** Returns whether the connection goes on. */
async function readProxyHeader(
  host: AcceptHost,
  wire: SocketWire,
  link: Link | null,
): Promise<boolean> {
  const header = await peek<ProxyHeader>(wire, PROXY_PROTOCOL_TIMEOUT_MS, (bytes) => {
    const parsed = parseProxyHeader(bytes);
    return parsed === null ? null : { answer: parsed, skip: "bytes" in parsed ? parsed.bytes : 0 };
  });
  if (header === "closed") {
    wire.destroy();
    return false;
  }
  if (header === "timeout" || header.kind === "malformed") {
    const text = header === "timeout" ? PROXY_PROTOCOL_ERRORS.timeout : header.error;
    const from = addressOf(wire);
    host.log("warn", "", `Error reading PROXY protocol header from ${from}: ${text}`);
    if (link !== null && isOpen(link)) host.transportFailed(link, "Protocol Violation");
    else wire.destroy();
    return false;
  }
  if (header.kind === "proxied") {
    wire.setRemote(header.host, header.port);
    if (link !== null) host.readdress(link, header.host, header.port);
  }
  return link === null || isOpen(link);
}

function open(
  host: AcceptHost,
  connection: Connection,
  rules: AcceptRules,
  tls: TlsState | null,
): Link {
  const { wire } = connection;
  return host.openLink(rules.kind, connection, {
    host: wire.remoteHost,
    port: wire.remotePort,
    connectionType: rules.kind === "leaf" ? "LEAFNODE" : "STANDARD",
    tls,
    tlsOptional: false,
    addressPending: rules.proxyProtocol && tls === null,
  });
}

export function isQuiet(error: unknown): boolean {
  return error instanceof TlsHandshakeError && error.probe;
}
