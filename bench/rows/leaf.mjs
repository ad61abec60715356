/** Rows for a hub and its leaves: messages both ways, compression, a storm of leaves. */
import { freePort } from "../lib/servers.mjs";
import { rate, startLeafPair } from "./row.mjs";

/** @typedef {import("./row.mjs").Row} Row */

/**
 * @param {string} name
 * @param {number | undefined} atLeast
 * @param {"leaf to hub" | "hub to leaf"} direction
 * @param {object} job
 * @param {string} [compression] "" leaves the default
 * @returns {Row}
 */
function across(name, atLeast, direction, job, compression = "off") {
  return {
    name,
    metrics: rate(name, atLeast),
    run: async (context) => {
      const { hub, leaf } = await startLeafPair(context, compression);
      const [from, to] = direction === "leaf to hub" ? [leaf, hub] : [hub, leaf];
      return context.load("throughput", {
        publishPort: from.port,
        subscribePort: to.port,
        pids: [hub.pid, leaf.pid],
        ...job,
      });
    },
  };
}

const LEAVES = 1000;

/** @type {Row} */
const storm = {
  name: `${LEAVES} leaves storm`,
  metrics: {
    connectMs: {
      label: `${LEAVES} leaves, 10 subs each: all connected`,
      unit: "ms",
      better: "lower",
    },
    convergedMs: { label: `${LEAVES} leaves: all interest told`, unit: "ms", better: "lower" },
    kilobytesEach: { label: `${LEAVES} leaves: memory each`, unit: "KB", better: "lower" },
    publishMs: { label: `${LEAVES} leaves: 100 x 128 B to all`, unit: "ms", better: "lower" },
  },
  run: async ({ start, load, quick }) => {
    const leafPort = await freePort();
    const hub = await start(`leafnodes { host: 127.0.0.1, port: ${leafPort}, compression: off }`);
    const leaves = quick ? 100 : LEAVES;
    const shape = { leaves, subscriptions: 10, messages: 100, payloadBytes: 128, settleSeconds: 2 };
    return load("leaf-storm", { leafPort, clientPort: hub.port, pid: hub.pid, ...shape });
  },
};

/** @type {Row[]} */
export const leafRows = [
  across("leaf to hub, 16 B", 4, "leaf to hub", { payloadBytes: 16 }),
  across("leaf to hub, 128 B", 2.5, "leaf to hub", { payloadBytes: 128 }),
  across("hub to leaf, 16 B", 4, "hub to leaf", { payloadBytes: 16 }),
  across("hub to leaf, 128 B", 2.5, "hub to leaf", { payloadBytes: 128 }),
  across("leaf to hub, 128 B, s2_auto", undefined, "leaf to hub", {}, ""),
  across("hub to leaf, 128 B, s2_auto", undefined, "hub to leaf", {}, ""),
  across("leaf to hub, 128 B, s2_fast", undefined, "leaf to hub", {}, "s2_fast"),
  across("hub to leaf, 128 B, s2_fast", undefined, "hub to leaf", {}, "s2_fast"),
  storm,
];
