/**
 * The server's side of the WebSocket handshake on an open wire (plain or TLS). Node's HTTP parser reads the
 * request; checks, their order and the answers are nats-server's. Unlike there, a refused connection is closed
 * after the answer.
 */
import { createHash } from "node:crypto";
import { createServer, STATUS_CODES, type IncomingMessage, type Server } from "node:http";
import { isIP } from "node:net";
import { TLSSocket } from "node:tls";
import type { SocketWire } from "./socket-wire.ts";
import { WebSocketWire } from "./websocket.ts";

/** RFC 6455's constant that is hashed with the key. */
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const DEFLATE_RESPONSE =
  "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/** How long a refusal may take to leave. */
const REFUSAL_FLUSH_MS = 1000;

/** The part of a `websocket {}` block that the handshake needs. */
export interface WebSocketSettings {
  readonly sameOrigin: boolean;
  readonly allowedOrigins: readonly string[];
  readonly compression: boolean;
  /** 0 = none. */
  readonly handshakeTimeout: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** What the request said, besides that it is in order. */
export interface WebSocketRequest {
  readonly endpoint: "client" | "leafnode";
  /** The first address of `X-Forwarded-For`, or "". */
  readonly realIp: string;
  /** Of clients only; the first value of each name. */
  readonly cookies: ReadonlyMap<string, string>;
  readonly browser: boolean;
  readonly compression: boolean;
  readonly noMasking: boolean;
}

export interface AcceptedWebSocket {
  readonly wire: WebSocketWire;
  readonly request: WebSocketRequest;
}

/** `message` is what follows `websocket handshake error: `; `logged` says whether the reference logs it. */
export class WebSocketHandshakeError extends Error {
  readonly status: number;
  readonly logged: boolean;

  constructor(status: number, text: string, logged = true) {
    super(text);
    this.name = "WebSocketHandshakeError";
    this.status = status;
    this.logged = logged;
  }
}

interface Pending {
  upgraded(request: IncomingMessage, head: Uint8Array): void;
  refused(error: WebSocketHandshakeError): void;
}

/** Accepts WebSockets for one listener. Settings may be replaced at any time (reload). */
export class WebSocketAcceptor {
  settings: WebSocketSettings;
  readonly #http: Server;
  readonly #pending = new WeakMap<object, Pending>();

  constructor(settings: WebSocketSettings) {
    this.settings = settings;
    // Never listens: it is a parser for sockets handed to it, with the time limit kept here.
    this.#http = createServer({ requireHostHeader: false, insecureHTTPParser: false });
    this.#http.on("upgrade", (request, socket, head) => {
      this.#pending.get(socket)?.upgraded(request, head);
    });
    this.#http.on("request", (request) => {
      this.#pending.get(request.socket)?.upgraded(request, new Uint8Array(0));
    });
    this.#http.on("clientError", (_error, socket) => {
      this.#pending.get(socket)?.refused(new WebSocketHandshakeError(400, "", false));
    });
  }

  /**
   * Runs the handshake. The returned wire reports to the handler that `wire` had and waits for `resume()`.
   * On failure the peer gets its answer, the wire is closed and the promise rejects.
   */
  accept(wire: SocketWire, maxPayload: number): Promise<AcceptedWebSocket> {
    const socket = wire.lend();
    const { settings } = this;
    return new Promise((resolve, reject) => {
      const refuse = (error: WebSocketHandshakeError): void => {
        finish();
        if (socket.writable && error.status !== 0) socket.write(refusal(error));
        wire.end(REFUSAL_FLUSH_MS);
        reject(error);
      };
      const onClose = (): void => refuse(new WebSocketHandshakeError(0, "EOF", false));
      const finish = (): void => {
        clearTimeout(timer);
        socket.removeListener("close", onClose);
        this.#pending.delete(socket);
        wire.giveBack(socket);
      };
      const late = new WebSocketHandshakeError(0, "i/o timeout", false);
      const timer =
        settings.handshakeTimeout > 0
          ? setTimeout(() => refuse(late), settings.handshakeTimeout)
          : undefined;
      this.#pending.set(socket, {
        refused: refuse,
        upgraded: (message, head) => {
          const error = checkRequest(message, settings, head);
          if (error !== null) return refuse(error);
          const request = readRequest(message, settings);
          finish();
          const { compression, noMasking, browser } = request;
          wire.write(Buffer.from(acceptance(message, settings, request), "latin1"));
          const options = { role: "server", compression, noMasking, browser, maxPayload } as const;
          resolve({ wire: new WebSocketWire(wire, options), request });
        },
      });
      socket.on("close", onClose);
      this.#http.emit("connection", socket);
      socket.resume();
    });
  }
}

function checkRequest(
  message: IncomingMessage,
  settings: WebSocketSettings,
  head: Uint8Array,
): WebSocketHandshakeError | null {
  const bad = (text: string): WebSocketHandshakeError => new WebSocketHandshakeError(400, text);
  const { headers } = message;
  if (headers.host === undefined) return new WebSocketHandshakeError(400, "", false);
  if (requestPath(message).endsWith("/mqtt")) {
    return new WebSocketHandshakeError(404, "mqtt websocket endpoint not enabled");
  }
  if (message.method !== "GET") {
    return new WebSocketHandshakeError(405, "request method must be GET");
  }
  if (headers.host === "") return bad("'Host' missing in request");
  if (!contains(headers.upgrade, "websocket")) return bad("invalid value for header 'Upgrade'");
  if (!contains(headers.connection, "upgrade")) return bad("invalid value for header 'Connection'");
  const key = headers["sec-websocket-key"] ?? "";
  if (key === "") return bad("key missing");
  if (!isKey(key)) return bad("invalid websocket key");
  if (!contains(headers["sec-websocket-version"], "13")) return bad("invalid version");
  const origin = checkOrigin(message, settings);
  if (origin !== null) return new WebSocketHandshakeError(403, `origin not allowed: ${origin}`);
  if (head.length > 0) {
    return new WebSocketHandshakeError(0, "client sent data before handshake is complete");
  }
  return null;
}

