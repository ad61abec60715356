/**
 * The composition root: options in, a running server out. It owns the engine and its clock, the listeners, the
 * remotes and the monitor, and their order of starting and stopping.
 */
import { encodePublicKey, encodeSeed } from "../auth/index.ts";
import {
  remoteIdentity,
  remoteName,
  type LeafRemoteOptions,
  type Options,
  type OptionsOrigin,
} from "../config/index.ts";
import {
  asyncInfo,
  Engine,
  KIND_CLIENT,
  KIND_LEAF,
  readdress,
  WIRE_ERRORS,
  type ClosedState,
  type EngineOptions,
  type Link,
  type LinkPlace,
  type LogLevel,
  type RemoteSpec,
  type TlsState,
} from "../core/index.ts";
import {
  buildClientTls,
  WebSocketWire,
  type ClientTls,
  type ServerTls,
  type Wire,
} from "../transports/node/index.ts";
import { isQuiet } from "./accept.ts";
import { Authentication } from "./authentication.ts";
import { authenticationHost } from "./authentication-host.ts";
import { configuredFacts } from "./account-facts.ts";
import { applyAccounts } from "./accounts.ts";
import { System } from "./system.ts";
import { now } from "./clock.ts";
import { Connection, ConnectionHub } from "./connection.ts";
import { engineOptions } from "./engine-options.ts";
import { LameDuck } from "./lame-duck.ts";
import { Listeners, type ListenersHost, urlsOf } from "./listeners.ts";
import type { Logger } from "./logger.ts";
import { NodeCrypto } from "./node-crypto.ts";
import { operatorSettings, withOperator } from "./operator-settings.ts";
import { nodeWorld } from "./node-world.ts";
import { Remote } from "./remote.ts";
import { credentialsFault, credentialsWarning } from "./remote-credentials.ts";
import type { RemoteHost } from "./remote-host.ts";
import { rulePlace } from "./rule-places.ts";
import { StartError } from "./start-error.ts";
import { publishTrace } from "./trace-events.ts";
import { Unauthenticated, type UnauthenticatedHost } from "./unauthenticated.ts";
import { ClosedRing } from "./closed-ring.ts";
import { configFacts, ProcessMeter } from "./monitor-state.ts";
import type { Monitor } from "./monitor-http.ts";
import type { MonitorState } from "../monitoring/index.ts";
import { randomBytes } from "node:crypto";

/** Timers know no longer time (24 days), and take a longer one for a millisecond. */
const MOST_WAIT = 0x7fffffff;

export interface ServerDeps {
  readonly logger: Logger;
  readonly origin: OptionsOrigin | null;
}

export class FrondServer implements ListenersHost, RemoteHost, UnauthenticatedHost {
  readonly serverId: string;
  options: Options;
  readonly logger: Logger;
  readonly hub = new ConnectionHub();
  readonly crypto = new NodeCrypto();
  readonly engine: Engine;
  readonly remotes: Remote[] = [];
  readonly started: number = now();
  origin: OptionsOrigin | null;
  readonly authentication: Authentication;
  readonly unauthenticated = new Unauthenticated(this);
  readonly listeners = new Listeners(this);
  readonly system: System;
  /** What a request to reload does; set by who knows where the configuration comes from. */
  onReloadRequest: (() => Promise<void>) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Infinity;
  #stopping: Promise<void> | null = null;
  readonly #closers = new Map<Link, (link: Link) => void>();
  readonly #byLink = new Map<Link, Remote>();
  #nextRemote = 1;
  #lameDuck: LameDuck | null = null;
  #prepared: Promise<void> | null = null;
  readonly #ring: ClosedRing;
  readonly #meter = new ProcessMeter();
  readonly #requests = new Map<string, number>();
  #monitor: Monitor | null = null;
  #loaded = now();

