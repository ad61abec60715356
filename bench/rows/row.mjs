/**
 * What a row of the table is. A row starts the servers it needs, applies one load and answers with numbers;
 * those named in `metrics` become lines, the others are kept as details in the results file.
 *
 * To add one: put an object like these into a list in this folder (and a new list into `index.mjs`).
 */
import { freePort } from "../lib/servers.mjs";

/**
 * @typedef {import("../lib/statistics.mjs").Metric} Metric
 * @typedef {import("../lib/servers.mjs").Server} Server
 * @typedef {{ side: import("../lib/servers.mjs").Side, quick: boolean,
 *   start: (config: string) => Promise<Server>,
 *   load: (name: string, job: object) => Promise<Record<string, number>>,
 *   loadInFrondsNode: (name: string, job: object) => Promise<Record<string, number>> }} Context
 * @typedef {{ name: string, metrics: Record<string, Metric>, frondOnly?: boolean,
 *   run: (context: Context) => Promise<Record<string, number>> }} Row
 */

/**
 * @param {string} label
 * @param {number} [atLeast] how many times nats-server's
 * @returns {Record<string, Metric>}
 */
export function rate(label, atLeast) {
  /** @type {Metric} */
  const metric = { label, unit: "msgs/s", better: "higher" };
  return { rate: atLeast === undefined ? metric : { ...metric, atLeast } };
}

/**
 * A hub and a leaf of the same side, joined; the leaf's link may be given more settings.
 * @param {Context} context
 * @param {string} compression
 * @returns {Promise<{ hub: Server, leaf: Server }>}
 */
export async function startLeafPair({ start }, compression) {
  const leafPort = await freePort();
  const mode = compression === "" ? "" : `compression: ${compression}`;
  const hub = await start(
    `server_name: hub\nleafnodes { host: 127.0.0.1, port: ${leafPort}\n ${mode} }`,
  );
  const remote = `url: "nats-leaf://127.0.0.1:${leafPort}"\n ${mode}`;
  const leaf = await start(`server_name: leaf\nleafnodes { remotes: [ { ${remote} } ] }`);
  return { hub, leaf };
}
