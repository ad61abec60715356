import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer, type RawData } from "ws";
import {
  dialTcp,
  dialWebSocket,
  listenTcp,
  WebSocketAcceptor,
  wireFromSocket,
  type WebSocketHandshakeError,
  type WebSocketRequest,
  type WebSocketSettings,
  type WebSocketWire,
} from "../../src/transports/node/index.ts";
import { Recorder } from "./wires.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function textOf(data: RawData): string {
  assert.ok(Buffer.isBuffer(data));
  return data.toString("latin1");
}

interface Accepted {
  readonly wire: WebSocketWire;
  readonly saw: Recorder;
  readonly request: WebSocketRequest;
}

interface TestListener {
  readonly port: number;
  next(): Promise<Accepted>;
}

async function listen(
  t: { after(fn: () => void): void },
  over: Partial<WebSocketSettings> = {},
): Promise<TestListener> {
  const acceptor = new WebSocketAcceptor({
    sameOrigin: false,
    allowedOrigins: [],
    compression: true,
    handshakeTimeout: 2000,
    headers: {},
    ...over,
  });
  const ready: Promise<Accepted>[] = [];
  const waiting: ((accepted: Promise<Accepted>) => void)[] = [];
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (socket) => {
    const saw = new Recorder();
    const inner = wireFromSocket(socket, saw);
    t.after(() => inner.destroy());
    const accepted = acceptor
      .accept(inner, 1_000_000)
      .then(({ wire, request }) => ({ wire, saw, request }));
    accepted.catch(() => {});
    const waiter = waiting.shift();
    if (waiter === undefined) ready.push(accepted);
    else waiter(accepted);
  });
  t.after(() => listener.close());
  const next = (): Promise<Accepted> =>
    ready.shift() ?? new Promise((resolve) => waiting.push(resolve));
  return { port: listener.port, next };
}

for (const perMessageDeflate of [false, true]) {
  test(`an independent client talks both ways (deflate ${perMessageDeflate})`, async (t) => {
    const listener = await listen(t);
    const client = new WebSocket(`ws://127.0.0.1:${listener.port}/x?y`, { perMessageDeflate });
    t.after(() => client.terminate());
    const { wire, saw, request } = await listener.next();
    assert.equal(request.endpoint, "client");
    assert.equal(request.compression, perMessageDeflate);
    let received = "";
    client.on("message", (data, isBinary) => {
      assert.ok(isBinary);
      received += textOf(data);
    });
    await new Promise((resolve) => client.once("open", resolve));
    wire.resume();
    client.send("CONNECT {}\r\n");
    client.send(Buffer.from("PUB a 3000\r\n" + "x".repeat(3000)));
    await saw.until(() => saw.text.length === 12 + 12 + 3000);
    const pong = new Promise((resolve) => client.once("pong", (data) => resolve(String(data))));
    client.ping("hello");
    assert.equal(await pong, "hello");
    const big = "y".repeat(100_000);
    wire.writev([encode("MSG "), encode(big)]);
    const closed = new Promise((resolve) =>
      client.once("close", (code, reason) => resolve([code, String(reason)])),
    );
    wire.end(2000, "Authentication Timeout");
    assert.deepEqual(await closed, [1008, "Authentication Timeout"]);
    assert.equal(received, `MSG ${big}`);
    await saw.until(() => saw.closes.length === 1);
    assert.deepEqual(saw.closes, [null]);
  });
}

test("a client that closes gets its status back and counts as closed", async (t) => {
  const listener = await listen(t);
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}`);
  const { wire, saw } = await listener.next();
  await new Promise((resolve) => client.once("open", resolve));
  wire.resume();
  const closed = new Promise((resolve) => client.once("close", resolve));
  client.close(3001, "bye");
  assert.equal(await closed, 3001);
  await saw.until(() => saw.closes.length === 1);
  assert.deepEqual(saw.closes, [null]);
});

test("a framing error is told to the peer and to the owner", async (t) => {
  const listener = await listen(t);
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}`);
  client.on("error", () => {});
  const { wire, saw } = await listener.next();
  await new Promise((resolve) => client.once("open", resolve));
  wire.resume();
  const closed = new Promise((resolve) =>
    client.once("close", (code, reason) => resolve([code, String(reason)])),
  );
  const holder: unknown = Reflect.get(client, "_socket");
  assert.ok(typeof holder === "object" && holder !== null && "write" in holder);
  const { write } = holder;
  assert.ok(typeof write === "function");
  write.call(holder, Uint8Array.from([0x82, 0x01, 0x41]));
  assert.deepEqual(await closed, [1002, "mask bit missing"]);
  await saw.until(() => saw.closes.length === 1);
  assert.equal(saw.closes[0]?.message, "mask bit missing");
});

