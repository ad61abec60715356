/**
 * Durations as Go writes and reads them ("1h30m", "250ms", "918.16µs"), and the shorter form for
 * people. Inside the program a duration is a number of milliseconds, with fractions.
 */
import { CliError } from "./errors.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
  d: DAY,
  D: DAY,
  w: 7 * DAY,
  W: 7 * DAY,
  M: 30 * DAY,
  y: 365 * DAY,
  Y: 365 * DAY,
};

/** Reads "1h30m", "300ms", "2d"; a bare number other than 0 has no unit and is refused. */
export function parseDuration(text: string): number {
  const value = text.trim();
  if (value === "0") return 0;
  const sign = value.startsWith("-") ? -1 : 1;
  const rest = value.replace(/^[-+]/, "");
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|[smhdDwWMyY]))+$/.test(rest)) {
    throw new CliError(
      `invalid duration "${text}", expected a number with a unit such as 500ms or 5s`,
    );
  }
  let total = 0;
  for (const [, number, unit] of rest.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|[smhdDwWMyY])/g)) {
    total += Number(number) * (UNITS[unit ?? ""] ?? 0);
  }
  return sign * total;
}

/** The exact form, as Go's Duration.String: "1m30.5s", "918.16µs", "0s". */
export function formatDuration(ms: number): string {
  const ns = Math.round(Math.abs(ms) * 1e6);
  const sign = ms < 0 ? "-" : "";
  if (ns === 0) return "0s";
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${trim(ns / 1e3, 3)}µs`;
  if (ns < 1e9) return `${sign}${trim(ns / 1e6, 6)}ms`;
  const hours = Math.floor(ns / 3.6e12);
  const minutes = Math.floor((ns % 3.6e12) / 6e10);
  const seconds = trim((ns % 6e10) / 1e9, 9);
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}

/** The rounded form for people: whole microseconds, whole milliseconds, then seconds. */
export function humanDuration(ms: number): string {
  if (ms < 1) return formatDuration(Math.round(ms * 1e3) / 1e3);
  if (ms < SECOND) return formatDuration(Math.round(ms));
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(2)}s`;
  return formatDuration(Math.floor(ms / SECOND) * SECOND);
}

function trim(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
