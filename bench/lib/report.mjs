/** The table, as text for a terminal and as Markdown for `bench/README.md`; and what it was measured on. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";

/**
 * @typedef {import("./statistics.mjs").Line} Line
 * @typedef {import("./statistics.mjs").Summary} Summary
 * @typedef {{ row: string, lines: Line[], details: Record<string, Record<string, number>>, errors: string[] }} RowResult
 * @typedef {{ date: string, machine: string, frond: string, natsServer: string, generatorNode: string,
 *   rounds: number, rows: RowResult[] }} Report
 */

const COLUMNS = ["work", "unit", "Frond", "nats-server", "ratio", "target", "", "CPU g/F/n"];

/** @returns {string} */
export function machine() {
  const model = cpus()[0]?.model ?? "unknown CPU";
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  return `${availableParallelism()} x ${model}, ${gigabytes} GB, ${type()} ${release()}`;
}

/**
 * @param {number} value
 * @returns {string} three significant digits, thousands as k and M
 */
export function short(value) {
  if (!Number.isFinite(value)) return "-";
  for (const [unit, size] of /** @type {[string, number][]} */ ([
    ["M", 1e6],
    ["k", 1e4],
  ])) {
    if (Math.abs(value) < size) continue;
    const scaled = value / (unit === "k" ? 1e3 : size);
    return `${scaled.toFixed(scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2)}${unit}`;
  }
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

/**
 * @param {Summary | null} summary
 * @returns {string} the median and, in brackets, the least and the most
 */
function cell(summary) {
  if (summary === null) return "-";
  return `${short(summary.median)} (${short(summary.least)}-${short(summary.most)})`;
}

/**
 * @param {RowResult} row
 * @returns {string} cores busy: the generator's (with Frond), Frond's, nats-server's
 */
function cores({ details }) {
  const parts = [
    details["frond"]?.["generatorCpu"] ?? details["nats-server"]?.["generatorCpu"],
    details["frond"]?.["serverCpu"],
    details["nats-server"]?.["serverCpu"],
  ];
  if (parts.every((part) => part === undefined)) return "";
  return parts.map((part) => (part === undefined ? "-" : part.toFixed(1))).join("/");
}

/**
 * @param {RowResult} row
 * @returns {string[][]}
 */
function cells(row) {
  const lines = row.lines.map((line) => [
    line.label,
    line.unit,
    cell(line.frond),
    cell(line.natsServer),
    line.ratio === null ? "" : `${line.ratio.toFixed(2)}x`,
    line.target,
    line.pass === null ? "" : line.pass ? "pass" : "FAIL",
    cores(row),
  ]);
  const failures = row.errors.map((error) => [`${row.row}: did not run: ${error.split("\n")[0]}`]);
  return [...lines, ...failures];
}

/**
 * @param {RowResult[]} rows
 * @returns {string} lines for a terminal, columns aligned
 */
export function asText(rows) {
  const widths = [46, 8, 22, 22, 7, 12, 5, 11];
  return [COLUMNS, ...rows.flatMap(cells)]
    .map((line) => line.map((text, i) => text.padEnd(widths[i] ?? 0)).join(" "))
    .map((line) => line.trimEnd())
    .join("\n");
}

/**
 * @param {Report} report
 * @returns {string}
 */
export function asMarkdown(report) {
  const table = [COLUMNS, COLUMNS.map(() => "---"), ...report.rows.flatMap(cells)];
  return [
    `Frond ${report.frond}; nats-server ${report.natsServer}; generator on Node ${report.generatorNode}. ` +
      `${report.machine}. ${report.date}, medians of ${report.rounds} alternating rounds (least-most).`,
    "",
    ...table.map((line) => `| ${line.join(" | ")} |`),
    "",
  ].join("\n");
}

/**
 * Puts a table between the markers of that name in `bench/README.md`.
 * @param {string} file
 * @param {string} name
 * @param {string} markdown
 */
export function intoReadme(file, name, markdown) {
  const text = readFileSync(file, "utf8");
  const begin = `<!-- ${name} -->`;
  const end = `<!-- /${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${file} has no markers ${begin} … ${end}`);
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${markdown}\n${text.slice(to)}`);
}
