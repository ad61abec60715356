/**
 * A server as a process: its options, log, signals and files, in the order in which nats-server does these
 * things. Everything about serving is the server's own.
 */
import {
  type LoadedOptions,
  type Options,
  type OptionsInput,
  formatProblem,
  validateOptions,
} from "../../config/index.ts";
import { FrondServer } from "../../server/server.ts";
import { dateText } from "../../server/logger.ts";
import { nodeHost } from "../../server/node-host.ts";
import { bannerLines } from "./banner.ts";
import { complain } from "./complain.ts";
import { OptionsSource } from "./options-source.ts";
import { portsFilePath, removePortsFile, writePidFile, writePortsFile } from "./process-files.ts";
import { ServerLog } from "./server-log.ts";
import { trapSignals } from "./signals.ts";

/** Starts the server; the process then lives until a signal ends it. Resolves with an exit code, or null. */
export async function runServer(file: string | null, flags: OptionsInput): Promise<number | null> {
  const source = new OptionsSource(file, flags, nodeHost());
  let loaded: LoadedOptions;
  try {
    loaded = source.load();
  } catch (error) {
    return complain(messageOf(error));
  }
  for (const warning of loaded.warnings) process.stderr.write(`${formatProblem(warning)}\n`);
  const [fault] = validateOptions(loaded.options);
  if (fault !== undefined && !isFatalAtStart(fault)) return complain(fault);
  let log: ServerLog;
  try {
    log = await ServerLog.open(loaded.options);
  } catch (error) {
    process.stderr.write(`${dateText(new Date(), false)} ${messageOf(error)}\n`);
    return 1;
  }
  return new ServerProcess(source, loaded, log).run(fault ?? null);
}

/** nats-server finds these only once it has begun to start. */
const isFatalAtStart = (fault: string): boolean => fault.startsWith("Can't start monitoring");

/** Checks a configuration file without starting anything; resolves with the exit code. */
export function checkConfiguration(file: string): number {
  let loaded: LoadedOptions;
  try {
    loaded = new OptionsSource(file, {}, nodeHost()).load();
  } catch (error) {
    return complain(messageOf(error));
  }
  if (loaded.warnings.length > 0) return complain(loaded.warnings.map(formatProblem).join("\n"));
  process.stderr.write(
    `nats-server: configuration file ${file} is valid (${loaded.origin.digest})\n`,
  );
  return 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

class ServerProcess {
  readonly #source: OptionsSource;
  readonly #log: ServerLog;
  #loaded: LoadedOptions;
  #server: FrondServer | null = null;
  #portsFile: string | null = null;
  #stopping = false;
  #lameDuck = false;
  #reloading: Promise<void> = Promise.resolve();

  constructor(source: OptionsSource, loaded: LoadedOptions, log: ServerLog) {
    this.#source = source;
    this.#loaded = loaded;
    this.#log = log;
  }

  async run(fault: string | null): Promise<number | null> {
    const { options, origin } = this.#loaded;
    let server: FrondServer;
    try {
      server = new FrondServer(options, { logger: this.#log, origin });
      await server.prepare();
    } catch (error) {
      return complain(messageOf(error));
    }
    this.#server = server;
    this.#trap(server);
    for (const { level, text } of bannerLines(options, origin, server.serverId)) {
      this.#log.log(level, "", text);
    }
    if (fault !== null) return this.#fatal(fault);
    try {
      if (options.pidFile !== null) writePidFile(options.pidFile);
    } catch (error) {
      return this.#fatal(`Could not write pidfile: ${messageOf(error)}`);
    }
    try {
      await server.start();
    } catch (error) {
      // A signal may have ended what had only begun.
      return this.#stopping ? null : this.#fatal(messageOf(error));
    }
    this.#writePorts(options);
    return null;
  }

  #trap(server: FrondServer): void {
    server.onReloadRequest = () => this.#reload(server);
    trapSignals({
      trapped: (name) => this.#log.log("notice", "", `Trapped "${name}" signal`),
      interrupt: () => void this.#stop(server),
      terminate: () => {
        // Lame duck mode ends the process by itself.
        if (!this.#lameDuck) void this.#stop(server);
      },
      reopen: () => this.#log.reopen(),
      lameDuck: () => void this.#enterLameDuck(server),
      reload: () => {
        this.#reloading = this.#reloading.then(() => this.#tryReload(server));
      },
      crashed: (error) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        void this.#exit(this.#fatal(text));
      },
    });
  }

  #fatal(text: string): number {
    this.#log.log("fatal", "", text);
    this.#removePorts();
    return 1;
  }

  async #stop(server: FrondServer): Promise<void> {
    // Asked twice: whoever asks has no patience left.
    if (this.#stopping) process.exit(0);
    this.#stopping = true;
    this.#removePorts();
    await server.stop();
    await this.#exit(0);
  }

  async #enterLameDuck(server: FrondServer): Promise<void> {
    if (this.#lameDuck || this.#stopping) return;
    this.#lameDuck = true;
    await server.lameDuck();
    // An interrupt that cut it short ends the process.
    if (this.#stopping) return;
    this.#removePorts();
    await this.#exit(0);
  }

  async #exit(code: number): Promise<void> {
    await this.#log.close();
    process.exit(code);
  }

  async #tryReload(server: FrondServer): Promise<void> {
    if (this.#stopping) return;
    try {
      await this.#reload(server);
    } catch (error) {
      const reason = `Failed to reload server configuration: ${messageOf(error)}`;
      this.#log.log("error", "", reason);
    }
  }

  async #reload(server: FrondServer): Promise<void> {
    if (this.#source.file === null) {
      throw new Error("can only reload config when a file is provided using -c or --config");
    }
    const before = this.#loaded.options;
    const next = this.#source.load();
    const [fault] = validateOptions(next.options);
    if (fault !== undefined) throw new Error(fault);
    // The server asks its log what to trace, so the log changes first, and back if the rest is refused.
    await this.#log.change(next.options);
    try {
      await server.reload(next.options, next.origin);
    } catch (error) {
      await this.#log.change(before);
      throw error;
    }
    this.#loaded = next;
    this.#replaceFiles(before, next.options);
    this.#log.log("notice", "", `Reloaded server configuration (${next.origin.digest})`);
  }

  #replaceFiles(before: Options, after: Options): void {
    if (after.pidFile !== null && after.pidFile !== before.pidFile) {
      try {
        writePidFile(after.pidFile);
      } catch (error) {
        this.#log.log("error", "", `Failed to write pidfile: ${messageOf(error)}`);
      }
    }
    if (after.portsFileDir === before.portsFileDir) return;
    this.#removePorts();
    this.#writePorts(after);
  }

  #writePorts({ portsFileDir }: Options): void {
    if (portsFileDir === null || this.#server === null || this.#stopping) return;
    const path = portsFilePath(portsFileDir);
    try {
      writePortsFile(path, this.#server.ports());
      this.#portsFile = path;
    } catch (error) {
      const reason = messageOf(error);
      this.#log.log("error", "", `Error writing ports file (${path}): ${reason}`);
    }
  }

  #removePorts(): void {
    const path = this.#portsFile;
    this.#portsFile = null;
    if (path === null) return;
    try {
      removePortsFile(path);
    } catch (error) {
      this.#log.log("error", "", `Error cleaning up ports file ${path}: ${messageOf(error)}`);
    }
  }
}
