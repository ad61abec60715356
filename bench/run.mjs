/**
 * Measures Frond and nats-server side by side and prints the table.
 *
 * For each row, round after round, one side then the other (who begins alternates): fresh servers, a fresh load
 * generator, a warm-up, a measurement. What counts is the median of the rounds and the ratio of the medians.
 *
 *   node bench/run.mjs [--rounds 5] [--only NAME,…] [--side frond|nats-server] [--node PATH]
 *                      [--node-args "…"] [--quick] [--json FILE] [--readme] [--list]
 *
 * `--only` takes parts of row names; a part that is a whole name means that row alone. `--quick` is a smoke
 * test: one short round. The exit code tells whether everything ran, not whether the targets were met.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { newestNode } from "../scripts/newest-node.mjs";
import { generate } from "./lib/generator.mjs";
import { asMarkdown, asText, intoReadme, machine } from "./lib/report.mjs";
import { frondSide, natsSide, startServer } from "./lib/servers.mjs";
import { compare, summarize } from "./lib/statistics.mjs";
import { rows } from "./rows/index.mjs";

/**
 * @typedef {import("./lib/servers.mjs").Side} Side
 * @typedef {import("./lib/report.mjs").RowResult} RowResult
 * @typedef {import("./rows/row.mjs").Row} Row
 */

const QUICK = { seconds: 0.3, warmupSeconds: 0.2 };
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
    side: { type: "string" },
    node: { type: "string" },
    "node-args": { type: "string", default: "" },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    readme: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

const rounds = options.quick ? 1 : Number(options.rounds);
const newest = newestNode({ install: !options.quick }) ?? process.execPath;
const frondNode = options.node ?? newest;
const nodeArgs = options["node-args"].split(" ").filter((arg) => arg !== "");

/** @returns {Row[]} */
function chosenRows() {
  if (options.only === undefined) return rows;
  const parts = options.only.split(/,(?! )(?!\d{3})/).map((part) => part.trim());
  const chosen = rows.filter(({ name }) =>
    parts.some((part) => {
      const exact = rows.some((row) => row.name === part);
      return exact ? name === part : name.includes(part);
    }),
  );
  if (chosen.length === 0) throw new Error(`no row's name holds ${parts.join(" or ")}`);
  return chosen;
}

/**
 * One row, one side, one round.
 * @param {Row} row
 * @param {Side} side
 * @returns {Promise<Record<string, number>>}
 */
async function measure(row, side) {
  /** @type {import("./lib/servers.mjs").Server[]} */
  const servers = [];
  const shorten = options.quick ? QUICK : {};
  try {
    return await row.run({
      side,
      quick: options.quick,
      start: async (config) => {
        const server = await startServer(side, config);
        servers.push(server);
        return server;
      },
      load: (name, job) => generate(newest, name, { ...job, ...shorten }),
      loadInFrondsNode: (name, job) => generate(frondNode, name, job),
    });
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/**
 * @param {Row} row
 * @param {Side[]} sides
 * @returns {Promise<RowResult>}
 */
async function measureRow(row, sides) {
  /** @type {Record<Side["name"], Record<string, number>[]>} */
  const taken = { frond: [], "nats-server": [] };
  /** @type {Set<string>} */
  const errors = new Set();
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      if (row.frondOnly === true && (side.name !== "frond" || side.overridden)) continue;
      try {
        taken[side.name].push(await measure(row, side));
      } catch (error) {
        errors.add(`${side.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  const pick = (/** @type {Side["name"]} */ name, /** @type {string} */ key) =>
    taken[name].map((result) => result[key] ?? Number.NaN);
  const lines = Object.entries(row.metrics).map(([key, metric]) =>
    compare(metric, { frond: pick("frond", key), "nats-server": pick("nats-server", key) }),
  );
  /** @type {RowResult["details"]} */
  const details = {};
  for (const { name } of sides) {
    const keys = Object.keys(taken[name][0] ?? {});
    const medians = keys.map((key) => [key, summarize(pick(name, key))?.median ?? Number.NaN]);
    details[name] = Object.fromEntries(medians);
  }
  return { row: row.name, lines, details, errors: [...errors] };
}

async function main() {
  if (options.list) return console.log(rows.map(({ name }) => name).join("\n"));
  // With one side only, the other need not be there.
  const wanted = options.side === undefined ? ["frond", "nats-server"] : [options.side];
  const frond = wanted.includes("frond") ? frondSide(frondNode, nodeArgs) : null;
  const nats = wanted.includes("nats-server") ? natsSide() : null;
  const sides = [frond, nats].filter((side) => side !== null);
  if (sides.length === 0) throw new Error(`--side is frond or nats-server, not ${options.side}`);
  const nodeVersion = spawnSync(newest, ["--version"], { encoding: "utf8" }).stdout.trim().slice(1);
  console.log(
    `Frond ${frond?.version ?? "not run"}; nats-server ${nats?.version ?? "not run"}; ${machine()}`,
  );
  /** @type {RowResult[]} */
  const results = [];
  for (const [i, row] of chosenRows().entries()) {
    results.push(await measureRow(row, sides));
    const text = asText(results.slice(-1));
    console.log(i === 0 ? text : text.slice(text.indexOf("\n") + 1));
  }
  const report = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    frond: frond?.version ?? "not run",
    natsServer: nats?.version ?? "not run",
    generatorNode: nodeVersion,
    rounds,
    rows: results,
  };
  const whole = !options.quick && options.only === undefined && frond?.overridden === false;
  const major = /Node (\d+)/.exec(report.frond)?.[1] ?? "none";
  const name = `${whole && nats !== null ? "" : "tmp-"}node-${major}`;
  mkdirSync(here("results"), { recursive: true });
  writeFileSync(options.json ?? here(`results/${name}.json`), JSON.stringify(report, null, 2));
  writeFileSync(here(`results/${name}.md`), asMarkdown(report));
  if (options.readme) intoReadme(here("README.md"), name, asMarkdown(report));
  const failed = results.filter(({ errors }) => errors.length > 0);
  const missed = results.flatMap(({ lines }) => lines.filter(({ pass }) => pass === false));
  console.log(`\n${missed.length} targets missed, ${failed.length} rows did not run as a whole`);
  for (const { row, errors } of failed) console.log(`${row}:\n  ${errors.join("\n  ")}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
  return undefined;
}

await main();
