/** Times and durations in the texts that monitoring prints; all take milliseconds with fractions. */
import type { Millis } from "../core/index.ts";

const SECOND = 1000;

/** RFC 3339 in UTC with as many digits of a second as are not zero, at most nine. */
export function timestamp(at: Millis): string {
  const second = Math.floor(at / SECOND);
  const nanos = Math.min(Math.round((at - second * SECOND) * 1e6), 999_999_999);
  const whole = new Date(second * SECOND).toISOString().slice(0, 19);
  if (nanos <= 0) return `${whole}Z`;
  return `${whole}.${String(nanos).padStart(9, "0").replace(/0+$/, "")}Z`;
}

/** Whole seconds in the largest units needed: `12s`, `3m0s`, `1d0h0m1s`, `1y2d3h4m5s`. */
export function uptime(duration: Millis): string {
  const seconds = Math.max(0, Math.floor(duration / SECOND));
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  const years = Math.floor(days / 365);
  const parts = [`${seconds % 60}s`];
  if (minutes > 0) parts.unshift(`${minutes % 60}m`);
  if (hours > 0) parts.unshift(`${hours % 24}h`);
  if (days > 0) parts.unshift(`${days % 365}d`);
  if (years > 0) parts.unshift(`${years}y`);
  return parts.join("");
}

/** A round-trip time as a Go duration; below a millisecond in whole microseconds. */
export function roundTrip(duration: Millis): string {
  const nanos = Math.round(duration * 1e6);
  if (nanos <= 0) return "0s";
  if (nanos < 1000) return `${nanos}ns`;
  if (nanos < 1e6) return `${Math.floor(nanos / 1000)}µs`;
  if (nanos < 1e9) return `${nanos / 1e6}ms`;
  const minutes = Math.floor(nanos / 60e9);
  const seconds = `${(nanos - minutes * 60e9) / 1e9}s`;
  if (minutes === 0) return seconds;
  return minutes < 60
    ? `${minutes}m${seconds}`
    : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

export function nanoseconds(duration: Millis): number {
  return Math.round(duration * 1e6);
}

export function seconds(duration: Millis): number {
  return duration / SECOND;
}
