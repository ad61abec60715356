/**
 * What the operating system knows of a process: CPU seconds used and memory held, read from /proc.
 * Elsewhere than on Linux the answers are NaN and the columns that need them stay empty.
 */
import { readFileSync } from "node:fs";

const CLOCK_TICKS_PER_SECOND = 100;

/**
 * @param {number} pid
 * @returns {number} user and system CPU seconds since the process began.
 */
export function cpuSeconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}

/**
 * @param {number} pid
 * @returns {{ residentBytes: number, peakBytes: number }}
 */
export function memory(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    const field = (/** @type {string} */ name) =>
      Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
    return { residentBytes: field("VmRSS"), peakBytes: field("VmHWM") };
  } catch {
    return { residentBytes: Number.NaN, peakBytes: Number.NaN };
  }
}
