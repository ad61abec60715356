/**
 * The composition root: options in, a running server out. It owns the engine and its clock, the listeners, the
 * remotes and the monitor, and their order of starting and stopping.
 */
import { encodePublicKey, ConfigAuthenticator } from "../auth/index.ts";
import type { LeafRemoteOptions, Options, OptionsOrigin } from "../config/index.ts";
import {
  asyncInfo,
  Engine,
  KIND_CLIENT,
  KIND_LEAF,
  type ClosedState,
  type Link,
  type LinkPlace,
  type LogLevel,
  type RemoteSpec,
  type TlsState,
} from "../core/index.ts";
import {
  buildClientTls,
  buildServerTls,
  joinHostPort,
  listenTcp,
  wireFromSocket,
  type ClientTls,
  type Listener,
  type ServerTls,
  type Wire,
  type WireHandler,
} from "../transports/node/index.ts";
import { accept, isQuiet, type AcceptHost, type AcceptRules } from "./accept.ts";
import { authOptions } from "./auth-options.ts";
import { now } from "./clock.ts";
import { Connection, ConnectionHub } from "./connection.ts";
import { engineOptions, globalAddresses, isAny } from "./engine-options.ts";
import { LameDuck } from "./lame-duck.ts";
import type { Logger } from "./logger.ts";
import { NodeCrypto } from "./node-crypto.ts";
import { nodeWorld } from "./node-world.ts";
import { Remote } from "./remote.ts";
import type { RemoteHost } from "./remote-host.ts";
import { StartError } from "./start-error.ts";
import { ClosedRing } from "./closed-ring.ts";
import { configFacts, ProcessMeter } from "./monitor-state.ts";
import type { Monitor } from "./monitor-http.ts";
import type { MonitorState } from "../monitoring/index.ts";
import { randomBytes } from "node:crypto";

const DEAF: WireHandler = { data: () => {}, drained: () => {}, closed: () => {} };
const TLS_TIMEOUT = 2000;

export interface ServerDeps {
  readonly logger: Logger;
  readonly origin: OptionsOrigin | null;
}

export class FrondServer implements AcceptHost, RemoteHost {
  readonly serverId: string;
  options: Options;
  readonly logger: Logger;
  readonly hub = new ConnectionHub();
  readonly crypto = new NodeCrypto();
  readonly engine: Engine;
  readonly remotes: Remote[] = [];
  readonly started: number = now();
  origin: OptionsOrigin | null;
  authenticator: ConfigAuthenticator;
  #clients: Listener | null = null;
  #leaves: Listener | null = null;
  #clientTls: ServerTls | null = null;
  #leafTls: ServerTls | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Infinity;
  #stopping: Promise<void> | null = null;
  readonly #closers = new Map<Link, (link: Link) => void>();
  readonly #byLink = new Map<Link, Remote>();
  #nextRemote = 1;
  #lameDuck: LameDuck | null = null;
  readonly #ring: ClosedRing;
  readonly #meter = new ProcessMeter();
  readonly #requests = new Map<string, number>();
  #monitor: Monitor | null = null;
  #loaded = now();

