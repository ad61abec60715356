/**
 * One configured remote: dials its URLs in turn, hands each connection to the engine, and after every end tries
 * again, for ever. Delays grow from `reconnect` to `reconnect_max` with full jitter while nothing succeeds.
 *
 * It is also what link views show: state and history, whether the link is up or not.
 */
import { remoteIdentity, type LeafRemoteOptions, type ServerUrl } from "../config/index.ts";
import type { ClosedState, Link, Millis, RemoteSpec } from "../core/index.ts";
import { joinHostPort, TlsHandshakeError, upgradeClientTls } from "../transports/node/index.ts";
import type { ClientTls, SocketWire } from "../transports/node/index.ts";
import { now } from "./clock.ts";
import { Connection } from "./connection.ts";
import { remoteCredentials } from "./remote-credentials.ts";
import type { RemoteHost } from "./remote-host.ts";
import { dialRemote } from "./remote-dial.ts";
import {
  earlyHandshake,
  hasEarlyHandshake,
  isWebSocketUrl,
  wantsTls,
  WebSocketDialError,
} from "./remote-handshake.ts";

export type RemoteState = "disabled" | "waiting" | "connecting" | "handshake" | "up" | "stopped";

const RTTS_KEPT = 128;
const SYSTEM_ACCOUNT_DELAY = 250;

export class Remote {
  readonly id: number;
  options: LeafRemoteOptions;
  state: RemoteState = "disabled";
  /** When `state` was entered. */
  since: Millis = now();
  /** Why the last attempt failed or the last link ended; kept while the link is up. */
  lastError = "";
  lastErrorAt: Millis | null = null;
  /** Failed attempts, handshakes included, since the link was last up. */
  attempts = 0;
  nextRetry: Millis | null = null;
  /** How often a link that was up went down. */
  flaps = 0;
  link: Link | null = null;
  currentUrl: ServerUrl;
  /** Dropped on this remote's links before the one that is up. */
  #droppedBefore = 0;
  readonly rtts: number[] = [];
  /** Added through the library: a reload of the file leaves it alone. */
  addedByProgram = false;
  readonly #host: RemoteHost;
  #tls: ClientTls | null;
  /** What tells it apart at a reload: its options as they were given, whatever was rotated since. */
  readonly identity: string;
  #configured: ServerUrl[];
  #urls: ServerUrl[];
  #stop = new AbortController();
  #wake: (() => void) | null = null;
  /** The hub demanded TLS: kept for later connections. */
  #sticksToTls = false;
  /** Host names of URLs: what a discovered address is verified against. */
  #tlsName: string;
  #everConnected = false;
  /** Failed dials since the last connection, for the log. */
  #dials = 0;
  #connectDelay = 0;
  /** What went wrong with the link that is about to end. */
  #linkError = "";
  /** The next pause is left out. */
  #hurry = false;
  #rotation: ((options: LeafRemoteOptions) => LeafRemoteOptions) | null = null;

  constructor(id: number, options: LeafRemoteOptions, host: RemoteHost) {
    this.id = id;
    this.options = options;
    this.identity = remoteIdentity(options);
    this.#host = host;
    this.#tls = host.clientTls(options);
    this.#configured = inDialOrder(options);
    this.#urls = [...this.#configured];
    this.#tlsName = this.#configured.find((url) => !isAddress(url.host))?.host ?? "";
    this.currentUrl = this.#configured[0] ?? NO_URL;
  }

  get account(): string {
    return this.options.account;
  }

  /** What its options let through, for link views. */
  get rules(): LeafRemoteOptions {
    return this.options;
  }

  /** Messages that were not sent since the link was full. */
  get dropped(): number {
    return this.#droppedBefore + (this.link?.leaf?.output.droppedMsgs ?? 0);
  }

  get required(): boolean {
    return this.options.required;
  }

  get urls(): readonly string[] {
    return this.#urls.map((url) => joinHostPort(url.host, url.port));
  }

  get credentials(): "creds" | "nkey" | "user" | "token" | "none" {
    if (this.options.credentials !== null) return "creds";
    if (this.options.nkey !== null) return "nkey";
    const url = this.options.urls.find((one) => one.user !== null);
    if (url === undefined) return "none";
    return url.password === null ? "token" : "user";
  }

