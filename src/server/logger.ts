/**
 * The server's log. Whoever logs says how much the line matters, which link it is about, and what happened; a
 * logger decides what is written, and how.
 *
 * `StreamLogger` writes nats-server's lines to anything that takes text; `SinkLogger` hands whole entries to a
 * function of a program. Lines are written at once, so that a process that ends has lost none.
 */
import { writeSync } from "node:fs";
import type { LogLevel } from "../core/index.ts";

export interface Logger {
  /** One line; `label` is the link's prefix (`127.0.0.1:4222 - cid:5`), or "" for the server's own lines. */
  log(level: LogLevel, label: string, text: string): void;
  /** Whether debug lines are wanted; asked before costly texts are made. */
  readonly debugEnabled: boolean;
  readonly traceEnabled: boolean;
}

/** One line of the log, not yet text. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly label: string;
  readonly text: string;
}

/** Which of the two noisy levels are written; the others always are. */
export interface LogLevels {
  readonly debug: boolean;
  readonly trace: boolean;
}

/** The text of an entry: its label, if it has one, and what happened. */
export function entryText(label: string, text: string): string {
  return label === "" ? text : `${label} - ${text}`;
}

function isWanted(level: LogLevel, logger: Logger): boolean {
  if (level === "debug") return logger.debugEnabled;
  return level !== "trace" || logger.traceEnabled;
}

/** Hands entries to a function, such as a program's own logger. */
export class SinkLogger implements Logger {
  readonly debugEnabled: boolean;
  readonly traceEnabled: boolean;
  readonly #sink: (entry: LogEntry) => void;

  constructor(sink: (entry: LogEntry) => void, levels: LogLevels = { debug: false, trace: false }) {
    this.#sink = sink;
    this.debugEnabled = levels.debug;
    this.traceEnabled = levels.trace;
  }

  log(level: LogLevel, label: string, text: string): void {
    if (isWanted(level, this)) this.#sink({ level, label, text });
  }
}

/** Says nothing. */
export const SILENT_LOGGER: Logger = new SinkLogger(() => {});

/** How lines look. */
export interface LineFormat {
  readonly pid: number;
  readonly time: "local" | "utc" | "none";
  /** Levels in colour, for a terminal. */
  readonly colours: boolean;
}

/** Takes one whole line, its end included. */
export interface LineWriter {
  write(line: string): void;
}

/** Writes lines as nats-server does: `[pid] yyyy/mm/dd hh:mm:ss.micros [INF] label - text`. */
export class StreamLogger implements Logger {
  readonly debugEnabled: boolean;
  readonly traceEnabled: boolean;
  readonly #writer: LineWriter;
  readonly #format: LineFormat;

  constructor(writer: LineWriter, format: LineFormat, levels: LogLevels) {
    this.#writer = writer;
    this.#format = format;
    this.debugEnabled = levels.debug;
    this.traceEnabled = levels.trace;
  }

  log(level: LogLevel, label: string, text: string): void {
    if (!isWanted(level, this)) return;
    const line = `${linePrefix(level, this.#format)}${entryText(label, text)}`;
    this.#writer.write(line.endsWith("\n") ? line : `${line}\n`);
  }
}

const TAGS: Readonly<Record<LogLevel, { readonly tag: string; readonly colour: string }>> = {
  fatal: { tag: "FTL", colour: "31" },
  error: { tag: "ERR", colour: "31" },
  warn: { tag: "WRN", colour: "0;93" },
  notice: { tag: "INF", colour: "32" },
  debug: { tag: "DBG", colour: "36" },
  trace: { tag: "TRC", colour: "33" },
};

/** What stands before the text of a line, the blank included. */
export function linePrefix(level: LogLevel, format: LineFormat): string {
  const { tag, colour } = TAGS[level];
  const shown = format.colours ? `\u001b[${colour}m${tag}\u001b[0m` : tag;
  const time = format.time === "none" ? "" : `${timestamp(format.time === "utc")} `;
  return `[${format.pid}] ${time}[${shown}] `;
}

let epoch = performance.timeOrigin;
let cachedSecond = Number.NaN;
let cachedUtc = false;
let cachedText = "";

/** Milliseconds since 1970 with a fraction, following the system's clock when that is set. */
function wallClock(): number {
  const fine = epoch + performance.now();
  const drift = Date.now() - fine;
  if (Math.abs(drift) < 5) return fine;
  epoch += drift;
  return fine + drift;
}

/** The time now as `yyyy/mm/dd hh:mm:ss.micros`. */
export function timestamp(utc: boolean): string {
  const millis = wallClock();
  const second = Math.floor(millis / 1000);
  if (second !== cachedSecond || utc !== cachedUtc) {
    cachedSecond = second;
    cachedUtc = utc;
    cachedText = dateText(new Date(second * 1000), utc);
  }
  const micros = Math.floor((millis - second * 1000) * 1000);
  return `${cachedText}.${String(micros).padStart(6, "0")}`;
}

/** A time as `yyyy/mm/dd hh:mm:ss`. */
export function dateText(date: Date, utc: boolean): string {
  const at = utc ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  const [day = "", time = ""] = at.toISOString().split("T");
  return `${day.replaceAll("-", "/")} ${time.slice(0, 8)}`;
}

/** Writes all of a text to an open file; a pipe that is full is waited for. */
export function writeFully(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let done = 0;
  while (done < bytes.length) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Lines for standard error. A reader that went away is no reason to stop serving. */
export const STDERR: LineWriter = {
  write(line) {
    try {
      writeFully(2, line);
    } catch {
      // There is nowhere left to say so.
    }
  },
};

/**
 * Holds back lines that repeat. Some faults come once a message; the same text about them is let through about
 * once a second, and the number of texts remembered has a bound.
 */
export class RepeatFilter {
  readonly #seen = new Set<string>();
  #since = 0;

  /** Whether a line with this text may be written now. */
  allows(text: string, nowMillis: number): boolean {
    if (nowMillis - this.#since >= 1000 || this.#seen.size >= 1000) {
      this.#seen.clear();
      this.#since = nowMillis;
    }
    if (this.#seen.has(text)) return false;
    this.#seen.add(text);
    return true;
  }
}