test("browsers get frames of at most 4096 bytes", async (t) => {
  const listener = await listen(t, { compression: false });
  const headers = { "User-Agent": "Mozilla/5.0 x" };
  const client = new WebSocket(`ws://127.0.0.1:${listener.port}`, { headers });
  const { wire, request } = await listener.next();
  assert.ok(request.browser);
  const message = new Promise((resolve) => client.once("message", (data) => resolve(textOf(data))));
  wire.write(encode("z".repeat(10_000)));
  assert.equal(await message, "z".repeat(10_000));
  client.terminate();
});

for (const role of [
  { compression: true, noMasking: true },
  { compression: false, noMasking: false },
]) {
  test(`a dialled leaf talks to our acceptor (${JSON.stringify(role)})`, async (t) => {
    const listener = await listen(t);
    const clientSaw = new Recorder();
    const inner = await dialTcp(
      { host: "127.0.0.1", port: listener.port, timeoutMs: 2000 },
      clientSaw,
    );
    t.after(() => inner.destroy());
    const host = `127.0.0.1:${listener.port}`;
    const options = { host, path: "/a/", maxPayload: 1_000_000, timeoutMs: 2000, ...role };
    const [client, { wire, saw, request }] = await Promise.all([
      dialWebSocket(inner, options),
      listener.next(),
    ]);
    assert.equal(request.endpoint, "leafnode");
    assert.equal(request.noMasking, role.noMasking);
    assert.equal(client.compression, role.compression);
    wire.resume();
    client.resume();
    const text = "LMSG a 5\r\n".repeat(10_000);
    client.write(encode(text));
    await saw.until(() => saw.text === text);
    wire.write(encode(text));
    await clientSaw.until(() => clientSaw.text === text);
    client.end(2000);
    await saw.until(() => saw.closes.length === 1);
    await clientSaw.until(() => clientSaw.closes.length === 1);
  });
}

test("a dialled leaf talks to an independent server, masked", async (t) => {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  t.after(() => http.close());
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const address = http.address();
  assert.ok(address !== null && typeof address === "object");
  const echoed = new Promise((resolve) =>
    server.once("connection", (socket) => {
      socket.send("INFO {}\r\n");
      socket.once("message", (data) => {
        resolve(textOf(data));
        socket.close(1000);
      });
    }),
  );
  const saw = new Recorder();
  const port = address.port;
  const inner = await dialTcp({ host: "127.0.0.1", port, timeoutMs: 2000 }, saw);
  const wire = await dialWebSocket(inner, {
    host: `127.0.0.1:${port}`,
    path: "",
    compression: true,
    noMasking: true,
    maxPayload: 1000,
    timeoutMs: 2000,
  });
  assert.equal(wire.compression, false);
  wire.resume();
  await saw.until(() => saw.text === "INFO {}\r\n");
  wire.write(encode("CONNECT {}\r\n"));
  assert.equal(await echoed, "CONNECT {}\r\n");
  await saw.until(() => saw.closes.length === 1);
});

test("a dialled server that is no websocket is refused", async (t) => {
  const http = createServer((_request, response) => response.end("hello"));
  t.after(() => http.close());
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const address = http.address();
  assert.ok(address !== null && typeof address === "object");
  const saw = new Recorder();
  const inner = await dialTcp({ host: "127.0.0.1", port: address.port, timeoutMs: 2000 }, saw);
  const options = { host: "x", path: "", compression: false, noMasking: false, maxPayload: 1 };
  await assert.rejects(dialWebSocket(inner, { ...options, timeoutMs: 2000 }), {
    message: "invalid websocket connection",
  });
  await saw.until(() => saw.closes.length === 1);
});

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

interface Exchange {
  readonly status: string;
  readonly response: string;
  readonly error: WebSocketHandshakeError | null;
  readonly request: WebSocketRequest | null;
}

/** Sends a request with some headers changed (null: left out) and reports both sides' view. */
async function exchange(
  t: { after(fn: () => void): void },
  settings: Partial<WebSocketSettings>,
  line: string,
  over: Record<string, string | null>,
  after = "",
): Promise<Exchange> {
  const listener = await listen(t, settings);
  const headers = {
    Host: "example.test:8080",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
    ...over,
  };
  const lines = Object.entries(headers).flatMap(([k, v]) => (v === null ? [] : [`${k}: ${v}`]));
  const socket = connect(listener.port, "127.0.0.1");
  t.after(() => socket.destroy());
  let response = "";
  socket.on("error", () => {});
  const done = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      response += chunk.toString("latin1");
      if (response.startsWith("HTTP/1.1 101") && response.endsWith("\r\n\r\n")) resolve();
    });
    socket.on("close", () => resolve());
  });
  socket.write(`${line} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${after}`);
  const [result] = await Promise.allSettled([listener.next()]);
  await done;
  return {
    status: response.split("\r\n")[0] ?? "",
    response,
    error: result.status === "rejected" ? result.reason : null,
    request: result.status === "fulfilled" ? result.value.request : null,
  };
}

