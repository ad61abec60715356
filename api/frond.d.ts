/** The library: `startServer` and what it returns. */
import type { ConnectionOptions, NatsConnection } from "@nats-io/nats-core";
import { type OptionsInput } from "../config/index.ts";
import type { LogLevel } from "../core/index.ts";
import { type Explanation } from "../monitoring/index.ts";
import { Remotes } from "./remotes.ts";
import { FrondServer } from "./server.ts";
export { FrondServer } from "./server.ts";
export { StartError, type StartErrorCode } from "./start-error.ts";
export { FROND_VERSION, NATS_VERSION } from "./version.ts";
export type { Logger } from "./logger.ts";
export type { OptionsInput } from "../config/index.ts";
export { ConfigError } from "../config/index.ts";
export type { ExplainedLink, ExplainedReason, ExplainedVerdict, Explanation, } from "../monitoring/index.ts";
export type { RemoteCredentials, RemoteLink, RemoteOptionsInput, Remotes, RemoteSnapshot, } from "./remotes.ts";
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
export declare class Server {
    /** The engine room, for what has no member of its own here. */
    readonly inner: FrondServer;
    /** The servers this one joins as a leaf: each link's truth, and changes to one of them. */
    readonly remotes: Remotes;
    constructor(inner: FrondServer);
    /** Where clients connect, `nats://127.0.0.1:4222`; "" without a client listener. */
    get clientUrl(): string;
    /** Where leaf nodes connect; "" without a leaf listener. */
    get leafUrl(): string;
    get serverId(): string;
    /** Resolves once the server takes connections (and, with `links`, its leaf links are up). */
    ready(options?: ReadyOptions): Promise<void>;
    /** Closes everything; nothing of this server keeps the process alive afterwards. */
    stop(): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
    /** Applies other options while running; rejects with what cannot be changed, and then nothing is. */
    reload(options: OptionsInput): Promise<void>;
    /**
     * Whether a message published here on `subject` would cross each leaf link of an account (`$G` by default), in
     * each direction, and if not everything that stops it.
     */
    explain(subject: string, options?: {
        readonly account?: string;
    }): Explanation;
    /** An official client connection to this server without a socket. */
    connect(options?: ConnectionOptions): Promise<NatsConnection>;
}
/**
 * Starts a server. Options are those of the configuration file in camelCase, typed; durations in
 * milliseconds. Without a port it listens on 127.0.0.1 at any free one.
 * Rejects with a `StartError` or a `ConfigError`.
 */
export declare function startServer(options?: StartOptions): Promise<Server>;
