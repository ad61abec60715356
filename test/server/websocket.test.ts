import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { StartOptions } from "../../src/server/index.ts";
import { dialPlain, dialWebSocket, logged, makeCertificate, skipTls, start } from "./peers.ts";

const websocket = { host: "127.0.0.1", port: -1, noTls: true };
const CONNECT = 'CONNECT {"verbose":false}\r\n';

async function startWith(
  t: Parameters<typeof start>[0],
  options: StartOptions = {},
): Promise<{ url: string; log: string[]; server: Awaited<ReturnType<typeof start>>["server"] }> {
  const { server, log } = await start(t, { websocket, ...options });
  return { server, log, url: `ws://127.0.0.1:${server.inner.websocketPort}` };
}

test("a client over a WebSocket talks to one over TCP", async (t) => {
  const { server, url, log } = await startWith(t);
  assert.deepEqual(server.inner.ports().websocket, [url]);
  assert.ok(log.includes(`notice Listening for websocket clients on ${url}`));
  assert.ok(log.includes("warn Websocket not configured with TLS. DO NOT USE IN PRODUCTION!"));
  const web = dialWebSocket(t, url);
  await web.until(/INFO .*\r\n/);
  assert.equal(web.info["port"], server.inner.websocketPort);
  web.send(`${CONNECT}SUB a 1\r\nPING\r\n`);
  await web.until(/PONG/);
  const plain = dialPlain(t, server.inner.clientPort);
  plain.send(`${CONNECT}PUB a 5\r\nhello\r\nPING\r\n`);
  await web.until(/MSG a 1 5\r\nhello/);
  await logged(log, / - wid:\d+ - Client connection created/);
});

test("cookies stand in for members of CONNECT that are empty", async (t) => {
  const { url } = await startWith(t, {
    authorization: { users: [{ user: "alice", password: "right" }] },
    websocket: { ...websocket, userCookie: "u", passCookie: "p" },
  });
  const headers = { cookie: "u=alice; p=right" };
  const known = dialWebSocket(t, url, { headers });
  known.send(`${CONNECT}PING\r\n`);
  await known.until(/PONG/);
  const overridden = dialWebSocket(t, url, { headers });
  overridden.send('CONNECT {"verbose":false,"pass":"wrong"}\r\nPING\r\n');
  await overridden.until(/Authorization Violation/);
  await overridden.end();
  assert.equal(overridden.closeCode, 1008);
});

test("the address a proxy forwards is part of the label", async (t) => {
  const { url, log } = await startWith(t);
  dialWebSocket(t, url, { headers: { "X-Forwarded-For": "203.0.113.9" } });
  await logged(log, /203\.0\.113\.9\/127\.0\.0\.1:\d+ - wid:/);
});

test("the block's no_auth_user and user hold for WebSockets alone", async (t) => {
  const { server, url } = await startWith(t, {
    websocket: { ...websocket, authorization: { user: "web", password: "web" } },
  });
  const web = dialWebSocket(t, url);
  web.send(`${CONNECT}PING\r\n`);
  await web.until(/Authorization Violation/);
  const plain = dialPlain(t, server.inner.clientPort);
  plain.send(`${CONNECT}PING\r\n`);
  await plain.until(/PONG/);
});

test("a refused handshake is logged with its reason", async (t) => {
  const { url, log } = await startWith(t, { websocket: { ...websocket, sameOrigin: true } });
  const stranger = dialWebSocket(t, url, { headers: { origin: "http://evil.test" } });
  await stranger.end();
  await logged(log, /websocket handshake error: origin not allowed: not same origin/);
});

test("a leaf node is not let in where no leaf listener is configured", async (t) => {
  const { url, log } = await startWith(t);
  const leaf = dialWebSocket(t, `${url}/leafnode`);
  await leaf.end();
  await logged(log, /Not configured to accept leaf node connections/);
});

test("a compressed message may not inflate beyond max_payload", async (t) => {
  const { url } = await startWith(t, {
    maxPayload: 1000,
    websocket: { ...websocket, compression: true },
  });
  const web = dialWebSocket(t, url, { perMessageDeflate: { threshold: 0 } });
  await web.until(/INFO/);
  web.send(`${CONNECT}PUB a 100000\r\n${"x".repeat(100_000)}\r\n`);
  await web.end();
});

test("wss, and a reload that replaces the certificate", { skip: skipTls }, async (t) => {
  const first = makeCertificate();
  const withTls = (tls: typeof first): StartOptions => ({
    websocket: { host: "127.0.0.1", port: -1, tls },
  });
  const { server } = await start(t, withTls(first));
  const url = `wss://localhost:${server.inner.websocketPort}`;
  assert.match(server.inner.ports().websocket.join(), /^wss:/);
  const dial = (certificate: typeof first): ReturnType<typeof dialWebSocket> =>
    dialWebSocket(t, url, { ca: readFileSync(certificate.certFile) });
  await dial(first).until(/"tls_required":true/);
  const second = makeCertificate();
  await server.reload(withTls(second));
  await dial(first).end();
  await dial(second).until(/"tls_required":true/);
});
