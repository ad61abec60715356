import assert from "node:assert/strict";
import { createServer as createHttp, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { readFileSync } from "node:fs";
import { connect, createServer, type Server as NetServer } from "node:net";
import { test } from "node:test";
import {
  buildClientTls,
  dialThroughProxy,
  type ProxyDialOptions,
} from "../../src/transports/node/index.ts";
import { makeCertificates, skipReason, tlsSettings } from "./certificates.ts";
import { Recorder } from "./wires.ts";

async function start(t: { after(fn: () => void): void }, server: NetServer): Promise<number> {
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}

interface ProxySaw {
  target: string;
  authorization: string;
}

function serveTunnels(server: Server, saw: ProxySaw): void {
  server.on("connect", (request, socket, head) => {
    saw.target = request.url ?? "";
    saw.authorization = request.headers["proxy-authorization"] ?? "";
    const port = Number(saw.target.split(":")[1]);
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    socket.on("error", () => upstream.destroy());
    upstream.on("error", () => socket.destroy());
  });
}

function options(
  port: number,
  targetPort: number,
  over: Partial<ProxyDialOptions>,
): ProxyDialOptions {
  return {
    url: `http://127.0.0.1:${port}`,
    username: "",
    password: "",
    targetHost: "127.0.0.1",
    targetPort,
    timeoutMs: 2000,
    tls: null,
    ...over,
  };
}

const target = (): NetServer => createServer((socket) => socket.end("INFO {}\r\n"));

test("a tunnel carries the target's bytes, its first ones included", async (t) => {
  const saw: ProxySaw = { target: "", authorization: "" };
  const proxy = createHttp();
  serveTunnels(proxy, saw);
  const targetPort = await start(t, target());
  const port = await start(t, proxy);
  const wireSaw = new Recorder();
  const login = { username: "u", password: "p:w" };
  const wire = await dialThroughProxy(options(port, targetPort, login), wireSaw);
  assert.equal(saw.target, `127.0.0.1:${targetPort}`);
  assert.equal(saw.authorization, `Basic ${Buffer.from("u:p:w").toString("base64")}`);
  assert.equal(wire.remotePort, targetPort);
  wire.resume();
  await wireSaw.until(() => wireSaw.closes.length === 1);
  assert.equal(wireSaw.text, "INFO {}\r\n");
});

test("an https proxy is spoken to over TLS", { skip: skipReason }, async (t) => {
  const certificates = makeCertificates();
  const saw: ProxySaw = { target: "", authorization: "" };
  const proxy = createHttps({
    cert: readFileSync(certificates.serverCert),
    key: readFileSync(certificates.serverKey),
  });
  serveTunnels(proxy, saw);
  const targetPort = await start(t, target());
  const port = await start(t, proxy);
  const url = `https://127.0.0.1:${port}`;
  const wireSaw = new Recorder();
  const tls = buildClientTls(tlsSettings({ caFile: certificates.ca }));
  const wire = await dialThroughProxy(options(port, targetPort, { url, tls }), wireSaw);
  assert.equal(wire.tls, null);
  wire.resume();
  await wireSaw.until(() => wireSaw.text === "INFO {}\r\n");
  wire.destroy();
  const unknown = buildClientTls(null);
  await assert.rejects(
    dialThroughProxy(options(port, targetPort, { url, tls: unknown }), new Recorder()),
    /^Error: proxy TLS handshake failed: .*unknown authority/,
  );
});

test("what goes wrong with a proxy is told in the reference's words", async (t) => {
  const refusing = await start(
    t,
    createHttp().on("connect", (_request, socket) => {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    }),
  );
  const closing = await start(
    t,
    createServer((socket) => socket.once("data", () => socket.end())),
  );
  const babbling = await start(
    t,
    createServer((socket) => socket.end("HELLO\r\n\r\n")),
  );
  const silent = await start(
    t,
    createServer((socket) => socket.on("error", () => {}).resume()),
  );
  const rows: [number, Partial<ProxyDialOptions>, RegExp][] = [
    [refusing, {}, /^proxy CONNECT failed: 407 Proxy Authentication Required$/],
    [closing, {}, /^failed to read proxy response: unexpected EOF$/],
    [babbling, {}, /^failed to read proxy response: malformed HTTP response "HELLO"$/],
    [silent, { timeoutMs: 50 }, /^failed to read proxy response: i\/o timeout$/],
    [1, {}, /^failed to connect to proxy: dial tcp 127.0.0.1:1: connect: connection refused$/],
  ];
  for (const [port, over, message] of rows) {
    await assert.rejects(dialThroughProxy(options(port, 4222, over), new Recorder()), { message });
  }
});
