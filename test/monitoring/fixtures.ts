/** An engine without a network, and the state that snapshots are taken of; tests write only what matters to them. */
import assert from "node:assert/strict";
import {
  type AcceptedUser,
  type Authenticator,
  Engine,
  type EngineOptions,
  type Link,
  latin1Bytes,
  type LogLevel,
  type Millis,
  type Outlet,
} from "../../src/core/index.ts";
import {
  answer,
  type MonitorState,
  type Query,
  type RemoteView,
} from "../../src/monitoring/index.ts";
import { ClosedRing } from "../../src/server/closed-ring.ts";

export const START: Millis = Date.UTC(2026, 0, 2, 3, 4, 5);

/** User `x/y` belongs to account x; `wrong` is refused. */
const authenticator: Authenticator = {
  required: () => true,
  advertised: () => true,
  admitsWithoutConnect: () => true,
  needsNonce: () => false,
  authenticate(request) {
    const { user } = request.credentials;
    if (user === "wrong") {
      return {
        ok: false,
        error: "Authorization Violation",
        reason: "Authentication Failure",
        who: ` - User "${user}"`,
      };
    }
    return accepted(user, user.includes("/") ? (user.split("/")[0] ?? "$G") : "$G");
  },
};

function accepted(user: string, account: string): AcceptedUser {
  return {
    ok: true,
    account,
    label: user === "" ? "" : `user:${user}`,
    permissions: null,
    limits: { maxPayload: -1, maxSubscriptions: -1 },
    expires: null,
    authorizedUser: user,
    jwt: "",
    issuerKey: "",
    nameTag: "",
    tags: [],
    proxyKey: "",
  };
}

export function engineOptions(changes: Partial<EngineOptions> = {}): EngineOptions {
  return {
    serverId: "NSERVER",
    serverName: "mon",
    version: "2.15.2",
    goVersion: "node20",
    gitCommit: "",
    host: "0.0.0.0",
    port: 4222,
    headers: true,
    maxPayload: 1_048_576,
    maxControlLine: 4096,
    maxPending: 67_108_864,
    writeDeadline: 10_000,
    writeTimeout: "default",
    maxConnections: 65_536,
    maxSubscriptions: 0,
    maxSubTokens: 0,
    pingInterval: 120_000,
    pingMax: 2,
    authTimeout: 2000,
    domain: "",
    clusterName: "",
    tlsRequired: false,
    tlsVerify: false,
    tlsAvailable: false,
    connectUrls: [],
    trace: false,
    traceLength: 0,
    traceHeaders: false,
    xkey: "",
    systemAccount: "$SYS",
    websocket: null,
    leaf: {
      host: "0.0.0.0",
      port: 7422,
      ip: "10.0.0.1:7422",
      urls: [],
      tlsRequired: false,
      tlsVerify: false,
      authTimeout: 2000,
      minVersion: "",
      compression: "off",
      rttThresholds: [],
      isolated: false,
      maxPending: 67_108_864,
      pendingPolicy: "close",
      writeDeadline: 10_000,
      writeTimeout: "default",
    },
    defaultJsDomain: new Map(),
    noStall: false,
    ...changes,
  };
}

/** A server with its clock in the test's hand. */
export class Fixture {
  readonly engine: Engine;
  readonly closed: ClosedRing;
  now: Millis = START;
  remotes: readonly RemoteView[] = [];
  state: MonitorState;
  #ports = 50_000;

  constructor(changes: Partial<EngineOptions> = {}) {
    const outlet: Outlet = {
      write: () => 0,
      writev: () => 0,
      close: () => {},
      pause: () => {},
      resume: () => {},
      startTls: () => {},
      compress: () => {},
    };
    const world = {
      random: () => 0.5,
      randomBytes: (length: number) => new Uint8Array(length).fill(7),
      allocate: (length: number) => new Uint8Array(length),
      log: (_level: LogLevel, _label: string, _text: string) => {},
    };
    this.closed = new ClosedRing(3);
    this.engine = new Engine(engineOptions(changes), world, outlet, authenticator, {
      closed: (link, reason) => {
        this.closed.closed(link, reason, this.now);
      },
      refused: (link, verdict) => {
        if (!verdict.ok) this.closed.refused(link, verdict);
      },
    });
    this.state = this.#makeState();
  }

