/**
 * The soliciting side of a leaf link's handshake: what is checked in INFO, TLS and compression on the way, CONNECT,
 * and the permissions that the hub's answer brings.
 */
import { SubjectFilter } from "../account/permissions.ts";
import type { CompressionMode } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { type Fields, rulesOf } from "../protocol/connect.ts";
import { WIRE_ERRORS } from "../protocol/errors.ts";
import { infoLine } from "../protocol/info.ts";
import { S2_MODES, selectCompression } from "./compression.ts";
import { schedule } from "./deadlines.ts";
import { loopText } from "./leaf-errors.ts";
import {
  endHandshake,
  failHandshake,
  gossip,
  jetStreamDenies,
  LEAF_PROTO,
  register,
} from "./leaf-handshake-common.ts";
import type { Link } from "./link.ts";
import type { RemoteSpec } from "./remote-spec.ts";
import { redactConnect } from "./trace.ts";

const CONNECT_PROCESS_TIME = 2000;
const LONG_DELAY = 30_000;

export class LeafSolicitor {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  dialled(link: Link, remote: RemoteSpec): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null) return;
    link.verbose = link.pedantic = false;
    link.echo = false;
    link.state = "awaitingInfo";
    leaf.isolated = remote.isolated || engine.options.leaf.isolated;
    leaf.handshakeBy = engine.now + remote.firstInfoTimeout;
    schedule(engine, link);
    engine.log("notice", link, `Leafnode connection created for account: ${link.account.label} `);
  }

  info(link: Link, fields: Fields): void {
    if (link.state === "awaitingInfo" && !link.connected) this.#firstInfo(link, fields);
    else if (fields.bool("connect_info") === true) this.#secondInfo(link, fields);
    else gossip(this.#engine, link, fields);
  }

  tlsDone(link: Link): void {
    const fields = link.leaf?.pendingInfo ?? null;
    if (link.leaf === null || fields === null) return;
    link.leaf.pendingInfo = null;
    this.#checkInfo(link, fields);
  }

  #firstInfo(link: Link, fields: Fields): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    const remote = leaf?.remote ?? null;
    if (leaf === null || remote === null) return;
    const demanded = fields.bool("tls_required") === true;
    if (!remote.websocket && link.tls === null && (demanded || remote.tls)) {
      if (leaf.pendingInfo !== null) {
        endHandshake(engine, link, "unexpected INFO before the TLS handshake");
        return;
      }
      if (demanded) engine.observer.remoteNeedsTls?.(link);
      leaf.pendingInfo = fields;
      engine.log("debug", link, "Starting TLS leafnode client handshake");
      engine.flushNow(link);
      engine.outlet.startTls(link.id);
      return;
    }
    this.#checkInfo(link, fields);
  }

  /** Wrong port, compression, cluster name; then CONNECT. */
  #checkInfo(link: Link, fields: Fields): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    const remote = leaf?.remote ?? null;
    if (leaf === null || remote === null) return;
    const hasUrls = fields.strings("leafnode_urls") !== undefined;
    if (fields.int("client_id") === 0 || (!hasUrls && fields.bool("info_on_connect") !== true)) {
      leaf.lastError = "attempted to connect to wrong port";
      engine.log("error", link, "attempted to connect to wrong port");
      engine.close(link, "Incorrect Port");
      return;
    }
    if (!leaf.negotiated) {
      leaf.negotiated = true;
      const rtt = engine.now - link.opened;
      const peer = fields.string("compression");
      const mode = link.deflate
        ? "off"
        : selectCompression(remote.compression, peer, rtt, remote.rttThresholds);
      if (mode instanceof Error) {
        failHandshake(engine, link, mode.message, "Protocol Violation");
        return;
      }
      leaf.compression = mode;
      if (S2_MODES.includes(mode)) {
        this.#startCompression(link, remote.compression === "s2_auto" ? "s2_auto" : mode, mode);
        return;
      }
    }
    const cluster = fields.string("cluster");
    if (cluster.includes(" ") || cluster === "_") {
      const text = cluster === "_" ? WIRE_ERRORS.clusterReserved : WIRE_ERRORS.clusterSpaces;
      failHandshake(engine, link, text, "Protocol Violation");
      return;
    }
    leaf.gotInfo = true;
    link.nonce = fields.string("nonce");
    link.headers = engine.options.headers && fields.bool("headers") === true;
    leaf.remoteServer = fields.string("server_name") || fields.string("server_id");
    leaf.remoteServerId = fields.string("server_id");
    leaf.remoteCluster = cluster;
    leaf.remoteDomain = fields.string("domain");
    leaf.proto = fields.int("proto");
    leaf.output.window.trusted = remote.hub || !fields.string("go").startsWith("go");
    gossip(engine, link, fields);
    this.#spokePermissions(link, fields, remote);
    this.#sendConnect(link, remote);
    if (engine.isOpen(link) && fields.bool("info_on_connect") !== true)
      this.#secondInfo(link, fields);
  }

  #startCompression(link: Link, announced: string, mode: CompressionMode): void {
    const engine = this.#engine;
    engine.sendUtf8(
      link,
      infoLine({
        server_id: engine.options.serverId,
        server_name: engine.options.serverName,
        version: engine.options.version,
        proto: LEAF_PROTO,
        go: engine.options.goVersion,
        host: "",
        port: 0,
        headers: engine.options.headers,
        max_payload: engine.options.maxPayload,
        client_id: link.id,
        compression: announced,
      }),
    );
    engine.flushNow(link);
    engine.outlet.compress(link.id, "write", mode);
    engine.outlet.compress(link.id, "read", mode);
  }

  #sendConnect(link: Link, remote: RemoteSpec): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null) return;
    link.connected = true;
    leaf.handshakeBy = engine.now + CONNECT_PROCESS_TIME;
    schedule(engine, link);
    let credentials: ReturnType<RemoteSpec["credentials"]>;
    try {
      credentials = remote.credentials(link.nonce);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      leaf.lastError = text;
      engine.log("error", link, text);
      engine.close(link, "Authentication Failure");
      return;
    }
    // A malformed credentials file: no CONNECT, the timer ends the attempt, as in nats-server.
    if (credentials === null) return;
    const { options } = engine;
    const members = {
      version: options.version,
      nkey: credentials.nkey,
      jwt: credentials.jwt,
      sig: credentials.sig,
      user: credentials.user,
      pass: credentials.pass,
      auth_token: credentials.authToken,
      server_id: options.serverId,
      domain: options.domain,
      name: options.serverName,
      is_hub: remote.hub,
      cluster: options.clusterName,
      headers: link.headers,
      deny_pub: remote.denyImports,
      isolate: remote.requestIsolation,
      compress_mode: leaf.compression,
      remote_account: link.account.name,
      protocol: LEAF_PROTO,
    };
    const json = JSON.stringify(members, (_, value: unknown) =>
      isEmpty(value) ? undefined : value,
    );
    engine.sendUtf8(link, `CONNECT ${json}\r\n`);
    if (engine.options.trace) engine.trace(link, "->>", `CONNECT ${redactConnect(json)}`);
    engine.log("debug", link, "Remote leafnode connect msg sent");
    link.state = "active";
  }

  #secondInfo(link: Link, fields: Fields): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    const remote = leaf?.remote ?? null;
    if (leaf === null || remote === null || leaf.registered) {
      gossip(engine, link, fields);
      return;
    }
    leaf.handshakeBy = 0;
    leaf.remoteAccount = fields.string("remote_account");
    this.#spokePermissions(link, fields, remote);
    gossip(engine, link, fields);
    const account = link.account;
    const limit = account.limits.maxLeafNodes;
    if (limit >= 0 && account.leaves.size >= limit) {
      failHandshake(
        engine,
        link,
        WIRE_ERRORS.maxAccountConnections,
        "Maximum Account Connections Exceeded",
      );
      return;
    }
    for (const other of account.leaves) {
      const o = other.leaf;
      if (o === null || o.isSpoke || o.remoteCluster === "") continue;
      if (o.remoteCluster !== leaf.remoteCluster) continue;
      const text = loopText(account.label);
      engine.log("error", link, text);
      leaf.connectDelay = LONG_DELAY;
      leaf.lastError = text;
      engine.fail(link, text, "Protocol Violation");
      return;
    }
    engine.bind(link, account);
    jetStreamDenies(engine, link);
    register(engine, link);
  }

  /** `export`/`import` replace everything, less the local denies and allow-lists. */
  #spokePermissions(link: Link, fields: Fields, remote: RemoteSpec): void {
    const leaf = link.leaf;
    if (leaf === null) return;
    const given = {
      send: rulesOf(fields.values.get("export")),
      receive: rulesOf(fields.values.get("import")),
    };
    if (given.send === null && given.receive === null && leaf.registered) return;
    leaf.sendFilter = narrowed(given.send, remote.denyExports, remote.allowExports);
    leaf.receiveFilter = narrowed(given.receive, remote.denyImports, remote.allowImports);
    link.checksDelivery = leaf.sendFilter !== null;
  }
}

function isEmpty(value: unknown): boolean {
  return (
    value === "" ||
    value === false ||
    value === undefined ||
    (Array.isArray(value) && value.length === 0)
  );
}

function narrowed(
  given: { allow: string[] | null; deny: string[] } | null,
  deny: readonly string[],
  allow: readonly string[] | null,
): SubjectFilter | null {
  const local = allow === null ? null : new SubjectFilter({ allow, deny: [] }, allow.length === 0);
  const denies = [...(given?.deny ?? []), ...deny];
  if ((given === null || given.allow === null) && denies.length === 0) return local;
  return new SubjectFilter({ allow: given?.allow ?? null, deny: denies }, false, local);
}
