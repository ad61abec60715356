/**
 * How long an embedding program waits for a server: from the call of `startServer` until it resolves, a client
 * port open. The first start of a process, which also compiles the code, is reported apart from the median.
 */
import { performance } from "node:perf_hooks";

/**
 * @param {{ starts: number }} job
 * @returns {Promise<Record<string, number>>}
 */
export async function run({ starts }) {
  const entry = new URL("../../dist/src/server/index.js", import.meta.url);
  const { startServer } = await import(entry.href);
  /** @type {number[]} */
  const times = [];
  for (let i = 0; i <= starts; i++) {
    const began = performance.now();
    const server = await startServer({ host: "127.0.0.1", port: -1 });
    times.push(performance.now() - began);
    await server.stop();
  }
  const [firstMs, ...rest] = times;
  rest.sort((a, b) => a - b);
  return { firstMs: Number(firstMs), ms: Number(rest[rest.length >> 1]) };
}
