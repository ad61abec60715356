import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import type { Server } from "../../src/server/index.ts";
import { logged, makeCertificate, skipTls, start } from "./peers.ts";

const SUBSCRIBE = 'CONNECT {"verbose":false}\r\nSUB flood 1\r\nPING\r\n';
const PAYLOAD = new Uint8Array(1_000_000);
const MESSAGES = 30;
/** Large enough for the kernel to report progress more often than the deadline. */
const STEP = 200_000;

/** More than the buffers of the kernel hold. */
async function flood(server: Server): Promise<void> {
  const publisher = await server.connect();
  for (let i = 0; i < MESSAGES; i++) publisher.publish("flood", PAYLOAD);
  await publisher.flush();
  await publisher.close();
}

async function subscribe(t: TestContext, socket: Socket): Promise<void> {
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.write(SUBSCRIBE);
  for (let text = ""; !text.includes("PONG");) {
    text += await new Promise<string>((resolve) => socket.once("data", (d) => resolve(String(d))));
  }
  socket.removeAllListeners("data");
  socket.pause();
}

/** Reads with pauses, for much longer than the deadline. Resolves with how much there was. */
async function readSlowly(socket: Socket): Promise<number> {
  let read = 0;
  let taken = 0;
  socket.on("data", (chunk: Uint8Array) => {
    read += chunk.length;
    taken += chunk.length;
    if (taken > STEP) socket.pause();
  });
  while (read < MESSAGES * PAYLOAD.length && !socket.destroyed) {
    taken = 0;
    socket.resume();
    await sleep(20);
  }
  return read;
}

test("a client that reads nothing is closed at the write deadline", async (t) => {
  const { server, log } = await start(t, { writeDeadline: 300 });
  const socket = connectTcp(server.inner.clientPort, "127.0.0.1");
  await subscribe(t, socket);
  await flood(server);
  await logged(
    log,
    /Slow Consumer Detected: WriteDeadline of 300ms exceeded with \d+ chunks of \d+ total bytes\./,
  );
  await logged(log, /Client connection closed: Slow Consumer \(Write Deadline\)/);
});

test("a client that reads slowly stays", async (t) => {
  const { server, log } = await start(t, { writeDeadline: 1000 });
  const socket = connectTcp(server.inner.clientPort, "127.0.0.1");
  await subscribe(t, socket);
  await flood(server);
  assert.ok((await readSlowly(socket)) >= MESSAGES * PAYLOAD.length, log.join("\n"));
});

test("a client that reads slowly over TLS stays", { skip: skipTls }, async (t) => {
  const tls = makeCertificate();
  const { server, log } = await start(t, {
    writeDeadline: 1000,
    tls: { ...tls, handshakeFirst: true },
  });
  const { clientPort } = server.inner;
  const ca = readFileSync(tls.certFile);
  const socket = connectTls({ port: clientPort, host: "127.0.0.1", ca, servername: "localhost" });
  await subscribe(t, socket);
  await flood(server);
  assert.ok((await readSlowly(socket)) >= MESSAGES * PAYLOAD.length, log.join("\n"));
});
