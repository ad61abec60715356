/**
 * Request-reply round trips, one at a time: a requester and a responder on raw sockets in this one process,
 * each request with a reply subject of its own under the requester's wildcard inbox, as client libraries do.
 * Answers with the median and the 99th percentile in microseconds.
 */
import { performance } from "node:perf_hooks";
import { cpuSeconds } from "../lib/processes.mjs";
import { deliveredLength } from "./blocks.mjs";
import { openClient } from "./raw-client.mjs";

/**
 * @typedef {{ requestPort: number, respondPort: number, payloadBytes: number, seconds: number,
 *   warmupSeconds: number, pids: number[] }} Job
 */

const SERVICE = "orders.price";
const INBOX = "_INBOX.5tQ2kfVn7uZsXw1cE9yGhB";
const ID_DIGITS = 8;
const INTEREST_TIMEOUT_MS = 10_000;

/**
 * @param {Job} job
 * @returns {Promise<Record<string, number>>}
 */
export async function run(job) {
  const payload = "p".repeat(job.payloadBytes);
  const responder = await openClient(job.respondPort);
  await responder.exchange(`SUB ${SERVICE} 1\r\n`);
  const requester = await openClient(job.requestPort);
  await requester.exchange(`SUB ${INBOX}.* 2\r\n`);

  const replyAt = `MSG ${SERVICE} 1 `.length;
  const replyLength = INBOX.length + 1 + ID_DIGITS;
  const requestLength = deliveredLength(`${SERVICE} 1`, "x".repeat(replyLength), job.payloadBytes);
  const answer = Buffer.from(
    `PUB ${"x".repeat(replyLength)} ${job.payloadBytes}\r\n${payload}\r\n`,
  );
  const held = Buffer.alloc(requestLength * 2);
  let length = 0;
  responder.onChunk = (chunk) => {
    length += chunk.copy(held, length);
    const at = held[1] === 0x49 ? "PING\r\n".length : 0; // The server's own PING may stand before it.
    if (length < at + requestLength) return;
    held.copy(answer, "PUB ".length, at + replyAt, at + replyAt + replyLength);
    length = 0;
    responder.socket.write(answer);
  };

  const replyBytes = deliveredLength(`${INBOX}.${"0".repeat(ID_DIGITS)}`, "2", job.payloadBytes);
  let id = 0;
  /** @returns {Promise<number>} microseconds, or -1 when no one responds (yet) */
  const roundTrip = () =>
    new Promise((resolve) => {
      const reply = `${INBOX}.${String(++id).padStart(ID_DIGITS, "0")}`;
      const frame = `PUB ${SERVICE} ${reply} ${job.payloadBytes}\r\n${payload}\r\n`;
      requester.reset();
      const began = performance.now();
      requester.onChunk = (chunk) => {
        // No responders: a status message shorter than any reply.
        if (chunk[0] === 0x48) return resolve(-1);
        if (requester.received >= replyBytes) resolve((performance.now() - began) * 1000);
        return undefined;
      };
      requester.socket.write(frame);
    });

  const giveUp = performance.now() + INTEREST_TIMEOUT_MS;
  while ((await roundTrip()) < 0) {
    if (performance.now() > giveUp) throw new Error("no responder was found");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await series(roundTrip, job.warmupSeconds);
  const serversBefore = job.pids.map(cpuSeconds);
  const generatorBefore = process.cpuUsage();
  const times = await series(roundTrip, job.seconds);
  const generator = process.cpuUsage(generatorBefore);
  const serverSeconds = job.pids.map((pid, i) => cpuSeconds(pid) - Number(serversBefore[i]));
  const sorted = Float64Array.from(times).sort();
  return {
    p50: Number(sorted[Math.floor(sorted.length * 0.5)]),
    p99: Number(sorted[Math.floor(sorted.length * 0.99)]),
    roundTrips: sorted.length,
    generatorCpu: (generator.user + generator.system) / 1e6 / job.seconds,
    serverCpu: serverSeconds.reduce((a, b) => a + b, 0) / job.seconds,
  };
}

/**
 * @param {() => Promise<number>} roundTrip
 * @param {number} seconds
 * @returns {Promise<number[]>}
 */
async function series(roundTrip, seconds) {
  const end = performance.now() + seconds * 1000;
  /** @type {number[]} */
  const times = [];
  while (performance.now() < end) times.push(await roundTrip());
  return times;
}
