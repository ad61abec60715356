/**
 * The handshake of a leaf link, from both sides:
 *
 *     accepting                                soliciting
 *     INFO #1 {nonce, leafnode_urls …}   ->
 *     [                                  <-    INFO {compression}        S2 from here on
 *     INFO #1' (the same, in S2)         ->  ]
 *                                        <-    CONNECT {…}
 *     INFO #2 {connect_info, import …}   ->
 *     LS+ …                              <->   LS+ …
 *
 * Permissions are swapped on the accepting side: what the user may publish is what the link may receive.
 */
import { LinkPermissions, SubjectFilter } from "../account/permissions.ts";
import type { AuthVerdict, CompressionMode } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { type Fields, LEAF_CONNECT, LEAF_INFO, parseFields, rulesOf } from "../protocol/connect.ts";
import { WIRE_ERRORS } from "../protocol/errors.ts";
import { infoLine, rulesJson } from "../protocol/info.ts";
import { makeNonce } from "./client.ts";
import { levelForRtt, needsCompression, S2_MODES, selectCompression } from "./compression.ts";
import { credentialsOf } from "./credentials.ts";
import { firstPing, schedule } from "./deadlines.ts";
import { loopText } from "./leaf.ts";
import type { Link } from "./link.ts";
import { applyLimits } from "./link-limits.ts";
import type { RemoteSpec } from "./remote-spec.ts";
import { redactConnect } from "./trace.ts";

/** Inter-server protocol: 3 = knows message tracing. */
const LEAF_PROTO = 3;
const CONNECT_PROCESS_TIME = 2000;
const FIRST_PING_MOST = 1000;
const LONG_DELAY = 30_000;

