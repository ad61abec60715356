/** Rows for one server and its clients: fan-out, sizes, many subjects, churn, a stalled subscriber. */
import { rate } from "./row.mjs";

/** @typedef {import("./row.mjs").Row} Row */

/**
 * A throughput row on one server.
 * @param {string} name
 * @param {number | undefined} atLeast
 * @param {object} job
 * @param {string} [config]
 * @returns {Row}
 */
export function throughput(name, atLeast, job, config = "") {
  return {
    name,
    metrics: rate(name, atLeast),
    run: async ({ start, load }) => {
      const { port, pid } = await start(config);
      return load("throughput", { publishPort: port, subscribePort: port, pids: [pid], ...job });
    },
  };
}

const KB = 1024;
const MB = 1024 * 1024;
const MAX_PENDING_MB = 64;
const STALLED = "1:1, 128 B, beside a stalled subscriber";

/**
 * Others are unaffected if one who stalls costs them no more than one who reads, so the control is 1:2, of which
 * one subscriber's share is taken. A new one stalls every second.
 * @type {Row}
 */
const stalled = {
  name: STALLED,
  metrics: {
    rate: { label: STALLED, unit: "msgs/s", better: "higher" },
    undisturbed: {
      label: `${STALLED}: of the rate beside a healthy one`,
      unit: "x",
      better: "higher",
      above: 0.9,
    },
    peakGrowthMegabytes: {
      label: `${STALLED}: growth of peak memory (max_pending 64)`,
      unit: "MB",
      better: "lower",
      below: MAX_PENDING_MB * 1.25,
    },
  },
  run: async ({ start, load }) => {
    const { port, pid } = await start(`max_pending: ${MAX_PENDING_MB}MB`);
    const job = { publishPort: port, subscribePort: port, pids: [pid], seconds: 3 };
    const healthy = await load("throughput", { ...job, subscribers: 2 });
    const disturbed = await load("throughput", { ...job, stalledEveryMs: 1000 });
    return { ...disturbed, undisturbed: Number(disturbed["rate"]) / (Number(healthy["rate"]) / 2) };
  },
};

/** @type {Row[]} */
export const messageRows = [
  throughput("publish only, 16 B", 2, { subscribers: 0, payloadBytes: 16 }),
  throughput("1:1, 16 B", 4, { payloadBytes: 16 }),
  throughput("1:1, 128 B", 2.5, { payloadBytes: 128 }),
  throughput("1:1, 4 KB", 1.3, { payloadBytes: 4 * KB }),
  throughput("1:1, 1 MB", 1, { payloadBytes: MB, windowBytes: 16 * MB }),
  throughput("1:4, 128 B", 2.5, { subscribers: 4 }),
  throughput("4:4, 128 B", 2.5, { publishers: 4, subscribers: 4 }),
  throughput("1:16, 128 B", 2, { subscribers: 16 }),
  throughput("1:1, 128 B, 1,000 subjects", 2.5, { subjects: 1000 }),
  throughput("1:1, 128 B, 100,000 subjects", 2.5, { subjects: 100_000 }),
  throughput("1:1, 128 B, 10,000 sub+unsub/s", 2.5, { churnPerSecond: 10_000 }),
  stalled,
];
