/**
 * New claims of an account reach its many live connections while a client of another account goes on sending
 * itself messages: how long does one of its messages take at most? The updates change every user's permissions,
 * then close all but a few of the connections. Answers in milliseconds.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { logIn, readUser } from "./jwt-login.mjs";

/**
 * @typedef {import("./jwt-login.mjs").User} User
 * @typedef {{ port: number, connections: number, user: User, probe: User, system: User,
 *   updates: string[] }} Job
 */

/** After an update the server has this long to be done with it. */
const PAUSE_MS = 150;
const WARM_UP_PAUSES = 10;
const REPLY = "_INBOX.update";

/**
 * @param {Job} job
 * @returns {Promise<Record<string, number>>}
 */
export async function run({ port, connections, user, probe, system, updates }) {
  const buffer = Buffer.alloc(64 * 1024);
  const member = readUser(user);
  for (let i = 0; i < connections; i++) {
    const client = await logIn(port, member, buffer);
    await client.exchange(`SUB work.${i} 1\r\nSUB all 2\r\n`);
    client.guard(() => {});
  }
  const manager = await logIn(port, readUser(system), Buffer.alloc(64 * 1024));
  await manager.exchange(`SUB ${REPLY} 1\r\n`);

  const thread = new Worker(new URL("probe-thread.mjs", import.meta.url), {
    workerData: { port, user: probe },
  });
  await once(thread, "message");
  const longest = async () => {
    thread.postMessage("?");
    const [ms] = await once(thread, "message");
    return Number(ms);
  };
  const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  const update = async (/** @type {string} */ jwt) => {
    /** @type {Promise<string>} */
    const answered = new Promise((resolve) => {
      manager.onChunk = (chunk) => resolve(chunk.toString("latin1"));
    });
    manager.socket.write(`PUB $SYS.REQ.CLAIMS.UPDATE ${REPLY} ${jwt.length}\r\n${jwt}\r\n`);
    const answer = await answered;
    if (!answer.includes('"code":200')) throw new Error(`the update was answered ${answer}`);
    await pause();
  };

  for (let i = 0; i < WARM_UP_PAUSES; i++) await pause();
  await longest();
  for (let i = 0; i < updates.length; i++) await pause();
  const quietMs = await longest();
  for (const jwt of updates) await update(jwt);
  const stallMs = await longest();
  await thread.terminate();
  return { stallMs, quietMs };
}