export class LeafHandshake {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  // The accepting side.

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
      this.#end(link, "unexpected CONNECT");
      return;
    }
    const fields = parseFields(json, LEAF_CONNECT);
    if (typeof fields === "string") {
      this.#end(link, fields);
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
      this.#fail(link, WIRE_ERRORS.maxAccountConnections, "Maximum Account Connections Exceeded");
      return;
    }
    const version = engine.options.leaf.minVersion;
    if (version !== "" && !atLeast(fields.string("version"), version)) {
      this.#sendInfo(link, { connectInfo: account.name });
      this.#fail(
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
    this.#jetStreamDenies(link);
    this.#sendInfo(link, { connectInfo: account.name });
    this.#register(link);
  }

  /** Steps 6 to 9 of what the accepting side checks in CONNECT. */
  #acceptable(link: Link, fields: Fields): boolean {
    const engine = this.#engine;
    const cluster = fields.string("cluster");
    if (fields.string("lang") !== "") {
      this.#fail(link, WIRE_ERRORS.leafWrongPort, "Incorrect Port");
    } else if (cluster.includes(" ")) {
      this.#fail(link, WIRE_ERRORS.clusterSpaces, "Protocol Violation");
    } else if (cluster === "_") {
      this.#fail(link, WIRE_ERRORS.clusterReserved, "Protocol Violation");
    } else if (cluster !== "" && cluster === engine.options.clusterName) {
      this.#fail(link, WIRE_ERRORS.sameCluster, "Cluster Names Identical");
    } else if (fields.string("gateway") !== "") {
      const name = fields.string("gateway");
      this.#fail(
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

  // The soliciting side.

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

  info(link: Link, json: string): void {
    const engine = this.#engine;
    if (engine.options.trace) engine.trace(link, "<<-", `INFO ${json}`);
    const fields = parseFields(json, LEAF_INFO);
    if (typeof fields === "string") {
      this.#end(link, fields);
      return;
    }
    const leaf = link.leaf;
    if (leaf === null) return;
    if (!leaf.solicited) this.#infoToAcceptor(link, fields);
    else if (link.state === "awaitingInfo" && !link.connected) this.#firstInfo(link, fields);
    else if (fields.bool("connect_info") === true) this.#secondInfo(link, fields);
    else this.#gossip(link, fields);
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
        this.#fail(link, mode.message, "Protocol Violation");
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
      this.#fail(link, text, "Protocol Violation");
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
    this.#gossip(link, fields);
    this.#spokePermissions(link, fields, remote);
    this.#sendConnect(link, remote);
    if (engine.isOpen(link) && fields.bool("info_on_connect") !== true) this.#secondInfo(link, fields);
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
    const json = JSON.stringify(members, (_, value: unknown) => (isEmpty(value) ? undefined : value));
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
      this.#gossip(link, fields);
      return;
    }
    leaf.handshakeBy = 0;
    leaf.remoteAccount = fields.string("remote_account");
    this.#spokePermissions(link, fields, remote);
    this.#gossip(link, fields);
    const account = link.account;
    const limit = account.limits.maxLeafNodes;
    if (limit >= 0 && account.leaves.size >= limit) {
      this.#fail(link, WIRE_ERRORS.maxAccountConnections, "Maximum Account Connections Exceeded");
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
    this.#jetStreamDenies(link);
    this.#register(link);
  }

  /** `export`/`import` replace everything, less the local denies and allow-lists. */
  #spokePermissions(link: Link, fields: Fields, remote: RemoteSpec): void {
    const leaf = link.leaf;
    if (leaf === null) return;
    const given = { send: rulesOf(fields.values.get("export")), receive: rulesOf(fields.values.get("import")) };
    if (given.send === null && given.receive === null && leaf.registered) return;
    leaf.sendFilter = narrowed(given.send, remote.denyExports, remote.allowExports);
    leaf.receiveFilter = narrowed(given.receive, remote.denyImports, remote.allowImports);
    link.checksDelivery = leaf.sendFilter !== null;
  }

  #gossip(link: Link, fields: Fields): void {
    const urls = fields.strings("leafnode_urls") ?? [];
    const websocket = fields.strings("ws_connect_urls") ?? [];
    if (urls.length > 0 || websocket.length > 0) {
      this.#engine.observer.gossip?.(link, urls, websocket);
    }
  }

  // Both sides.

  /** Handshake done: the link takes part in interest, pings start. */
  #register(link: Link): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null) return;
    leaf.registered = true;
    engine.announceInterest();
    link.account.interest.open(link, engine.announce);
    firstPing(engine, link, FIRST_PING_MOST);
    engine.observer.ready?.(link);
  }

  /** A PONG came: with `s2_auto`, another RTT may call for another level. */
  rttChanged(link: Link): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null || !S2_MODES.includes(leaf.compression)) return;
    const own = leaf.remote?.compression ?? engine.options.leaf.compression;
    if (own !== "s2_auto") return;
    const thresholds = leaf.remote?.rttThresholds ?? engine.options.leaf.rttThresholds;
    const mode = levelForRtt(link.rtt, thresholds);
    if (mode === leaf.compression) return;
    leaf.compression = mode;
    engine.flushNow(link);
    engine.outlet.compress(link.id, "write", mode);
  }

  /** The negotiation INFO, and what a solicitor with a leaf listener gossips. */
  #infoToAcceptor(link: Link, fields: Fields): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null) return;
    if (!leaf.negotiated) {
      leaf.negotiated = true;
      if (needsCompression(engine.options.leaf.compression)) this.#acceptCompression(link, fields);
      return;
    }
    if (fields.bool("connect_info") === true || (!link.connected && fields.string("remote_account") !== "")) {
      engine.fail(link, WIRE_ERRORS.authorization, "Protocol Violation");
      return;
    }
    if (fields.string("cluster").includes(" ")) {
      this.#fail(link, WIRE_ERRORS.clusterSpaces, "Protocol Violation");
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
      this.#fail(link, mode.message, "Protocol Violation");
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

  /** JetStream's API stays on its side of a link between domains; this server has no JetStream of its own. */
  #jetStreamDenies(link: Link): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null) return;
    const { systemAccount, defaultJsDomain, domain } = engine.options;
    const account = link.account.name;
    const isSystem = account === systemAccount;
    if (!isSystem && defaultJsDomain.get(account) === "") return;
    const deny = ["$JS.API.>", "$KV.>", "$OBJ.>"];
    if (isSystem) deny.push("$JSC.>", "$NRG.>");
    else {
      engine.log(
        "notice",
        link,
        `JetStream using domains: local "${domain}", remote "${leaf.remoteDomain}"`,
      );
    }
    leaf.quietSend = leaf.quietReceive = new SubjectFilter({ allow: null, deny });
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

  #fail(link: Link, text: string, reason: Parameters<Engine["fail"]>[2]): void {
    this.#engine.log("error", link, text);
    if (link.leaf !== null) link.leaf.lastError = text;
    this.#engine.fail(link, text, reason);
  }

  /** Closes without -ERR. */
  #end(link: Link, text: string): void {
    this.#engine.log("error", link, text);
    this.#engine.close(link, "Protocol Violation");
  }
}

function isEmpty(value: unknown): boolean {
  return value === "" || value === false || value === undefined || (Array.isArray(value) && value.length === 0);
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
