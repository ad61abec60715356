/** The INFO of client connections: the first one, the one behind the first PONG, and the asynchronous ones. */
import type { Engine } from "../engine.ts";
import { API_LEVEL, infoLine } from "../protocol/info.ts";
import type { Link } from "./link.ts";

export interface InfoOccasion {
  /** TLS is offered, not demanded, on this connection. */
  readonly tlsOptional: boolean;
  /** The INFO that opens the connection, with the nonce; else the one with `connect_info`. */
  readonly first: boolean;
  /** Lame duck mode. */
  readonly ldm: boolean;
  /** A PROXY header may still say who the client really is. */
  readonly addressPending?: boolean;
}

export function clientInfo(engine: Engine, link: Link, occasion: InfoOccasion): string {
  const { options, authenticator } = engine;
  const websocket = link.connectionType === "WEBSOCKET" ? options.websocket : null;
  const type = link.connectionType;
  const tls = websocket === null ? options.tlsRequired && !occasion.tlsOptional : websocket.tls;
  const about = occasion.first ? false : !occasion.ldm;
  return infoLine({
    server_id: options.serverId,
    server_name: options.serverName,
    version: options.version,
    proto: 1,
    git_commit: options.gitCommit,
    go: options.goVersion,
    host: websocket?.host ?? options.host,
    port: websocket?.port ?? options.port,
    headers: options.headers,
    auth_required: authenticator.required(type) && authenticator.advertised(type),
    tls_required: tls,
    tls_verify: websocket === null && options.tlsVerify,
    tls_available:
      websocket === null
        ? options.tlsAvailable || (options.tlsRequired && occasion.tlsOptional)
        : websocket.tls,
    max_payload: link.maxPayload,
    client_id: link.id,
    client_ip: occasion.addressPending === true ? undefined : link.host,
    nonce: occasion.first ? link.nonce : undefined,
    cluster: options.clusterName,
    domain: options.domain,
    connect_urls: websocket?.connectUrls ?? options.connectUrls,
    ldm: occasion.ldm,
    connect_info: about,
    remote_account: about ? link.account.name : undefined,
    acc_is_sys: about && link.account.name === options.systemAccount,
    api_lvl: API_LEVEL,
    xkey: options.xkey,
  });
}

/** An INFO without `connect_info`: topology changes and lame duck mode. */
export function asyncInfo(engine: Engine, link: Link, ldm: boolean): string {
  return clientInfo(engine, link, { tlsOptional: false, first: false, ldm: true }).replace(
    '"ldm":true',
    ldm ? '"ldm":true' : '"ldm":false',
  );
}
