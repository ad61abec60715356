import assert from "node:assert/strict";
import { test } from "node:test";
import { dialTcp, listenTcp, peek } from "../../src/transports/node/index.ts";
import { Recorder, socketPair } from "./wires.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test("bytes travel both ways, in order, once both wires are started", async (t) => {
  const { server, serverSaw, client, clientSaw } = await socketPair(t);
  server.write(encode("INFO {}\r\n"));
  server.resume();
  client.resume();
  await clientSaw.until((saw) => saw.text === "INFO {}\r\n");
  assert.equal(client.write(encode("CONNECT {}\r\n")), 0, "the kernel takes a small frame at once");
  client.writev([encode("PI"), encode("NG"), encode("\r\n")]);
  await serverSaw.until((saw) => saw.text === "CONNECT {}\r\nPING\r\n");
  assert.equal(server.remoteHost, "127.0.0.1");
  assert.equal(server.remotePort, client.localPort);
});

test("nothing is delivered before the first resume", async (t) => {
  const { server, serverSaw, client } = await socketPair(t);
  client.write(encode("early"));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(serverSaw.text, "");
  server.resume();
  await serverSaw.until((saw) => saw.text === "early");
});

test("a frame the kernel does not take is counted and reported when it has drained", async (t) => {
  const { server, serverSaw, client, clientSaw } = await socketPair(t);
  client.pause();
  server.resume();
  const frame = new Uint8Array(64 * 1024 * 1024);
  const held = server.write(frame);
  assert.ok(held > 0);
  assert.equal(server.queued, held);
  client.resume();
  await clientSaw.until((saw) => saw.bytes === frame.length);
  await serverSaw.until((saw) => saw.drains.at(-1) === 0);
  assert.equal(server.queued, 0);
});

test("a paused wire delivers nothing until it resumes", async (t) => {
  const { server, serverSaw, client, clientSaw } = await socketPair(t);
  server.resume();
  client.resume();
  client.write(encode("one"));
  await serverSaw.until((saw) => saw.text === "one");
  server.pause();
  client.write(encode("two"));
  server.write(encode("fence"));
  await clientSaw.until((saw) => saw.text === "fence");
  assert.equal(serverSaw.text, "one");
  server.resume();
  await serverSaw.until((saw) => saw.text === "onetwo");
});

test("end flushes, and both sides hear of it once, without an error", async (t) => {
  const { server, serverSaw, client, clientSaw } = await socketPair(t);
  server.resume();
  client.resume();
  client.write(encode("unread by the server's engine"));
  server.write(new Uint8Array(1_000_000));
  server.write(encode("-ERR 'x'\r\n"));
  server.end(2000);
  assert.equal(server.write(encode("late")), 0);
  await clientSaw.until((saw) => saw.closes.length === 1);
  await serverSaw.until((saw) => saw.closes.length === 1);
  assert.ok(clientSaw.text.endsWith("-ERR 'x'\r\n"));
  assert.deepEqual([...clientSaw.closes, ...serverSaw.closes], [null, null]);
});

test("end gives up on a peer that does not read", async (t) => {
  const { server, serverSaw, client } = await socketPair(t);
  server.resume();
  client.pause();
  server.write(new Uint8Array(64 * 1024 * 1024));
  server.end(20);
  await serverSaw.until((saw) => saw.closes.length === 1);
});

test("destroy closes both sides", async (t) => {
  const { server, serverSaw, client, clientSaw } = await socketPair(t);
  server.resume();
  client.resume();
  server.destroy();
  await serverSaw.until((saw) => saw.closes.length === 1);
  await clientSaw.until((saw) => saw.closes.length === 1);
});

test("a wire that was never started still reports the end of its peer", async (t) => {
  const { server, serverSaw, client } = await socketPair(t);
  client.destroy();
  server.resume();
  await serverSaw.until((saw) => saw.closes.length === 1);
});

