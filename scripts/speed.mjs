/**
 * Puts the speed table of the last whole benchmark into README.md: `npm run bench`, then
 * `node scripts/speed.mjs [bench/results/node-26.json]`.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { intoReadme, short } from "../bench/lib/report.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const file = process.argv[2] ?? `${root}/bench/results/node-26.json`;

/** Rows that stand for the others; all are in bench/README.md. */
const CHOSEN = [
  ["publish only, 16 B", "publish only, 16 B"],
  ["1:1, 16 B", "one publisher, one subscriber, 16 B"],
  ["1:1, 128 B", "one publisher, one subscriber, 128 B"],
  ["1:1, 4 KB", "the same, 4 KB"],
  ["1:1, 1 MB", "the same, 1 MB"],
  ["4:4, 128 B", "four publishers, four subscribers, 128 B"],
  ["1:16, 128 B", "one publisher, sixteen subscribers, 128 B"],
  ["1:1, 128 B, 100,000 subjects", "one to one over 100,000 subjects, 128 B"],
  ["leaf to hub, 128 B", "leaf to hub, 128 B"],
  ["hub to leaf, 128 B", "hub to leaf, 128 B"],
  ["request-reply", "request and reply, half of all within"],
  ["request-reply across a leaf", "the same across a leaf"],
  ["start of the process to INFO", "from start to INFO"],
];

/** @type {import("../bench/lib/report.mjs").Report} */
const report = JSON.parse(readFileSync(file, "utf8"));

const lines = CHOSEN.flatMap(([name, title]) => {
  const line = report.rows.find(({ row }) => row === name)?.lines[0];
  if (line === undefined) return [];
  const value = (/** @type {import("../bench/lib/statistics.mjs").Summary | null} */ side) =>
    side === null ? "-" : `${short(side.median)} ${line.unit}`;
  const ratio = line.ratio === null ? "-" : `${line.ratio.toFixed(1)}x`;
  return [`| ${title} | ${value(line.frond)} | ${value(line.natsServer)} | ${ratio} |`];
});

const text = [
  `Medians of ${report.rounds} rounds in one run, ${report.date.slice(0, 10)}, ${report.machine}; ` +
    `Frond ${report.frond}, nats-server ${report.natsServer}. "Better" is how many times, more messages or less time.`,
  "",
  "| work | Frond | nats-server | better |",
  "| --- | --- | --- | --- |",
  ...lines,
].join("\n");
intoReadme(`${root}/README.md`, "speed", text);
