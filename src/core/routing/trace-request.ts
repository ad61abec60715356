/**
 * Whether a message asks to be traced, and what comes of it. Only messages with headers are looked at: a scan
 * of the bytes finds the few that name one of two headers, and only those are read.
 */
import { goQuote, latin1, latin1Bytes } from "../bytes/ascii.ts";
import type { Engine } from "../engine.ts";
import { KIND_CLIENT, type Link } from "../link/link.ts";
import { headerEntries, VERSION_LINE, withHeader } from "../protocol/header-block.ts";
import type { Message } from "../protocol/message.ts";
import { isValidLiteral } from "../subject/subject.ts";
import { MessageTrace, TRACE_DEST, TRACE_DISABLED, TRACE_HOP } from "./message-trace.ts";
import { isReserved, mayAnswer, refusePublish } from "./publish.ts";
import { KEEP_REPLY, sameSubject } from "./rewrite.ts";

const TRACE_ONLY = "Nats-Trace-Only";
const ORIGIN_ACCOUNT = "Nats-Trace-Origin-Account";
const TOO_LARGE = "maximum payload exceeded";

/** What is looked for in a header block: the last twelve characters of both names, in any case. */
const PARENT = latin1Bytes("traceparent:");
const DEST = latin1Bytes("-trace-dest:");
const LENGTH = 12;
/** Set in small letters, and in none of the capitals. */
const SMALL = 32;
/** How far on a name can end next, by the byte that stands where one could end; 0 = one may end here. */
const SHIFTS = shiftsOf(PARENT, DEST);

/**
 * HOT PATH (messages with headers). Whether a name that asks for a trace stands somewhere in the header block.
 * Horspool's search for both names at once, which looks at few of the bytes.
 */
export function mayAskForTrace(m: Message): boolean {
  const { bytes } = m;
  const end = m.payloadStart + m.headerLength;
  let i = m.payloadStart + VERSION_LINE.length + LENGTH - 1;
  while (i < end) {
    const shift = SHIFTS[bytes[i] as number] as number;
    if (shift === 0 && (endsWith(PARENT, bytes, i) || endsWith(DEST, bytes, i))) return true;
    // A colon stands at the end of a name only.
    i += shift === 0 ? LENGTH : shift;
  }
  return false;
}

/** Whether a name ends at `last`; it may be taken for one where control characters stand in for it. */
function endsWith(name: Uint8Array, bytes: Uint8Array, last: number): boolean {
  for (let k = LENGTH - 1, i = last; k >= 0; k--, i--) {
    if (((bytes[i] as number) | SMALL) !== name[k]) return false;
  }
  return true;
}

function shiftsOf(...names: readonly Uint8Array[]): Uint8Array {
  const shifts = new Uint8Array(256).fill(LENGTH);
  for (const name of names) {
    for (const [k, code] of name.entries()) {
      const shift = Math.min(shifts[code] ?? LENGTH, LENGTH - 1 - k);
      shifts[code] = shift;
      // The same letter as a capital; what this is for other characters only shortens a step.
      shifts[code & ~SMALL] = Math.min(shifts[code & ~SMALL] ?? LENGTH, shift);
    }
  }
  return shifts;
}

/** Publishes a message of `link` by `publish`, traced if it asks for that and may. */
export function publishTraced(
  engine: Engine,
  link: Link,
  m: Message,
  publish: (link: Link, m: Message) => void,
): void {
  const block = latin1(m.bytes, m.payloadStart, m.payloadStart + m.headerLength);
  const decision = decide(engine, link, m, { block, error: "" });
  if (decision === "drop") return;
  if (decision === "ignore") {
    publish(link, m);
    return;
  }
  if (decision === "disable") {
    const header = withHeader(block, TRACE_DEST, TRACE_DISABLED);
    const marked = engine.rewriter.enter(m, sameSubject(m), KEEP_REPLY, header);
    if (marked === null) return;
    publish(link, marked);
    engine.rewriter.leave(m);
    return;
  }
  engine.tracing = decision;
  publish(link, m);
  engine.tracing = null;
  engine.observer.traced?.(decision);
}