  start(): void {
    if (this.options.disabled || this.state === "stopped") return;
    if (this.#configured.length === 0) {
      this.#host.log("debug", "", "Empty remote leafnode definition, nothing to connect");
      return;
    }
    this.#stop = new AbortController();
    void this.#run(this.#stop.signal);
  }

  /** Ends the link and all attempts. */
  stop(reason: ClosedState, final: boolean): void {
    this.#stop.abort();
    this.#wake?.();
    const link = this.link;
    if (link !== null) this.#host.closeLink(link, reason);
    this.#enter(final ? "stopped" : "disabled");
  }

  /** Lame duck mode: the link may live on, but there is no next attempt. */
  pauseDialling(): void {
    this.#stop.abort();
    this.#wake?.();
  }

  /** The hub's URLs as it gossips them: dialled before the configured ones. */
  discovered(hosts: readonly string[], websocket: boolean): void {
    if (this.options.ignoreDiscoveredServers || hosts.length === 0) return;
    if (isWebSocketUrl(this.currentUrl) !== websocket) return;
    const known = new Set(this.#configured.map((url) => joinHostPort(url.host, url.port)));
    const fresh: ServerUrl[] = [];
    for (const text of hosts.slice(0, MAX_DISCOVERED)) {
      if (known.has(text)) continue;
      const at = text.lastIndexOf(":");
      const host = text.slice(0, at).replace(/^\[|\]$/g, "");
      const port = Number(text.slice(at + 1));
      if (at < 1 || !(port > 0 && port < 65536)) continue;
      known.add(text);
      fresh.push({ ...this.currentUrl, host, port, user: null, password: null, text });
      if (this.#tlsName === "" && !isAddress(host)) this.#tlsName = host;
    }
    this.#urls = [...fresh, ...this.#configured];
  }

  /** New options for a remote of the same identity; they count from the next connection on. */
  replaceOptions(options: LeafRemoteOptions): void {
    const before = this.options;
    this.options = this.#rotation === null ? options : this.#rotation(options);
    this.#tls = this.#host.clientTls(options);
    const texts = (of: LeafRemoteOptions): string => of.urls.map((url) => url.text).join(" ");
    if (texts(before) !== texts(this.options)) {
      this.#configured = inDialOrder(this.options);
      this.#urls = [...this.#configured];
    }
  }

  /** Other credentials, from the next connection on; a reload that names the same ones as before keeps them. */
  rotate(change: (options: LeafRemoteOptions) => LeafRemoteOptions): void {
    this.#rotation = null;
    const given = this.options;
    this.#rotation = change;
    this.replaceOptions(given);
  }

  /** Closes the link, or ends the pause between attempts, and dials at once. */
  redial(): void {
    if (this.state === "stopped" || this.state === "disabled") return;
    this.#hurry = true;
    if (this.link !== null) this.#host.closeLink(this.link, "Client Closed");
    else this.#wake?.();
  }

  needsTls(): void {
    this.#sticksToTls = true;
  }

  /** The link of this remote is past its handshake. */
  ready(): void {
    this.#enter("up");
    this.attempts = 0;
    this.#hurry = false;
    this.#everConnected = true;
    this.#host.log(
      "notice",
      this.link?.label ?? "",
      `Connected leafnode to "${this.currentUrl.host}"`,
    );
  }

  #enter(state: RemoteState): void {
    if (state === this.state) return;
    this.state = state;
    this.since = now();
  }

