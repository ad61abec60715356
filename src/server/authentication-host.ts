/** What authentication asks of the server that it belongs to. */
import type { Options } from "../config/index.ts";
import type { Engine, LogLevel } from "../core/index.ts";
import { buildClientTls } from "../transports/node/index.ts";
import { applyAccount, systemAccountOf } from "./accounts.ts";
import type { ConnectionHub } from "./connection.ts";
import type { NodeCrypto } from "./node-crypto.ts";
import type { System } from "./system.ts";
import type { OperatorHost } from "./operator.ts";

/** The parts of a server that are read; its engine may be made later than this. */
interface Served {
  readonly engine: Engine;
  readonly options: Options;
  readonly crypto: NodeCrypto;
  readonly hub: ConnectionHub;
  readonly system: System;
  log(level: LogLevel, label: string, text: string): void;
}

export function authenticationHost(server: Served): OperatorHost {
  return {
    get engine() {
      return server.engine;
    },
    get options() {
      return server.options;
    },
    crypto: server.crypto,
    log: (level, link, text) => {
      const label = link === null ? "" : (server.engine.links.get(link)?.label ?? "");
      server.log(level, label, text);
    },
    resolverTls: () => {
      const { resolverTls } = server.options;
      return resolverTls === null ? null : buildClientTls(resolverTls);
    },
    serverInfo: () => server.system.bus.info(),
    peers: () => 0,
    applyAccount: (view) => applyAccount(server.engine, view, systemAccountOf(server.options)),
    afterCall: () => server.hub.afterCall(),
  };
}
