/**
 * HOT PATH (every delivery row of the bench). From a message and what its subject leads to, to bytes in
 * outboxes. Nothing is written to a transport here: the engine flushes once per read chunk.
 *
 * Order of work: plain subscribers, then queue groups (one member each, local ones first), then leaf links,
 * each with at most one copy, whatever the number of subscriptions behind it.
 */
import { latin1 } from "../bytes/ascii.ts";
import type { Fan, Match, QueueGroup } from "../account/match-result.ts";
import type { Engine } from "../engine.ts";
import { admits } from "../link/leaf-pressure.ts";
import { KIND_LEAF, type Link, type Subscription } from "../link/link.ts";
import type { Slab } from "../bytes/pool.ts";
import { type Batch, copyBytes } from "../link/outbound.ts";
import { traceDelivery } from "../link/trace.ts";
import type { LeafState } from "../link/leaf-state.ts";
import type { Message } from "../protocol/message.ts";
import { enterForPeer } from "./leaf-identity.ts";
import { stripped } from "./deliver-checked.ts";
import {
  appendPayload,
  countOut,
  deliverToSub,
  LINE_ROOM,
  mayBeReserved,
  MSG_AND_BLANK,
  SLICE_MIN,
  UPPER_H,
  writeHead,
  writeRest,
  writeSizes,
} from "./deliver-one.ts";
import { deliverPlainTraced, deliverTracedToLeaf } from "./deliver-traced.ts";
import { chooseMember } from "./queue-group.ts";

const UPPER_L = 76;
/** `LMSG `, which a frame has besides its subject and the rest. */
const LMSG_ROOM = 5;

/**
 * A receiver whose outbox is made of so many ranges (a chunk with messages of many subjects) shares no further
 * batch: each would be a buffer of its own, and a range of it, for a few bytes.
 */
const RANGES_MAX = 64;

/** Delivers `engine.message` to everyone in `match`. Returns how many got it (a leaf link counts once). */
export function deliver(engine: Engine, source: Link | null, match: Match): number {
  const m = engine.message;
  const result = match.result;
  let delivered = 0;
  if (engine.tracing === null) {
    const { singles, fans } = result;
    for (let i = 0; i < singles.length; i++) {
      delivered += deliverToSub(engine, source, m, singles[i] as Subscription, "");
    }
    for (let i = 0; i < fans.length; i++)
      delivered += deliverToFan(engine, source, m, fans[i] as Fan);
  } else delivered = deliverPlainTraced(engine, source, result);
  if (result.queues.length > 0) delivered += deliverToQueues(engine, source, m, match);
  else if (result.leaves.length > 0) delivered += deliverToLeaves(engine, source, m, match);
  return delivered;
}

/** One encoded frame for all subscribers of a fan, or one each where that cannot be. */
function deliverToFan(engine: Engine, source: Link | null, m: Message, fan: Fan): number {
  const subs = fan.subs;
  if (m.size >= SLICE_MIN || (m.headerEnd !== 0 && !fan.headers) || engine.options.trace) {
    // A large payload is kept once, for all of them.
    if (!m.owned && m.size >= SLICE_MIN) m.own(engine.pool);
    let delivered = 0;
    for (let i = 0; i < subs.length; i++) {
      delivered += deliverToSub(engine, source, m, subs[i] as Subscription, "");
    }
    return delivered;
  }
  const batch = fan.batch;
  let delivered = 0;
  let alone = 0;
  for (let i = 0; i < subs.length; i++) {
    const sub = subs[i] as Subscription;
    const link = sub.link;
    if (sub.closed) continue;
    if (link === source && !link.echo) {
      // What is appended to the batch from now on is not for it.
      if (link.out.tail === batch) link.out.settle();
      continue;
    }
    if (link.out.tail !== batch) {
      if (link.out.chunks >= RANGES_MAX) {
        alone += deliverToSub(engine, source, m, sub, "");
        continue;
      }
      link.out.follow(batch);
    }
    sub.delivered++;
    link.outMsgs++;
    link.outBytes += m.size;
    if (!link.dirty) engine.markDirty(link);
    delivered++;
  }
  if (delivered === 0) return alone;
  if (batch.length === 0) engine.openBatch(batch);
  const sidPart = (subs[0] as Subscription).sidPart;
  const target = batch.reserve(m.frameEnd - m.subjectStart + sidPart.length + LINE_ROOM);
  const at = writeHead(target, batch.length, m, sidPart);
  batch.length =
    m.restStart >= 0
      ? copyBytes(target, at, m, m.restStart, m.frameEnd)
      : writeRest(target, at, m, m.frameEnd);
  return delivered + alone;
}