  async #run(signal: AbortSignal): Promise<void> {
    if (this.#host.delaysFirst(this.options.account))
      await this.#sleep(SYSTEM_ACCOUNT_DELAY, signal);
    while (!signal.aborted) {
      const wire = await this.#dial(signal);
      if (signal.aborted) {
        wire?.destroy();
        return;
      }
      if (wire === null) {
        this.#enter("waiting");
        await this.#sleep(this.#backOff(), signal);
        continue;
      }
      const hasAccount = await this.#hasAccount(wire);
      // Stopped in the meantime: nobody would end the link.
      if (signal.aborted) {
        wire.destroy();
        return;
      }
      const wasUp = hasAccount && (await this.#live(wire));
      if (signal.aborted) return;
      if (!wasUp) this.attempts++;
      else if (!this.#hurry) this.flaps++;
      const delay = this.#connectDelay;
      this.#connectDelay = 0;
      await this.#sleep(delay + (wasUp ? this.#host.reconnect : this.#backOff()), signal);
    }
  }

  /** In operator mode the local account may not be to be had: the connection is then for nothing. */
  async #hasAccount(wire: SocketWire): Promise<boolean> {
    const fault = await this.#host.accountFault(this.options.account);
    if (fault === null) return true;
    this.#host.log("notice", "", "Leafnode connection closed: Missing Account");
    this.#host.log("error", "", fault);
    this.#failed(fault);
    wire.destroy();
    this.#enter("waiting");
    return false;
  }

  /** From `reconnect`, doubling after a few failures, bounded, with full jitter. */
  #backOff(): number {
    const base = this.#host.reconnect;
    const doublings = Math.max(0, Math.min(this.attempts - 4, 16));
    const most = Math.min(Math.max(this.options.reconnectMax, base), base * 2 ** doublings);
    return base + Math.random() * most;
  }

