/**
 * The client's side of the WebSocket handshake, as a leaf node's remote speaks it. The wire is connected
 * (and encrypted, for `wss`) before; request and checks are nats-server's.
 */
import { randomBytes } from "node:crypto";
import { peek } from "./peek.ts";
import type { SocketWire } from "./socket-wire.ts";
import { acceptKey } from "./websocket-accept.ts";
import { WebSocketWire } from "./websocket.ts";

export interface WebSocketDialOptions {
  /** `host:port` for the Host header. */
  readonly host: string;
  /** The URL's path; `/leafnode` is appended. */
  readonly path: string;
  readonly compression: boolean;
  readonly noMasking: boolean;
  readonly maxPayload: number;
  readonly timeoutMs: number;
}

/**
 * Upgrades a connected wire. On failure the wire is closed and the promise rejects with the text that
 * follows `Error soliciting websocket connection: `.
 */
export async function dialWebSocket(
  wire: SocketWire,
  options: WebSocketDialOptions,
): Promise<WebSocketWire> {
  try {
    const key = randomBytes(16).toString("base64");
    wire.write(Buffer.from(requestText(options, key), "latin1"));
    const response = await peek(wire, options.timeoutMs, (bytes) => {
      const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf("\r\n\r\n");
      if (end < 0) return null;
      const text = Buffer.from(bytes.subarray(0, end)).toString("latin1");
      return { answer: { text }, skip: end + 4 };
    });
    if (response === "timeout") throw new Error("i/o timeout");
    if (response === "closed") throw new Error("unexpected EOF");
    return agree(wire, options, key, parseResponse(response.text));
  } catch (error) {
    wire.destroy();
    throw error;
  }
}

function requestText(options: WebSocketDialOptions, key: string): string {
  const trimmed = options.path.replace(/^\/+|\/+$/g, "");
  const lines = [
    `GET ${trimmed === "" ? "" : `/${trimmed}`}/leafnode HTTP/1.1`,
    `Host: ${options.host}`,
    "User-Agent: Go-http-client/1.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
  ];
  if (options.compression) {
    lines.push(
      "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    );
  }
  if (options.noMasking) lines.push("Nats-No-Masking: true");
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** The status code and the headers by lower-case name, repeated ones joined. */
export interface HttpResponse {
  readonly status: number;
  /** `200 OK` */
  readonly statusLine: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** Reads the head of an HTTP/1 response (without the empty line); status 0 if it is none. */
export function parseResponse(text: string): HttpResponse {
  const [first = "", ...lines] = text.split("\r\n");
  const match = /^HTTP\/1\.[01] ((\d{3})(?: .*)?)$/.exec(first);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return { status: Number(match?.[2] ?? 0), statusLine: match?.[1] ?? first, headers };
}

function agree(
  wire: SocketWire,
  options: WebSocketDialOptions,
  key: string,
  response: HttpResponse,
): WebSocketWire {
  const header = (name: string): string => response.headers.get(name) ?? "";
  const valid =
    response.status === 101 &&
    header("upgrade").toLowerCase() === "websocket" &&
    header("connection").toLowerCase() === "upgrade" &&
    header("sec-websocket-accept") === acceptKey(key);
  if (!valid) throw new Error("invalid websocket connection");
  const deflate = header("sec-websocket-extensions")
    .split(",")
    .map((extension) => extension.split(";").map((part) => part.trim().toLowerCase()))
    .find((parts) => parts[0] === "permessage-deflate");
  if (options.compression && deflate !== undefined) {
    const complete =
      deflate.includes("server_no_context_takeover") &&
      deflate.includes("client_no_context_takeover");
    if (!complete) throw new Error("compression negotiation error");
  }
  return new WebSocketWire(wire, {
    role: "client",
    compression: options.compression && deflate !== undefined,
    noMasking: options.noMasking && header("nats-no-masking").toLowerCase() === "true",
    browser: false,
    maxPayload: options.maxPayload,
  });
}
