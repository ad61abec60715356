/**
 * TCP listeners and dialling. An accepted socket arrives silent (not read from yet): its owner wraps it with
 * `wireFromSocket` and starts it. Dial errors carry the texts of the reference's log lines.
 */
import { lookup } from "node:dns/promises";
import { connect, createServer, isIP, type Server, type Socket } from "node:net";
import { SocketWire } from "./socket-wire.ts";
import type { WireHandler } from "./wire.ts";

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Stops accepting; connections that were accepted live on. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly backlog?: number;
  /** Accepting failed although the listener is up (out of file descriptors). */
  readonly onError?: (error: Error) => void;
}

/** Listens for connections; rejects with node's error (`EADDRINUSE`, ...) if it cannot. */
export function listenTcp(
  options: ListenOptions,
  onConnection: (socket: Socket) => void,
): Promise<Listener> {
  const server = createServer(
    { pauseOnConnect: true, allowHalfOpen: false, noDelay: true, keepAlive: false },
    onConnection,
  );
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(
      { host: options.host, port: options.port, backlog: options.backlog ?? 1024 },
      () => {
        server.removeListener("error", reject);
        server.on("error", (error) => options.onError?.(error));
        const address = server.address();
        // Null or a path only for other kinds of servers.
        if (address === null || typeof address === "string") return;
        resolve({ host: address.address, port: address.port, close: () => closeServer(server) });
      },
    );
  });
}

/** The port is free when this returns; node would call back only after the last connection closed. */
function closeServer(server: Server): Promise<void> {
  server.close();
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly localAddress?: string;
  readonly signal?: AbortSignal;
  /** A uniform number in [0, 1), to pick among a host's addresses. */
  readonly random?: () => number;
  /** `host:port` texts never to dial (the server's own addresses); skipped among several addresses. */
  readonly avoid?: ReadonlySet<string>;
}

/**
 * Resolves the host to all its addresses, picks one at random as nats-server does, and connects. The wire
 * is silent until `resume()`.
 */
export async function dialTcp(options: DialOptions, handler: WireHandler): Promise<SocketWire> {
  const started = Date.now();
  const address = await resolveHost(options);
  const left = Math.max(1, options.timeoutMs - (Date.now() - started));
  const socket = await connectSocket({ ...options, host: address, timeoutMs: left });
  return new SocketWire(socket, handler);
}

/** One of the host's addresses, at random; a failure has the text of the log line. */
export async function resolveHost(options: DialOptions): Promise<string> {
  if (isIP(options.host) !== 0) return options.host;
  const all = await withDeadline(
    lookup(options.host, { all: true }).catch((error: unknown) => {
      throw lookupError(options.host, error);
    }),
    options,
    () => new Error(`lookup ${options.host}: i/o timeout`),
  );
  const allowed = all.filter(
    (entry) => options.avoid?.has(joinHostPort(entry.address, options.port)) !== true,
  );
  const from = allowed.length > 0 ? allowed : all;
  const picked = from[Math.floor((options.random ?? Math.random)() * from.length)];
  if (picked === undefined) throw new Error(`lookup ${options.host}: no such host`);
  return picked.address;
}

/** Races against the timeout and the abort signal, and leaves neither behind. */
function withDeadline<T>(work: Promise<T>, options: DialOptions, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => settle(() => reject(abortError()));
    const timer = setTimeout(() => settle(() => reject(late())), options.timeoutMs);
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
      then();
    };
    if (options.signal?.aborted === true) return abort();
    options.signal?.addEventListener("abort", abort);
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(toError(error))),
    );
  });
}

function connectSocket(options: DialOptions): Promise<Socket> {
  const where = joinHostPort(options.host, options.port);
  const socket = connect({
    host: options.host,
    port: options.port,
    noDelay: true,
    keepAlive: false,
    allowHalfOpen: false,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
  });
  socket.pause();
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once("error", (error) => reject(dialError(where, error)));
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
  return withDeadline(connected, options, () => new Error(`dial tcp ${where}: i/o timeout`)).catch(
    (error: unknown) => {
      socket.on("error", ignore);
      socket.destroy();
      throw error;
    },
  );
}

function ignore(): void {}

/** `host:port`, with brackets around an IPv6 address. */
export function joinHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ECONNRESET: "connect: connection reset by peer",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "connect: connection timed out",
  EADDRNOTAVAIL: "bind: cannot assign requested address",
  EINVAL: "connect: invalid argument",
};

function dialError(where: string, error: Error): Error {
  const code = errorCode(error);
  const known = SYSTEM_TEXTS[code];
  const out = new Error(`dial tcp ${where}: ${known ?? error.message}`, { cause: error });
  return Object.assign(out, { code });
}

function lookupError(host: string, error: unknown): Error {
  const code = errorCode(error);
  const text = code === "ENOTFOUND" ? "no such host" : toError(error).message;
  return Object.assign(new Error(`lookup ${host}: ${text}`, { cause: error }), { code });
}

function abortError(): Error {
  return Object.assign(new Error("operation was canceled"), { code: "ABORT_ERR" });
}

function errorCode(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return String(error.code);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
