/**
 * Idle client connections: opens so many, each past CONNECT and PONG, lets the server settle, and answers with
 * the growth of its resident memory per connection and the time it took to accept them all.
 */
import { performance } from "node:perf_hooks";
import { memory } from "../lib/processes.mjs";
import { openClient } from "./raw-client.mjs";

/** @typedef {{ port: number, pid: number, connections: number, settleSeconds: number }} Job */

const AT_A_TIME = 100;
/** The first connections bring code and pools into memory: they are not what one more costs. */
const FIRST = 200;

/**
 * @param {Job} job
 * @returns {Promise<Record<string, number>>}
 */
export async function run(job) {
  const buffer = Buffer.alloc(64 * 1024);
  /** @type {import("./raw-client.mjs").RawClient[]} */
  const clients = [];
  const open = async (/** @type {number} */ count) => {
    while (clients.length < count) {
      const some = Math.min(AT_A_TIME, count - clients.length);
      clients.push(
        ...(await Promise.all(
          Array.from({ length: some }, () => openClient(job.port, {}, buffer)),
        )),
      );
    }
  };
  await open(FIRST);
  await settle(job.settleSeconds);
  const before = memory(job.pid).residentBytes;
  const began = performance.now();
  await open(FIRST + job.connections);
  const connectSeconds = (performance.now() - began) / 1000;
  await settle(job.settleSeconds);
  const grown = memory(job.pid).residentBytes - before;
  let lost = 0;
  for (const client of clients) if (client.socket.destroyed) lost++;
  if (lost > 0) throw new Error(`${lost} of ${clients.length} idle connections were lost`);
  return {
    kilobytesEach: grown / job.connections / 1024,
    connectionsPerSecond: job.connections / connectSeconds,
  };
}

/**
 * @param {number} seconds
 * @returns {Promise<void>}
 */
function settle(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
