/**
 * HOT PATH (every delivery row of the bench). One frame for one subscription: the head `MSG subject sid `, and
 * then the rest of the incoming frame as it stands. `deliver.ts` says who gets one.
 */
import type { Engine } from "../engine.ts";
import { KIND_INTERNAL, type Link, type Subscription } from "../link/link.ts";
import { copyBytes, type Outbox } from "../link/outbound.ts";
import { traceDelivery } from "../link/trace.ts";
import type { Slab } from "../bytes/pool.ts";
import type { Message } from "../protocol/message.ts";
import { deliverChecked, deliverInternal, stripped } from "./deliver-checked.ts";

/** From here on receivers get a slice of the incoming payload instead of a copy. */
export const SLICE_MIN = 32 * 1024;
const DOLLAR = 36;
export const UPPER_H = 72;
/** `MSG ` as a little-endian word. */
export const MSG_AND_BLANK = 0x2047534d;
/** Room for a control line besides subject, sid and the rest: verbs, blanks, numbers. */
export const LINE_ROOM = 64;

/** One frame of its own for one subscription of a client or the server itself; 1 if it was taken. */
export function deliverToSub(
  engine: Engine,
  source: Link | null,
  m: Message,
  sub: Subscription,
  queue: string,
): number {
  const link = sub.link;
  if (sub.closed || (link === source && !link.echo)) return 0;
  if (link.kind === KIND_INTERNAL) return deliverInternal(engine, source, m, sub, queue);
  if (link.checksDelivery && !deliverChecked(engine, link, m, queue)) return 0;
  writeMsg(engine, link, m, sub.sidPart);
  sub.delivered++;
  countOut(engine, link, m.size);
  if (engine.options.trace) traceDelivery(engine, link, m, sub.sid);
  if (sub.max > 0 && sub.delivered >= sub.max) engine.autoUnsubscribe(sub);
  return 1;
}

export function countOut(engine: Engine, link: Link, size: number): void {
  link.outMsgs++;
  link.outBytes += size;
  if (!link.dirty) engine.markDirty(link);
  if (link.out.closedBytes !== 0) engine.checkPending(link);
}

/** `MSG subject sid ` and then the rest of the incoming frame as it stands. */
function writeMsg(engine: Engine, link: Link, m: Message, sidPart: Uint8Array): void {
  const out = link.out;
  if (m.headerEnd !== 0 && !link.headers) {
    stripped(out, m, sidPart);
    return;
  }
  if (m.size >= SLICE_MIN) {
    writeSliced(engine, out, m, sidPart);
    return;
  }
  const room = m.frameEnd - m.subjectStart + sidPart.length + LINE_ROOM;
  const target = out.reserve(room);
  const at = writeHead(target, out.position, m, sidPart);
  out.advance(
    m.restStart >= 0
      ? copyBytes(target, at, m, m.restStart, m.frameEnd)
      : writeRest(target, at, m, m.frameEnd),
  );
}

export function writeHead(target: Slab, at: number, m: Message, sidPart: Uint8Array): number {
  const out = target.bytes;
  if (m.headerEnd !== 0) out[at++] = UPPER_H;
  target.view.setInt32(at, MSG_AND_BLANK, true);
  at = copyBytes(target, at + 4, m, m.subjectStart, m.subjectEnd);
  for (let i = 0; i < sidPart.length; i++) out[at++] = sidPart[i] as number;
  return at;
}

/** `[reply ][header ]size CRLF` by token and then the payload up to `end`, where the line was not canonical. */
export function writeRest(target: Slab, at: number, m: Message, end: number): number {
  if (m.replyEnd !== 0) {
    at = copyBytes(target, at, m, m.replyStart, m.replyEnd);
    target.bytes[at++] = 32;
  }
  return writeSizes(target, at, m, end);
}

export function writeSizes(target: Slab, at: number, m: Message, end: number): number {
  const out = target.bytes;
  if (m.headerEnd !== 0) {
    at = copyBytes(target, at, m, m.headerStart, m.headerEnd);
    out[at++] = 32;
  }
  at = copyBytes(target, at, m, m.sizeStart, m.sizeEnd);
  out[at++] = 13;
  out[at++] = 10;
  return end > m.payloadStart ? copyBytes(target, at, m, m.payloadStart, end) : at;
}

/** A large payload is not copied per receiver: the outbox keeps a slice of the incoming buffer. */
function writeSliced(engine: Engine, out: Outbox, m: Message, sidPart: Uint8Array): void {
  const room = m.payloadStart - m.subjectStart + sidPart.length + LINE_ROOM;
  const target = out.reserve(room);
  const at = writeHead(target, out.position, m, sidPart);
  out.advance(writeRest(target, at, m, 0));
  appendPayload(engine, out, m);
}

/** Payload and its CRLF as a piece of what the message stands in; it gets a buffer of its own if need be. */
export function appendPayload(engine: Engine, out: Outbox, m: Message): void {
  if (!m.owned) m.own(engine.pool);
  out.appendPiece(m.bytes.subarray(m.payloadStart, m.frameEnd), m.slab);
}

/** JetStream's API, which stays on its side of a link between domains, and everything else that starts with `$`. */
export function mayBeReserved(m: Message): boolean {
  return m.bytes[m.subjectStart] === DOLLAR;
}
