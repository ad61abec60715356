/**
 * Dialling through an HTTP proxy (`CONNECT`), as a leaf node's remote with `proxy {}` does. The wire that
 * results speaks to the target as if connected directly.
 */
import { peek } from "./peek.ts";
import type { SocketWire } from "./socket-wire.ts";
import { dialTcp, joinHostPort } from "./tcp.ts";
import type { ClientTls } from "./tls-options.ts";
import { upgradeClientTls } from "./tls.ts";
import { parseResponse } from "./websocket-dial.ts";
import type { WireHandler } from "./wire.ts";

/** The reference's limit for the handshake with an https proxy. */
const PROXY_TLS_TIMEOUT_MS = 2000;

export interface ProxyDialOptions {
  /** The proxy's URL; without a port 80 (http) or 443 (https). */
  readonly url: string;
  /** "" for none. */
  readonly username: string;
  readonly password: string;
  /** Where the tunnel leads, resolved by the caller. */
  readonly targetHost: string;
  readonly targetPort: number;
  readonly timeoutMs: number;
  /** For an https proxy. */
  readonly tls: ClientTls | null;
  readonly localAddress?: string;
  readonly signal?: AbortSignal;
}

/** Dials the proxy and opens a tunnel; rejects with the reference's texts. */
export async function dialThroughProxy(
  options: ProxyDialOptions,
  handler: WireHandler,
): Promise<SocketWire> {
  const url = new URL(options.url);
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || (secure ? 443 : 80));
  const silent: WireHandler = { data() {}, drained() {}, closed() {} };
  const { localAddress, signal } = options;
  let wire: SocketWire;
  try {
    wire = await dialTcp(
      {
        host,
        port,
        timeoutMs: options.timeoutMs,
        ...(localAddress === undefined ? {} : { localAddress }),
        ...(signal === undefined ? {} : { signal }),
      },
      silent,
    );
  } catch (error) {
    throw prefixed("failed to connect to proxy", error);
  }
  try {
    if (secure) await secureProxy(wire, options, host);
    await openTunnel(wire, options);
  } catch (error) {
    wire.destroy();
    throw error;
  }
  wire.handler = handler;
  wire.setRemote(options.targetHost, options.targetPort);
  return wire;
}

async function secureProxy(
  wire: SocketWire,
  options: ProxyDialOptions,
  serverName: string,
): Promise<void> {
  if (options.tls === null) throw new Error("proxy TLS handshake failed: no TLS settings");
  try {
    await upgradeClientTls(wire, options.tls, { serverName, timeoutMs: PROXY_TLS_TIMEOUT_MS });
    // What the owner sees as the wire's TLS is that to the target, not that to the proxy.
    wire.tunnelled();
  } catch (error) {
    throw prefixed("proxy TLS handshake failed", error);
  }
}

async function openTunnel(wire: SocketWire, options: ProxyDialOptions): Promise<void> {
  const target = joinHostPort(options.targetHost, options.targetPort);
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, "User-Agent: Go-http-client/1.1"];
  if (options.username !== "") {
    const credentials = Buffer.from(`${options.username}:${options.password}`).toString("base64");
    lines.push(`Proxy-Authorization: Basic ${credentials}`);
  }
  wire.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`));
  const answer = await peek(wire, options.timeoutMs, (bytes) => {
    const text = Buffer.from(bytes).toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    return end < 0 ? null : { answer: parseResponse(text.slice(0, end)), skip: end + 4 };
  });
  if (answer === "timeout") throw new Error("failed to read proxy response: i/o timeout");
  if (answer === "closed") throw new Error("failed to read proxy response: unexpected EOF");
  if (answer.status === 0) {
    throw new Error(
      `failed to read proxy response: malformed HTTP response ${JSON.stringify(answer.statusLine)}`,
    );
  }
  if (answer.status !== 200) throw new Error(`proxy CONNECT failed: ${answer.statusLine}`);
}

function prefixed(prefix: string, error: unknown): Error {
  const text = error instanceof Error ? error.message : String(error);
  return new Error(`${prefix}: ${text}`, { cause: error });
}
