/**
 * HOT PATH (bench rows "through a mapping", "through a service import"). A message under another subject, with
 * another reply or header: laid out in a view of its own beside the engine's, which is put back afterwards.
 *
 * Views are kept by depth (an import may lead to another one) and their buffers are used again, except for
 * payloads that receivers keep slices of: those get a buffer to themselves, once for all receivers.
 */
import { copyOf } from "../bytes/ascii.ts";
import type { Engine } from "../engine.ts";
import { Slab } from "../bytes/pool.ts";
import { copyBytes } from "../link/outbound.ts";
import { Message } from "../protocol/message.ts";

/** Chains of imports are refused by configuration long before; this is the last line of defence. */
const DEPTH_MAX = 32;
/** As for outboxes: from here on receivers keep slices. */
const SLICE_MIN = 32 * 1024;
const FIRST_SIZE = 4096;
/** Blanks, CRLF and the digits of two lengths. */
const LINE_ROOM = 32;

/** A subject as it is written, with its hash. */
export interface SubjectBytes {
  readonly bytes: Uint8Array;
  readonly hash: number;
}

/** In place of a subject: that of `m`. */
export function sameSubject(m: Message): SubjectBytes {
  return { bytes: copyOf(m.bytes, m.subjectStart, m.subjectEnd), hash: m.hash };
}

/** In place of a reply: leave it as it is. */
export const KEEP_REPLY: Uint8Array = new Uint8Array(0);

class View {
  readonly message = new Message();
  slab = new Slab(new Uint8Array(FIRST_SIZE));

  room(length: number): Slab {
    if (length > this.slab.bytes.length) {
      this.slab = new Slab(new Uint8Array(Math.max(length, 2 * this.slab.bytes.length)));
    }
    return this.slab;
  }
}

export class Rewriter {
  readonly #engine: Engine;
  readonly #own: Message;
  readonly #views: View[] = [];
  /** How many rewritten messages are being delivered, one inside the other. */
  depth = 0;
  /** How many of them are requests or responses of services, which stream imports do not take. */
  services = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#own = engine.message;
  }

  /**
   * Makes `m` under another subject the engine's message; null if imports are nested too deep. `reply` null
   * takes the reply off, `header` null keeps the header block. Must be followed by `leave`.
   */
  enter(
    m: Message,
    subject: SubjectBytes,
    reply: Uint8Array | null,
    header: Uint8Array | null,
  ): Message | null {
    if (this.depth >= DEPTH_MAX) return null;
    let view = this.#views[this.depth];
    if (view === undefined) this.#views.push((view = new View()));
    this.depth++;
    const out = view.message;
    layOut(this.#engine, view, m, subject, reply, header);
    this.#engine.message = out;
    return out;
  }

  /** After an error nothing is being delivered any more: the engine's own view is its message again. */
  reset(): void {
    this.depth = this.services = 0;
    this.#engine.tracing = null;
    this.#engine.message = this.#own;
  }

  /** `m` is the engine's message again. */
  leave(m: Message): void {
    this.depth--;
    this.#engine.message.release();
    this.#engine.message = m;
  }
}

function layOut(
  engine: Engine,
  view: View,
  m: Message,
  subject: SubjectBytes,
  reply: Uint8Array | null,
  header: Uint8Array | null,
): void {
  const o = view.message;
  const kept = reply === KEEP_REPLY;
  const replyLength = kept ? m.replyEnd - m.replyStart : reply === null ? 0 : reply.length;
  const headerLength = header === null ? m.headerLength : header.length;
  const bodyStart = header === null ? m.payloadStart : m.payloadStart + m.headerLength;
  const size = m.size - m.headerLength + headerLength;
  const room = subject.bytes.length + replyLength + size + LINE_ROOM;
  let target: Slab;
  if (size >= SLICE_MIN) {
    target = engine.pool.fit(room);
    o.slab = target;
    o.owned = true;
  } else {
    target = view.room(room);
    o.owned = false;
  }
  const out = target.bytes;
  let at = put(out, 0, subject.bytes);
  o.subjectStart = 0;
  o.subjectEnd = at;
  o.hash = subject.hash;
  o.entry = null;
  out[at++] = 32;
  o.restStart = at;
  if (replyLength === 0) o.replyStart = o.replyEnd = 0;
  else {
    o.replyStart = at;
    at = kept
      ? copyBytes(target, at, m, m.replyStart, m.replyEnd)
      : put(out, at, reply as Uint8Array);
    o.replyEnd = at;
    out[at++] = 32;
  }
  if (headerLength === 0) o.headerStart = o.headerEnd = 0;
  else {
    o.headerStart = at;
    at = putNumber(out, at, headerLength);
    o.headerEnd = at;
    out[at++] = 32;
  }
  o.headerLength = headerLength;
  o.sizeStart = at;
  at = putNumber(out, at, size);
  o.sizeEnd = at;
  o.size = size;
  out[at++] = 13;
  out[at++] = 10;
  o.payloadStart = at;
  if (header !== null) at = put(out, at, header);
  // The payload's CRLF comes along.
  at = copyBytes(target, at, m, bodyStart, m.frameEnd);
  o.frameEnd = at;
  o.bytes = out;
  o.view = target.view;
  o.queues = m.queues;
}

function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  const length = bytes.length;
  if (length > 96) {
    out.set(bytes, at);
    return at + length;
  }
  for (let i = 0; i < length; i++) out[at++] = bytes[i] as number;
  return at;
}

function putNumber(out: Uint8Array, at: number, n: number): number {
  let digits = 1;
  for (let power = 10; n >= power; power *= 10) digits++;
  let rest = n;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    out[i] = 48 + rest - next * 10;
    rest = next;
  }
  return at + digits;
}
