import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { test } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { StartOptions } from "../../src/server/index.ts";
import { dialPlain, logged, makeCertificate, type Peer, skipTls, start, until } from "./peers.ts";

const CONNECT = 'CONNECT {"verbose":false,"protocol":1}\r\nPING\r\n';
const authorization = { user: "a", password: "b" };

test("a PROXY header names the client, and INFO waits for it", async (t) => {
  const { server, log } = await start(t, { proxyProtocol: true });
  const peer = dialPlain(t, server.inner.clientPort);
  await peer.until(/INFO .*\r\n/);
  assert.equal(peer.info["client_ip"], undefined);
  peer.send(`PROXY TCP4 203.0.113.9 10.0.0.1 1234 4222\r\n${CONNECT}PING\r\n`);
  const received = await peer.until(/PONG[^]*PONG/);
  assert.match(received, /"client_ip":"203\.0\.113\.9"/);
  const [link] = server.inner.engine.global.clients;
  assert.equal(link?.host, "203.0.113.9");
  assert.equal(link?.port, 1234);
  assert.ok(!log.some((line) => line.startsWith("warn")));
});

test("without a PROXY header a client is itself; a malformed one ends it", async (t) => {
  const { server, log } = await start(t, { proxyProtocol: true });
  const plain = dialPlain(t, server.inner.clientPort);
  plain.send(CONNECT);
  await plain.until(/PONG/);
  const bad = dialPlain(t, server.inner.clientPort);
  bad.send("PROXY TCP4 nonsense\r\n");
  await bad.end();
  await logged(
    log,
    /warn Error reading PROXY protocol header from 127\.0\.0\.1:\d+: invalid PROXY protocol header: invalid v1 format/,
  );
});

test("beyond max_unauthenticated the oldest goes, and who authenticated stays", async (t) => {
  const { server, log } = await start(t, { authorization, maxUnauthenticated: 2 });
  const { clientPort } = server.inner;
  const user = dialPlain(t, clientPort);
  user.send('CONNECT {"verbose":false,"user":"a","pass":"b"}\r\nPING\r\n');
  await user.until(/PONG/);
  const strangers: Peer[] = [];
  for (let i = 0; i < 3; i++) {
    const stranger = dialPlain(t, clientPort);
    await stranger.until(/INFO/);
    strangers.push(stranger);
  }
  await strangers[0]?.end();
  assert.match(strangers[0]?.received ?? "", /Authentication Timeout/);
  assert.equal(server.inner.unauthenticated.size, 2);
  user.send("PING\r\n");
  await user.until(/PONG[^]*PONG/);
  await logged(
    log,
    /warn Closed 1 connections that had not authenticated: max_unauthenticated is 2/,
  );
});

test("a closed stranger is not counted any more", async (t) => {
  const { server } = await start(t, { authorization });
  const socket = connectTcp(server.inner.clientPort, "127.0.0.1");
  await until("counted", () => server.inner.unauthenticated.size === 1);
  socket.destroy();
  await until("forgotten", () => server.inner.unauthenticated.size === 0);
});

test("a stop ends connections that have no link yet", async (t) => {
  const websocket = { host: "127.0.0.1", port: -1, noTls: true };
  const { server } = await start(t, { websocket });
  const silent = dialPlain(t, server.inner.websocketPort);
  await until("accepted", () => server.inner.unauthenticated.size === 1);
  await server.stop();
  await silent.end();
});

function dialTls(port: number, certFile: string): TLSSocket {
  const socket = connectTls({
    socket: connectTcp(port, "127.0.0.1"),
    ca: readFileSync(certFile),
    servername: "localhost",
  });
  socket.on("error", () => {});
  return socket;
}

test("connection_rate_limit refuses handshakes in the clear", { skip: skipTls }, async (t) => {
  const tls = { ...makeCertificate(), connectionRateLimit: 2 };
  const { server, log } = await start(t, { tls });
  const peers: Peer[] = [];
  for (let i = 0; i < 3; i++) peers.push(dialPlain(t, server.inner.clientPort));
  await until("one is refused", () => peers.some((peer) => peer.closed));
  const refused = peers.filter((peer) => peer.closed);
  assert.equal(refused.length, 1);
  assert.match(refused[0]?.received ?? "", /^INFO .*\r\n-ERR 'Connection throttling is active/);
  await logged(log, /warn Rejected 1 connections due to TLS rate limiting/);
});

test("a plain client and a TLS one behind a PROXY header", { skip: skipTls }, async (t) => {
  const tls = makeCertificate();
  const { server } = await start(t, { tls, allowNonTls: true, proxyProtocol: true });
  const header = "PROXY TCP4 203.0.113.9 10.0.0.1 1234 4222\r\n";
  const plain = dialPlain(t, server.inner.clientPort);
  await plain.until(/"tls_available":true/);
  plain.send(header + CONNECT);
  await plain.until(/PONG/);
  const raw = connectTcp(server.inner.clientPort, "127.0.0.1");
  t.after(() => raw.destroy());
  raw.write(header);
  await new Promise((resolve) => raw.once("data", resolve));
  const secure = connectTls({
    socket: raw,
    ca: readFileSync(tls.certFile),
    servername: "localhost",
  });
  secure.write(CONNECT);
  let received = "";
  secure.on("data", (chunk) => (received += chunk.toString("latin1")));
  await until("PONG over TLS", () => received.includes("PONG"));
  assert.match(received, /203\.0\.113\.9/);
});

test(
  "a reload closes clients whose certificate is not pinned any more",
  { skip: skipTls },
  async (t) => {
    const pair = makeCertificate();
    const withPins = (pinnedCerts: string[]): StartOptions => ({
      tls: { ...pair, caFile: pair.certFile, handshakeFirst: true, pinnedCerts },
    });
    const { server, log } = await start(t, withPins([]));
    const socket = dialTls(server.inner.clientPort, pair.certFile);
    t.after(() => socket.destroy());
    let closed = false;
    socket.on("close", () => (closed = true));
    await new Promise((resolve) => socket.once("data", resolve));
    await server.reload(withPins(["0".repeat(64)]));
    await logged(log, /Disconnect 1 clients due to pinned certs reload/);
    await until("the end", () => closed);
  },
);
