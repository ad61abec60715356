/**
 * Throughput: P publishers and S subscribers, every subscriber receiving every message. Answers with messages
 * delivered per second of wall time, from the first write to the last delivery; with no subscriber, with
 * messages published per second until the server has answered a PING sent behind them.
 *
 * Before the clock runs, single messages are sent until each subscriber gets them (interest may have to cross
 * a leaf link first), whose control line is checked, and a warm-up as heavy as the run is made.
 */
import { Churn } from "./churn.mjs";
import { buildBlocks, distinctSubjects } from "./blocks.mjs";
import { cpuSeconds, memory } from "../lib/processes.mjs";
import { Pump } from "./pump.mjs";
import { arePings, openClient } from "./raw-client.mjs";
import { Stallers } from "./stallers.mjs";

/**
 * @typedef {import("./raw-client.mjs").RawClient} RawClient
 * @typedef {{ publishers: number, subscribers: number, payloadBytes: number,
 *   publishPort: number, subscribePort: number, subjects: number,
 *   publishAs: object, subscribeAs: object, deliveredSubject: string | null, headersAdded: boolean,
 *   churnPerSecond: number, stalledEveryMs: number,
 *   seconds: number, warmupSeconds: number, windowBytes: number, pids: number[] }} Job
 */

const SUBJECT = "orders.eu.created";
const PREFIX = "orders";
const SID = "1";
const PROBE_INTERVAL_MS = 20;
const PROBE_LIMIT = 500;
const QUIET_MS = 100;
const STUCK_MS = 20_000;

/** @type {Omit<Job, "publishPort" | "subscribePort">} */
const DEFAULTS = {
  publishers: 1,
  subscribers: 1,
  payloadBytes: 128,
  subjects: 1,
  publishAs: {},
  subscribeAs: {},
  deliveredSubject: null,
  headersAdded: false,
  churnPerSecond: 0,
  stalledEveryMs: 0,
  seconds: 1.5,
  warmupSeconds: 0.7,
  windowBytes: 8 * 1024 * 1024,
  pids: [],
};

/**
 * @param {Partial<Job> & { publishPort: number, subscribePort: number }} given
 * @returns {Promise<Record<string, number>>}
 */
export async function run(given) {
  const job = { ...DEFAULTS, ...given };
  /** @type {(error: Error) => void} */
  let fail = () => {};
  const lost = new Promise((_, reject) => {
    fail = reject;
  });
  return Promise.race([measure(job, (error) => fail(error)), /** @type {Promise<never>} */ (lost)]);
}

/**
 * @param {Job} job
 * @param {(error: Error) => void} fail
 * @returns {Promise<Record<string, number>>}
 */
