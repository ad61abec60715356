/**
 * One connection of a command: which servers, as whom, and what the server complained about.
 *
 * The official client reports a refused publish or subscription asynchronously; `check()` asks the
 * server for a PONG, by which time any complaint has arrived, and throws it.
 */
import { isIP } from "node:net";
import type {
  ConnectionOptions,
  NatsConnection,
  Status,
  TlsOptions,
  WsSocketFactory,
} from "@nats-io/transport-node";
import { connect as connectTcp, wsconnect } from "@nats-io/transport-node";
import type { Command } from "commander";
import { readFileSync } from "node:fs";
import { WebSocket } from "ws";
import type { ContextSettings } from "./context-store.ts";
import { ContextStore, applyGlobals, emptySettings, readContextFile } from "./context-store.ts";
import { authenticators, tlsPath } from "./credentials.ts";
import { CliError, errorText } from "./errors.ts";
import type { Globals } from "./globals.ts";
import { readGlobals } from "./globals.ts";
import { log } from "./output.ts";
import { tlsRefusal } from "./tls-probe.ts";
import { VERSION } from "./version.ts";

const RECONNECT_DELAY_MS = 500;
/** After this time without an answer it is looked into why. */
const SILENCE_MS = 700;

/** Flags, environment and context of one command, resolved. */
export interface Target {
  readonly globals: Globals;
  readonly settings: ContextSettings;
}

/** Resolves what a command was told about the server and its user. */
export function target(command: Command): Target {
  const globals = readGlobals(command);
  return { globals, settings: applyGlobals(contextSettings(globals), globals) };
}

function contextSettings(globals: Globals): ContextSettings {
  if (globals.noContext) return emptySettings();
  const name = globals.contextName;
  if (name?.endsWith(".json")) return readContextFile(name, name);
  const store = new ContextStore();
  const selected = name ?? store.selected();
  return selected === undefined ? emptySettings() : store.load(selected);
}

/** A live connection and what its server said about it. */
export class Link {
  readonly nc: NatsConnection;
  readonly target: Target;
  #error: Error | undefined;
  #closing = false;
  readonly #waiters = new Set<(error: Error) => void>();

  constructor(nc: NatsConnection, to: Target) {
    this.nc = nc;
    this.target = to;
    void this.#watch();
  }

  /** Where this connection goes, with its scheme. */
  get url(): string {
    return `${firstScheme(this.target.settings.url)}://${this.nc.getServer()}`;
  }

  get inboxPrefix(): string {
    return this.target.settings.inbox_prefix || "_INBOX";
  }

  /** Waits until the server has seen all that was sent; throws what it refused. */
  async check(): Promise<void> {
    const stopWatching = this.onError(() => {});
    await this.nc.flush();
    // The complaint stands before the PONG; its reader runs a few microtasks later.
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    stopWatching();
    if (this.#error !== undefined) throw this.#error;
  }

  /** The round trip time in milliseconds, with fractions. */
  async rtt(): Promise<number> {
    const start = performance.now();
    await this.nc.flush();
    return performance.now() - start;
  }

  /** Calls back once with the next complaint of the server; the result stops the waiting. */
  onError(callback: (error: Error) => void): () => void {
    this.#waiters.add(callback);
    return () => {
      this.#waiters.delete(callback);
    };
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.nc.close();
  }

  async #watch(): Promise<void> {
    for await (const status of this.nc.status()) this.#onStatus(status);
  }

