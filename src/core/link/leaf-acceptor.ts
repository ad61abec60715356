/**
 * The accepting side of a leaf link's handshake: INFO, CONNECT and its checks, the permissions of the user with
 * whom the peer came, compression.
 *
 * Permissions are swapped here: what the user may publish is what the link may receive.
 */
import { LinkPermissions, SubjectFilter } from "../account/permissions.ts";
import type { AuthVerdict, CompressionMode } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { type Fields, LEAF_CONNECT, parseFields } from "../protocol/connect.ts";
import { WIRE_ERRORS } from "../protocol/errors.ts";
import { API_LEVEL, infoLine, rulesJson } from "../protocol/info.ts";
import { makeNonce } from "./client.ts";
import { needsCompression, S2_MODES, selectCompression } from "./compression.ts";
import { credentialsOf } from "./credentials.ts";
import { schedule } from "./deadlines.ts";
import {
  endHandshake,
  failHandshake,
  jetStreamDenies,
  LEAF_PROTO,
  register,
} from "./leaf-handshake-common.ts";
import type { Link } from "./link.ts";
import { applyLimits } from "./link-limits.ts";
import { redactConnect } from "./trace.ts";

export class LeafAcceptor {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  opened(link: Link): void {
    const engine = this.#engine;
    link.nonce = makeNonce(engine);
    link.verbose = link.pedantic = false;
    link.echo = false;
    link.state = "awaitingConnect";
    link.authAt = engine.now + engine.options.leaf.authTimeout;
    schedule(engine, link);
    engine.log("notice", link, "Leafnode connection created ");
    if (link.connectionType === "LEAFNODE_WS") {
      engine.log("debug", link, `Leafnode compression=${link.deflate}`);
    }
    this.#sendInfo(link, { nonce: true });
  }

  /** An INFO may come before CONNECT: we announced a mode and the peer has not answered yet. */
  awaitsNegotiation(link: Link): boolean {
    const leaf = link.leaf;
    if (leaf === null || leaf.solicited || leaf.negotiated || link.deflate) return false;
    return needsCompression(this.#engine.options.leaf.compression);
  }

  connect(link: Link, json: string): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (engine.options.trace) engine.trace(link, "<<-", `CONNECT ${redactConnect(json)}`);
    if (leaf === null || leaf.solicited) {
      endHandshake(engine, link, "unexpected CONNECT");
      return;
    }
    const fields = parseFields(json, LEAF_CONNECT, "leafConnectInfo");
    if (typeof fields === "string") {
      endHandshake(engine, link, fields);
      return;
    }
    if (link.connected) {
      engine.dropSubscriptions(link);
      engine.unbind(link);
      leaf.registered = false;
    }
    link.connected = true;
    link.authAt = 0;
    leaf.pendingInfo = fields;
    if (fields.string("account") !== "" || fields.bool("new_account") === true) {
      this.#refuse(link, "");
      return;
    }
    link.peer = { name: fields.string("name"), lang: "", version: fields.string("version") };
    link.state = "awaitingConnect";
    const websocket = link.connectionType === "LEAFNODE_WS";
    const verdict = engine.authenticator.authenticate(
      {
        link: link.id,
        kind: "leaf",
        connectionType: websocket ? "LEAFNODE_WS" : "LEAFNODE",
        credentials: credentialsOf(fields),
        name: link.peer.name,
        lang: "",
        version: link.peer.version,
        nonce: link.nonce,
        host: link.host,
        tls: link.tls,
        now: engine.now,
      },
      (later) => engine.authenticated(link, later),
    );
    if (verdict === null) link.state = "authenticating";
    else this.decided(link, verdict);
  }