function deliverToQueues(engine: Engine, source: Link | null, m: Message, match: Match): number {
  const groups = match.result.queues;
  let delivered = 0;
  let behindLeaves: Map<Link, QueueGroup[]> | null = null;
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i] as QueueGroup;
    if (m.queues !== null && !m.queues.includes(group.name)) continue;
    const sub = chooseMember(engine, source, m, group);
    if (sub === null) continue;
    if (sub.link.kind !== KIND_LEAF) {
      delivered++;
      continue;
    }
    behindLeaves ??= new Map();
    const list = behindLeaves.get(sub.link);
    if (list === undefined) behindLeaves.set(sub.link, [group]);
    else list.push(group);
  }
  if (behindLeaves === null) return delivered + deliverToLeaves(engine, source, m, match);
  for (const sub of match.result.leaves) {
    if (!behindLeaves.has(sub.link))
      delivered += deliverToLeaf(engine, source, m, match, sub.link, null);
  }
  for (const [link, list] of behindLeaves) {
    delivered += deliverToLeaf(engine, source, m, match, link, list);
  }
  return delivered;
}

function deliverToLeaves(engine: Engine, source: Link | null, m: Message, match: Match): number {
  const { leaves, leafBatch } = match.result;
  let delivered = 0;
  let shared = 0;
  const share =
    leafBatch !== null &&
    m.size < SLICE_MIN &&
    engine.tracing === null &&
    !engine.options.trace &&
    canShare(source, m, leaves);
  for (let i = 0; i < leaves.length; i++) {
    const link = (leaves[i] as Subscription).link;
    if (!share) {
      delivered += deliverToLeaf(engine, source, m, match, link, null);
      continue;
    }
    if (link === source || link.state !== "active") continue;
    // What has to wait does not keep the others' buffer.
    const isScattered = link.out.tail !== leafBatch && link.out.chunks >= RANGES_MAX;
    if (isScattered || link.leaf?.output.isHeld === true) {
      delivered += deliverToLeaf(engine, source, m, match, link, null);
      continue;
    }
    shared++;
    if (link.out.tail !== leafBatch) link.out.follow(leafBatch);
    countOut(engine, link, m.size);
    delivered++;
  }
  if (shared > 0) {
    const batch = leafBatch as Batch;
    if (batch.length === 0) engine.openBatch(batch);
    const target = batch.reserve(m.frameEnd - m.subjectStart + LINE_ROOM);
    batch.length = writeLmsg(target, batch.length, m, null, m.frameEnd);
  }
  return delivered;
}

/** All of them take the same bytes: headers, no filters, no cluster or state that sets one apart. */
function canShare(source: Link | null, m: Message, leaves: readonly Subscription[]): boolean {
  if (mayBeReserved(m)) return false;
  const from = source?.leaf?.remoteCluster ?? "";
  // A request's header may name the requester, whose account has another name behind each hub.
  const named = m.headerEnd !== 0 && m.replyEnd !== 0;
  for (let i = 0; i < leaves.length; i++) {
    const link = (leaves[i] as Subscription).link;
    const leaf = link.leaf;
    if (leaf === null || !link.headers || link.checksDelivery) return false;
    if (from !== "" && leaf.remoteCluster === from) return false;
    if (named && leaf.solicited) return false;
  }
  return true;
}

/**
 * One copy over a leaf link, naming the queue groups that were chosen behind it. The link may be of another
 * account than the message, one that imports it.
 */
