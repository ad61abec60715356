/** The library: `startServer` and what it returns. */
import type { ConnectionOptions, NatsConnection } from "@nats-io/nats-core";
import {
  applyOverrides,
  loadConfig,
  optionsFromObject,
  validateOptions,
  type Options,
  type OptionsInput,
  type OptionsOrigin,
} from "../config/index.ts";
import type { LogLevel } from "../core/index.ts";
import { explainSubject, MonitorError, type Explanation } from "../monitoring/index.ts";
import { nodeHost } from "./node-host.ts";
import { Remotes } from "./remotes.ts";
import { FrondServer } from "./server.ts";
import { StartError } from "./start-error.ts";

export { FrondServer } from "./server.ts";
export { StartError, type StartErrorCode } from "./start-error.ts";
export { FROND_VERSION, NATS_VERSION } from "./version.ts";
export type { Logger } from "./logger.ts";
export type { OptionsInput } from "../config/index.ts";
export { ConfigError } from "../config/index.ts";
export type {
  ExplainedLink,
  ExplainedReason,
  ExplainedVerdict,
  Explanation,
} from "../monitoring/index.ts";
export type {
  RemoteCredentials,
  RemoteLink,
  RemoteOptionsInput,
  Remotes,
  RemoteSnapshot,
} from "./remotes.ts";

export type StartOptions = OptionsInput & {
  /** Read this configuration file instead; the other members override it. */
  readonly configFile?: string;
  /** Where log lines go; nowhere by default. */
  readonly log?: (level: LogLevel, text: string) => void;
};

export interface ReadyOptions {
  /** Also wait until every leaf link that is not disabled is up. */
  readonly links?: boolean;
  /** Milliseconds; rejects afterwards. 10,000 by default. */
  readonly timeout?: number;
}

/** A running server inside this process. */
export class Server {
  /** The engine room, for what has no member of its own here. */
  readonly inner: FrondServer;
  /** The servers this one joins as a leaf: each link's truth, and changes to one of them. */
  readonly remotes: Remotes;

  constructor(inner: FrondServer) {
    this.inner = inner;
    this.remotes = new Remotes(inner);
  }

  /** Where clients connect, `nats://127.0.0.1:4222`; "" without a client listener. */
  get clientUrl(): string {
    return localUrl(this.inner.ports().nats[0]);
  }

  /** Where leaf nodes connect; "" without a leaf listener. */
  get leafUrl(): string {
    return localUrl(this.inner.ports().leafnodes[0]);
  }

  get serverId(): string {
    return this.inner.serverId;
  }

  /** Resolves once the server takes connections (and, with `links`, its leaf links are up). */
  async ready(options: ReadyOptions = {}): Promise<void> {
    if (options.links === true) await this.inner.linksReady(options.timeout ?? 10_000);
  }

  /** Closes everything; nothing of this server keeps the process alive afterwards. */
  stop(): Promise<void> {
    return this.inner.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Applies other options while running; rejects with what cannot be changed, and then nothing is. */
  async reload(options: OptionsInput): Promise<void> {
    const loaded = load(undefined, options);
    await this.inner.reload(loaded.options, loaded.origin);
  }

  /**
   * Whether a message published here on `subject` would cross each leaf link of an account (`$G` by default), in
   * each direction, and if not everything that stops it.
   */
  explain(subject: string, options: { readonly account?: string } = {}): Explanation {
    try {
      return explainSubject(this.inner.monitorState(), { ...options, subject });
    } catch (error) {
      if (error instanceof MonitorError) throw new StartError("BAD_OPTIONS", error.message, error);
      throw error;
    }
  }

  /** An official client connection to this server without a socket. */
  async connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    const inProcess = await import("./in-process.ts");
    await inProcess.prepareInProcess();
    return inProcess.connectInProcess(this.inner, options);
  }
}

/**
 * Starts a server. Options are those of the configuration file in camelCase, typed; durations in
 * milliseconds. Without a port it listens on 127.0.0.1 at any free one.
 * Rejects with a `StartError` or a `ConfigError`.
 */
export async function startServer(options: StartOptions = {}): Promise<Server> {
  const { configFile, log, ...rest } = options;
  const { options: checked, origin } = load(configFile, rest);
  const faults = validateOptions(checked);
  if (faults.length > 0) throw new StartError("BAD_OPTIONS", faults.join("\n"));
  const inner = new FrondServer(checked, { logger: libraryLogger(checked, log), origin });
  await inner.start();
  return new Server(inner);
}

function load(
  file: string | undefined,
  rest: OptionsInput,
): { options: Options; origin: OptionsOrigin } {
  if (file !== undefined) return applyOverrides(loadConfig(nodeHost(), file), rest, nodeHost());
  const listens = "port" in rest || "listen" in rest || "host" in rest;
  return optionsFromObject(listens ? rest : { ...rest, host: "127.0.0.1", port: -1 }, nodeHost());
}

function libraryLogger(
  options: Options,
  sink: ((level: LogLevel, text: string) => void) | undefined,
): ConstructorParameters<typeof FrondServer>[1]["logger"] {
  return {
    debugEnabled: options.debug,
    traceEnabled: options.trace,
    log(level, label, text) {
      if (sink === undefined) return;
      if (level === "debug" && !options.debug) return;
      if (level === "trace" && !options.trace) return;
      sink(level, label === "" ? text : `${label} - ${text}`);
    },
  };
}

function localUrl(url: string | undefined): string {
  return url ?? "";
}
