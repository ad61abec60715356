/**
 * JetStream deliveries that cross leaf links: their reply carries the subject of the stored message behind an
 * `@`, since the wire's subject is the consumer's. Local receivers get the one and an acknowledgement subject
 * without it; other servers get the message as it came.
 */
import { Match, MatchResult, type QueueGroup } from "../account/match-result.ts";
import { copyOf, latin1 } from "../bytes/ascii.ts";
import type { Engine } from "../engine.ts";
import type { Message } from "../protocol/message.ts";
import { deliver } from "../routing/deliver.ts";
import { hashBytes } from "../subject/match-cache.ts";
import { KIND_LEAF, type Link } from "./link.ts";

const PREFIX = "$JS.ACK.";
const DOT = 46;
const AT = 64;
/** `$JS.ACK.<stream>.<consumer>.<delivered>.<sseq>.<cseq>.<time>.` */
const DOTS_BEFORE = 8;

/** Delivers a message of that kind; false: it is none, and nothing was done. */
export function deliverAcked(engine: Engine, link: Link, m: Message, match: Match): boolean {
  const at = splitOf(m);
  if (at < 0) return false;
  const { local, wire } = separate(match.result);
  const bytes = copyOf(m.bytes, at + 1, m.replyEnd);
  const subject = { bytes, hash: hashBytes(engine.seed, bytes, 0, bytes.length) };
  const reply = copyOf(m.bytes, m.replyStart, at);
  engine.announceInterest();
  if (engine.rewriter.enter(m, subject, reply, null) !== null) {
    deliver(engine, link, new Match(local));
    engine.rewriter.leave(m);
  }
  deliver(engine, link, new Match(wire));
  return true;
}

/** The index of the `@`, or -1. */
function splitOf(m: Message): number {
  const { bytes, replyStart, replyEnd } = m;
  if (latin1(bytes, replyStart, Math.min(replyEnd, replyStart + PREFIX.length)) !== PREFIX)
    return -1;
  let dots = 0;
  for (let i = replyStart; i < replyEnd; i++) {
    if (bytes[i] === DOT) dots++;
    else if (bytes[i] === AT && dots >= DOTS_BEFORE) return i + 1 < replyEnd ? i : -1;
  }
  return -1;
}

/** Receivers here, and receivers behind leaf links. A queue group with members here stays here. */
function separate(result: MatchResult): { local: MatchResult; wire: MatchResult } {
  const here: QueueGroup[] = [];
  const away: QueueGroup[] = [];
  for (const group of result.queues) {
    const subs = group.subs.filter((sub) => sub.link.kind !== KIND_LEAF);
    if (subs.length === 0) away.push(group);
    else {
      const weight = subs.reduce((sum, sub) => sum + sub.weight, 0);
      here.push({ name: group.name, subs, weight, remote: false });
    }
  }
  return {
    local: new MatchResult(result.singles, result.fans, [], null, here),
    wire: new MatchResult([], [], result.leaves, result.leafBatch, away),
  };
}
