/**
 * Runs beside a load, in a thread with an event loop of its own, so that only the server's pauses count: sends
 * itself one message after the other over the server and keeps the longest time one needed.
 */
import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { logIn, readUser } from "./jwt-login.mjs";

const SUBJECT = "probe";
const FRAME = `PUB ${SUBJECT} 1\r\nx\r\n`;
const parent = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);

const client = await logIn(workerData.port, readUser(workerData.user), Buffer.alloc(64 * 1024));
await client.exchange(`SUB ${SUBJECT} 1\r\n`);
let longest = 0;
let sent = 0;
const send = () => {
  sent = performance.now();
  client.socket.write(FRAME);
};
client.onChunk = (chunk) => {
  if (chunk[0] !== 0x4d) return; // The server's PING.
  longest = Math.max(longest, performance.now() - sent);
  setTimeout(send, 1);
};
// Answers with the longest since it was asked last.
parent.on("message", () => {
  parent.postMessage(longest);
  longest = 0;
});
send();
parent.postMessage(0);
