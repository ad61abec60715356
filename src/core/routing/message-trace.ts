/**
 * A message that is traced: what was asked for, and what was done with the message here. It lives as long as the
 * message is routed (`engine.tracing`); then the layer above makes it the message that is sent to `destination`.
 *
 * Subjects, headers and queue names are latin1 strings. There is one time for all, since all of it is one call.
 */
import type { Account } from "../account/account.ts";
import type { Millis } from "../contract.ts";
import type { Link } from "../link/link.ts";

export const TRACE_DEST = "Nats-Trace-Dest";
export const TRACE_HOP = "Nats-Trace-Hop";
/** In place of a destination: no server traces this message any more. No subject looks like this. */
export const TRACE_DISABLED = "trace disabled";

/** Why a receiver did not get the message, or why nothing more will be heard from it. */
export const TRACE_ERRORS = {
  noEcho: "Not delivered because of no echo",
  publishDenied: "Not delivered because publish denied for this subject",
  subscriptionDenied: "Not delivered because subscription denies this subject",
  subscriptionClosed: "Not delivered because subscription is closed",
  clientClosed: "Not delivered because client is closed",
  slowConsumer: "Not delivered because fast producer not stalled and consumer is slow",
  notSupportedOnly: "Not delivered because remote does not support message tracing",
  notSupported:
    "Message delivered but remote does not support message tracing so no trace event generated from there",
} as const;

export type TraceError = (typeof TRACE_ERRORS)[keyof typeof TRACE_ERRORS];

/** One thing that happened to the message; what does not apply is "". */
export type TraceStep = TraceIngress | TraceMapping | TraceImport | TraceEgress;

/** How it came in; always the first step, and the only one of a refused message. */
export interface TraceIngress {
  readonly type: "in";
  readonly link: Link;
  readonly account: string;
  readonly subject: string;
  readonly error: string;
}

export interface TraceMapping {
  readonly type: "sm";
  readonly to: string;
}

/** A service that is imported (`si`), or a stream (`se`, where `from` is ""); `account` is where it goes. */
export interface TraceImport {
  readonly type: "si" | "se";
  readonly account: string;
  readonly from: string;
  readonly to: string;
}

/** A receiver. */
export interface TraceEgress {
  readonly type: "eg";
  readonly link: Link;
  /** The place on the path of the server behind a leaf link. */
  readonly hop: string;
  /** The receiver's account, where it is another one than the message came in. */
  readonly account: string;
  readonly subject: string;
  readonly queue: string;
  readonly error: TraceError | "";
}

export interface TraceRequest {
  readonly destination: string;
  /** Nobody gets the message, other servers only to trace it there. */
  readonly only: boolean;
  /** The place of this server on the path, `1.2`; "" where the message was published. */
  readonly hop: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Of the message, with its header block. */
  readonly size: number;
  readonly at: Millis;
}

export class MessageTrace {
  readonly request: TraceRequest;
  readonly account: Account;
  /** Servers that the message was forwarded to. */
  hops = 0;
  /** Where a server that gets the message now sends its trace: `destination`, or the way back through an import. */
  via: string;
  readonly #steps: TraceStep[];

  constructor(request: TraceRequest, link: Link, subject: string, error: string) {
    this.request = request;
    this.account = link.account;
    this.via = request.destination;
    this.#steps = [{ type: "in", link, account: link.account.name, subject, error }];
  }

  get steps(): readonly TraceStep[] {
    return this.#steps;
  }

  /** Permissions refused the message. */
  refused(error: string): void {
    const [first] = this.#steps;
    if (first?.type === "in") this.#steps[0] = { ...first, error };
  }

  mapped(to: string): void {
    this.#steps.push({ type: "sm", to });
  }

  imported(type: "si" | "se", account: Account, from: string, to: string): void {
    this.#steps.push({ type, account: account.name, from, to });
  }

  delivered(
    link: Link,
    to: { readonly subject: string; readonly queue: string; readonly hop: string },
    error: TraceError | "",
  ): void {
    const account = link.account === this.account ? "" : link.account.name;
    this.#steps.push({ type: "eg", link, ...to, account, error });
  }

  /** The place on the path of the next server that the message goes to. */
  nextHop(): string {
    const { hop } = this.request;
    this.hops++;
    return hop === "" ? String(this.hops) : `${hop}.${this.hops}`;
  }
}
