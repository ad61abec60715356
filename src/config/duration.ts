/** Durations as configuration files write them (`1h30m`, `250ms`) and as messages show them. */
import type { Millis } from "../core/index.ts";

const UNITS: Readonly<Record<string, Millis>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds, or a text that says what is wrong. */
export function parseDuration(text: string): Millis | { readonly fault: string } {
  const quoted = JSON.stringify(text);
  const invalid = { fault: `time: invalid duration ${quoted}` };
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0;
  if (rest === "") return invalid;
  let total = 0;
  while (rest !== "") {
    const number = /^[0-9]*(\.[0-9]*)?/.exec(rest)?.[0] ?? "";
    if (!/[0-9]/.test(number)) return invalid;
    rest = rest.slice(number.length);
    const unit = /^[^.0-9]*/.exec(rest)?.[0] ?? "";
    if (unit === "") return { fault: `time: missing unit in duration ${quoted}` };
    const scale = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (scale === undefined) {
      return { fault: `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}` };
    }
    total += Number(number) * scale;
    rest = rest.slice(unit.length);
  }
  // The largest duration is 2^63 - 1 nanoseconds.
  return total > 9_223_372_036_854 ? invalid : sign * total;
}

/** `1h30m0s`, `250ms`, `1.5s`, `0s`. */
export function formatDuration(millis: Millis): string {
  if (millis === 0) return "0s";
  const sign = millis < 0 ? "-" : "";
  const ms = Math.abs(millis);
  if (ms < 0.001) return `${sign}${Math.round(ms * 1e6)}ns`;
  if (ms < 1) return `${sign}${trimmed(ms * 1e3, 3)}µs`;
  if (ms < 1000) return `${sign}${trimmed(ms, 6)}ms`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = `${trimmed((ms - minutes * 60_000) / 1000, 9)}s`;
  if (minutes === 0) return sign + seconds;
  const hours = Math.floor(minutes / 60);
  return `${sign}${hours > 0 ? `${hours}h` : ""}${minutes % 60}m${seconds}`;
}

const trimmed = (n: number, places: number): string => String(Number(n.toFixed(places)));
