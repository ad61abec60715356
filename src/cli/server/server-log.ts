/**
 * The log of the process: a file, a system log or standard error, as the options say. It can change under a
 * running server, which keeps the one object.
 */
import { fstatSync } from "node:fs";
import type { Options } from "../../config/index.ts";
import type { LogLevel } from "../../core/index.ts";
import { LogFile } from "../../server/log-file.ts";
import { type LineFormat, type Logger, STDERR, StreamLogger } from "../../server/logger.ts";

/** What the log looks like is decided by these. */
type LogOptions = Pick<
  Options,
  | "debug"
  | "trace"
  | "logtime"
  | "logtimeUtc"
  | "logFile"
  | "logSizeLimit"
  | "logMaxNum"
  | "syslog"
  | "remoteSyslog"
>;

interface Destination {
  readonly logger: Logger;
  readonly file: LogFile | null;
  close(): Promise<void>;
}

export class ServerLog implements Logger {
  #current: Destination;
  #options: LogOptions;

  private constructor(current: Destination, options: LogOptions) {
    this.#current = current;
    this.#options = options;
  }

  /** Rejects with an error whose message is fit to print. */
  static async open(options: LogOptions): Promise<ServerLog> {
    return new ServerLog(await openDestination(options), options);
  }

  get debugEnabled(): boolean {
    return this.#current.logger.debugEnabled;
  }

  get traceEnabled(): boolean {
    return this.#current.logger.traceEnabled;
  }

  log(level: LogLevel, label: string, text: string): void {
    this.#current.logger.log(level, label, text);
  }

  /** Goes on as other options say; rejects and changes nothing where that cannot be. */
  async change(options: LogOptions): Promise<void> {
    if (sameLog(this.#options, options)) return;
    const old = this.#current;
    this.#current = await openDestination(options);
    this.#options = options;
    await old.close();
  }

  /** After a program that rotates logs has moved the file away. */
  reopen(): void {
    const { file } = this.#current;
    if (file === null) {
      this.log("notice", "", "File log re-open ignored, not a file logger");
      return;
    }
    try {
      file.reopen();
      this.log("notice", "", "File log re-opened");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.log("error", "", `Unable to re-open the log file: ${reason}`);
    }
  }

  /** Resolves when nothing logged is lost if the process ends. */
  close(): Promise<void> {
    return this.#current.close();
  }
}

function sameLog(a: LogOptions, b: LogOptions): boolean {
  return (
    a.debug === b.debug &&
    a.trace === b.trace &&
    a.logtime === b.logtime &&
    a.logtimeUtc === b.logtimeUtc &&
    a.logFile === b.logFile &&
    a.logSizeLimit === b.logSizeLimit &&
    a.logMaxNum === b.logMaxNum &&
    a.syslog === b.syslog &&
    a.remoteSyslog === b.remoteSyslog
  );
}

async function openDestination(options: LogOptions): Promise<Destination> {
  const time = options.logtime ? (options.logtimeUtc ? "utc" : "local") : "none";
  const format: LineFormat = { pid: process.pid, time, colours: false };
  if (options.logFile !== null && options.logFile !== "") {
    const file = openFile(options.logFile, options, format);
    return {
      logger: new StreamLogger(file, format, options),
      file,
      close: async () => file.close(),
    };
  }
  if (options.syslog || options.remoteSyslog !== null) {
    // Only those who log there load it.
    const { openSyslog } = await import("../../server/syslog.ts");
    const { debug, trace, remoteSyslog: remote } = options;
    const settings = { debug, trace, remote, tag: "frond-server", pid: process.pid };
    return { ...(await openSyslog(settings)), file: null };
  }
  const logger = new StreamLogger(STDERR, { ...format, colours: isTerminal(2) }, options);
  return { logger, file: null, close: () => Promise.resolve() };
}

function openFile(path: string, options: LogOptions, format: LineFormat): LogFile {
  try {
    const { logSizeLimit: sizeLimit, logMaxNum: maxFiles } = options;
    return new LogFile(path, { sizeLimit, maxFiles, format });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`error opening file: ${reason}`, { cause: error });
  }
}

function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    return false;
  }
}