  /** An accepted client; `connect` are the members of its CONNECT, null leaves it out. */
  client(connect: object | null = {}): Link {
    const place = { host: "127.0.0.1", port: this.#ports++, connectionType: "STANDARD" } as const;
    const link = this.engine.openClient(place, this.now);
    if (link === null) throw new Error("the engine refused a client");
    if (connect !== null) {
      this.send(link, `CONNECT ${JSON.stringify({ verbose: false, ...connect })}\r\nPING\r\n`);
    }
    return link;
  }

  /** An accepted leaf link past its handshake. */
  leaf(connect: object = {}): Link {
    const place = { host: "127.0.0.1", port: this.#ports++, connectionType: "LEAFNODE" } as const;
    const link = this.engine.openLeaf(place, this.now);
    this.send(
      link,
      `CONNECT ${JSON.stringify({ name: "edge", server_id: "NEDGE", ...connect })}\r\n`,
    );
    return link;
  }

  send(link: Link, text: string): void {
    this.engine.receive(link.id, latin1Bytes(text), this.now, true);
  }

  /** The decoded JSON of a request that must succeed. */
  get(target: string): Reply {
    const reply = this.ask(target);
    if (reply.status !== 200) throw new Error(`${target}: ${reply.status} ${reply.body}`);
    return asReply(JSON.parse(reply.body));
  }

  ask(target: string): ReturnType<typeof answer> {
    const [path = "", search = ""] = target.split("?");
    return answer({ ...this.state, now: this.now, remotes: this.remotes }, path, queryOf(search));
  }

  #makeState(): MonitorState {
    return {
      engine: this.engine,
      now: START,
      start: START,
      configLoadTime: START,
      configDigest: "",
      process: {
        memory: 1000,
        heapUsed: 100,
        heapTotal: 200,
        cpuPercent: 0,
        cores: 2,
        commandLine: ["frond-server"],
      },
      http: { host: "0.0.0.0", httpPort: 8222, httpsPort: 0, basePath: "" },
      requests: new Map(),
      config: {
        tlsTimeout: 2000,
        tlsCertNotAfter: null,
        writeDeadline: 10_000,
        writeTimeout: "",
        clusterName: "",
        leaf: null,
        leafRemotes: [],
        websocket: null,
        tags: [],
        metadata: {},
        featureFlags: {},
        trustedOperatorsJwt: [],
        trustedOperatorsClaim: [],
        trustedProxies: [],
      },
      closed: this.closed,
      pinnedAccountFails: 0,
      listeners: [{ name: "server", up: true, error: "" }],
      remotes: [],
      account: () => null,
      place: () => "",
    };
  }
}

/** JSON of unknown shape; tests compare the parts they name. */
export interface Reply {
  readonly [name: string]: unknown;
}

export function queryOf(search: string): Query {
  return new URLSearchParams(search);
}

export function asReply(value: unknown): Reply {
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value));
  return { ...value };
}

/** The member, which must be an object. */
export function member(reply: Reply | undefined, name: string): Reply {
  return asReply(reply?.[name]);
}

/** The member, which must be a list of objects. */
export function list(reply: Reply, name: string): readonly Reply[] {
  const value = reply[name];
  assert.ok(Array.isArray(value), `${name} is no list in ${JSON.stringify(reply)}`);
  return value.map(asReply);
}

export function remote(changes: Partial<RemoteView> = {}): RemoteView {
  return {
    id: 1,
    urls: ["hub:7422"],
    currentUrl: { scheme: "nats", host: "hub", port: 7422 },
    account: "$G",
    state: "waiting",
    since: START,
    lastError: "",
    lastErrorAt: null,
    attempts: 0,
    nextRetry: null,
    flaps: 0,
    link: null,
    rtts: [],
    dropped: 0,
    required: false,
    credentials: "none",
    rules: { denyExports: [], denyImports: [], allowExports: null, allowImports: null, hub: false },
    ...changes,
  };
}