test("the acceptance has the reference's headers in its order", async (t) => {
  const over = {
    "Sec-WebSocket-Extensions": "foo, permessage-deflate; client_max_window_bits",
    "Nats-No-Masking": "true",
    Upgrade: "foo, WebSocket",
    Connection: "keep-alive, upgrade",
  };
  const settings = { headers: { "X-Foo": "bar" } };
  const { response, request } = await exchange(t, settings, "GET /", over);
  assert.equal(
    response,
    [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
      "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover",
      "Nats-No-Masking: true",
      "X-Foo: bar",
      "",
      "",
    ].join("\r\n"),
  );
  assert.deepEqual([request?.compression, request?.noMasking], [true, true]);
});

const refusals: [string, string, Record<string, string | null>, number, string][] = [
  ["another method", "POST /", {}, 405, "request method must be GET"],
  ["no Upgrade", "GET /", { Upgrade: null }, 400, "invalid value for header 'Upgrade'"],
  ["a foreign Upgrade", "GET /", { Upgrade: "h2c" }, 400, "invalid value for header 'Upgrade'"],
  ["no Connection", "GET /", { Connection: null }, 400, "invalid value for header 'Connection'"],
  ["no key", "GET /", { "Sec-WebSocket-Key": null }, 400, "key missing"],
  ["a short key", "GET /", { "Sec-WebSocket-Key": "AAAA" }, 400, "invalid websocket key"],
  ["another version", "GET /", { "Sec-WebSocket-Version": "12" }, 400, "invalid version"],
  ["mqtt", "POST /mqtt", {}, 404, "mqtt websocket endpoint not enabled"],
  [
    "a foreign origin",
    "GET /",
    { Origin: "http://x.test" },
    403,
    "origin not allowed: not same origin",
  ],
];
for (const [name, line, over, status, message] of refusals) {
  test(`refuses ${name}`, async (t) => {
    const refused = await exchange(t, { sameOrigin: true }, line, over);
    assert.match(refused.status, new RegExp(`^HTTP/1.1 ${status} `));
    assert.match(refused.response, /\r\nSec-Websocket-Version: 13\r\n/);
    assert.equal(refused.error?.message, message);
  });
}

test("a request without Host is answered but not logged", async (t) => {
  const refused = await exchange(t, {}, "GET /", { Host: null });
  assert.equal(refused.status, "HTTP/1.1 400 Bad Request: missing required Host header");
  assert.equal(refused.error?.logged, false);
});

test("data before the handshake is done closes without an answer", async (t) => {
  const refused = await exchange(t, {}, "GET /", {}, "early");
  assert.equal(refused.response, "");
  assert.equal(refused.error?.message, "client sent data before handshake is complete");
});

test("origins are compared by scheme, host and port", async (t) => {
  const rows: [Partial<WebSocketSettings>, string, boolean][] = [
    [{ sameOrigin: true }, "http://example.test:8080", true],
    [{ sameOrigin: true }, "http://example.test", false],
    [{ sameOrigin: true }, "https://example.test:8080", false],
    [{ allowedOrigins: ["https://a.test"] }, "https://a.test:443", true],
    [{ allowedOrigins: ["https://a.test"] }, "http://a.test", false],
    [{ allowedOrigins: ["https://a.test", "http://b.test:81"] }, "http://b.test:81", true],
  ];
  for (const [settings, origin, allowed] of rows) {
    const { request, error } = await exchange(t, settings, "GET /", { Origin: origin });
    assert.equal(request !== null, allowed, `${JSON.stringify(settings)} ${origin}`);
    if (!allowed) assert.match(error?.message ?? "", /not same origin|not in the allowed list/);
  }
});

test("the path's end says what connects", async (t) => {
  const rows: [string, string][] = [
    ["/leafnode", "leafnode"],
    ["/a/b/leafnode?x=1", "leafnode"],
    ["/leafnode/", "client"],
    ["/leafnodes", "client"],
    ["/xleafnode", "client"],
    ["/", "client"],
  ];
  for (const [path, endpoint] of rows) {
    const { request } = await exchange(t, {}, `GET ${path}`, {});
    assert.equal(request?.endpoint, endpoint, path);
  }
});

test("cookies and the forwarded address are read", async (t) => {
  const headers = {
    Cookie: 'jwt=a=b; user="bob"; user=x',
    "X-Forwarded-For": "10.0.0.7, 10.0.0.8",
  };
  const { request } = await exchange(t, {}, "GET /", headers);
  assert.deepEqual(
    [...(request?.cookies ?? [])],
    [
      ["jwt", "a=b"],
      ["user", "bob"],
    ],
  );
  assert.equal(request?.realIp, "10.0.0.7");
  const bad = await exchange(t, {}, "GET /", { "X-Forwarded-For": "me" });
  assert.equal(bad.request?.realIp, "");
});

test("a silent client is dropped after the handshake timeout", async (t) => {
  const listener = await listen(t, { handshakeTimeout: 20 });
  const socket = connect(listener.port, "127.0.0.1");
  socket.resume();
  await assert.rejects(listener.next(), { message: "i/o timeout", logged: false });
  await new Promise((resolve) => socket.once("close", resolve));
});