function requestPath(message: IncomingMessage): string {
  const url = message.url ?? "/";
  const query = url.search(/[?#]/);
  return query < 0 ? url : url.slice(0, query);
}

function isKey(key: string): boolean {
  return /^[A-Za-z0-9+/]{22}==$/.test(key);
}

function contains(header: string | string[] | undefined, value: string): boolean {
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  return text.split(",").some((token) => token.trim().toLowerCase() === value);
}

interface Origin {
  readonly secure: boolean;
  readonly host: string;
  readonly port: string;
}

/** null if the origin is fine, else why not. */
function checkOrigin(message: IncomingMessage, settings: WebSocketSettings): string | null {
  if (!settings.sameOrigin && settings.allowedOrigins.length === 0) return null;
  const named = message.headers.origin ?? message.headers["sec-websocket-origin"];
  const text = Array.isArray(named) ? named[0] : named;
  if (text === undefined || text === "") return null;
  const origin = parseOrigin(text);
  if (origin === null) return `parse ${JSON.stringify(text)}: invalid URI for request`;
  if (settings.sameOrigin) {
    const secure = message.socket instanceof TLSSocket;
    const own = parseOrigin(`${secure ? "https" : "http"}://${message.headers.host ?? ""}`);
    if (own === null || !sameOrigin(own, origin)) return "not same origin";
  }
  const allowed = settings.allowedOrigins;
  const listed = allowed.some((one) => {
    const parsed = parseOrigin(one);
    return parsed !== null && sameOrigin(parsed, origin);
  });
  return allowed.length > 0 && !listed ? "not in the allowed list" : null;
}

function parseOrigin(text: string): Origin | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const secure = url.protocol === "https:";
  return { secure, host: url.hostname.toLowerCase(), port: url.port || (secure ? "443" : "80") };
}

function sameOrigin(a: Origin, b: Origin): boolean {
  return a.secure === b.secure && a.host === b.host && a.port === b.port;
}

function readRequest(message: IncomingMessage, settings: WebSocketSettings): WebSocketRequest {
  const { headers } = message;
  const endpoint = requestPath(message).endsWith("/leafnode") ? "leafnode" : "client";
  const offered = (headers["sec-websocket-extensions"] ?? "").split(",");
  const deflate = offered.some(
    (one) => one.split(";")[0]?.trim().toLowerCase() === "permessage-deflate",
  );
  const forwarded =
    String(headers["x-forwarded-for"] ?? "")
      .split(",")[0]
      ?.trim() ?? "";
  return {
    endpoint,
    realIp: isIP(forwarded) === 0 ? "" : forwarded,
    cookies: endpoint === "client" ? parseCookies(headers.cookie ?? "") : new Map(),
    browser: (headers["user-agent"] ?? "").startsWith("Mozilla/"),
    compression: settings.compression && deflate,
    noMasking: contains(headers["nats-no-masking"], "true"),
  };
}

function parseCookies(header: string): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const part of header.split(";")) {
    const equals = part.indexOf("=");
    const name = part.slice(0, equals).trim();
    if (equals < 0 || name === "" || cookies.has(name)) continue;
    const value = part.slice(equals + 1).trim();
    const quoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
    cookies.set(name, quoted ? value.slice(1, -1) : value);
  }
  return cookies;
}

function acceptance(
  message: IncomingMessage,
  settings: WebSocketSettings,
  request: WebSocketRequest,
): string {
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptKey(message.headers["sec-websocket-key"] ?? "")}`,
  ];
  if (request.compression) lines.push(`Sec-WebSocket-Extensions: ${DEFLATE_RESPONSE}`);
  if (request.noMasking) lines.push("Nats-No-Masking: true");
  for (const [name, value] of Object.entries(settings.headers)) lines.push(`${name}: ${value}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** The `Sec-WebSocket-Accept` that answers a key. */
export function acceptKey(key: string): string {
  return createHash("sha1")
    .update(key + ACCEPT_GUID)
    .digest("base64");
}

function refusal(error: WebSocketHandshakeError): string {
  const reason = STATUS_CODES[error.status] ?? "";
  if (!error.logged) {
    const text = `400 Bad Request${error.status === 400 ? ": missing required Host header" : ""}`;
    const line = `HTTP/1.1 ${text}\r\nContent-Type: text/plain; charset=utf-8`;
    return `${line}\r\nConnection: close\r\n\r\n${text}`;
  }
  return [
    `HTTP/1.1 ${error.status} ${reason}`,
    "Content-Type: text/plain; charset=utf-8",
    "Sec-Websocket-Version: 13",
    "X-Content-Type-Options: nosniff",
    `Date: ${new Date().toUTCString()}`,
    `Content-Length: ${reason.length + 1}`,
    "Connection: close",
    "",
    `${reason}\n`,
  ].join("\r\n");
}