  constructor(options: Options, deps: ServerDeps) {
    this.options = options;
    this.logger = deps.logger;
    this.#ring = new ClosedRing(options.maxClosedClients);
    this.origin = deps.origin;
    this.serverId = encodePublicKey("server", new Uint8Array(randomBytes(32)));
    this.authenticator = this.#makeAuthenticator("");
    const world = nodeWorld((level, label, text) => this.log(level, label, text));
    const bound = { clientPort: options.port, leafPort: options.leafnodes.port, websocketPort: 0 };
    this.engine = new Engine(
      engineOptions(this.serverId, options, bound),
      world,
      this.hub,
      this.authenticator,
      {
        ready: (link) => this.#ready(link),
        refused: (link, verdict) => {
          if (!verdict.ok) this.#ring.refused(link, verdict);
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
      },
    );
    this.hub.engine = this.engine;
    this.hub.afterCall = () => this.#arm();
  }

  log(level: LogLevel, label: string, text: string): void {
    this.logger.log(level, label, text);
  }

  /** Opens the listeners, then starts the remotes. Rejects with a StartError and leaves nothing open. */
  async start(): Promise<void> {
    try {
      this.#loadTls();
      await this.#startMonitor();
      await this.#listenLeaves();
      await this.#listenClients();
    } catch (error) {
      await this.#closeListeners();
      throw error;
    }
    this.#applyOptions();
    this.#announceListeners();
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
    await applyReload(this, options, origin);
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
    const nats = this.options.tls === null ? "nats" : "tls";
    return {
      nats: this.#urls(nats, this.options.host, this.#clients),
      monitoring: this.#monitorUrls(),
      websocket: [],
      leafnodes: this.#urls("nats", this.options.leafnodes.host, this.#leaves),
    };
  }

  get clientPort(): number {
    return this.#clients?.port ?? 0;
  }

  get leafPort(): number {
    return this.#leaves?.port ?? 0;
  }

  /** Resolves when every required remote is up; rejects after `timeout` ms, naming those that are not. */
  async linksReady(timeout: number): Promise<void> {
    const until = now() + timeout;
    for (;;) {
      const down = this.remotes.filter((remote) => remote.required && remote.state !== "up");
      if (down.length === 0) return;
      if (now() >= until) {
        const names = down.map((remote) => `${remote.urls.join(",")} (${remote.lastError || remote.state})`);
        throw new StartError("LINKS_DOWN", `leaf links not up after ${timeout} ms: ${names.join("; ")}`);
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
    return this.hub.open(connection, () =>
      kind === "leaf" ? this.engine.openLeaf(place, now()) : this.engine.openClient(place, now()),
    );
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
    return remote.tls === null ? null : buildClientTls(remote.tls);
  }

  defaultTls(): ClientTls | null {
    return buildClientTls(null);
  }

  delaysFirst(_account: string): boolean {
    return false;
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
    await this.#closeListeners();
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
    const bound = {
      clientPort: this.#clients?.port ?? this.options.port,
      leafPort: this.#leaves?.port ?? this.options.leafnodes.port,
      websocketPort: 0,
    };
    Object.assign(this.engine.options, engineOptions(this.serverId, this.options, bound));
    if (!this.logger.traceEnabled) this.engine.options.trace = false;
  }

  /** For a reload: new options take effect for everything that reads them anew. */
  useOptions(options: Options, origin: OptionsOrigin | null): void {
    this.options = options;
    this.origin = origin;
    this.#loaded = now();
    this.#loadTls();
    this.#applyOptions();
    this.authenticator = this.#makeAuthenticator(this.authenticator.inventedUser);
    this.engine.authenticator = this.authenticator;
  }

  addRemote(options: LeafRemoteOptions): Remote {
    const remote = this.#addRemote(options);
    remote.start();
    return remote;
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
        websocketPort: 0,
        websocketAuthTimeout: opts.websocket?.authTimeout ?? 0,
        clientTls: this.#clientTls,
        leafTls: this.#leafTls,
        websocketTls: null,
      }),
      closed: this.#ring,
      listeners: [{ name: "server", up: this.#clients !== null, error: "" }],
      remotes: this.remotes,
      account: () => null,
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
      tls: https ? () => this.#clientTls as ServerTls : null,
      basePath: options.httpBasePath,
      state: () => this.monitorState(),
      log: (level, text) => this.log(level, "", text),
    });
  }

  #makeAuthenticator(inventedUser: string): ConfigAuthenticator {
    return new ConfigAuthenticator(authOptions(this.options, inventedUser), this.crypto, (level, link, text) => {
      const label = link === null ? "" : (this.engine.links.get(link)?.label ?? "");
      this.log(level, label, text);
    });
  }

  #addRemote(options: LeafRemoteOptions): Remote {
    const remote = new Remote(this.#nextRemote++, options, this);
    this.remotes.push(remote);
    return remote;
  }

