/** Rows about the process itself: idle connections, and how long it takes to start. */

/** @typedef {import("./row.mjs").Row} Row */

const CONNECTIONS = 10_000;

/** @type {Row[]} */
export const processRows = [
  {
    name: `${CONNECTIONS} idle connections`,
    metrics: {
      kilobytesEach: {
        label: `${CONNECTIONS} idle connections: memory each`,
        unit: "KB",
        better: "lower",
        below: 12,
      },
      connectionsPerSecond: {
        label: `${CONNECTIONS} idle connections: accepted`,
        unit: "conns/s",
        better: "higher",
      },
    },
    run: async ({ start, load, quick }) => {
      const { port, pid } = await start("max_connections: 20000");
      const connections = quick ? 500 : CONNECTIONS;
      return load("connections", { port, pid, connections, settleSeconds: quick ? 0.5 : 3 });
    },
  },
  {
    name: "start to INFO",
    metrics: {
      ms: { label: "start of the process to INFO", unit: "ms", better: "lower", below: 200 },
    },
    run: async ({ start }) => ({ ms: (await start("")).msToInfo }),
  },
  {
    name: "start in-process",
    frondOnly: true,
    metrics: {
      ms: { label: "start in-process", unit: "ms", better: "lower", below: 5 },
      firstMs: { label: "start in-process: the first of a process", unit: "ms", better: "lower" },
    },
    run: ({ loadInFrondsNode, quick }) =>
      loadInFrondsNode("in-process", { starts: quick ? 5 : 50 }),
  },
];