  decided(link: Link, verdict: AuthVerdict): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    const fields = leaf?.pendingInfo ?? null;
    if (leaf === null || fields === null) return;
    leaf.pendingInfo = null;
    if (!verdict.ok) {
      engine.log("error", link, `authentication error${verdict.who}`);
      engine.sendError(link, verdict.error);
      engine.observer.refused?.(link, verdict);
      engine.close(link, verdict.reason);
      return;
    }
    link.user = verdict;
    if (!this.#acceptable(link, fields)) return;
    const account = engine.account(verdict.account);
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
    const version = engine.options.leaf.minVersion;
    if (version !== "" && !atLeast(fields.string("version"), version)) {
      this.#sendInfo(link, { connectInfo: account.name });
      failHandshake(
        engine,
        link,
        `connection rejected since minimum version required is "${version}"`,
        "Minimum Version Required",
      );
      return;
    }
    this.#learnPeer(link, fields);
    this.#hubPermissions(link, fields);
    this.#dropDuplicate(link, account.name);
    link.state = "active";
    engine.bind(link, account);
    applyLimits(engine, link);
    jetStreamDenies(engine, link);
    this.#sendInfo(link, { connectInfo: account.name });
    register(engine, link);
  }

  /** Steps 6 to 9 of what the accepting side checks in CONNECT. */
  #acceptable(link: Link, fields: Fields): boolean {
    const engine = this.#engine;
    const cluster = fields.string("cluster");
    if (fields.string("lang") !== "") {
      failHandshake(engine, link, WIRE_ERRORS.leafWrongPort, "Incorrect Port");
    } else if (cluster.includes(" ")) {
      failHandshake(engine, link, WIRE_ERRORS.clusterSpaces, "Protocol Violation");
    } else if (cluster === "_") {
      failHandshake(engine, link, WIRE_ERRORS.clusterReserved, "Protocol Violation");
    } else if (cluster !== "" && cluster === engine.options.clusterName) {
      failHandshake(engine, link, WIRE_ERRORS.sameCluster, "Cluster Names Identical");
    } else if (fields.string("gateway") !== "") {
      const name = fields.string("gateway");
      failHandshake(
        engine,
        link,
        `Rejecting connection from gateway "${name}" on the leafnode port`,
        "Wrong Gateway",
      );
    } else return true;
    return false;
  }

  #learnPeer(link: Link, fields: Fields): void {
    const leaf = link.leaf;
    if (leaf === null) return;
    link.headers = this.#engine.options.headers && fields.bool("headers") === true;
    leaf.remoteServer = fields.string("name");
    leaf.remoteServerId = fields.string("server_id");
    leaf.remoteCluster = fields.string("cluster");
    leaf.remoteDomain = fields.string("domain");
    leaf.remoteAccount = fields.string("remote_account");
    leaf.proto = fields.int("protocol");
    leaf.isolated = fields.bool("isolate") === true || this.#engine.options.leaf.isolated;
    leaf.isSpoke = fields.bool("is_hub") === true;
    const mode = fields.string("compress_mode");
    // Negotiated: the label is what both sides settled on, framing or not.
    if (!leaf.negotiated) {
      leaf.compression = mode === "off" ? "off" : needsLabel(this.#engine, mode);
    }
  }

  /** P and S of the user, swapped, and `deny_pub` on top of what may be sent. */
  #hubPermissions(link: Link, fields: Fields): void {
    const leaf = link.leaf;
    const user = link.user;
    if (leaf === null || user === null) return;
    const denied = fields.strings("deny_pub") ?? [];
    const own = user.permissions;
    link.permissions = own === null ? null : new LinkPermissions(own);
    const subscribe = own?.subscribe ?? { allow: null, deny: [] };
    const deny = [...subscribe.deny, ...denied];
    leaf.sendFilter =
      subscribe.allow === null && deny.length === 0
        ? null
        : new SubjectFilter({ allow: subscribe.allow, deny });
    leaf.receiveFilter = link.permissions?.publish ?? null;
    link.checksDelivery = leaf.sendFilter !== null || (own?.responses ?? null) !== null;
    link.expireAt = user.expires ?? 0;
    if (link.expireAt > 0) schedule(this.#engine, link);
  }

  /** A link from the same server and account replaces its half-open predecessor. */
  #dropDuplicate(link: Link, account: string): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null || leaf.remoteServer === "" || leaf.remoteAccount === "") return;
    for (const other of engine.account(account).leaves) {
      const o = other.leaf;
      if (o === null || other === link || o.solicited) continue;
      if (o.remoteServer !== leaf.remoteServer || o.remoteCluster !== leaf.remoteCluster) continue;
      if (o.remoteAccount !== leaf.remoteAccount) continue;
      engine.log("warn", link, "Replacing connection from same server");
      engine.fail(other, WIRE_ERRORS.duplicateLeaf, "Duplicate Remote LeafNode Connection");
    }
  }

  /** The negotiation INFO, and what a solicitor with a leaf listener gossips. */
  info(link: Link, fields: Fields): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null) return;
    if (!leaf.negotiated) {
      leaf.negotiated = true;
      if (needsCompression(engine.options.leaf.compression)) this.#acceptCompression(link, fields);
      return;
    }
    if (
      fields.bool("connect_info") === true ||
      (!link.connected && fields.string("remote_account") !== "")
    ) {
      engine.fail(link, WIRE_ERRORS.authorization, "Protocol Violation");
      return;
    }
    if (fields.string("cluster").includes(" ")) {
      failHandshake(engine, link, WIRE_ERRORS.clusterSpaces, "Protocol Violation");
    }
  }

  #acceptCompression(link: Link, fields: Fields): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null) return;
    const { compression, rttThresholds } = engine.options.leaf;
    const rtt = engine.now - link.opened;
    const mode = selectCompression(compression, fields.string("compression"), rtt, rttThresholds);
    if (mode instanceof Error) {
      failHandshake(engine, link, mode.message, "Protocol Violation");
      return;
    }
    leaf.compression = mode;
    link.authAt = link.connected ? 0 : engine.now + engine.options.leaf.authTimeout;
    schedule(engine, link);
    if (!S2_MODES.includes(mode) || link.connected) return;
    engine.flushNow(link);
    engine.outlet.compress(link.id, "write", mode);
    this.#sendInfo(link, { nonce: true });
    engine.outlet.compress(link.id, "read", mode);
  }

  #sendInfo(link: Link, occasion: { nonce?: boolean; connectInfo?: string }): void {
    const engine = this.#engine;
    const { options } = engine;
    const { leaf } = options;
    const own = link.user?.permissions ?? null;
    const second = occasion.connectInfo !== undefined;
    const line = infoLine({
      server_id: options.serverId,
      server_name: options.serverName,
      version: options.version,
      proto: LEAF_PROTO,
      git_commit: options.gitCommit,
      go: options.goVersion,
      host: leaf.host,
      port: leaf.port,
      headers: options.headers,
      auth_required: true,
      tls_required: leaf.tlsRequired && link.connectionType !== "LEAFNODE_WS",
      tls_verify: leaf.tlsVerify && link.connectionType !== "LEAFNODE_WS",
      max_payload: options.maxPayload,
      ip: leaf.ip,
      client_id: link.id,
      nonce: occasion.nonce === true ? link.nonce : undefined,
      cluster: options.clusterName,
      domain: options.domain,
      compression: second || link.deflate ? undefined : announcedMode(leaf.compression, link),
      connect_info: second,
      remote_account: occasion.connectInfo,
      acc_is_sys: second && occasion.connectInfo === options.systemAccount,
      api_lvl: API_LEVEL,
      import: second && own !== null ? rulesJson(own.subscribe) : undefined,
      export: second && own !== null ? rulesJson(own.publish) : undefined,
      info_on_connect: true,
      leafnode_urls: leaf.urls,
    });
    engine.sendUtf8(link, line);
    if (options.trace) engine.trace(link, "->>", line.trimEnd());
  }

  #refuse(link: Link, who: string): void {
    this.decided(link, {
      ok: false,
      error: WIRE_ERRORS.authorization,
      reason: "Authentication Failure",
      who,
    });
  }
}

/** The configured mode; one that only accepts names in INFO #1' what it accepted. */
function announcedMode(configured: string, link: Link): string {
  const chosen = link.leaf?.compression ?? "";
  return configured === "accept" && S2_MODES.includes(chosen) ? chosen : configured;
}

function needsLabel(engine: Engine, mode: string): CompressionMode {
  if (needsCompression(engine.options.leaf.compression)) return "not supported";
  return mode === "" ? "not supported" : "off";
}

/** Three dotted numbers, a suffix behind them ignored; anything else is too old. */
export function atLeast(version: string, minimum: string): boolean {
  const have = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  const want = /^(\d+)\.(\d+)\.(\d+)/.exec(minimum);
  if (have === null || want === null) return false;
  for (let i = 1; i <= 3; i++) {
    const difference = Number(have[i]) - Number(want[i]);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