export function deliverToLeaf(
  engine: Engine,
  source: Link | null,
  m: Message,
  match: Match,
  link: Link,
  groups: readonly QueueGroup[] | null,
): number {
  const leaf = link.leaf;
  if (leaf === null || link === source || link.state !== "active") return 0;
  const from = source?.leaf?.remoteCluster ?? "";
  if (from !== "" && from === leaf.remoteCluster) return 0;
  if (m.headerEnd !== 0 && m.replyEnd !== 0 && leaf.solicited && leaf.remoteAccount !== "") {
    const renamed = enterForPeer(engine, m);
    if (renamed !== null) {
      const delivered = sendToLeaf(engine, renamed, match, link, groups);
      engine.rewriter.leave(m);
      return delivered;
    }
  }
  return sendToLeaf(engine, m, match, link, groups);
}

function sendToLeaf(
  engine: Engine,
  m: Message,
  match: Match,
  link: Link,
  groups: readonly QueueGroup[] | null,
): number {
  if (engine.tracing !== null) return traceToLeaf(engine, m, match, link, groups);
  return frameToLeaf(engine, m, match, link, groups);
}

/** Apart from `sendToLeaf`, where the closure would cost every message a context of its own. */
function traceToLeaf(
  engine: Engine,
  m: Message,
  match: Match,
  link: Link,
  groups: readonly QueueGroup[] | null,
): number {
  return deliverTracedToLeaf(engine, link, m, (view) =>
    frameToLeaf(engine, view, match, link, groups),
  );
}

function frameToLeaf(
  engine: Engine,
  m: Message,
  match: Match,
  link: Link,
  groups: readonly QueueGroup[] | null,
): number {
  const leaf = link.leaf as LeafState;
  let named = groups;
  if (link.checksDelivery || mayBeReserved(m)) {
    const kept = engine.leafProtocol.permits(link, m, match, groups);
    if (kept === null) return 0;
    named = kept.length === 0 ? null : kept;
  }
  const out = link.out;
  // Dropped, it counts as delivered: the receiver exists, and a 503 would say that it does not.
  if (
    leaf.output.isHeld &&
    !admits(engine, link, m.frameEnd - m.subjectStart + LMSG_ROOM, m.size)
  ) {
    return 1;
  }
  if (m.headerEnd !== 0 && !link.headers) {
    stripped(out, m, null, named);
  } else {
    const sliced = m.size >= SLICE_MIN;
    const end = sliced ? 0 : m.frameEnd;
    let room = (sliced ? m.payloadStart : m.frameEnd) - m.subjectStart + LINE_ROOM;
    if (named !== null) for (const group of named) room += group.name.length + 1;
    const target = out.reserve(room);
    out.advance(writeLmsg(target, out.position, m, named, end));
    if (sliced) appendPayload(engine, out, m);
  }
  countOut(engine, link, m.size);
  if (engine.options.trace) traceDelivery(engine, link, m, null, named);
  return 1;
}

/** `LMSG subject [reply ]size` or, with groups, `LMSG subject | q1 size` / `LMSG subject + reply q1 size`. */
function writeLmsg(
  target: Slab,
  at: number,
  m: Message,
  groups: readonly QueueGroup[] | null,
  end: number,
): number {
  const out = target.bytes;
  out[at] = m.headerEnd === 0 ? UPPER_L : UPPER_H;
  target.view.setInt32(at + 1, MSG_AND_BLANK, true);
  at += 5;
  if (groups === null && m.restStart >= 0 && end !== 0 && m.restStart === m.subjectEnd + 1) {
    return copyBytes(target, at, m, m.subjectStart, end);
  }
  at = copyBytes(target, at, m, m.subjectStart, m.subjectEnd);
  out[at++] = 32;
  if (groups === null) return writeRest(target, at, m, end);
  out[at++] = m.replyEnd === 0 ? 124 : 43; // | or +
  out[at++] = 32;
  if (m.replyEnd !== 0) {
    at = copyBytes(target, at, m, m.replyStart, m.replyEnd);
    out[at++] = 32;
  }
  for (const group of groups) {
    for (let i = 0; i < group.name.length; i++) out[at++] = group.name.charCodeAt(i);
    out[at++] = 32;
  }
  return writeSizes(target, at, m, end);
}

/** The subject of a message as a latin1 string; off the hot path only. */
export function subjectOf(m: Message): string {
  return latin1(m.bytes, m.subjectStart, m.subjectEnd);
}
