/**
 * The sockets a server accepts on: clients, leaf nodes, WebSockets. Their TLS is read once at start and again at
 * a reload; a connection uses what is there when it comes.
 */
import type { HandshakeFirst, Options } from "../config/index.ts";
import type { ListenerView } from "../monitoring/index.ts";
import {
  buildServerTls,
  joinHostPort,
  listenTcp,
  WebSocketAcceptor,
  wireFromSocket,
  type Listener,
  type ServerTls,
  type WireHandler,
} from "../transports/node/index.ts";
import { accept, type AcceptHost, type AcceptRules } from "./accept.ts";
import { checkAdvertised } from "./advertise.ts";
import { type Bound, globalAddresses, isAny } from "./engine-options.ts";
import { RateLimit } from "./rate-limit.ts";
import { StartError } from "./start-error.ts";
import { acceptWebSocket, type WebSocketRules } from "./websocket-listener.ts";

const DEAF: WireHandler = { data: () => {}, drained: () => {}, closed: () => {} };
const TLS_TIMEOUT = 2000;
const NOT_FIRST: HandshakeFirst = { enabled: false, fallback: null };

export interface ListenersHost extends AcceptHost {
  readonly options: Options;
  /** Whether the options came from a file: then a client port of 0 was chosen, not left out. */
  readonly isConfigured: boolean;
}

type Name = "clients" | "leaves" | "websocket";

export class Listeners {
  clientTls: ServerTls | null = null;
  leafTls: ServerTls | null = null;
  websocketTls: ServerTls | null = null;
  readonly #host: ListenersHost;
  readonly #open = new Map<Name, Listener>();
  #acceptor: WebSocketAcceptor | null = null;
  #handshakes: RateLimit | null = null;

  constructor(host: ListenersHost) {
    this.#host = host;
  }

  /** Reads certificates; throws a StartError, and then nothing has changed. */
  loadTls({ tls, leafnodes, websocket }: Options): void {
    const load = (from: typeof tls): ServerTls | null =>
      from === null ? null : buildServerTls(from);
    try {
      const [client, leaf, ws] = [load(tls), load(leafnodes.tls), load(websocket?.tls ?? null)];
      this.clientTls = client;
      this.leafTls = leaf;
      this.websocketTls = ws;
    } catch (error) {
      throw new StartError(
        "BAD_TLS",
        error instanceof Error ? error.message : String(error),
        error,
      );
    }
  }