  async #dial(signal: AbortSignal): Promise<SocketWire | null> {
    const urls = this.#urls;
    if (
      urls.length > 1 &&
      urls[0] === this.currentUrl &&
      (this.#everConnected || this.attempts > 0)
    ) {
      urls.push(...urls.splice(0, 1));
    }
    const url = urls[0] ?? this.currentUrl;
    this.currentUrl = url;
    this.#enter("connecting");
    this.nextRetry = null;
    this.#hurry = false;
    const where = joinHostPort(url.host, url.port);
    this.#host.log("debug", "", `Trying to connect as leafnode to remote server on "${where}"`);
    try {
      const wire = await dialRemote(this.options, url, {
        signal,
        timeoutMs: this.options.dialTimeout ?? this.#host.dialTimeout,
      });
      this.#dials = 0;
      return wire;
    } catch (error) {
      if (signal.aborted) return null;
      this.attempts++;
      this.#dials++;
      const text = error instanceof Error ? error.message : String(error);
      this.#failed(text);
      const every = this.#everConnected
        ? this.#host.reconnectErrorReports
        : this.#host.connectErrorReports;
      const loud = this.#dials === 1 || this.#dials % every === 0;
      this.#host.log(
        loud ? "error" : "debug",
        "",
        `Error trying to connect as leafnode to remote server "${where}" (attempt ${this.#dials}): ${text}`,
      );
      return null;
    }
  }

  #serverName(url: ServerUrl): string {
    if (!isAddress(url.host)) return url.host;
    return this.#tlsName === "" ? url.host : this.#tlsName;
  }

  /** One connection's life; resolves when it is over, true if it had been up. */
  #live(wire: SocketWire): Promise<boolean> {
    const url = this.currentUrl;
    const websocket = isWebSocketUrl(url);
    const connection = new Connection(wire, this.#host.hub);
    wire.handler = connection;
    connection.startTls = () => void this.#upgrade(wire, connection);
    this.#enter("handshake");
    this.#linkError = "";
    const spec: RemoteSpec = {
      id: String(this.id),
      account: this.options.account,
      hub: this.options.hub,
      denyImports: this.options.denyImports,
      denyExports: this.options.denyExports,
      allowImports: this.options.allowImports,
      allowExports: this.options.allowExports,
      isolated: this.options.isolateLeafnodeInterest,
      requestIsolation: this.options.requestIsolation,
      compression: this.options.compression.mode,
      rttThresholds: this.options.compression.rttThresholds,
      firstInfoTimeout: this.options.firstInfoTimeout,
      maxPending: this.options.maxPending,
      pendingPolicy: this.options.pendingPolicy,
      tls: wantsTls(this.options, url, this.#sticksToTls),
      websocket,
      credentials: (nonce) => remoteCredentials(this.options, url, nonce, this.#host.crypto),
    };
    return new Promise((resolve) => {
      const place = {
        host: wire.remoteHost,
        port: wire.remotePort,
        connectionType: websocket ? ("LEAFNODE_WS" as const) : ("LEAFNODE" as const),
        tls: wire.tls,
      };
      this.#host.openRemote(this, connection, place, spec, (link) => {
        const wasUp = this.state === "up";
        if (link.leaf !== null) {
          this.#connectDelay = Math.max(this.#connectDelay, link.leaf.connectDelay);
          this.#droppedBefore += link.leaf.output.droppedMsgs;
        }
        this.link = null;
        // What we end ourselves is no error.
        if (!this.#hurry && !this.#stop.signal.aborted) {
          this.#failed(link.leaf?.lastError || this.#linkError || (link.closedReason ?? ""));
        }
        if (this.state !== "stopped" && this.state !== "disabled") this.#enter("waiting");
        resolve(wasUp);
      });
      if (hasEarlyHandshake(this.options, url)) void this.#handshake(wire, connection);
      else wire.resume();
    });
  }

  /** TLS first, or the upgrade to a WebSocket. */
  async #handshake(wire: SocketWire, connection: Connection): Promise<void> {
    const { link } = connection;
    if (link === null) return;
    try {
      const ready = await earlyHandshake(wire, link, {
        options: this.options,
        url: this.currentUrl,
        sticksToTls: this.#sticksToTls,
        tls: this.#tls,
        serverName: this.#serverName(this.currentUrl),
        host: this.#host,
      });
      connection.wire = ready;
      ready.handler = connection;
      if (connection.link === null) ready.destroy();
      else ready.resume();
    } catch (error) {
      // The engine may have lost its patience first, and said so.
      if (connection.link === null) return;
      if (!(error instanceof WebSocketDialError)) {
        this.tlsFailed(link, error);
        return;
      }
      this.#linkError = `Error soliciting websocket connection: ${error.message}`;
      this.#host.log("error", link.label, this.#linkError);
      this.#host.transportFailed(link, "Read Error");
    }
  }

  /** INFO demands TLS, or the options do. */
  async #upgrade(wire: SocketWire, connection: Connection): Promise<void> {
    const { link } = connection;
    if (link === null) return;
    const { options } = this;
    if (options.proxy !== null && options.tls === null && this.currentUrl.scheme !== "tls") {
      this.#linkError =
        "TLS configuration mismatch: Hub requires TLS but leafnode remote is not configured for TLS. " +
        "When using a proxy, ensure TLS leafnode configuration matches the Hub requirements.";
      this.#host.log("error", link.label, this.#linkError);
      this.#host.transportFailed(link, "TLS Handshake Failure");
      return;
    }
    const tls = this.#tls ?? this.#host.defaultTls();
    if (tls === null) return;
    try {
      const state = await upgradeClientTls(wire, tls, {
        serverName: this.#serverName(this.currentUrl),
        timeoutMs: options.tls?.timeout ?? 2000,
      });
      this.#host.tlsEstablished(link, state);
      wire.resume();
    } catch (error) {
      this.tlsFailed(link, error);
    }
  }

  tlsFailed(link: Link | null, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#linkError = text;
    const quiet = error instanceof TlsHandshakeError && error.probe;
    const certificates = error instanceof TlsHandshakeError ? error.certificates : "";
    // A remembered name that does not fit is forgotten for the next attempt.
    if (/x509: certificate is/.test(text) && isAddress(this.currentUrl.host)) this.#tlsName = "";
    this.#host.log(
      quiet ? "debug" : "error",
      link?.label ?? "",
      `TLS leafnode handshake error: ${text}${certificates}`,
    );
    if (link !== null) this.#host.transportFailed(link, "TLS Handshake Failure");
  }

  #failed(text: string): void {
    this.lastError = text;
    this.lastErrorAt = now();
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#hurry) return Promise.resolve();
    this.nextRetry = now() + ms;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = null;
        this.nextRetry = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }

  measured(rtt: Millis): void {
    this.rtts.push(rtt);
    if (this.rtts.length > RTTS_KEPT) this.rtts.shift();
  }
}

const MAX_DISCOVERED = 256;
const NO_URL: ServerUrl = {
  scheme: "nats",
  host: "",
  port: 0,
  user: null,
  password: null,
  path: "",
  text: "",
};

export function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(":");
}

function inDialOrder(options: LeafRemoteOptions): ServerUrl[] {
  const urls = [...options.urls];
  if (!options.noRandomize) shuffle(urls);
  return urls;
}

function shuffle(list: ServerUrl[]): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    const other = list[j] as ServerUrl;
    list[j] = list[i] as ServerUrl;
    list[i] = other;
  }
}
