/** A server whose auth callout service is the test, and what such a service answers. */
import type { AuthRequest, AuthVerdict } from "../../src/core/index.ts";
import {
  CalloutAuthenticator,
  ConfigAuthenticator,
  CurveKey,
  OPEN_SERVER,
  type CalloutBase,
  type CalloutOptions,
  type CalloutRequest,
  type ConfigAuthOptions,
  type CalloutWorld,
  type UserEntry,
} from "../../src/auth/index.ts";
import { Key, TestCrypto, recorder } from "./fixtures.ts";
import { token, userToken } from "./tokens.ts";

export const issuer = new Key("account");
export const serverKey = new Key("server");
export const staticKey = new Key("user");

export interface RequestClaims {
  readonly aud: string;
  readonly exp: number;
  readonly iss: string;
  readonly sub: string;
  readonly nats: {
    readonly user_nkey: string;
    readonly server_id: Record<string, string>;
    readonly client_info: Record<string, unknown>;
    readonly connect_opts: Record<string, unknown>;
    readonly client_tls?: Record<string, unknown>;
  };
}

/** A server whose callout service is the test: `answer` makes the payload, null stays silent. */
export class Server {
  readonly crypto = new TestCrypto();
  readonly requests: CalloutRequest[] = [];
  readonly seen: RequestClaims[] = [];
  readonly lines: string[];
  readonly curve = new CurveKey(this.crypto);
  readonly callout: CalloutAuthenticator;
  readonly #timers = new Set<() => void>();

  constructor(
    base: (log: CalloutWorld["log"], crypto: TestCrypto) => CalloutBase,
    answer: (claims: RequestClaims) => string | Uint8Array | null,
    open: (payload: Uint8Array) => Uint8Array = (payload) => payload,
  ) {
    const { lines, log } = recorder();
    this.lines = lines;
    const world: CalloutWorld = {
      crypto: this.crypto,
      log,
      seed: serverKey.seed,
      curve: this.curve,
      timeout: 1500,
      server: () => ({
        name: "S",
        host: "h",
        id: serverKey.public,
        version: "2.15.2",
        cluster: "",
        tags: [],
      }),
      systemAccount: "SYS",
      hasAccount: (name) => ["$G", "AUTH", "APP"].includes(name),
      newReply: () => `_INBOX.${this.requests.length}`,
      publishRequest: (request) => {
        this.requests.push(request);
        const payload = Buffer.from(open(request.payload)).toString();
        const claims: RequestClaims = JSON.parse(
          Buffer.from(payload.split(".")[1] ?? "", "base64url").toString(),
        );
        this.seen.push(claims);
        const reply = answer(claims);
        if (reply === null) return;
        const bytes = typeof reply === "string" ? Buffer.from(reply) : reply;
        setImmediate(() => this.callout.onResponse(request.reply, bytes));
      },
      startTimer: (_delay, fire) => {
        this.#timers.add(fire);
        return () => this.#timers.delete(fire);
      },
    };
    this.callout = new CalloutAuthenticator(base(log, this.crypto), world);
  }

  get timers(): number {
    return this.#timers.size;
  }

  fireTimers(): void {
    for (const fire of this.#timers) fire();
    this.#timers.clear();
  }

  async ask(request: AuthRequest): Promise<AuthVerdict> {
    return await new Promise((resolve) => {
      const now = this.callout.authenticate(request, resolve);
      if (now !== null) resolve(now);
    });
  }

  async account(request: AuthRequest): Promise<string> {
    const verdict = await this.ask(request);
    return verdict.ok ? verdict.account : verdict.reason;
  }
}

function entry(name: string, nkey = ""): UserEntry {
  return {
    user: name,
    pass: "p",
    nkey,
    permissions: null,
    connectionTypes: [],
    proxyRequired: false,
  };
}

const CONFIG: ConfigAuthOptions = {
  ...OPEN_SERVER,
  accounts: [
    { name: "AUTH", users: [entry("auth"), entry("other")], defaultPermissions: null },
    { name: "APP", users: [entry("fixed"), entry("plain")], defaultPermissions: null },
    { name: "TWO", users: [entry("", staticKey.public)], defaultPermissions: null },
    { name: "SYS", users: [entry("admin")], defaultPermissions: null },
  ],
};

const CALLOUT: CalloutOptions = {
  issuer: issuer.public,
  account: "AUTH",
  authUsers: ["auth", "fixed"],
  xkey: "",
  allowedAccounts: [],
};

export function config(
  options: Partial<CalloutOptions> = {},
  auth: Partial<ConfigAuthOptions> = {},
) {
  return (log: CalloutWorld["log"], crypto: TestCrypto): CalloutBase => ({
    mode: "config",
    auth: new ConfigAuthenticator({ ...CONFIG, ...auth }, crypto, log),
    options: { ...CALLOUT, ...options },
  });
}

interface Reply {
  readonly signer?: Key;
  readonly userSigner?: Key;
  readonly user?: string;
  readonly account?: string;
  readonly name?: string;
  readonly aud?: string;
  readonly sub?: string;
  readonly error?: string;
  readonly jwt?: string;
  readonly nats?: Record<string, unknown>;
  readonly top?: Record<string, unknown>;
}

/** A service's response; the defaults let the user into APP. */
export function reply(claims: RequestClaims, more: Reply = {}): string {
  const { signer = issuer, userSigner = issuer, account = "APP", name = "called", aud, sub } = more;
  const key = claims.nats.user_nkey;
  const top = { aud: account, name, ...more.top };
  const jwt = more.jwt ?? userToken(userSigner, more.user ?? key, more.nats, top);
  const content = more.error === undefined ? { jwt } : { error: more.error };
  return token(
    signer,
    sub ?? key,
    { ...content, type: "authorization_response", version: 2 },
    { aud: aud ?? claims.iss },
  );
}
