/** Where a link's bytes come from, as the driver tells it, and what a new link is made of. */
import type { LinkId } from "../contract.ts";
import type { EngineOptions } from "../options.ts";
import type { Cookies } from "./credentials.ts";
import { serverSubscriptions } from "./link-limits.ts";
import { KIND_CLIENT, type Link, type LinkKind, type LinkOrigin } from "./link.ts";

export interface LinkPlace {
  readonly host: string;
  readonly port: number;
  readonly connectionType: LinkOrigin["connectionType"];
  readonly tls?: LinkOrigin["tls"];
  /** In-process links of a TLS server, and links of an optional-TLS listener. */
  readonly tlsOptional?: boolean;
  /** A PROXY header is awaited: `readdress` may follow. */
  readonly addressPending?: boolean;
  /** The address that a web proxy gave for its client, for the label; "" = none. */
  readonly forwardedFor?: string;
  readonly cookies?: Cookies;
  /** permessage-deflate was agreed. */
  readonly deflate?: boolean;
}

/** `127.0.0.1:4222 - cid:5`: what begins the log lines of a link. */
export function labelOf(place: LinkPlace, kind: LinkKind, id: LinkId): string {
  const ws = place.connectionType === "WEBSOCKET" || place.connectionType === "LEAFNODE_WS";
  const tag = kind === KIND_CLIENT ? (ws ? "wid" : "cid") : ws ? "lid_ws" : "lid";
  const forwarded = place.forwardedFor ? `${bracketed(place.forwardedFor)}/` : "";
  return `${forwarded}${bracketed(place.host)}:${place.port} - ${tag}:${id}`;
}

/** A PROXY header named a client's true address. */
export function readdress(link: Link, host: string, port: number): void {
  link.host = host;
  link.port = port;
  link.label = labelOf({ host, port, connectionType: link.connectionType }, link.kind, link.id);
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

export function originOf(place: LinkPlace, label: string, options: EngineOptions): LinkOrigin {
  return {
    host: place.host,
    port: place.port,
    connectionType: place.connectionType,
    label,
    tls: place.tls ?? null,
    cookies: place.cookies ?? null,
    deflate: place.deflate === true,
    maxPayload: options.maxPayload,
    maxSubscriptions: serverSubscriptions(options.maxSubscriptions),
  };
}
