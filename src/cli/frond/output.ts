/**
 * Everything the commands print: results on standard output, the story on standard error with the
 * time of day, colours only where a person looks at a terminal.
 */
import Table from "cli-table3";
import { styleText } from "node:util";

/** Writes a result to standard output, as it is. */
export function out(data: string | Uint8Array): void {
  process.stdout.write(data);
}

/** Writes a result and a line end. */
export function outLine(text = ""): void {
  out(`${text}\n`);
}

/** Tells what is going on, on standard error, with the time of day. */
export function log(text: string): void {
  process.stderr.write(`${clock(new Date())} ${text}\n`);
}

/** Ends a written stream before the process ends, so nothing is cut off in a pipe. */
export async function drainOutput(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => {
      stream.write("", () => {
        resolve();
      });
    });
  }
}

/** Colours a word if standard output is a terminal and NO_COLOR is not set. */
export function colour(kind: "red" | "green" | "yellow" | "cyan" | "bold", text: string): string {
  return process.stdout.isTTY && !process.env["NO_COLOR"] ? styleText(kind, text) : text;
}

/** A string in double quotes, escaped. */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/** 1234567 as 1,234,567; fractions keep at most `digits` places. */
export function commas(value: number, digits = 0): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

/** A number of bytes with a binary unit: "128 B", "1.0 KiB", "967 MiB". */
export function bytes(value: number): string {
  if (value < 10) return `${Math.floor(value)} B`;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  const exponent = Math.min(Math.floor(Math.log(value) / Math.log(1024)), units.length - 1);
  const scaled = Math.floor((value / 1024 ** exponent) * 10 + 0.5) / 10;
  return `${scaled.toFixed(scaled < 10 ? 1 : 0)} ${units[exponent] ?? "B"}`;
}

/** JSON as the `nats` command writes it: two spaces, and <, >, & escaped. */
export function toJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent).replace(
    /[<>&\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A table with rounded corners, a title across it and, if wanted, a last row of totals. */
export function renderTable(spec: {
  title?: string;
  headings: readonly string[];
  rows: readonly (readonly string[])[];
  footer?: readonly string[];
}): string {
  const table = new Table({
    chars: { "top-left": "╭", "top-right": "╮", "bottom-left": "╰", "bottom-right": "╯" },
    style: { head: [], border: [] },
  });
  if (spec.title !== undefined) {
    table.push([{ content: spec.title, colSpan: spec.headings.length, hAlign: "center" }]);
  }
  table.push([...spec.headings], ...spec.rows.map((row) => [...row]));
  if (spec.footer !== undefined) table.push([...spec.footer]);
  return withoutInnerRules(table.toString(), spec.title !== undefined, spec.footer !== undefined);
}

/** The rules under title and headings and above the footer stay, those between rows go. */
function withoutInnerRules(text: string, hasTitle: boolean, hasFooter: boolean): string {
  const lines = text.split("\n");
  const rules = lines.flatMap((line, at) => (line.startsWith("├") ? [at] : []));
  const kept = new Set(rules.slice(0, hasTitle ? 2 : 1));
  if (hasFooter) kept.add(rules.at(-1) ?? -1);
  return lines.filter((line, at) => !line.startsWith("├") || kept.has(at)).join("\n");
}

/** Rows of "label: value" with the labels aligned at their colons. */
export function renderColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([label]) => label.length), 0) + 2;
  return rows.map(([label, value]) => `${label.padStart(width)}: ${value}\n`).join("");
}

function clock(now: Date): string {
  return [now.getHours(), now.getMinutes(), now.getSeconds()]
    .map((n) => String(n).padStart(2, "0"))
    .join(":");
}
