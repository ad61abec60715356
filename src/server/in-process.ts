/**
 * An official client (`@nats-io/nats-core`) connected to a server of this process without a socket.
 *
 * nats-core takes its transport from one factory per process. It is set only while a connection of ours asks
 * for its transport, and then given back to the TCP transport of `@nats-io/transport-node`.
 */
import {
  NatsConnectionImpl,
  ProtocolHandler,
  setTransportFactory,
  type ConnectionOptions,
  type NatsConnection,
  type Server,
  type Transport,
} from "@nats-io/nats-core/internal";
import type { FrondServer } from "./server.ts";
import { memoryPair, type MemoryWire, type MemoryWireHandler } from "../transports/memory/index.ts";
import { FROND_VERSION } from "./version.ts";

/** Connects; the connection ends with the server and does not reconnect. */
export async function connectInProcess(
  server: FrondServer,
  options: ConnectionOptions,
): Promise<NatsConnection> {
  // The constructor is private in the types; `connect` would take the process-wide transport.
  const Connection = NatsConnectionImpl as unknown as new (
    opts: ConnectionOptions,
  ) => NatsConnectionImpl;
  const connection = new Connection({
    reconnect: false,
    ...options,
    servers: "127.0.0.1:1",
    resolve: false,
  });
  const handler = new ProtocolHandler(connection.options, connection);
  // `prepare` is where nats-core asks for a transport; it is private in the types.
  const hook = handler as unknown as { prepare: () => unknown };
  const prepare = hook.prepare.bind(handler);
  hook.prepare = () => {
    setTransportFactory({ factory: () => new InProcessTransport(server) });
    try {
      return prepare();
    } finally {
      restoreFactory();
    }
  };
  await handler.dialLoop();
  connection.protocol = handler;
  return connection as NatsConnection;
}

let restoreFactory = (): void => {
  setTransportFactory({
    factory: () => {
      throw new Error("the TCP transport of @nats-io/transport-node is not loaded");
    },
  });
};

/** Loads what `restoreFactory` puts back; once, and only where in-process connections are used. */
export async function prepareInProcess(): Promise<void> {
  const module = await import("@nats-io/transport-node/lib/node_transport.js");
  const { NodeTransport, nodeResolveHost } = module;
  restoreFactory = () =>
    setTransportFactory({ factory: () => new NodeTransport(), dnsResolveFn: nodeResolveHost });
}

const DEAF: MemoryWireHandler = { data: () => {}, drained: () => {}, closed: () => {} };

class InProcessTransport implements Transport, MemoryWireHandler {
  readonly lang = "nats.js:frond";
  readonly version = FROND_VERSION;
  closeError?: Error;
  readonly #server: FrondServer;
  #wire: MemoryWire | null = null;
  #chunks: Uint8Array[] = [];
  #wake: (() => void) | null = null;
  #ended = false;
  #resolveClosed: (error: undefined | Error) => void = () => {};
  readonly #closed = new Promise<void | Error>((resolve) => {
    this.#resolveClosed = resolve;
  });

  constructor(server: FrondServer) {
    this.#server = server;
  }

  get isClosed(): boolean {
    return this.#ended;
  }

  connect(_server: Server, _options: ConnectionOptions): Promise<void> {
    const { a: local, b: remote } = memoryPair(
      { schedule: queueMicrotask, host: "in-process" },
      this,
      DEAF,
    );
    this.#wire = local;
    local.resume();
    this.#server.openInProcess(remote);
    return Promise.resolve();
  }

  data(chunk: Uint8Array): void {
    this.#chunks.push(new Uint8Array(chunk));
    this.#wake?.();
  }

  drained(): void {}

  closed(error?: Error | null): Promise<void | Error>;
  closed(error: Error | null = null): Promise<void | Error> {
    if (arguments.length > 0) this.#end(error);
    return this.#closed;
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        yield chunk;
        continue;
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  isEncrypted(): boolean {
    return false;
  }

  send(frame: Uint8Array): void {
    this.#wire?.write(frame);
  }

  close(error?: Error): Promise<void> {
    this.#wire?.end(1000);
    this.#end(error ?? null);
    return Promise.resolve();
  }

  disconnect(): void {
    this.#wire?.destroy();
    this.#end(null);
  }

  discard(): void {
    this.#wire?.destroy();
  }

  #end(error: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    if (error !== null) this.closeError = error;
    this.#wake?.();
    this.#resolveClosed(error ?? undefined);
  }
}
