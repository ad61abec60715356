/**
 * The monitoring listener: HTTP(S) around the endpoints of `monitoring/`. It owns its sockets and nothing else;
 * every request takes a fresh state from the server.
 *
 * A client certificate is never asked for, whatever the client listener demands.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { LogLevel } from "../core/index.ts";
import {
  answer,
  normalBasePath,
  type MonitorReply,
  type MonitorState,
} from "../monitoring/index.ts";
import { joinHostPort, type ServerTls } from "../transports/node/index.ts";
import { osErrorText } from "./os-error.ts";
import { StartError } from "./start-error.ts";

const HEADERS_TIMEOUT = 5000;
const MAX_HEADER_BYTES = 1024 * 1024;
const HANDSHAKE_TIMEOUT = 5000;

export interface MonitorOptions {
  readonly host: string;
  /** -1 or 0: any free port. */
  readonly port: number;
  /** Asked for at each connection, so that a reload's certificates are used; null: plain HTTP. */
  readonly tls: (() => ServerTls) | null;
  /** As configured. */
  readonly basePath: string;
  state(): MonitorState;
  log(level: LogLevel, text: string): void;
}

export interface Monitor {
  readonly port: number;
  /** Stops listening and ends the connections; the port is free when it resolves. */
  close(): Promise<void>;
}

/** Listens, or rejects with a `StartError` whose text is the reference's. */
export async function startMonitor(options: MonitorOptions): Promise<Monitor> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      handle(options, request, response);
    },
  );
  const { tls } = options;
  const listener = tls === null ? server : tlsFront(server, tls, options);
  const sockets = new Set<Socket>();
  listener.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const port = await listen(listener, options);
  listener.on("error", (error: Error) => {
    options.log("error", `monitoring: ${error.message}`);
  });
  const scheme = tls === null ? "http" : "https";
  options.log("notice", `Starting ${scheme} monitor on ${joinHostPort(options.host, port)}`);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => {
          resolve();
        });
        // Ends its watch over header timeouts, also where another server listens in front of it.
        if (listener !== server) server.close();
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function listen(listener: TcpServer, options: MonitorOptions): Promise<number> {
  const port = Math.max(0, options.port);
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const inUse = error.code === "EADDRINUSE";
      const where = joinHostPort(options.host, port);
      const why = error.syscall === "listen" ? `bind: ${osErrorText(error)}` : error.message;
      reject(
        new StartError(
          inUse ? "PORT_IN_USE" : "LISTEN_FAILED",
          `Can't start monitoring: can't listen to the monitor port: listen tcp ${where}: ${why}`,
          error,
        ),
      );
    };
    listener.once("error", failed);
    listener.listen({ host: options.host === "" ? undefined : options.host, port }, () => {
      listener.removeListener("error", failed);
      const address = listener.address();
      resolve(address !== null && typeof address === "object" ? address.port : port);
    });
  });
}

/** TLS in front of an HTTP server, with the certificates of the moment. */
function tlsFront(server: Server, tls: () => ServerTls, options: MonitorOptions): TcpServer {
  // An HTTP server enforces its header timeout only from this event on, and this one never listens itself.
  server.emit("listening");
  return createTcpServer((socket) => {
    const [first, ...others] = tls().identities;
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: first.context,
      SNICallback: (name, done) => {
        const fitting = [first, ...others].find(
          (one) => one.certificate.checkHost(name) !== undefined,
        );
        done(null, (fitting ?? first).context);
      },
    });
    const timer = setTimeout(() => {
      secure.destroy(new Error("i/o timeout"));
    }, HANDSHAKE_TIMEOUT);
    const from = joinHostPort(socket.remoteAddress ?? "", socket.remotePort ?? 0);
    const failed = (error: Error): void => {
      clearTimeout(timer);
      options.log(
        "error",
        `monitoring: http: TLS handshake error from ${from}: ${tlsReason(error)}`,
      );
      secure.destroy();
    };
    secure.once("error", failed);
    secure.once("close", () => {
      clearTimeout(timer);
    });
    secure.once("secure", () => {
      clearTimeout(timer);
      secure.removeListener("error", failed);
      server.emit("connection", secure);
    });
  });
}

/** OpenSSL's reason alone, without its file and line. */
function tlsReason(error: Error): string {
  return "reason" in error && typeof error.reason === "string" ? error.reason : error.message;
}

function handle(options: MonitorOptions, request: IncomingMessage, response: ServerResponse): void {
  const [rawPath, search] = splitOnce(request.url ?? "/", "?");
  let reply: MonitorReply;
  try {
    const path = decode(rawPath);
    const clean = cleanPath(path);
    if (clean !== path && path.startsWith("/")) {
      redirect(response, `${clean}${search === "" ? "" : `?${search}`}`);
      return;
    }
    reply = answer(
      options.state(),
      withoutBase(path, normalBasePath(options.basePath)),
      new URLSearchParams(search),
    );
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    options.log("error", `monitoring: ${request.url ?? ""}: ${text}`);
    response.writeHead(500).end();
    return;
  }
  if (reply.warning !== null) options.log("warn", reply.warning);
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, { ...reply.headers, "Content-Length": body.length });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** The path behind the base path; "" (which no endpoint has) for one that is not under it. */
function withoutBase(path: string, base: string): string {
  if (base === "") return path;
  // The index page is at the base path itself, as in nats-server; nothing is at the base path with a slash.
  if (path === base) return "/";
  return path.startsWith(`${base}/`) && path !== `${base}/` ? path.slice(base.length) : "";
}

/** Without empty, `.` and `..` parts; a slash at the end stays. */
function cleanPath(path: string): string {
  const normal = normalBasePath(path);
  return path.endsWith("/") ? `${normal}/` : normal;
}

function redirect(response: ServerResponse, location: string): void {
  const to = encodeURI(location);
  response.writeHead(307, { "Content-Type": "text/html; charset=utf-8", Location: to });
  response.end(`<a href="${to}">Temporary Redirect</a>.\n\n`);
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return "";
  }
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
