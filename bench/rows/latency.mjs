/** Rows for the request-reply round trip, on one server and across a leaf link. */
import { startLeafPair } from "./row.mjs";

/** @typedef {import("./row.mjs").Row} Row */

const SHAPE = { payloadBytes: 16, seconds: 5, warmupSeconds: 3 };

/**
 * @param {string} name
 * @returns {Row["metrics"]}
 */
function percentiles(name) {
  return {
    p50: { label: `${name}: p50`, unit: "us", better: "lower", atLeast: 1 },
    p99: { label: `${name}: p99`, unit: "us", better: "lower", atLeast: 1 },
  };
}

/** @type {Row[]} */
export const latencyRows = [
  {
    name: "request-reply",
    metrics: percentiles("request-reply"),
    run: async ({ start, load }) => {
      const { port, pid } = await start("");
      return load("latency", { requestPort: port, respondPort: port, pids: [pid], ...SHAPE });
    },
  },
  {
    name: "request-reply across a leaf",
    metrics: percentiles("request-reply across a leaf"),
    run: async (context) => {
      const { hub, leaf } = await startLeafPair(context, "off");
      const ports = { requestPort: leaf.port, respondPort: hub.port };
      return context.load("latency", { ...ports, pids: [hub.pid, leaf.pid], ...SHAPE });
    },
  },
];
