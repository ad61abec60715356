/** Who decides about logins: the configured users or an operator's tokens, and auth callout after either. */
import {
  ConfigAuthenticator,
  CurveKey,
  type AuthLog,
  type CalloutBase,
  type Crypto,
} from "../auth/index.ts";
import type { Options } from "../config/index.ts";
import type {
  Authenticator,
  AuthRequest,
  AuthVerdict,
  ConnectionType,
  Engine,
} from "../core/index.ts";
import { authOptions } from "./auth-options.ts";
import { Callout } from "./callout.ts";
import { now } from "./clock.ts";
import { OperatorMode, type OperatorHost } from "./operator.ts";
import type { OperatorSettings } from "./operator-settings.ts";

export interface AuthenticationHost {
  readonly engine: Engine;
  readonly crypto: Crypto;
  readonly log: AuthLog;
  /** As they are now; a reload replaces them. */
  readonly options: Options;
  afterCall(): void;
}

/** The authentication of one server, through reloads. */
export class Authentication {
  /** Null outside operator mode. */
  readonly operator: OperatorMode | null;
  readonly curve: CurveKey;
  readonly #host: OperatorHost;
  readonly #seed: string;
  #inventedUser = "";
  #callout: Callout | null = null;

  /** `seed`: of the server's nkey, as text. */
  constructor(host: OperatorHost, settings: OperatorSettings | null, seed: string) {
    this.#host = host;
    this.#seed = seed;
    this.curve = new CurveKey(host.crypto);
    this.operator = settings === null ? null : new OperatorMode(settings, host);
  }

  /** Decides by the options as they are now. */
  make(): Authenticator {
    const base = this.#base();
    if (base === null) return new OnTime(this.#configured(), this.#host);
    // A reload keeps the callout that questions are waiting in: its configuration cannot change.
    this.#callout ??= new Callout(base, this.#host, { seed: this.#seed, curve: this.curve });
    this.#callout.authenticator.rebase(base);
    return new OnTime(this.#callout.authenticator, this.#host);
  }

  #base(): CalloutBase | null {
    const { options } = this.#host;
    if (this.operator !== null) {
      const { defaultSentinel, resolverPinnedAccounts } = options;
      const { leafnodes, trustedProxies } = authOptions(options, "");
      const auth = this.operator.authenticator({
        defaultSentinel: defaultSentinel ?? "",
        pinnedAccounts: resolverPinnedAccounts,
        systemAccount: this.operator.settings.systemAccount,
        trustedProxies,
        leafnodes,
      });
      return { mode: "operator", auth };
    }
    const callout = options.authorization?.authCallout ?? null;
    if (callout === null) return null;
    return {
      mode: "config",
      auth: this.#configured(),
      options: { ...callout, xkey: callout.xkey ?? "" },
    };
  }

  #configured(): ConfigAuthenticator {
    const { options, crypto, log } = this.#host;
    const configured = new ConfigAuthenticator(
      authOptions(options, this.#inventedUser),
      crypto,
      log,
    );
    this.#inventedUser = configured.inventedUser;
    return configured;
  }
}

/** Verdicts that come later find the engine at the time of their coming, and its deadlines are looked at. */
class OnTime implements Authenticator {
  readonly #inner: Authenticator;
  readonly #host: AuthenticationHost;

  constructor(inner: Authenticator, host: AuthenticationHost) {
    this.#inner = inner;
    this.#host = host;
  }

  required(type: ConnectionType): boolean {
    return this.#inner.required(type);
  }

  advertised(type: ConnectionType): boolean {
    return this.#inner.advertised(type);
  }

  admitsWithoutConnect(type: ConnectionType): boolean {
    return this.#inner.admitsWithoutConnect(type);
  }

  needsNonce(): boolean {
    return this.#inner.needsNonce();
  }

  authenticate(request: AuthRequest, later: (verdict: AuthVerdict) => void): AuthVerdict | null {
    return this.#inner.authenticate(request, (verdict) => {
      this.#host.engine.now = now();
      later(verdict);
      this.#host.afterCall();
    });
  }
}