  #onStatus(status: Status): void {
    if (this.#closing) return;
    const { trace } = this.target.globals;
    if (status.type === "error") {
      this.#error = status.error;
      if (this.#waiters.size === 0) log(`>>> Unexpected NATS error: ${errorText(status.error)}`);
      for (const waiter of this.#waiters) waiter(status.error);
      this.#waiters.clear();
    } else if (status.type === "disconnect") {
      log(`>>> Disconnected from ${status.server}, will attempt reconnect`);
    } else if (trace && status.type === "reconnect") {
      log(`>>> Reconnected to ${status.server}`);
    } else if (trace && status.type === "update") {
      log(`>>> Discovered new servers: ${(status.added ?? []).join(", ")}`);
    }
  }
}

/**
 * Connects as the command's flags, environment and context say. `tlsName` is the name the
 * server's certificate must have where that is not its address.
 */
export async function connect(
  to: Target,
  servers = to.settings.url,
  tlsName?: string,
): Promise<Link> {
  const list = serverList(servers);
  const options = connectionOptions(to, list);
  // The client hands every option of Node's TLS on; its types name only the files.
  if (tlsName !== undefined) options.tls = Object.assign({ servername: tlsName }, options.tls);
  try {
    const first = list[0]?.protocol ?? "";
    const nc = await (/^wss?:$/.test(first)
      ? wsconnect({ ...options, wsFactory: webSockets(to.settings) })
      : explained(connectTcp(options), list, options));
    if (to.globals.trace) log(`>>> Connected to ${nc.getServer()}`);
    return new Link(nc, { ...to, settings: { ...to.settings, url: servers } });
  } catch (error) {
    throw new CliError(connectFailure(error), 1, error);
  }
}

/** Fails with the reason as soon as it is known why this connection does not come about. */
function explained(
  connecting: Promise<NatsConnection>,
  list: readonly URL[],
  options: ConnectionOptions,
): Promise<NatsConnection> {
  return new Promise((resolve, reject) => {
    const [server] = list;
    const timer = setTimeout(() => {
      if (server === undefined || list.length > 1) return;
      tlsRefusal(server, options.tls ?? undefined, (options.timeout ?? 0) / 2)
        .then((reason) => {
          if (reason !== undefined) reject(new CliError(`nats: ${reason}`));
        })
        .catch(() => {});
    }, SILENCE_MS);
    connecting.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
}

/** Runs `body` with a connection and closes it afterwards. */
export async function withLink<T>(to: Target, body: (link: Link) => Promise<T>): Promise<T> {
  const link = await connect(to);
  try {
    return await body(link);
  } finally {
    await link.close();
  }
}

/** The servers of a comma separated list, each with a scheme. */
export function serverList(servers: string): URL[] {
  return servers
    .split(",")
    .map((server) => server.trim())
    .filter((server) => server !== "")
    .map((server) => {
      try {
        return new URL(server.includes("://") ? server : `nats://${server}`);
      } catch {
        throw new CliError(`nats: invalid server URL "${server}", expected nats://HOST:PORT`);
      }
    });
}

function connectionOptions(to: Target, list: readonly URL[]): ConnectionOptions {
  const { globals, settings } = to;
  if (settings.socks_proxy !== "") {
    throw new CliError("a SOCKS5 proxy cannot be used here, pass --socks-proxy none to go without");
  }
  const known = list.find((url) => url.username !== "");
  const who = authenticators(known === undefined ? settings : withUserOf(settings, known));
  // A WebSocket gets its certificates from webSockets() below.
  const tls = /^wss?:$/.test(list[0]?.protocol ?? "") ? undefined : tlsOptions(settings, list);
  return {
    servers: list.map((url) => `${url.protocol}//${url.host}`),
    name: globals.connectionName ?? `Frond CLI Version ${VERSION}`,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    noRandomize: true,
    timeout: globals.timeoutMs,
    reconnectDelayHandler: () => RECONNECT_DELAY_MS,
    ...(who.length === 0 ? {} : { authenticator: who }),
    ...(settings.inbox_prefix === "" ? {} : { inboxPrefix: settings.inbox_prefix }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** The user of a server's URL goes before the settings' own, as in the official clients. */
function withUserOf(settings: ContextSettings, url: URL): ContextSettings {
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const bare = { ...settings, user: "", password: "", token: "" };
  return url.password === "" ? { ...bare, token: user } : { ...bare, user, password };
}

function tlsOptions(settings: ContextSettings, list: readonly URL[]): TlsOptions | undefined {
  const tls: TlsOptions = {};
  if (settings.ca !== "") tls.caFile = tlsPath(settings.ca, "ca");
  if (settings.cert !== "" && settings.key !== "") {
    tls.certFile = tlsPath(settings.cert, "cert");
    tls.keyFile = tlsPath(settings.key, "key");
  }
  if (settings.tls_first) tls.handshakeFirst = true;
  const wanted = list.some((url) => url.protocol === "tls:");
  return wanted || Object.keys(tls).length > 0 ? tls : undefined;
}

/** WebSockets with the context's certificates, which the platform's own cannot be given. */
function webSockets(settings: ContextSettings): WsSocketFactory {
  return (url) => {
    const read = (path: string, key: string): { [key: string]: Buffer } =>
      path === "" ? {} : { [key]: readFileSync(tlsPath(path, key)) };
    const socket = new WebSocket(url, {
      ...read(settings.ca, "ca"),
      ...read(settings.cert, "cert"),
      ...read(settings.key, "key"),
    });
    // `ws` keeps to the W3C interface the client asks for; the two type declarations differ in details.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const standard = socket as unknown as Awaited<ReturnType<WsSocketFactory>>["socket"];
    return Promise.resolve({ socket: standard, encrypted: url.startsWith("wss:") });
  };
}

function connectFailure(error: unknown): string {
  const text = errorText(error);
  return /^(?:nats|tls):/.test(text) ? text : `nats: ${text}`;
}

function firstScheme(servers: string): string {
  return serverList(servers)[0]?.protocol.replace(":", "") ?? "nats";
}

/** The addresses of a host as `HOST:PORT`; IPv6 in brackets. */
export function hostPort(address: string, port: string): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
