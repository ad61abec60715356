// Writes docs/config.md from the tables of options. With --check it only says whether the file is current.
import { readFileSync, writeFileSync } from "node:fs";
import { describeOptions } from "../dist/src/config/index.js";

const file = new URL("../docs/config.md", import.meta.url);

/** @param {string} text */
const cell = (text) => text.replaceAll("|", "\\|");
/** @param {string} text */
const code = (text) => (text === "" ? "" : `\`${cell(text)}\``);

/** @param {ReturnType<typeof describeOptions>[number]} block */
function blockText({ name, options }) {
  const title = name === "options" ? "Top level" : `\`${name}\``;
  const rows = options.map((option) => [
    [option.name, ...option.aliases].map(code).join(", "),
    cell(option.kind),
    code(option.fallback),
    option.unsupported ? "-" : option.reload,
    cell(option.doc),
  ]);
  return `## ${title}\n\n${table(["option", "type", "default", "reload", "meaning"], rows)}\n`;
}

/**
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  const widths = head.map((_, i) =>
    Math.max(3, ...[head, ...rows].map((row) => (row[i] ?? "").length)),
  );
  /** @param {string[]} cells */
  const line = (cells) => `| ${cells.map((text, i) => text.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

const intro = `# Configuration

Generated from the tables in \`src/config\` by \`npm run docs\`; do not edit.

Frond reads the configuration files of \`nats-server\`. Options that are not built yet are refused by name.
A program may give the same options to \`startServer\`, in camelCase (\`maxPayload\`), with durations in
milliseconds. _hot_: a reload changes the option in a running server; _restart_: a reload that would change
it is refused.
`;

const text = `${intro}\n${describeOptions().map(blockText).join("\n")}`;

if (!process.argv.includes("--check")) {
  writeFileSync(file, text);
} else if (readFileSync(file, "utf8") !== text) {
  console.error("docs/config.md is not current: run npm run docs");
  process.exitCode = 1;
}
