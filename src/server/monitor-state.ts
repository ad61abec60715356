/** The server's side of monitoring: what snapshots are taken of, made from the options and the live parts. */
import { availableParallelism } from "node:os";
import type { LeafRemoteOptions, Options, WebSocketOptions } from "../config/index.ts";
import type { Millis } from "../core/index.ts";
import type {
  ConfigFacts,
  LeafRemoteFacts,
  ProcessFacts,
  WebSocketFacts,
} from "../monitoring/index.ts";
import { joinHostPort, type ServerTls } from "../transports/node/index.ts";
import { claimsOf } from "./operator-facts.ts";

const TLS_TIMEOUT = 2000;

/** What the listeners that are up add to the configuration. */
export interface BoundFacts {
  readonly leafPort: number;
  readonly leafAuthTimeout: Millis;
  readonly websocketPort: number;
  readonly websocketAuthTimeout: Millis;
  readonly clientTls: ServerTls | null;
  readonly leafTls: ServerTls | null;
  readonly websocketTls: ServerTls | null;
}

export function configFacts(options: Options, bound: BoundFacts): ConfigFacts {
  const { leafnodes: leaf, websocket } = options;
  return {
    tlsTimeout: options.tls?.timeout ?? TLS_TIMEOUT,
    tlsCertNotAfter: expiry(bound.clientTls),
    writeDeadline: options.writeDeadline,
    writeTimeout: options.writeTimeout === "default" ? "" : options.writeTimeout,
    clusterName: options.cluster?.name ?? "",
    leaf:
      leaf.port === 0
        ? null
        : {
            host: leaf.host,
            port: bound.leafPort,
            authTimeout: bound.leafAuthTimeout,
            tlsTimeout: leaf.tls?.timeout ?? TLS_TIMEOUT,
            tlsRequired: leaf.tls !== null,
            tlsVerify: leaf.tls?.verify === true || leaf.tls?.verifyAndMap === true,
            tlsCertNotAfter: expiry(bound.leafTls),
          },
    leafRemotes: leaf.remotes.map(leafRemoteFacts),
    websocket: websocket === null || websocket.port === 0 ? null : websocketFacts(websocket, bound),
    tags: options.serverTags,
    metadata: options.serverMetadata,
    featureFlags: options.featureFlags,
    trustedOperatorsJwt: options.operator,
    trustedOperatorsClaim: options.operator.map(claimsOf),
    trustedProxies: options.proxies?.trusted ?? [],
  };
}

function leafRemoteFacts(remote: LeafRemoteOptions): LeafRemoteFacts {
  return {
    account: remote.account,
    tlsTimeout: remote.tls === null ? 0 : (remote.tls.timeout ?? TLS_TIMEOUT),
    urls: remote.urls.map((url) => joinHostPort(url.host, url.port)),
    denyImports: remote.denyImports,
    denyExports: remote.denyExports,
  };
}

function websocketFacts(ws: WebSocketOptions, bound: BoundFacts): WebSocketFacts {
  return {
    host: ws.host,
    port: bound.websocketPort,
    advertise: ws.advertise ?? "",
    noAuthUser: ws.noAuthUser ?? "",
    jwtCookie: ws.jwtCookie ?? "",
    handshakeTimeout: ws.handshakeTimeout,
    authTimeout: bound.websocketAuthTimeout,
    noTls: ws.noTls,
    tlsMap: ws.tls?.verifyAndMap === true,
    tlsPinnedCerts: ws.tls?.pinnedCerts ?? [],
    sameOrigin: ws.sameOrigin,
    allowedOrigins: ws.allowedOrigins,
    compression: ws.compression,
    tlsCertNotAfter: expiry(bound.websocketTls),
  };
}

function expiry(tls: ServerTls | null): Millis | null {
  return tls === null ? null : Date.parse(tls.identities[0].certificate.validTo);
}

/** Memory and processor time of this process; `cpuPercent` is since the last call. */
export class ProcessMeter {
  #cpu = process.cpuUsage();
  #at = performance.now();
  #percent = 0;

  read(): ProcessFacts {
    const at = performance.now();
    if (at - this.#at >= 1000) {
      const { user, system } = process.cpuUsage(this.#cpu);
      this.#percent = Math.round(((user + system) / 10 / (at - this.#at)) * 10) / 10;
      this.#cpu = process.cpuUsage();
      this.#at = at;
    }
    const { rss, heapUsed, heapTotal } = process.memoryUsage();
    const cores = availableParallelism();
    return {
      memory: rss,
      heapUsed,
      heapTotal,
      cpuPercent: this.#percent,
      cores,
      commandLine: process.argv,
    };
  }
}