  constructor(options: Options, deps: ServerDeps) {
    const operator = operatorSettings(options, this.crypto);
    this.options = withOperator(options, operator);
    this.logger = deps.logger;
    this.#ring = new ClosedRing(options.maxClosedClients);
    this.origin = deps.origin;
    const seed = new Uint8Array(randomBytes(32));
    this.serverId = encodePublicKey("server", this.crypto.publicKey(seed));
    const auth = authenticationHost(this);
    this.authentication = new Authentication(auth, operator, encodeSeed("server", seed));
    const world = nodeWorld((level, label, text) => this.log(level, label, text));
    this.engine = new Engine(this.#engineOptions(), world, this.hub, this.authentication.make(), {
      ready: (link) => this.#ready(link),
      refused: (link, verdict) => {
        if (verdict.ok) return;
        this.#ring.refused(link, verdict);
        this.system.events.refused(link, verdict);
      },
      closing: (link) => this.#ring.closing(link),
      measured: (link) => this.#byLink.get(link)?.measured(link.rtt),
      closed: (link, reason) => this.#closed(link, reason),
      gossip: (link, urls, websocketUrls) => {
        const remote = this.#byLink.get(link);
        remote?.discovered(urls, false);
        remote?.discovered(websocketUrls, true);
      },
      remoteNeedsTls: (link) => this.#byLink.get(link)?.needsTls(),
      traced: (trace) => publishTrace(this.system.bus, trace),
    });
    this.hub.engine = this.engine;
    applyAccounts(this.engine, this.options, null);
    this.system = new System(this);
    this.hub.afterCall = () => this.#arm();
  }

  log(level: LogLevel, label: string, text: string): void {
    this.logger.log(level, label, text);
  }

  /**
   * Looks for what must be there before a server starts (an operator's accounts). `start` does it where it was
   * not done. Rejects with a StartError.
   */
  prepare(): Promise<void> {
    this.#prepared ??= this.authentication.operator?.prepare() ?? Promise.resolve();
    return this.#prepared;
  }

  /** Opens the listeners, then starts the remotes. Rejects with a StartError and leaves nothing open. */
  async start(): Promise<void> {
    try {
      await this.prepare();
      this.authentication.operator?.start();
      this.listeners.loadTls(this.options);
      await this.#startMonitor();
      await this.listeners.open();
    } catch (error) {
      await this.listeners.close();
      throw error;
    }
    this.#applyOptions();
    this.listeners.announce();
    this.system.start();
    for (const remote of this.options.leafnodes.remotes) this.#addRemote(remote).start();
    this.log("notice", "", "Server is ready");
  }

  /** Closes everything; resolves when nothing of this server keeps the process alive. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Applies another configuration while running; rejects with what cannot be changed, applying nothing. */
  async reload(options: Options, origin: OptionsOrigin | null): Promise<void> {
    const { applyReload } = await import("./reload.ts");
    const settings = this.authentication.operator?.settings ?? null;
    await applyReload(this, withOperator(options, settings), origin);
  }

  /** Stops accepting, tells clients, closes them little by little, then stops. */
  lameDuck(): Promise<void> {
    this.#lameDuck ??= new LameDuck(this);
    return this.#lameDuck.run();
  }

  get isLameDuck(): boolean {
    return this.#lameDuck !== null;
  }

  /** URLs of the listeners, for the ports file and the library. */
  ports(): { nats: string[]; monitoring: string[]; websocket: string[]; leafnodes: string[] } {
    const { httpsPort, httpHost, host } = this.options;
    return {
      nats: this.listeners.urls("clients"),
      monitoring: urlsOf(httpsPort === 0 ? "http" : "https", httpHost ?? host, this.#monitor),
      websocket: this.listeners.urls("websocket"),
      leafnodes: this.listeners.urls("leaves"),
    };
  }

  get clientPort(): number {
    return this.listeners.port("clients");
  }

  get leafPort(): number {
    return this.listeners.port("leaves");
  }

  get websocketPort(): number {
    return this.listeners.port("websocket");
  }

  get isConfigured(): boolean {
    return this.origin !== null;
  }

  /** Resolves when every remote that is not disabled is up; rejects after `timeout` ms, naming the others. */
  async linksReady(timeout: number): Promise<void> {
    const until = now() + timeout;
    for (;;) {
      const down = this.remotes.filter(
        (remote) => !remote.options.disabled && remote.state !== "up",
      );
      if (down.length === 0) return;
      if (now() >= until) {
        const names = down.map(
          (remote) => `${remote.urls.join(",")} (${remote.lastError || remote.state})`,
        );
        throw new StartError(
          "LINKS_DOWN",
          `leaf links not up after ${timeout} ms: ${names.join("; ")}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(20, until - now())));
    }
  }

  /** A client of this process: `wire` is our end of its memory pair. */
  openInProcess(wire: Wire): void {
    const connection = new Connection(wire, this.hub);
    wire.handler = connection;
    this.openLink("client", connection, {
      host: "127.0.0.1",
      port: 0,
      connectionType: "IN_PROCESS",
      tlsOptional: true,
    });
    wire.resume();
  }

  // What acceptors ask for.

  openLink(kind: "client" | "leaf", connection: Connection, place: LinkPlace): Link {
    const link = this.hub.open(connection, () =>
      kind === "leaf" ? this.engine.openLeaf(place, now()) : this.engine.openClient(place, now()),
    );
    // Nobody has to authenticate here.
    if (link.state === "active") this.unauthenticated.settle(connection);
    return link;
  }

  tlsEstablished(link: Link, tls: TlsState): void {
    if (link.leaf?.solicited === true) this.engine.tlsEstablished(link.id, tls, now());
    else link.tls = tls;
    this.#arm();
  }

  tlsFailed(kind: "client" | "leaf", link: Link | null, where: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const certificates = (error as { certificates?: string }).certificates ?? "";
    const what = kind === "leaf" ? "TLS leafnode handshake error" : "TLS handshake error";
    const label = link?.label ?? where;
    this.log(isQuiet(error) ? "debug" : "error", label, `${what}: ${text}${certificates}`);
    if (link !== null) this.transportFailed(link, "TLS Handshake Failure");
  }

  transportFailed(link: Link, reason: ClosedState): void {
    const connection = this.hub.get(link.id);
    this.engine.closed(link.id, reason, now());
    connection?.wire.destroy();
    this.#arm();
  }

  readdress(link: Link, host: string, port: number): void {
    readdress(link, host, port);
  }

  throttle(link: Link): void {
    this.engine.now = now();
    this.engine.fail(link, WIRE_ERRORS.throttled, "Maximum Connections Exceeded");
    this.engine.flush();
    this.#arm();
  }

  get maxUnauthenticated(): number {
    return this.options.maxUnauthenticated;
  }

  evict(connection: Connection): void {
    const { link, wire } = connection;
    if (link === null) wire.destroy();
    else {
      this.engine.now = now();
      this.engine.fail(link, WIRE_ERRORS.authTimeout, "Authentication Timeout");
      this.engine.flush();
    }
  }

  evicted(count: number): void {
    const limit = `max_unauthenticated is ${this.options.maxUnauthenticated}`;
    this.log("warn", "", `Closed ${count} connections that had not authenticated: ${limit}`);
  }

  // What remotes ask for.

  get reconnect(): number {
    return this.options.leafnodes.reconnect;
  }

  get dialTimeout(): number {
    return this.options.leafnodes.dialTimeout;
  }

  get connectErrorReports(): number {
    return this.options.connectErrorReports;
  }

  get reconnectErrorReports(): number {
    return this.options.reconnectErrorReports;
  }

  clientTls(remote: LeafRemoteOptions): ClientTls | null {
    if (remote.tls === null) return null;
    const tls = buildClientTls(remote.tls);
    // The block's list holds for solicited links too, as in nats-server.
    const pinned = this.options.leafnodes.tls?.pinnedCerts ?? [];
    return pinned.length === 0 ? tls : { ...tls, pinnedCerts: new Set(pinned) };
  }

  defaultTls(): ClientTls | null {
    return buildClientTls(null);
  }

  delaysFirst(_account: string): boolean {
    return false;
  }

  accountFault(account: string): Promise<string | null> {
    return this.authentication.operator?.accountFault(account) ?? Promise.resolve(null);
  }

  openRemote(
    remote: Remote,
    connection: Connection,
    place: LinkPlace,
    spec: RemoteSpec,
    closed: (link: Link) => void,
  ): void {
    const link = this.hub.open(connection, () => this.engine.openRemote(place, spec, now()));
    remote.link = link;
    if (link.state === "closed") {
      closed(link);
      return;
    }
    this.#byLink.set(link, remote);
    this.#closers.set(link, closed);
  }

  closeLink(link: Link, reason: ClosedState): void {
    this.engine.now = now();
    this.engine.close(link, reason);
    this.engine.flush();
    this.#arm();
  }

  // Inner workings, shared with reload and lame duck mode.

  async closeAcceptors(): Promise<void> {
    await this.listeners.close();
  }

  /** INFO to every client that can take it. */
  sendInfo(ldm: boolean): void {
    this.engine.now = now();
    for (const link of this.engine.links.values()) {
      if (link.kind !== KIND_CLIENT || link.protocol < 1 || !link.firstPongSent) continue;
      this.engine.sendUtf8(link, asyncInfo(this.engine, link, ldm));
    }
    this.engine.flush();
    this.#arm();
  }

  #applyOptions(): void {
    Object.assign(this.engine.options, this.#engineOptions());
    this.#lendName();
    if (!this.logger.traceEnabled) this.engine.options.trace = false;
  }

  /** For a reload: new options take effect for everything that reads them anew. */
  useOptions(options: Options, origin: OptionsOrigin | null): void {
    this.listeners.loadTls(options);
    const before = this.options;
    this.options = options;
    this.origin = origin;
    this.#loaded = now();
    this.#applyOptions();
    applyAccounts(this.engine, this.options, before);
    this.engine.authenticator = this.authentication.make();
    this.authentication.operator?.reloaded();
  }

  addRemote(options: LeafRemoteOptions): Remote {
    const remote = this.#addRemote(options);
    remote.start();
    return remote;
  }

  /** One that no configuration names: it stays through reloads. */
  addRemoteByProgram(options: LeafRemoteOptions): Remote {
    const identity = remoteIdentity(options);
    if (this.remotes.some((other) => other.identity === identity)) {
      throw new StartError("BAD_OPTIONS", `duplicate remote ${remoteName(options)}`);
    }
    const remote = this.#addRemote(options);
    remote.addedByProgram = true;
    this.#lendName();
    remote.start();
    return remote;
  }

  /** As for configured remotes: a name instead of that of a cluster. */
  #lendName(): void {
    const { options } = this.engine;
    if (options.clusterName !== "" || !this.remotes.some((one) => one.addedByProgram)) return;
    options.clusterName = this.options.serverName ?? "";
  }

  removeRemote(remote: Remote): void {
    const index = this.remotes.indexOf(remote);
    if (index >= 0) this.remotes.splice(index, 1);
    remote.stop("Client Closed", true);
  }

  monitorState(): MonitorState {
    const { options } = this;
    const opts = this.engine.options;
    return {
      engine: this.engine,
      now: now(),
      start: this.started,
      configLoadTime: this.#loaded,
      configDigest: this.origin?.digest ?? "",
      process: this.#meter.read(),
      http: {
        host: options.httpHost ?? options.host,
        httpPort: options.httpPort === 0 ? 0 : (this.#monitor?.port ?? options.httpPort),
        httpsPort: options.httpsPort === 0 ? 0 : (this.#monitor?.port ?? options.httpsPort),
        basePath: options.httpBasePath,
      },
      requests: this.#requests,
      config: configFacts(options, {
        leafPort: this.leafPort,
        leafAuthTimeout: opts.leaf.authTimeout,
        websocketPort: this.websocketPort,
        websocketAuthTimeout: opts.websocket?.authTimeout ?? 0,
        clientTls: this.listeners.clientTls,
        leafTls: this.listeners.leafTls,
        websocketTls: this.listeners.websocketTls,
      }),
      closed: this.#ring,
      listeners: this.listeners.views,
      remotes: this.remotes,
      pinnedAccountFails: this.authentication.operator?.accounts.pinnedFails ?? 0,
      account: (name) => {
        const { operator } = this.authentication;
        if (operator !== null) return operator.facts(name);
        return configuredFacts(this.options, this.engine.accounts.get(name)?.spec ?? null);
      },
      place: (reason) =>
        rulePlace(reason, {
          origin: this.origin,
          identities: options.leafnodes.remotes.map(remoteIdentity),
          remotes: this.remotes,
        }),
    };
  }

  async #startMonitor(): Promise<void> {
    const { options } = this;
    const https = options.httpsPort !== 0;
    if (options.httpPort === 0 && !https) return;
    const { startMonitor } = await import("./monitor-http.ts");
    this.#monitor = await startMonitor({
      host: options.httpHost ?? options.host,
      port: https ? options.httpsPort : options.httpPort,
      tls: https ? () => this.listeners.clientTls as ServerTls : null,
      basePath: options.httpBasePath,
      state: () => this.monitorState(),
      log: (level, text) => this.log(level, "", text),
    });
  }

  #engineOptions(): EngineOptions {
    const options = engineOptions(this.serverId, this.options, this.listeners.bound);
    return { ...options, xkey: this.authentication.curve.publicKey };
  }

  #addRemote(options: LeafRemoteOptions): Remote {
    const remote = new Remote(this.#nextRemote++, options, this);
    this.remotes.push(remote);
    const warning = credentialsWarning(options);
    if (warning !== null) this.log("warn", "", warning);
    const fault = credentialsFault(options);
    if (fault !== null) this.log("error", "", fault);
    return remote;
  }

  #ready(link: Link): void {
    const connection = this.hub.get(link.id);
    if (connection !== undefined) {
      this.unauthenticated.settle(connection);
      if (connection.wire instanceof WebSocketWire) connection.wire.setMaxPayload(link.maxPayload);
    }
    if (link.kind === KIND_LEAF) this.#byLink.get(link)?.ready();
    this.system.events.connected(link);
  }

  #closed(link: Link, reason: ClosedState): void {
    this.#ring.closed(link, reason, this.engine.now);
    this.system.events.closed(link, reason);
    if (link.kind === KIND_LEAF) {
      const peer = link.leaf?.remoteServer ?? "";
      const tail = peer === "" ? "" : ` - Remote: ${peer}`;
      this.log("notice", link.label, `Leafnode connection closed: ${reason}${tail}`);
    } else this.log("debug", link.label, `Client connection closed: ${reason}`);
    this.#byLink.delete(link);
    const closer = this.#closers.get(link);
    this.#closers.delete(link);
    closer?.(link);
  }

  /** One timer for all deadlines of the engine. */
  #arm(): void {
    const deadline = this.engine.nextDeadline();
    if (deadline === null || deadline >= this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = deadline;
    const wait = Math.min(Math.max(0, Math.ceil(deadline - now())), MOST_WAIT);
    this.#timer = setTimeout(() => this.#tick(), wait);
  }

  #tick(): void {
    this.#timer = null;
    this.#timerAt = Infinity;
    this.engine.advance(now());
    this.#arm();
  }

  async #stop(): Promise<void> {
    this.log("notice", "", "Initiating Shutdown...");
    this.system.stop();
    this.#lameDuck?.cancel();
    for (const remote of this.remotes) remote.stop("Server Shutdown", true);
    await this.listeners.close();
    this.unauthenticated.close();
    this.authentication.operator?.stop();
    await this.#monitor?.close();
    this.engine.now = now();
    for (const link of this.engine.links.values()) this.engine.close(link, "Server Shutdown");
    this.engine.flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = -Infinity;
    await this.crypto.close();
    this.log("notice", "", "Server Exiting..");
  }
}
