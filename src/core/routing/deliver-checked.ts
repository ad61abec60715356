/**
 * The deliveries that need more than copying bytes: deny lists and tracked replies of a receiver, receivers
 * without headers, subscriptions held by the server itself.
 */
import { trackReply } from "../link/tracked-replies.ts";
import { copyOf, latin1 } from "../bytes/ascii.ts";
import type { QueueGroup } from "../account/match-result.ts";
import type { Engine } from "../engine.ts";
import type { Link, Subscription } from "../link/link.ts";
import type { Outbox } from "../link/outbound.ts";
import type { Message } from "../protocol/message.ts";
import { copyBytes } from "../link/outbound.ts";

/** A receiver's own rules: false holds the message back; a reply that it may answer to is remembered. */
export function deliverChecked(engine: Engine, link: Link, m: Message, queue: string): boolean {
  const permissions = link.permissions;
  if (permissions === null) return true;
  if (holdsBack(engine, link, m, queue)) return false;
  if (permissions.source.responses !== null && m.replyEnd !== 0) {
    const reply = latin1(m.bytes, m.replyStart, m.replyEnd);
    if (!permissions.publish.allows(reply)) trackReply(link, reply, engine.now);
  }
  return true;
}

/** Whether a receiver's deny list holds a message back that its subscription matches. */
export function holdsBack(engine: Engine, link: Link, m: Message, queue: string): boolean {
  const rules = link.permissions?.subscribe;
  if (rules?.hasDeny !== true) return false;
  const subject = latin1(m.bytes, m.subjectStart, m.subjectEnd);
  if (!rules.denies(subject, queue)) return false;
  engine.log("debug", link, `Not permitted to deliver to ${JSON.stringify(subject)}`);
  return true;
}

export function deliverInternal(
  engine: Engine,
  source: Link | null,
  m: Message,
  sub: Subscription,
  queue: string,
): number {
  sub.delivered++;
  const { handler, receiver } = sub;
  if (receiver !== null) return receiver.receive(engine, source, m, queue);
  if (handler === null) return 0;
  const headerEnd = m.payloadStart + m.headerLength;
  handler({
    subject: latin1(m.bytes, m.subjectStart, m.subjectEnd),
    reply: m.replyEnd === 0 ? "" : latin1(m.bytes, m.replyStart, m.replyEnd),
    header: m.headerEnd === 0 ? null : copyOf(m.bytes, m.payloadStart, headerEnd),
    payload: copyOf(m.bytes, headerEnd, m.payloadStart + m.size),
    source,
    account: sub.link.account,
  });
  return 1;
}

/** The message without its header block, for a receiver that does not know headers; `sidPart` null = leaf. */
export function stripped(
  out: Outbox,
  m: Message,
  sidPart: Uint8Array | null,
  groups: readonly QueueGroup[] | null = null,
): void {
  let line = `${sidPart === null ? "LMSG" : "MSG"} ${latin1(m.bytes, m.subjectStart, m.subjectEnd)}`;
  const reply = m.replyEnd === 0 ? "" : latin1(m.bytes, m.replyStart, m.replyEnd);
  if (sidPart !== null) line += latin1(sidPart, 0, sidPart.length - 1);
  if (groups !== null) line += reply === "" ? " |" : " +";
  if (reply !== "") line += ` ${reply}`;
  if (groups !== null) line += ` ${groups.map((group) => group.name).join(" ")}`;
  line += ` ${m.size - m.headerLength}\r\n`;
  const from = m.payloadStart + m.headerLength;
  const target = out.reserve(line.length + m.frameEnd - from);
  let at = out.position;
  for (let i = 0; i < line.length; i++) target.bytes[at++] = line.charCodeAt(i);
  out.advance(copyBytes(target, at, m, from, m.frameEnd));
}
