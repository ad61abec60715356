/**
 * Delivery of a message that is traced: each receiver by itself, and what became of it noted. Off the hot path:
 * `engine.tracing` is null for all other messages.
 */
import { latin1 } from "../bytes/ascii.ts";
import type { MatchResult } from "../account/match-result.ts";
import type { Engine } from "../engine.ts";
import { KIND_INTERNAL, type Link, type Subscription } from "../link/link.ts";
import { withHeader } from "../protocol/header-block.ts";
import type { Message } from "../protocol/message.ts";
import { holdsBack } from "./deliver-checked.ts";
import { deliverToSub } from "./deliver-one.ts";
import { TRACE_ERRORS, TRACE_HOP, type TraceError } from "./message-trace.ts";
import { KEEP_REPLY, sameSubject } from "./rewrite.ts";

/** Peers from this level of the protocol between servers on trace what they get. */
const TRACING_PROTO = 3;

/** A receiver as its trace names it. */
export interface TracedNames {
  readonly subject: string;
  readonly queue: string;
}

/** The plain subscriptions of clients and of the server itself. */
export function deliverPlainTraced(
  engine: Engine,
  source: Link | null,
  result: MatchResult,
): number {
  let delivered = 0;
  for (const sub of result.singles) delivered += deliverTraced(engine, source, sub, "");
  for (const { subs } of result.fans) {
    for (const sub of subs) delivered += deliverTraced(engine, source, sub, "");
  }
  return delivered;
}

/** One subscription of a client or the server itself; 1 if it got the message, or would have. */
export function deliverTraced(
  engine: Engine,
  source: Link | null,
  sub: Subscription,
  queue: string,
  subject: string = sub.subject,
): number {
  const trace = engine.tracing;
  const m = engine.message;
  const { link } = sub;
  // Services work also if nobody shall get the message: what they pass on is traced in its turn.
  if (trace === null || link.kind === KIND_INTERNAL) {
    return deliverToSub(engine, source, m, sub, queue);
  }
  const error = faultOf(engine, source, sub, queue);
  if (error === "" && !trace.request.only) deliverToSub(engine, source, m, sub, queue);
  trace.delivered(link, { subject, queue, hop: "" }, error);
  return error === "" ? 1 : 0;
}

function faultOf(
  engine: Engine,
  source: Link | null,
  sub: Subscription,
  queue: string,
): TraceError | "" {
  const { link } = sub;
  if (link === source && !link.echo) return TRACE_ERRORS.noEcho;
  if (link.checksDelivery && holdsBack(engine, link, engine.message, queue)) {
    return TRACE_ERRORS.subscriptionDenied;
  }
  if (sub.closed) return TRACE_ERRORS.subscriptionClosed;
  return engine.isOpen(link) ? "" : TRACE_ERRORS.clientClosed;
}

/** A leaf link: its peer is told its place on the path. `send` sends the message as it is given. */
export function deliverTracedToLeaf(
  engine: Engine,
  link: Link,
  m: Message,
  send: (m: Message) => number,
): number {
  const trace = engine.tracing;
  const { leaf } = link;
  if (trace === null || leaf === null) return send(m);
  const to = { subject: "", queue: "", hop: trace.nextHop() };
  const isSupported = leaf.proto >= TRACING_PROTO;
  // It would deliver what is to be traced only.
  if (trace.request.only && !isSupported) {
    trace.delivered(link, to, TRACE_ERRORS.notSupportedOnly);
    return 0;
  }
  const block = latin1(m.bytes, m.payloadStart, m.payloadStart + m.headerLength);
  const header = withHeader(block, TRACE_HOP, to.hop);
  const { droppedMsgs } = leaf.output;
  const view = engine.rewriter.enter(m, sameSubject(m), KEEP_REPLY, header);
  if (view === null) return 0;
  const delivered = send(view);
  engine.rewriter.leave(m);
  let error: TraceError | "" = isSupported ? "" : TRACE_ERRORS.notSupported;
  if (delivered === 0) error = TRACE_ERRORS.publishDenied;
  else if (leaf.output.droppedMsgs > droppedMsgs) error = TRACE_ERRORS.slowConsumer;
  trace.delivered(link, to, error);
  return delivered;
}