async function measure(job, fail) {
  const subjects = job.subjects === 1 ? [SUBJECT] : distinctSubjects(PREFIX, job.subjects);
  const filter = job.deliveredSubject ?? (job.subjects === 1 ? SUBJECT : `${PREFIX}.>`);
  /** @type {RawClient[]} */
  const subscribers = [];
  for (let i = 0; i < job.subscribers; i++) {
    const client = await openClient(job.subscribePort, { echo: false, ...job.subscribeAs });
    await client.exchange(`SUB ${filter} ${SID}\r\n`);
    subscribers.push(client);
  }
  /** @type {RawClient[]} */
  const publishers = [];
  for (let i = 0; i < job.publishers; i++) {
    publishers.push(await openClient(job.publishPort, job.publishAs));
  }
  for (const client of [...subscribers, ...publishers]) client.guard(fail);
  for (const publisher of publishers) {
    publisher.onChunk = (chunk) => (publisher.lastWords = chunk.toString("latin1", 0, 300));
  }
  const stuck = setTimeout(
    () =>
      fail(new Error(`not all was delivered; publisher last read: ${publishers[0]?.lastWords}`)),
    STUCK_MS + 3000 * (job.seconds + job.warmupSeconds),
  );
  const deliveredBytes = await probe(job, publishers[0], subscribers, String(subjects[0]));
  const { payloadBytes, windowBytes } = job;
  const blocks = buildBlocks({ subjects, payloadBytes, deliveredBytes });
  const pump = new Pump({ publishers, subscribers, blocks, windowBytes });
  const churn = job.churnPerSecond > 0 ? await Churn.open(job, fail) : null;
  await pump.run(job.warmupSeconds);
  const peakBefore = job.pids.map((pid) => memory(pid).peakBytes);
  const stallers = job.stalledEveryMs > 0 ? new Stallers(job, filter) : null;
  const serversBefore = job.pids.map(cpuSeconds);
  const generatorBefore = process.cpuUsage();
  const churnBefore = churn?.done ?? 0;
  const result = await pump.run(job.seconds);
  const generator = process.cpuUsage(generatorBefore);
  const serverSeconds = job.pids.map((pid, i) => cpuSeconds(pid) - Number(serversBefore[i]));
  const churned = (churn?.done ?? 0) - churnBefore;
  await churn?.settle();
  clearTimeout(stuck);
  const peaks = job.pids.map((pid, i) => memory(pid).peakBytes - Number(peakBefore[i]));
  const messages = job.subscribers === 0 ? result.published : result.delivered;
  return {
    rate: messages / result.seconds,
    megabytesPerSecond: (messages * job.payloadBytes) / result.seconds / 1e6,
    generatorCpu: (generator.user + generator.system) / 1e6 / result.seconds,
    serverCpu: serverSeconds.reduce((a, b) => a + b, 0) / result.seconds,
    churnRate: churned / result.seconds,
    stalled: stallers?.close() ?? 0,
    peakGrowthMegabytes: Math.max(0, ...peaks) / 1024 / 1024,
  };
}

/**
 * Sends single messages until every subscriber has got one, checks what came, then waits until all is quiet.
 * @param {Job} job
 * @param {RawClient | undefined} publisher
 * @param {RawClient[]} subscribers
 * @param {string} subject
 * @returns {Promise<number>} the size of a delivered message's frame
 */
async function probe(job, publisher, subscribers, subject) {
  if (subscribers.length === 0 || publisher === undefined) return 0;
  const frame = `PUB ${subject} ${job.payloadBytes}\r\n${"x".repeat(job.payloadBytes)}\r\n`;
  /** @type {string[]} */
  const heads = subscribers.map(() => "");
  subscribers.forEach((subscriber, i) => {
    subscriber.reset();
    subscriber.onChunk = (chunk) => {
      if (heads[i] === "") heads[i] = chunk.toString("latin1", 0, 160).replace(/^(PING\r\n)+/, "");
      subscriber.lastWords = chunk.toString("latin1", 0, 300);
    };
  });
  const arrived = () =>
    subscribers.every(({ received }, i) => received >= frameLength(heads[i] ?? ""));
  for (let sent = 0; !arrived(); sent++) {
    if (sent === PROBE_LIMIT) throw new Error("no interest: a subscriber got no message");
    // A large message may take longer than one interval: none is sent while one is arriving.
    if (subscribers.some(({ received }) => received === 0)) publisher.socket.write(frame);
    await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL_MS));
  }
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  const length = frameLength(String(heads[0]));
  const expected = `MSG ${job.deliveredSubject ?? subject} ${SID} ${job.payloadBytes}\r\n`;
  for (const [i, head] of heads.entries()) {
    const right = job.headersAdded ? head.startsWith("HMSG ") : head.startsWith(expected);
    if (!right || !arePings(Number(subscribers[i]?.received) % length)) {
      throw new Error(`delivered ${JSON.stringify(head)}, expected ${JSON.stringify(expected)}`);
    }
  }
  return length;
}

/**
 * @param {string} head the beginning of a MSG or HMSG frame
 * @returns {number} the size of the whole frame; infinite as long as its control line is not there
 */
function frameLength(head) {
  const line = /^H?MSG [^\r]* (\d+)\r\n/.exec(head);
  return line === null ? Number.POSITIVE_INFINITY : line[0].length + Number(line[1]) + 2;
}
