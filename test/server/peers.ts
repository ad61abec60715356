/** What tests of listeners and remotes need: servers with their log, certificates, raw connections, a proxy. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClientOptions, WebSocket } from "ws";
import { type Server, startServer, type StartOptions } from "../../src/server/index.ts";

/** A server that ends with the test, and the lines it logged. */
export async function start(
  t: TestContext,
  options: StartOptions = {},
): Promise<{ server: Server; log: string[] }> {
  const log: string[] = [];
  const server = await startServer({
    debug: true,
    log: (level, text) => log.push(`${level} ${text}`),
    ...options,
  });
  t.after(() => server.stop());
  return { server, log };
}

export async function until(what: string, holds: () => boolean, timeout = 5000): Promise<void> {
  const end = Date.now() + timeout;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${timeout} ms: ${what}`);
    await sleep(10);
  }
}

/** Waits for a line of a log. */
export async function logged(log: readonly string[], pattern: RegExp): Promise<string> {
  const find = (): string | undefined => log.find((line) => pattern.test(line));
  try {
    await until(String(pattern), () => find() !== undefined);
  } catch (error) {
    throw new Error(`${String(error)}; log:\n${log.join("\n")}`, { cause: error });
  }
  return find() ?? "";
}

/** A text protocol's client end, over whatever carries it. */
export class Peer {
  received = "";
  closed = false;
  /** Of a WebSocket. */
  closeCode = 0;
  readonly send: (text: string) => void;

  constructor(send: (text: string) => void) {
    this.send = send;
  }

  async until(pattern: RegExp): Promise<string> {
    const done = (): boolean => pattern.test(this.received) || this.closed;
    await until(`${String(pattern)} in ${JSON.stringify(this.received)}`, done);
    assert.match(this.received, pattern);
    return this.received;
  }

  async end(): Promise<void> {
    await until(`the end after ${JSON.stringify(this.received)}`, () => this.closed);
  }

  get info(): Record<string, unknown> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- INFO is an object
    return JSON.parse(/INFO (\{.*?\})\s/.exec(this.received)?.[1] ?? "{}") as Record<
      string,
      unknown
    >;
  }
}

export function dialPlain(t: TestContext, port: number): Peer {
  const socket: Socket = connectTcp(port, "127.0.0.1");
  t.after(() => socket.destroy());
  const peer = new Peer((text) => socket.write(text, "latin1"));
  socket.on("data", (chunk) => (peer.received += chunk.toString("latin1")));
  socket.on("error", () => {});
  socket.on("close", () => (peer.closed = true));
  return peer;
}

export function dialWebSocket(t: TestContext, url: string, options: ClientOptions = {}): Peer {
  const socket = new WebSocket(url, { perMessageDeflate: false, ...options });
  t.after(() => socket.terminate());
  const open = new Promise<void>((resolve) => {
    socket.once("open", resolve);
  });
  const peer = new Peer((text) => void open.then(() => socket.send(Buffer.from(text))));
  socket.on("message", (data) => {
    if (Buffer.isBuffer(data)) peer.received += data.toString("latin1");
  });
  socket.on("error", () => {});
  socket.on("close", (code) => {
    peer.closeCode = code;
    peer.closed = true;
  });
  return peer;
}

/** An HTTP proxy that opens tunnels; `targets` lists where to. */
export async function startProxy(t: TestContext): Promise<{ url: string; targets: string[] }> {
  const targets: string[] = [];
  const proxy = createHttp();
  proxy.on("connect", (request, socket, head) => {
    const target = request.url ?? "";
    targets.push(target);
    const upstream = connectTcp(Number(target.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    socket.on("error", () => upstream.destroy());
    upstream.on("error", () => socket.destroy());
    t.after(() => upstream.destroy());
  });
  t.after(() => proxy.close());
  await new Promise<void>((resolve) => {
    proxy.listen(0, "127.0.0.1", resolve);
  });
  const address = proxy.address();
  assert.ok(address !== null && typeof address === "object");
  return { url: `http://127.0.0.1:${address.port}`, targets };
}

/** false when openssl is there, else why the test is skipped. */
export const skipTls: string | false = openSslMissing();

function openSslMissing(): string | false {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return false;
  } catch {
    return "openssl is not installed; certificates cannot be made";
  }
}

/** A self-signed certificate for `localhost` alone. */
export function makeCertificate(): { certFile: string; keyFile: string } {
  const directory = mkdtempSync(join(tmpdir(), "frond-listeners-"));
  const certFile = join(directory, "cert.pem");
  const keyFile = join(directory, "key.pem");
  writeFileSync(keyFile, "");
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"].concat(
      ["-keyout", keyFile, "-out", certFile, "-subj", "/CN=localhost", "-days", "2"],
      ["-addext", "subjectAltName=DNS:localhost"],
    ),
    { stdio: "ignore" },
  );
  return { certFile, keyFile };
}
