/**
 * Why a server that can be reached does not answer.
 *
 * With TLS 1.3 a server refuses a client's certificate after the handshake, and the client library
 * hears only silence. This opens a connection of its own, does the handshake and reads the alert.
 */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { connect as connectTcp, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import type { TlsOptions } from "@nats-io/transport-node";

/** The reason this server refuses a TLS client with these files; undefined if it does not. */
export async function tlsRefusal(
  url: URL,
  tls: TlsOptions | undefined,
  waitMs: number,
): Promise<string | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const socket = connectTcp({ host, port: Number(url.port || "4222") });
  socket.setTimeout(waitMs, () => {
    socket.destroy();
  });
  try {
    if (tls?.handshakeFirst !== true) {
      const info = await firstLine(socket);
      if (info === undefined)
        return "no INFO from the server; if it wants TLS first, use --tlsfirst";
      if (!/"tls_(?:required|available)":true/.test(info)) return undefined;
    }
    return await alertOf(socket, host, tls);
  } finally {
    socket.destroy();
  }
}

function firstLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    const done = (): void => {
      resolve(text.includes("\n") ? text : undefined);
    };
    socket.on("data", (piece) => {
      text += piece.toString("latin1");
      if (text.includes("\n")) {
        socket.removeAllListeners("data");
        done();
      }
    });
    socket.on("error", done);
    socket.on("close", done);
  });
}

function alertOf(
  socket: Socket,
  host: string,
  tls: TlsOptions | undefined,
): Promise<string | undefined> {
  const read = (key: string, path: string | undefined): object =>
    path === undefined ? {} : { [key]: readFileSync(path) };
  const secure = connectTls({
    socket,
    ...(isIP(host) ? { host } : { host, servername: host }),
    ...read("ca", tls?.caFile),
    ...read("cert", tls?.certFile),
    ...read("key", tls?.keyFile),
  });
  return new Promise((resolve) => {
    secure.on("error", (error) => {
      const alert = /alert ([a-z ]+)/.exec(error.message)?.[1]?.trim();
      resolve(alert === undefined ? undefined : `remote error: tls: ${alert}`);
    });
    secure.on("close", () => {
      resolve(undefined);
    });
    secure.resume();
  });
}
