/**
 * A log file: lines are appended; above a size the file is put aside under a name with its time and a new one
 * begun, and of the files put aside only so many are kept. Another program may move the file away and ask for
 * it to be opened again.
 */
import { closeSync, fstatSync, openSync, readdirSync, renameSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { LogLevel } from "../core/index.ts";
import { type LineFormat, type LineWriter, STDERR, linePrefix, writeFully } from "./logger.ts";
import { fileErrorText, osErrorText } from "./os-error.ts";

export interface LogFileSettings {
  /** Bytes above which a new file is begun; 0: never. */
  readonly sizeLimit: number;
  /** How many files are kept, the current one included; 0: all. */
  readonly maxFiles: number;
  /** For the lines that this file writes about itself. */
  readonly format: LineFormat;
}

const MODE = 0o640;

export class LogFile implements LineWriter {
  readonly path: string;
  readonly #settings: LogFileSettings;
  #limit: number;
  #fd: number | null;
  #size = 0;

  /** Opens the file; throws an error whose message is fit to print. */
  constructor(path: string, settings: LogFileSettings) {
    this.path = path;
    this.#settings = settings;
    this.#limit = settings.sizeLimit;
    this.#fd = this.#open();
    if (this.#limit > 0 && this.#size > this.#limit) {
      this.write(`${linePrefix("notice", settings.format)}Rotating logfile...\n`);
    }
  }

  write(line: string): void {
    this.#append(line);
    if (this.#limit > 0 && this.#size > this.#limit && this.#fd !== null) this.#rotate(this.#fd);
  }

  /** Continues in a file of the same name: a new one if the old one was moved away. */
  reopen(): void {
    const fresh = this.#open();
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = fresh;
    this.#limit = this.#settings.sizeLimit;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #open(): number {
    try {
      const fd = openSync(this.path, "a", MODE);
      this.#size = fstatSync(fd).size;
      return fd;
    } catch (error) {
      throw new Error(fileErrorText("open", this.path, error), { cause: error });
    }
  }

  #append(line: string): void {
    if (this.#fd === null) {
      STDERR.write(line);
      return;
    }
    try {
      writeFully(this.#fd, line);
      this.#size += Buffer.byteLength(line);
    } catch {
      // A full disk: the line is lost, the server is not.
    }
  }

  /** About the file itself; ends as nats-server's such lines do, and never begins another file. */
  #say(level: LogLevel, text: string): void {
    this.#append(`${linePrefix(level, this.#settings.format)}${text}\r\n`);
  }

  #rotate(fd: number): void {
    try {
      closeSync(fd);
    } catch (error) {
      this.#limit *= 2;
      const next = `will attempt next rotation at size ${this.#limit}`;
      this.#say("error", `Unable to close logfile for rotation (${osErrorText(error)}), ${next}`);
      return;
    }
    const backup = `${this.path}.${backupStamp(this.#settings.format.time === "utc")}`;
    let failure: unknown = null;
    try {
      renameSync(this.path, backup);
    } catch (error) {
      failure = error;
    }
    try {
      this.#fd = this.#open();
    } catch (error) {
      this.#fd = null;
      this.#say("error", `Unable to re-open the log file after rotation (${osErrorText(error)})`);
      return;
    }
    if (failure === null) {
      this.#say("notice", `Rotated log, backup saved as "${backup}"`);
      this.#purge();
      return;
    }
    this.#limit *= 2;
    const next = `will attempt next rotation at size ${this.#limit}`;
    this.#say("error", `Unable to rename logfile for rotation (${osErrorText(failure)}), ${next}`);
  }

  #purge(): void {
    const { maxFiles } = this.#settings;
    if (maxFiles <= 0) return;
    const names = this.#backups();
    for (const name of names.slice(0, Math.max(0, names.length - (maxFiles - 1)))) {
      const path = join(dirname(this.path), name);
      try {
        unlinkSync(path);
        this.#say("notice", `Purged log file "${name}"`);
      } catch (error) {
        const next = "will attempt next rotation";
        const reason = osErrorText(error);
        this.#say("error", `Unable to remove backup log file "${name}" (${reason}), ${next}`);
        return;
      }
    }
  }

  /** Names of the files put aside, the oldest first. */
  #backups(): readonly string[] {
    const start = `${basename(this.path)}.`;
    try {
      return readdirSync(dirname(this.path))
        .filter((name) => name.startsWith(start) && STAMP.test(name.slice(start.length)))
        .sort();
    } catch {
      return [];
    }
  }
}

const STAMP = /^\d{4}(?:\.\d{2}){5}\.\d{9}$/;

let lastStamp = "";

/** `yyyy.mm.dd.hh.mm.ss.nanos`; never the same twice. */
function backupStamp(utc: boolean): string {
  const now = new Date();
  const at = utc ? now : new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  const seconds = at.toISOString().slice(0, 19).replaceAll(/[-T:]/g, ".");
  const nanos = process.hrtime.bigint() % 1_000_000n;
  const fraction = BigInt(now.getMilliseconds()) * 1_000_000n + nanos;
  let stamp = `${seconds}.${String(fraction).padStart(9, "0")}`;
  // Names must sort by age, so a stamp is never below the last one.
  if (stamp <= lastStamp && lastStamp.startsWith(seconds)) {
    const next = Number(lastStamp.slice(-9)) + 1;
    stamp = `${seconds}.${String(next).padStart(9, "0")}`;
  }
  lastStamp = stamp;
  return stamp;
}
