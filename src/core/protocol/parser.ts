/**
 * HOT PATH (every bench row). Bytes in, operations out. Units are parsed where they stand in the read chunk;
 * only a unit that spans chunks is assembled in the link's `ParseState.carry`, a payload once, into a buffer
 * of its announced size.
 *
 * Three outcomes per unit: it was applied, the link is closing, or more bytes are needed. What a peer sends
 * never throws.
 */
import type { BufferPool, Slab } from "../bytes/pool.ts";
import type { Link } from "../link/link.ts";
import { type Message, sameBytes, scanMessageLine } from "./message.ts";
import type { Run } from "../routing/run.ts";
import type { ParseState } from "./parse-state.ts";
import { matchVerb, type Verb, type VerbForm, VERB_NEEDS_MORE, VERB_UNKNOWN } from "./verbs.ts";

/** What the parser asks of the protocol of one kind of link. Every method may close the link. */
export interface Protocol {
  readonly verbs: readonly VerbForm[];
  /** `PUB ` of clients or `LMSG ` of leaves, upper case: what the fast path looks for. */
  readonly fastVerb: Uint8Array;
  readonly seed: number;
  readonly message: Message;
  readonly run: Run;
  /** False if the first byte of an operation must not be looked at further (CONNECT has not come). */
  admits(link: Link, firstByte: number): boolean;
  maxControlLine(link: Link): number;
  /** Checks a message's announced size against the link's limit, before its payload, here up to `end`, is read. */
  checkSize(link: Link, size: number, end: number): boolean;
  /** Applies a whole message in `this.message`. */
  publish(link: Link): void;
  /**
   * A control line of a verb with arguments, `[start, end)` without its line end. For message verbs it fills
   * `this.message` and returns true; the parser goes on to the payload.
   */
  line(link: Link, verb: Verb, bytes: Uint8Array, start: number, end: number): boolean;
  bare(link: Link, verb: Verb): void;
  unknownOperation(link: Link, bytes: Uint8Array, at: number, end: number): void;
  controlLineExceeded(link: Link): void;
}

const NEEDS_MORE = -1;

/** Feeds a chunk. Returns how many bytes were taken: fewer than all only if the link stopped being active. */
export function parseChunk(
  protocol: Protocol,
  link: Link,
  chunk: Uint8Array,
  pool: BufferPool,
): number {
  const state = link.parse;
  let at = 0;
  while (state.carry !== null || state.skipping !== null) {
    if (state.skipping !== null) {
      at = skipLine(protocol, link, state, chunk, at);
      if (state.skipping !== null || stopped(link)) return at;
      break;
    }
    const before = at;
    at = refill(protocol, link, state, chunk, at, pool);
    if (stopped(link)) return at;
    if (state.carry !== null && at >= chunk.length && (before === at || !complete(state)))
      return at;
  }
  if (at >= chunk.length) return at;
  protocol.message.use(chunk);
  at = parseUnits(protocol, link, chunk, at, chunk.length);
  if (at < chunk.length && !stopped(link)) {
    stash(state, chunk, at, pool);
    return chunk.length;
  }
  return at;
}

function stopped(link: Link): boolean {
  return link.state === "closing" || link.state === "closed" || link.state === "authenticating";
}

function complete(state: ParseState): boolean {
  return state.need > 0 && state.length >= state.need;
}

/** Moves bytes from the chunk to the carry until its unit is whole, then parses the carry. */
function refill(
  protocol: Protocol,
  link: Link,
  state: ParseState,
  chunk: Uint8Array,
  from: number,
  pool: BufferPool,
): number {
  let stop: number;
  if (state.need > 0) stop = Math.min(chunk.length, from + state.need - state.length);
  else {
    const lf = chunk.indexOf(10, from);
    stop = lf < 0 ? chunk.length : lf + 1;
  }
  const carry = addToCarry(state, chunk, from, stop, pool);
  const length = state.length;
  // One byte before the end of its unit a payload can already be seen to lack its CR.
  if (state.need > 0 && length < state.need - 1) return stop;
  // The unit owns its buffer: a large payload may be kept by receivers without copying it.
  state.carry = null;
  state.length = 0;
  state.need = 0;
  const m = protocol.message;
  const owned = m.owned;
  m.owned = true;
  carry.hold();
  m.useSlab(carry);
  const done = parseUnits(protocol, link, carry.bytes, 0, length);
  m.release();
  m.owned = owned;
  if (!stopped(link) && done < length) {
    state.carry = carry;
    state.length = length;
  } else carry.drop();
  return stop;
}

function addToCarry(
  state: ParseState,
  chunk: Uint8Array,
  from: number,
  stop: number,
  pool: BufferPool,
): Slab {
  let carry = state.carry as Slab;
  const wanted = Math.max(state.need, state.length + stop - from);
  if (wanted > carry.bytes.length) {
    const bigger = pool.fit(wanted);
    bigger.bytes.set(carry.bytes.subarray(0, state.length));
    carry.drop();
    carry = state.carry = bigger;
  }
  carry.bytes.set(chunk.subarray(from, stop), state.length);
  state.length += stop - from;
  return carry;
}

/** Keeps the start of a unit; `state.need` was set by the parser if the control line is whole. */
function stash(state: ParseState, chunk: Uint8Array, at: number, pool: BufferPool): void {
  const length = chunk.length - at;
  const carry = pool.fit(Math.max(length, state.need));
  carry.bytes.set(chunk.subarray(at));
  state.carry = carry;
  state.length = length;
}

function skipLine(
  protocol: Protocol,
  link: Link,
  state: ParseState,
  chunk: Uint8Array,
  from: number,
): number {
  const lf = chunk.indexOf(10, from);
  if (lf < 0) return chunk.length;
  const verb = state.skipping as Verb;
  state.skipping = null;
  protocol.bare(link, verb);
  return lf + 1;
}

