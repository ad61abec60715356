/**
 * Auth callout in a running server: questions go out on the callout account's subject space, answers come back
 * on a reply subject of this server's own.
 */
import {
  CALLOUT_SUBJECT,
  CALLOUT_XKEY_HEADER,
  CalloutAuthenticator,
  type CalloutBase,
  type CalloutRequest,
  type CalloutWorld,
  type CurveKey,
} from "../auth/index.ts";
import { latin1Bytes, type Millis } from "../core/index.ts";
import type { AuthenticationHost } from "./authentication.ts";
import { now } from "./clock.ts";

/** The keys by which this server signs and seals. */
export interface ServerKeys {
  /** `SN…`. */
  readonly seed: string;
  readonly curve: CurveKey;
}

export class Callout implements CalloutWorld {
  readonly authenticator: CalloutAuthenticator;
  readonly crypto: CalloutWorld["crypto"];
  readonly log: CalloutWorld["log"];
  readonly seed: string;
  readonly curve: CurveKey;
  readonly #host: AuthenticationHost;
  readonly #inbox: string;
  /** Callout accounts in which the reply subjects are subscribed to. */
  readonly #listening = new Set<string>();
  #lastReply = 0;

  constructor(base: CalloutBase, host: AuthenticationHost, keys: ServerKeys) {
    this.#host = host;
    this.crypto = host.crypto;
    this.log = host.log;
    this.seed = keys.seed;
    this.curve = keys.curve;
    this.#inbox = `$SYS._INBOX.${Buffer.from(host.crypto.randomBytes(9)).toString("base64url")}`;
    this.authenticator = new CalloutAuthenticator(base, this);
  }

  get timeout(): Millis {
    return this.#host.engine.options.authTimeout;
  }

  get systemAccount(): string {
    return this.#host.engine.options.systemAccount;
  }

  server(): ReturnType<CalloutWorld["server"]> {
    const { serverId, serverName, host, version, clusterName } = this.#host.engine.options;
    const { serverTags } = this.#host.options;
    return {
      name: serverName,
      host,
      id: serverId,
      version,
      cluster: clusterName,
      tags: serverTags,
    };
  }

  hasAccount(name: string): boolean {
    const { accounts } = this.#host.options;
    const { systemAccount } = this.#host.engine.options;
    return (
      name === "$G" || name === systemAccount || accounts?.some((one) => one.name === name) === true
    );
  }

  newReply(): string {
    return `${this.#inbox}.${++this.#lastReply}`;
  }

  /** Goes out when the engine is done with the CONNECT that asks. */
  publishRequest(request: CalloutRequest): void {
    queueMicrotask(() => this.#publish(request));
  }

  startTimer(delay: Millis, fire: () => void): () => void {
    const timer = setTimeout(() => {
      this.#host.engine.now = now();
      fire();
      this.#host.afterCall();
    }, delay);
    return () => clearTimeout(timer);
  }

  #publish({ account: name, payload, reply, xkey }: CalloutRequest): void {
    const { engine } = this.#host;
    const account = engine.account(name);
    if (!this.#listening.has(name)) {
      this.#listening.add(name);
      engine.subscribeInternal(account, `${this.#inbox}.*`, "", ({ subject, payload: answer }) =>
        queueMicrotask(() => {
          engine.now = now();
          this.authenticator.onResponse(subject, answer);
          this.#host.afterCall();
        }),
      );
    }
    const header =
      xkey === "" ? null : latin1Bytes(`NATS/1.0\r\n${CALLOUT_XKEY_HEADER}: ${xkey}\r\n\r\n`);
    const message = { account, subject: CALLOUT_SUBJECT, reply, header, payload };
    engine.publish({ ...message, source: null, queues: null }, now());
    this.#host.afterCall();
  }
}
