/**
 * Many clients log in at once with user JWTs: each signs the server's nonce, so that the server has to check two
 * signatures and a set of claims. Answers with logins per second. Keys are made outside, before the clock.
 */
import { performance } from "node:perf_hooks";
import { cpuSeconds } from "../lib/processes.mjs";
import { logIn, readUser } from "./jwt-login.mjs";

/**
 * @typedef {import("./raw-client.mjs").RawClient} RawClient
 * @typedef {import("./jwt-login.mjs").User} User
 * @typedef {{ port: number, pid: number, users: User[], logins: number, atATime: number }} Job
 */

/**
 * @param {Job} job
 * @returns {Promise<Record<string, number>>}
 */
export async function run({ port, pid, users, logins, atATime }) {
  const buffer = Buffer.alloc(64 * 1024);
  const keys = users.map(readUser);
  /** @type {RawClient[]} */
  const clients = [];
  const login = async (/** @type {number} */ i) => {
    const key = /** @type {(typeof keys)[number]} */ (keys[i % keys.length]);
    const client = await logIn(port, key, buffer);
    clients.push(client);
  };
  // Warm-up: the code path, not the connections, on both sides.
  for (let i = 0; i < atATime; i++) await login(i);
  const cpuBefore = cpuSeconds(pid);
  const generatorBefore = process.cpuUsage();
  const began = performance.now();
  let next = atATime;
  const worker = async () => {
    while (next < atATime + logins) await login(next++);
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  const seconds = (performance.now() - began) / 1000;
  const generator = process.cpuUsage(generatorBefore);
  return {
    rate: logins / seconds,
    generatorCpu: (generator.user + generator.system) / 1e6 / seconds,
    serverCpu: (cpuSeconds(pid) - cpuBefore) / seconds,
  };
}