/** Parses units of the bytes that the message uses from `at`; returns the start of the first unfinished one, or `end`. */
function parseUnits(
  protocol: Protocol,
  link: Link,
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  const m = protocol.message;
  const fast = protocol.fastVerb;
  const f0 = fast[0] as number;
  const fastLength = fast.length;
  // A run of messages with the same control line needs its first one parsed only.
  let lineAt = -1;
  let lineLength = 0;
  const owned = m.owned;
  const run = protocol.run;
  run.close();
  while (at < end) {
    if (m.bytes !== bytes) {
      // Delivery moved the last message to a buffer of its own.
      m.use(bytes);
      m.owned = owned;
      lineAt = -1;
    }
    if (lineAt >= 0 && at + lineLength < end && sameBytes(m.view, lineAt, at, lineLength)) {
      if (run.isOpen) {
        // `m` stays at the run's first line.
        const payload = m.payloadStart + at - lineAt;
        const close = payload + m.size;
        if (close + 2 <= end && bytes[close] === 13 && bytes[close + 1] === 10) {
          run.append(m, payload, close + 2);
          at = close + 2;
          if (link.state !== "active") return at;
          continue;
        }
        run.close();
      }
      m.shift(at - lineAt);
      const next = payloadOf(protocol, link, bytes, at, end);
      if (next < 0) return at;
      lineAt = m.bytes === bytes ? at : -1;
      at = next;
      if (link.state !== "active") return at;
      if (lineAt >= 0) run.open(link, m);
      continue;
    }
    run.close();
    if (bytes[at] === f0 && link.state === "active" && startsWith(bytes, at, end, fast)) {
      const payload = scanMessageLine(m, bytes, at + fastLength, end, protocol.seed);
      if (payload >= 0 && payload - 2 - at - fastLength <= protocol.maxControlLine(link)) {
        m.queues = null;
        const next = payloadOf(protocol, link, bytes, at, end);
        if (next < 0) return at;
        lineAt = m.bytes === bytes ? at : -1;
        lineLength = payload - at;
        at = next;
        if (link.state !== "active") return at;
        continue;
      }
    }
    lineAt = -1;
    const next = slowUnit(protocol, link, bytes, at, end);
    if (next === NEEDS_MORE) return at;
    at = next;
    if (stopped(link)) return at;
  }
  return at;
}

function startsWith(bytes: Uint8Array, at: number, end: number, verb: Uint8Array): boolean {
  if (at + verb.length > end) return false;
  for (let i = 1; i < verb.length; i++) if (bytes[at + i] !== verb[i]) return false;
  return true;
}

function needMore(link: Link): number {
  link.parse.need = 0;
  return NEEDS_MORE;
}

/** `protocol.message` has its line; applies it once the payload is whole. Returns the next unit, or -1. */
function payloadOf(
  protocol: Protocol,
  link: Link,
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  const m = protocol.message;
  const size = m.size;
  if (!protocol.checkSize(link, size, end)) return end;
  const close = m.payloadStart + size;
  if (close + 2 > end) {
    // A wrong byte where CR LF must stand is judged as soon as it is there.
    if (close < end && bytes[close] !== 13) {
      protocol.unknownOperation(link, bytes, close, end);
      return end;
    }
    link.parse.need = close + 2 - at;
    return NEEDS_MORE;
  }
  if (bytes[close] !== 13 || bytes[close + 1] !== 10) {
    protocol.unknownOperation(link, bytes, close, end);
    return end;
  }
  m.frameEnd = close + 2;
  protocol.publish(link);
  return close + 2;
}

/** Everything but the canonical message line. */
function slowUnit(
  protocol: Protocol,
  link: Link,
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  if (!protocol.admits(link, bytes[at] as number)) return end;
  const index = matchVerb(protocol.verbs, bytes, at, end);
  if (index === VERB_UNKNOWN) {
    protocol.unknownOperation(link, bytes, at, end);
    return end;
  }
  if (index === VERB_NEEDS_MORE) return needMore(link);
  const form = protocol.verbs[index];
  if (form === undefined) return end;
  const from = at + form.upper.length;
  let start = from;
  const lf = indexOfLf(bytes, start, end);
  if (form.bare) {
    if (lf < 0) {
      link.parse.skipping = form.verb;
      return end;
    }
    protocol.bare(link, form.verb);
    return lf + 1;
  }
  while (start < end && (bytes[start] === 32 || bytes[start] === 9)) start++;
  const limit = protocol.maxControlLine(link);
  // Blanks in front are no part of the argument, but they are kept until the line is whole.
  if (start - from > limit) {
    protocol.controlLineExceeded(link);
    return end;
  }
  if (lf < 0) {
    if (end - start > limit + (bytes[end - 1] === 13 ? 1 : 0)) {
      protocol.controlLineExceeded(link);
      return end;
    }
    return needMore(link);
  }
  const stop = lineEnd(bytes, start, lf);
  if (stop - start > limit) {
    protocol.controlLineExceeded(link);
    return end;
  }
  if (!protocol.line(link, form.verb, bytes, start, stop)) return lf + 1;
  protocol.message.payloadStart = lf + 1;
  return payloadOf(protocol, link, bytes, at, end);
}

function indexOfLf(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) if (bytes[i] === 10) return i;
  return -1;
}

/** A CR anywhere in the argument costs exactly one byte at its end, as in nats-server's parser. */
function lineEnd(bytes: Uint8Array, start: number, lf: number): number {
  if (lf > start && bytes[lf - 1] === 13) return lf - 1;
  for (let i = start; i < lf; i++) if (bytes[i] === 13) return lf - 1;
  return lf;
}
