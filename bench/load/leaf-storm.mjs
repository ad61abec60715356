/**
 * Many leaf nodes come to one hub at once: raw leaf connections, each announcing some subscriptions, one of
 * which all share. Measures the time until the hub has processed all of it and until
 * each leaf has been told what the others want (the last byte before silence), the memory each leaf costs, and the
 * time a burst published at the hub needs to reach every leaf.
 */
import { performance } from "node:perf_hooks";
import { memory } from "../lib/processes.mjs";
import { RawClient, arePings, openClient } from "./raw-client.mjs";

/**
 * @typedef {{ leafPort: number, clientPort: number, pid: number, leaves: number, subscriptions: number,
 *   messages: number, payloadBytes: number, settleSeconds: number }} Job
 */

const SHARED = "fleet.all";

/**
 * @param {Job} job
 * @returns {Promise<Record<string, number>>}
 */
export async function run(job) {
  const buffer = Buffer.alloc(64 * 1024);
  await openLeaf(job, buffer, "first");
  await pause(job.settleSeconds);
  const before = memory(job.pid).residentBytes;
  const began = performance.now();
  const leaves = await Promise.all(
    Array.from({ length: job.leaves }, (_, i) => openLeaf(job, buffer, String(i))),
  );
  const connectMs = performance.now() - began;
  const convergedMs = (await lastByte(leaves, job.settleSeconds)) - began;
  const grown = memory(job.pid).residentBytes - before;
  const publishMs = await publishToAll(job, leaves);
  return { connectMs, convergedMs, kilobytesEach: grown / job.leaves / 1024, publishMs };
}

/**
 * @param {Job} job
 * @param {Buffer} buffer
 * @param {string} name
 * @returns {Promise<RawClient>}
 */
async function openLeaf(job, buffer, name) {
  const leaf = new RawClient(job.leafPort, buffer);
  leaf.answersPings = true;
  await leaf.info();
  const id = `BENCHLEAF${name.padStart(8, "0")}`;
  const connect = { name: id, server_id: id, version: "2.15.2", headers: true, proto: 1 };
  let text = `CONNECT ${JSON.stringify({ ...connect, cluster: "", hub: false })}\r\n`;
  text += `LS+ ${SHARED}\r\n`;
  for (let i = 1; i < job.subscriptions; i++) text += `LS+ fleet.${name}.${i}\r\n`;
  await leaf.exchange(text);
  return leaf;
}

/**
 * @param {Job} job
 * @param {RawClient[]} leaves
 * @returns {Promise<number>} milliseconds until the last leaf has the last message
 */
async function publishToAll(job, leaves) {
  const publisher = await openClient(job.clientPort);
  const payload = "x".repeat(job.payloadBytes);
  const frame = `PUB ${SHARED} ${job.payloadBytes}\r\n${payload}\r\n`;
  const each = `LMSG ${SHARED} ${job.payloadBytes}\r\n`.length + job.payloadBytes + 2;
  const expected = each * job.messages;
  const burst = Buffer.from(frame.repeat(job.messages));
  const began = performance.now();
  await new Promise((resolve, reject) => {
    let missing = leaves.length;
    for (const leaf of leaves) {
      leaf.guard(reject);
      leaf.reset();
      let whole = false;
      leaf.onChunk = () => {
        if (whole || leaf.received < expected) return;
        whole = true;
        if (--missing === 0) resolve(undefined);
      };
    }
    publisher.socket.write(burst);
  });
  const took = performance.now() - began;
  await pause(0.05);
  for (const { received, pings } of leaves) {
    if (!arePings(received - expected - pings * "PING\r\n".length))
      throw new Error(`a leaf read ${received}, not ${expected}`);
  }
  return took;
}

/**
 * Waits until no leaf has read anything for so long.
 * @param {RawClient[]} leaves
 * @param {number} quietSeconds
 * @returns {Promise<number>} when the last byte came
 */
async function lastByte(leaves, quietSeconds) {
  let last = performance.now();
  for (const leaf of leaves) leaf.onChunk = () => (last = performance.now());
  while (performance.now() - last < quietSeconds * 1000) await pause(0.05);
  return last;
}

/**
 * @param {number} seconds
 * @returns {Promise<void>}
 */
function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