/** A client's message is refused for its size; as much of its header as there is, up to `end`, may ask for a trace. */
export function traceOversized(engine: Engine, link: Link, m: Message, end: number): void {
  const stop = Math.min(end, m.payloadStart + m.headerLength);
  if (stop <= m.payloadStart) return;
  const block = latin1(m.bytes, m.payloadStart, stop);
  const decision = decide(engine, link, m, { block, error: TOO_LARGE });
  if (decision instanceof MessageTrace) engine.observer.traced?.(decision);
}

/** `ignore`: an ordinary message. `disable`: one that no other server may trace either. */
type Decision = "ignore" | "drop" | "disable" | MessageTrace;

function decide(
  engine: Engine,
  link: Link,
  m: Message,
  given: { readonly block: string; readonly error: string },
): Decision {
  const asked = readAsked(given.block);
  if (asked === null) return "ignore";
  const { headers, isExternal } = asked;
  const first = (name: string): string => headers.get(name)?.[0] ?? "";
  const only = !isExternal && /^(1|true|on)$/i.test(first(TRACE_ONLY));
  // What was sent to be traced only is not delivered because it cannot be traced.
  const untraced = only ? "drop" : "ignore";
  const origin = first(ORIGIN_ACCOUNT);
  if (origin !== "") {
    const header = `header ${goQuote(ORIGIN_ACCOUNT)} with value=${goQuote(origin)}`;
    engine.log("error", link, `Message tracing disabled because of ${header}`);
    return only ? "drop" : "disable";
  }
  let destination = first(TRACE_DEST);
  if (isExternal) {
    const { msgTrace } = link.account;
    if (msgTrace === null) return "ignore";
    if (link.kind === KIND_CLIENT && !isSampled(engine, msgTrace.sampling)) return "disable";
    destination = msgTrace.destination;
  }
  if (!isValidLiteral(destination)) {
    const quoted = goQuote(destination);
    engine.log("error", link, `Destination ${quoted} is not valid, won't be able to trace events`);
    return untraced;
  }
  if (!mayTraceTo(engine, link, destination)) {
    refusePublish(engine, link, destination);
    return "drop";
  }
  const hop = link.kind === KIND_CLIENT ? "" : first(TRACE_HOP);
  const request = { destination, only, hop, headers, size: m.size, at: engine.now };
  const subject = latin1(m.bytes, m.subjectStart, m.subjectEnd);
  return new MessageTrace(request, link, subject, given.error);
}

/** What a header block asks for; `isExternal`: by `traceparent` alone. Null: no trace. */
function readAsked(
  block: string,
): { readonly headers: Map<string, string[]>; readonly isExternal: boolean } | null {
  const headers = new Map<string, string[]>();
  let hasDestination = false;
  let hasParent = false;
  for (const [name, value] of headerEntries(block) ?? []) {
    if (!hasParent && /^traceparent$/i.test(name)) hasParent = isSampledParent(value);
    else if (!hasDestination && name === TRACE_DEST) {
      if (value === TRACE_DISABLED) return null;
      hasDestination = true;
    }
    const values = headers.get(name);
    if (values === undefined) headers.set(name, [value]);
    else values.push(value);
  }
  if (!hasDestination && !hasParent) return null;
  return { headers, isExternal: !hasDestination };
}

/** W3C trace context: four parts, the last one flags with the lowest bit set. As Go's eight-bit numbers: up to 7f. */
function isSampledParent(value: string): boolean {
  const parts = value.split("-");
  return parts.length === 4 && /^[0-7+][13579bdf]$/i.test(parts[3] ?? "");
}

function isSampled(engine: Engine, percent: number): boolean {
  return percent >= 100 || engine.world.random() * 100 < percent;
}

/** A trace goes where its sender could publish to. */
function mayTraceTo(engine: Engine, link: Link, destination: string): boolean {
  if (isReserved(engine, link, destination)) return false;
  const { leaf } = link;
  if (leaf !== null) {
    const filters = [leaf.receiveFilter, leaf.isSpoke ? leaf.quietReceive : null];
    return filters.every((filter) => filter === null || filter.allows(destination));
  }
  const filter = link.publishFilter;
  return filter === null || filter.allows(destination) || mayAnswer(engine, link, destination);
}
