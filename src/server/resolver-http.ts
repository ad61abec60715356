/** `GET` of account tokens from an HTTP server, for the URL resolver. Reasons are in nats-server's words. */
import { get as httpGet, type IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import type { HttpGet } from "../auth/index.ts";
import type { ClientTls } from "../transports/node/index.ts";
import { osErrorText } from "./os-error.ts";

const TIMEOUT_MS = 1900;
const BODY_MAX = 1024 * 1024;

/** `tls` holds the `resolver_tls` block; null: the system's roots. */
export function accountGet(tls: ClientTls | null): HttpGet {
  return (url, done) => {
    let over = false;
    const finish = (answer: { readonly body: string } | { readonly reason: string }): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      done(answer);
    };
    const failed = (text: string): void => finish({ reason: `Get "${redacted(url)}": ${text}` });
    const abort = new AbortController();
    const timer = setTimeout(() => {
      failed("context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
      abort.abort();
    }, TIMEOUT_MS);
    const parsed = URL.canParse(url) ? new URL(url) : null;
    const secure = parsed?.protocol === "https:";
    if (parsed === null || (!secure && parsed.protocol !== "http:")) {
      const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? "";
      // Answers come later, whatever they are.
      setImmediate(() => failed(`unsupported protocol scheme "${scheme}"`));
      return;
    }
    const receive = (response: IncomingMessage): void => collect(response, finish, failed);
    const request = secure
      ? httpsGet(parsed, { ...tlsOptions(tls), signal: abort.signal }, receive)
      : httpGet(parsed, { signal: abort.signal }, receive);
    request.on("error", (error) => failed(dialText(error)));
  };
}

function tlsOptions(tls: ClientTls | null): object {
  if (tls === null) return {};
  return { secureContext: tls.context, rejectUnauthorized: !tls.insecure };
}

function collect(
  response: IncomingMessage,
  finish: (answer: { readonly body: string } | { readonly reason: string }) => void,
  failed: (text: string) => void,
): void {
  const { statusCode = 0, statusMessage = "" } = response;
  if (statusCode !== 200) {
    response.resume();
    finish({ reason: `${statusCode} ${statusMessage}` });
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > BODY_MAX) {
      response.destroy();
      failed("http: request body too large");
    } else chunks.push(chunk);
  });
  response.on("end", () => finish({ body: Buffer.concat(chunks).toString("utf8") }));
  response.on("error", (error) => failed(error.message));
}

function redacted(url: string): string {
  return url.replace(/(:\/\/[^/@:]*):[^/@]*@/, "$1:xxxxx@");
}

function dialText(error: Error): string {
  const { syscall, address, port } = error as Error & {
    syscall?: string;
    address?: string;
    port?: number;
  };
  if (syscall !== "connect" || address === undefined) return osErrorText(error);
  const host = address.includes(":") ? `[${address}]` : address;
  return `dial tcp ${host}:${port ?? 0}: connect: ${osErrorText(error)}`;
}