  /** Opens what the options ask for, and says so. Clients come last: those before are ready for them. */
  async open(): Promise<void> {
    checkAdvertised(this.#host.options);
    await this.#listenWebsocket();
    await this.#listenLeaves();
    await this.#listenClients();
  }

  isUp(name: Name): boolean {
    return this.#open.has(name);
  }

  port(name: Name): number {
    return this.#open.get(name)?.port ?? 0;
  }

  /** The ports in use, or the configured ones where nothing listens yet. */
  get bound(): Bound {
    const { options } = this.#host;
    return {
      clientPort: this.port("clients") || options.port,
      leafPort: this.port("leaves") || options.leafnodes.port,
      websocketPort: this.port("websocket") || (options.websocket?.port ?? 0),
    };
  }

  /** Those that the options ask for, as /healthz sees them. */
  get views(): ListenerView[] {
    const { port, leafnodes, websocket } = this.#host.options;
    const views: ListenerView[] = [];
    if (port !== 0 || this.#host.isConfigured) {
      views.push({ name: "server", up: this.isUp("clients"), error: "" });
    }
    if (leafnodes.port !== 0) views.push({ name: "leafnode", up: this.isUp("leaves"), error: "" });
    if (websocket !== null && websocket.port !== 0) {
      views.push({ name: "websocket", up: this.isUp("websocket"), error: "" });
    }
    return views;
  }

  urls(name: Name): string[] {
    const { host, leafnodes, websocket } = this.#host.options;
    const listener = this.#open.get(name) ?? null;
    if (name === "leaves") return urlsOf("nats", leafnodes.host, listener);
    if (name === "clients") return urlsOf(this.clientTls === null ? "nats" : "tls", host, listener);
    return urlsOf(this.websocketTls === null ? "ws" : "wss", websocket?.host ?? "", listener);
  }

  /** Stops accepting; connections live on. */
  async close(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#handshakes?.close();
    await Promise.all(open.map((listener) => listener.close()));
  }

  async #listenClients(): Promise<void> {
    const { host, port, tls } = this.#host.options;
    if (port === 0 && !this.#host.isConfigured) return;
    const rate = tls?.connectionRateLimit ?? 0;
    if (rate > 0) {
      this.#handshakes = new RateLimit(rate, (rejected) => {
        this.#host.log("warn", "", `Rejected ${rejected} connections due to TLS rate limiting`);
      });
    }
    const at = joinHostPort(host, Math.max(port, 0));
    await this.#listen(
      "clients",
      host,
      port,
      (text) => `Error listening on port: ${at}, "${text}"`,
    );
  }

  async #listenLeaves(): Promise<void> {
    const { host, port } = this.#host.options.leafnodes;
    if (port === 0) return;
    await this.#listen(
      "leaves",
      host,
      port,
      (text) => `Error listening on leafnode port: ${port} - ${text}`,
    );
  }

  async #listenWebsocket(): Promise<void> {
    const { websocket } = this.#host.options;
    if (websocket === null || websocket.port === 0) return;
    this.#acceptor = new WebSocketAcceptor(websocket);
    const failed = (text: string): string => `Unable to listen for websocket connections: ${text}`;
    await this.#listen("websocket", websocket.host, websocket.port, failed);
  }

  async #listen(
    name: Name,
    host: string,
    configuredPort: number,
    failed: (text: string) => string,
  ): Promise<void> {
    const port = Math.max(configuredPort, 0);
    try {
      const listener = await listenTcp(
        {
          host,
          port,
          onError: (error) =>
            this.#host.log("error", "", `Temporary Accept Error(${error.message})`),
        },
        (socket) => this.#accept(name, wireFromSocket(socket, DEAF)),
      );
      this.#open.set(name, listener);
    } catch (error) {
      const taken = (error as { code?: string }).code === "EADDRINUSE";
      const reason = error instanceof Error ? error.message : String(error);
      const text = taken
        ? `listen tcp ${joinHostPort(host, port)}: bind: address already in use`
        : port > 65535
          ? `listen tcp: address ${port}: invalid port`
          : reason;
      throw new StartError(taken ? "PORT_IN_USE" : "LISTEN_FAILED", failed(text), error);
    }
  }

  #accept(name: Name, wire: ReturnType<typeof wireFromSocket>): void {
    if (name === "clients") accept(this.#host, wire, this.#clientRules());
    else if (name === "leaves") accept(this.#host, wire, this.#leafRules());
    else if (this.#acceptor !== null) {
      void acceptWebSocket(this.#host, wire, this.#websocketRules(this.#acceptor));
    }
  }

  #clientRules(): AcceptRules {
    const { tls, allowNonTls, proxyProtocol } = this.#host.options;
    return {
      kind: "client",
      tls: this.clientTls,
      tlsTimeout: tls?.timeout ?? TLS_TIMEOUT,
      allowNonTls,
      handshakeFirst: tls?.handshakeFirst ?? NOT_FIRST,
      proxyProtocol,
      handshakes: this.#handshakes,
    };
  }

  #leafRules(): AcceptRules {
    const { tls } = this.#host.options.leafnodes;
    return {
      kind: "leaf",
      tls: this.leafTls,
      tlsTimeout: tls?.timeout ?? TLS_TIMEOUT,
      allowNonTls: false,
      handshakeFirst: tls?.handshakeFirst ?? NOT_FIRST,
      proxyProtocol: false,
      handshakes: null,
    };
  }

  #websocketRules(acceptor: WebSocketAcceptor): WebSocketRules {
    const { websocket, maxPayload, leafnodes } = this.#host.options;
    const none = { jwtCookie: null, userCookie: null, passCookie: null, tokenCookie: null };
    return {
      acceptor,
      tls: this.websocketTls,
      tlsTimeout: websocket?.tls?.timeout ?? TLS_TIMEOUT,
      maxPayload,
      cookies: websocket ?? none,
      acceptsLeaves: leafnodes.port !== 0,
    };
  }

  /** The lines of a start, in the reference's order. */
  announce(): void {
    const { options } = this.#host;
    const notice = (text: string): void => this.#host.log("notice", "", text);
    const where = (host: string, name: Name): string => joinHostPort(host, this.port(name));
    if (this.isUp("websocket")) {
      const scheme = this.websocketTls === null ? "ws" : "wss";
      const at = where(options.websocket?.host ?? "", "websocket");
      notice(`Listening for websocket clients on ${scheme}://${at}`);
      if (this.websocketTls === null) {
        const text = "Websocket not configured with TLS. DO NOT USE IN PRODUCTION!";
        this.#host.log("warn", "", text);
      }
    }
    if (this.isUp("leaves")) {
      notice(`Listening for leafnode connections on ${where(options.leafnodes.host, "leaves")}`);
    }
    if (!this.isUp("clients")) return;
    notice(`Listening for client connections on ${where(options.host, "clients")}`);
    if (this.clientTls === null) return;
    notice(`TLS ${options.allowNonTls ? "available" : "required"} for client connections`);
    const first = options.tls?.handshakeFirst ?? NOT_FIRST;
    if (first.enabled && first.fallback === null) {
      const who = `Clients that are not using "TLS Handshake First" option`;
      this.#host.log("warn", "", `${who} will fail to connect`);
    }
  }
}

/** Every address by which a listener can be reached. */
export function urlsOf(
  scheme: string,
  host: string,
  listener: { readonly port: number } | null,
): string[] {
  if (listener === null) return [];
  if (!isAny(host)) return [`${scheme}://${joinHostPort(host, listener.port)}`];
  const addresses = globalAddresses();
  const hosts = addresses.length > 0 ? addresses : ["127.0.0.1"];
  return hosts.map((one) => `${scheme}://${joinHostPort(one, listener.port)}`);
}
