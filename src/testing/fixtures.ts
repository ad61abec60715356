/**
 * What an engine needs from outside, for tests: options with the reference's defaults, a deterministic world, an
 * authenticator over a plain table. Only what matters to a test needs to be written in it.
 */
import type {
  AcceptedUser,
  Authenticator,
  AuthRequest,
  AuthVerdict,
  EngineOptions,
  LeafOptions,
  LogLevel,
  Outlet,
  Permissions,
  RemoteSpec,
  World,
} from "../core/index.ts";
import { Random } from "./random.ts";

export interface EngineOptionsInput extends Partial<Omit<EngineOptions, "leaf">> {
  readonly leaf?: Partial<LeafOptions>;
}

export function engineOptions(input: EngineOptionsInput = {}): EngineOptions {
  const { leaf, ...rest } = input;
  const serverId = input.serverId ?? "NTESTSERVER";
  return {
    serverId,
    serverName: serverId,
    version: "2.15.2",
    goVersion: "node",
    gitCommit: "",
    host: "127.0.0.1",
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
    defaultJsDomain: new Map(),
    noStall: false,
    ...rest,
    leaf: {
      host: "127.0.0.1",
      port: 7422,
      ip: "127.0.0.1:7422",
      urls: ["127.0.0.1:7422"],
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
      ...leaf,
    },
  };
}

export interface LogLine {
  readonly level: LogLevel;
  readonly label: string;
  readonly text: string;
}

/** A world whose randomness comes from a seed and whose log goes to `log`. */
export function testWorld(random: Random, log: (line: LogLine) => void = () => {}): World {
  return {
    random: () => random.next(),
    randomBytes: (length) => random.bytes(length),
    // Dirty memory, so that reading what was never written shows.
    allocate: (length) => new Uint8Array(length).fill(0x7f),
    log: (level, label, text) => log({ level, label, text }),
  };
}

/** An outlet that takes everything and keeps nothing. */
export function nullOutlet(overrides: Partial<Outlet> = {}): Outlet {
  return {
    write: () => 0,
    writev: () => 0,
    close: () => {},
    pause: () => {},
    resume: () => {},
    startTls: () => {},
    compress: () => {},
    ...overrides,
  };
}

export interface TestUser {
  readonly account: string;
  readonly pass?: string;
  readonly permissions?: Permissions | null;
  readonly maxPayload?: number;
  readonly maxSubscriptions?: number;
}

/** Users by name. "" stands for whoever sends no user name. */
export class TableAuthenticator implements Authenticator {
  readonly users: ReadonlyMap<string, TestUser>;
  /** Clients may skip CONNECT. */
  readonly open: boolean;
  /** Delays verdicts: called with what gives them. Null = at once. */
  delay: ((decide: () => void) => void) | null = null;

  constructor(users: Readonly<Record<string, TestUser>> = { "": { account: "$G" } }, open = false) {
    this.users = new Map(Object.entries(users));
    this.open = open;
  }

  required(): boolean {
    return !this.open;
  }

  advertised(): boolean {
    return true;
  }

  admitsWithoutConnect(): boolean {
    return false;
  }

  needsNonce(): boolean {
    return false;
  }

  authenticate(request: AuthRequest, later: (verdict: AuthVerdict) => void): AuthVerdict | null {
    const verdict = this.#verdict(request);
    if (this.delay === null) return verdict;
    this.delay(() => later(verdict));
    return null;
  }

  #verdict(request: AuthRequest): AuthVerdict {
    const { user: name, pass } = request.credentials;
    const user = this.users.get(name);
    if (user === undefined || (user.pass ?? "") !== pass) {
      const who = name === "" ? "" : ` - User ${JSON.stringify(name)}`;
      return { ok: false, error: "Authorization Violation", reason: "Authentication Failure", who };
    }
    return acceptedUser(name, user);
  }
}

export function acceptedUser(name: string, user: TestUser): AcceptedUser {
  return {
    ok: true,
    account: user.account,
    label: name === "" ? "" : `user:${name}`,
    permissions: user.permissions ?? null,
    limits: { maxPayload: user.maxPayload ?? -1, maxSubscriptions: user.maxSubscriptions ?? -1 },
    expires: null,
    authorizedUser: name,
    jwt: "",
    issuerKey: "",
    nameTag: "",
    tags: [],
    proxyKey: "",
  };
}

export function remoteSpec(input: Partial<RemoteSpec> = {}): RemoteSpec {
  return {
    id: "remote",
    account: "$G",
    hub: false,
    denyImports: [],
    denyExports: [],
    allowImports: null,
    allowExports: null,
    isolated: false,
    requestIsolation: false,
    compression: "off",
    rttThresholds: [],
    firstInfoTimeout: 1000,
    maxPending: null,
    pendingPolicy: null,
    tls: false,
    websocket: false,
    credentials: () => ({}),
    ...input,
  };
}

/** A world over a seed alone, for tests that do not look at the log. */
export function seededWorld(seed: number): World {
  return testWorld(new Random(seed));
}