  #loadTls(): void {
    try {
      this.#clientTls = this.options.tls === null ? null : buildServerTls(this.options.tls);
      const leaf = this.options.leafnodes;
      this.#leafTls = leaf.tls === null ? null : buildServerTls(leaf.tls);
    } catch (error) {
      throw new StartError("BAD_TLS", error instanceof Error ? error.message : String(error), error);
    }
  }

  async #listenClients(): Promise<void> {
    const { host, port } = this.options;
    if (port === 0 && this.origin === null) return;
    this.#clients = await this.#listen(host, Math.max(port, 0), "port", (socket) => {
      accept(this, wireFromSocket(socket, DEAF), this.#clientRules());
    });
  }

  async #listenLeaves(): Promise<void> {
    const { host, port } = this.options.leafnodes;
    if (port === 0) return;
    this.#leaves = await this.#listen(host, Math.max(port, 0), "leafnode port", (socket) => {
      accept(this, wireFromSocket(socket, DEAF), this.#leafRules());
    });
  }

  async #listen(
    host: string,
    port: number,
    what: string,
    onConnection: Parameters<typeof listenTcp>[1],
  ): Promise<Listener> {
    try {
      return await listenTcp(
        {
          host,
          port,
          onError: (error) => this.log("error", "", `Temporary Accept Error(${error.message})`),
        },
        onConnection,
      );
    } catch (error) {
      const code = (error as { code?: string }).code;
      const reason =
        code === "EADDRINUSE"
          ? `listen tcp ${joinHostPort(host, port)}: bind: address already in use`
          : error instanceof Error
            ? error.message
            : String(error);
      const text =
        what === "port"
          ? `Error listening on port: ${joinHostPort(host, port)}, "${reason}"`
          : `Error listening on ${what}: ${port} - ${reason}`;
      throw new StartError(code === "EADDRINUSE" ? "PORT_IN_USE" : "LISTEN_FAILED", text, error);
    }
  }

  #clientRules(): AcceptRules {
    const { tls } = this.options;
    return {
      kind: "client",
      tls: this.#clientTls,
      tlsTimeout: tls?.timeout ?? TLS_TIMEOUT,
      allowNonTls: this.options.allowNonTls,
      handshakeFirst: tls?.handshakeFirst ?? NOT_FIRST,
    };
  }

  #leafRules(): AcceptRules {
    const { tls } = this.options.leafnodes;
    return {
      kind: "leaf",
      tls: this.#leafTls,
      tlsTimeout: tls?.timeout ?? TLS_TIMEOUT,
      allowNonTls: false,
      handshakeFirst: tls?.handshakeFirst ?? NOT_FIRST,
    };
  }

  #announceListeners(): void {
    const leaf = this.options.leafnodes;
    if (this.#leaves !== null) {
      this.log(
        "notice",
        "",
        `Listening for leafnode connections on ${joinHostPort(leaf.host, this.#leaves.port)}`,
      );
    }
    if (this.#clients !== null) {
      this.log(
        "notice",
        "",
        `Listening for client connections on ${joinHostPort(this.options.host, this.#clients.port)}`,
      );
      if (this.options.tls !== null) {
        const word = this.options.allowNonTls ? "available" : "required";
        this.log("notice", "", `TLS ${word} for client connections`);
      }
    }
  }

  #monitorUrls(): string[] {
    const { httpsPort, httpHost, host } = this.options;
    return this.#urls(httpsPort === 0 ? "http" : "https", httpHost ?? host, this.#monitor);
  }

  #urls(scheme: string, host: string, listener: { readonly port: number } | null): string[] {
    if (listener === null) return [];
    if (!isAny(host)) return [`${scheme}://${joinHostPort(host, listener.port)}`];
    const addresses = globalAddresses();
    const hosts = addresses.length > 0 ? addresses : ["127.0.0.1"];
    return hosts.map((one) => `${scheme}://${joinHostPort(one, listener.port)}`);
  }

  #ready(link: Link): void {
    if (link.kind === KIND_LEAF) this.#byLink.get(link)?.ready();
  }

  #closed(link: Link, reason: ClosedState): void {
    this.#ring.closed(link, reason, this.engine.now);
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
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, Math.ceil(deadline - now())));
  }

  #tick(): void {
    this.#timer = null;
    this.#timerAt = Infinity;
    this.engine.advance(now());
    this.#arm();
  }

  async #closeListeners(): Promise<void> {
    const open = [this.#clients, this.#leaves];
    this.#clients = this.#leaves = null;
    await Promise.all(open.map((listener) => listener?.close()));
  }

  async #stop(): Promise<void> {
    this.log("notice", "", "Initiating Shutdown...");
    this.#lameDuck?.cancel();
    for (const remote of this.remotes) remote.stop("Server Shutdown", true);
    await this.#closeListeners();
    await this.#monitor?.close();
    this.engine.now = now();
    for (const link of this.engine.links.values()) this.engine.close(link, "Server Shutdown");
    this.engine.flush();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = -Infinity;
    this.crypto.close();
    this.log("notice", "", "Server Exiting..");
  }
}

const NOT_FIRST = { enabled: false, fallback: null } as const;