test("a peek leaves its bytes for the wire, and takes those it skips", async (t) => {
  const { server, serverSaw, client } = await socketPair(t);
  client.write(encode("PROXY x\r\nCONNECT"));
  const seen = await peek(server, 2000, (bytes) =>
    bytes.length < 9 ? null : { answer: bytes.length, skip: 9 },
  );
  assert.equal(seen, 16);
  server.resume();
  await serverSaw.until((saw) => saw.text === "CONNECT");
  client.write(encode(" {}"));
  await serverSaw.until((saw) => saw.text === "CONNECT {}");
});

test("a peek gives up after its time", async (t) => {
  const { server, serverSaw, client } = await socketPair(t);
  assert.equal(await peek(server, 10, () => null), "timeout");
  server.resume();
  client.write(encode("x"));
  await serverSaw.until((saw) => saw.text === "x");
});

test("many wires share one read buffer without mixing their bytes", async (t) => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => socketPair(t)));
  for (const [i, pair] of pairs.entries()) {
    pair.server.resume();
    for (let k = 0; k < 50; k++) pair.client.write(encode(`${String(i).padStart(4)};`.repeat(300)));
  }
  for (const [i, pair] of pairs.entries()) {
    const expected = `${String(i).padStart(4)};`.repeat(300 * 50);
    await pair.serverSaw.until((saw) => saw.text.length >= expected.length);
    assert.equal(pair.serverSaw.text, expected);
  }
});

test("dialling a closed port fails with the reference's text", async () => {
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
  await listener.close();
  const dial = dialTcp({ host: "127.0.0.1", port: listener.port, timeoutMs: 2000 }, new Recorder());
  await assert.rejects(dial, {
    message: `dial tcp 127.0.0.1:${listener.port}: connect: connection refused`,
  });
});

test("a host is resolved and one of its addresses is dialled", async (t) => {
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (socket) => socket.destroy());
  t.after(() => listener.close());
  const only4 = new Set([`[::1]:${listener.port}`]);
  const options = { host: "localhost", port: listener.port, timeoutMs: 2000, avoid: only4 };
  const wire = await dialTcp(options, new Recorder());
  assert.equal(wire.remoteHost, "127.0.0.1");
  wire.destroy();
});

test("a dial can be aborted", async () => {
  const controller = new AbortController();
  controller.abort();
  const options = { host: "127.0.0.1", port: 1, timeoutMs: 2000, signal: controller.signal };
  await assert.rejects(dialTcp(options, new Recorder()), { message: "operation was canceled" });
});

test("a port in use is refused with its code", async (t) => {
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, () => {});
  t.after(() => listener.close());
  const again = listenTcp({ host: "127.0.0.1", port: listener.port }, () => {});
  await assert.rejects(again, { code: "EADDRINUSE" });
});

test("each direction can become S2-framed between two chunks", async (t) => {
  const { server, serverSaw, client, clientSaw } = await socketPair(t);
  server.resume();
  client.resume();
  client.write(encode("INFO {}\r\n"));
  await serverSaw.until((saw) => saw.text === "INFO {}\r\n");
  client.compress("write", "s2_fast");
  server.compress("read", "s2_fast");
  server.compress("write", "s2_uncompressed");
  client.compress("read", "s2_fast");
  const text = "LMSG a 5\r\nhello\r\n".repeat(50_000);
  client.writev([encode("CONNECT {}\r\n"), encode(text)]);
  server.write(encode(text));
  await serverSaw.until((saw) => saw.text === `INFO {}\r\nCONNECT {}\r\n${text}`);
  client.compress("write", "s2_best");
  client.write(encode("PING\r\n"));
  await serverSaw.until((saw) => saw.text.endsWith("PING\r\n"));
  await clientSaw.until((saw) => saw.text === text);
});

test("a broken S2 stream closes the wire with the reason", async (t) => {
  const { server, serverSaw, client } = await socketPair(t);
  server.compress("read", "s2_fast");
  server.resume();
  client.write(encode("PING\r\n"));
  await serverSaw.until((saw) => saw.closes.length === 1);
  assert.equal(serverSaw.closes[0]?.message, "s2: corrupt input");
});
