/**
 * HOT PATH (every bench row). A client's message from its parsed frame to delivery: may it be published, what
 * does its subject lead to, who gets it, and the 503 if nobody did.
 */
import { goQuote, latin1 } from "../bytes/ascii.ts";
import type { Match } from "../account/match-result.ts";
import type { Engine } from "../engine.ts";
import type { Link } from "../link/link.ts";
import { sendOk } from "../link/trace.ts";
import type { Message } from "../protocol/message.ts";
import { deliver } from "./deliver.ts";

const UNDERSCORE = 95;
const DOLLAR = 36;
const UPPER_I = 73;

/** Routes `m`, published by the client `link`. */
export function route(engine: Engine, link: Link, m: Message): void {
  const ingress = link.account.ingress;
  if (ingress !== null && !ingress.admit(link)) return;
  routeMapped(engine, link, m);
}

/** The same once the account's mappings have had their say: permissions are asked about the mapped subject. */
export function routeMapped(engine: Engine, link: Link, m: Message): void {
  const bytes = m.bytes;
  const first = bytes[m.subjectStart] as number;
  const account = link.account;
  if ((first === UNDERSCORE || first === DOLLAR) && reservedSubject(engine, link, m)) return;
  const filter = link.publishFilter;
  const match = filter === null ? account.matchMessage(m) : account.matchForFilters(m);
  if (
    filter !== null &&
    !(filter === match.lastFilter
      ? match.lastAllowed
      : match.allows(filter, () => subjectText(m))) &&
    !answersTrackedRequest(engine, link, m)
  ) {
    refusePublish(engine, link, subjectText(m));
    return;
  }
  if (m.replyEnd !== 0) {
    const r = bytes[m.replyStart] as number;
    if (
      (r === DOLLAR || (r === UNDERSCORE && bytes[m.replyStart + 1] !== UPPER_I)) &&
      reservedReply(engine, link, m)
    ) {
      return;
    }
  }
  if (link.verbose) sendOk(engine, link);
  dispatch(engine, link, m, match);
}

/** Delivers by `match`; interest that changed in this chunk is announced before the message can overtake it. */
export function dispatch(engine: Engine, link: Link, m: Message, match: Match): void {
  const result = match.result;
  if (result.leaves.length > 0 || result.queues.length > 0) engine.announceInterest();
  const delivered = deliver(engine, link, match);
  if (delivered === 0 && m.replyEnd !== 0 && link.noResponders) sendNoResponders(engine, link, m);
}

/** 503 to the requester itself, on a plain subscription of its own that matches the reply. */
export function sendNoResponders(engine: Engine, link: Link, m: Message): void {
  const reply = latin1(m.bytes, m.replyStart, m.replyEnd);
  noRespondersFor(engine, link, reply, subjectText(m));
}

export function noRespondersFor(engine: Engine, link: Link, reply: string, subject: string): void {
  if (!link.headers || link.subs === null) return;
  const matching = link.account.sublist.match(reply, []);
  const sub = matching.find((candidate) => candidate.link === link && candidate.queue === "");
  if (sub === undefined) return;
  const header = `NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`;
  engine.send(
    link,
    `HMSG ${reply}${latin1(sub.sidPart, 0, sub.sidPart.length)}${header.length} ${header.length}\r\n${header}\r\n`,
  );
  link.outMsgs++;
  link.outBytes += header.length;
}

function subjectText(m: Message): string {
  return latin1(m.bytes, m.subjectStart, m.subjectEnd);
}

export function refusePublish(engine: Engine, link: Link, subject: string): void {
  engine.log("error", link, `Publish Violation - Subject ${goQuote(subject)}`);
  refuse(engine, link, `Permissions Violation for Publish to ${goQuote(subject)}`);
}

function refuse(engine: Engine, link: Link, text: string): void {
  engine.tracing?.refused(text);
  engine.sendError(link, text);
}

function reservedSubject(engine: Engine, link: Link, m: Message): boolean {
  const subject = subjectText(m);
  if (!isReserved(engine, link, subject)) return false;
  refusePublish(engine, link, subject);
  return true;
}

/** Subjects that only servers, or only the system account, publish to. */
export function isReserved(engine: Engine, link: Link, subject: string): boolean {
  if (hasMoreThan(subject, "_GR_.") || hasMoreThan(subject, "$GR.")) return true;
  return subject.startsWith("$NRG.") && link.account.name !== engine.options.systemAccount;
}

function reservedReply(engine: Engine, link: Link, m: Message): boolean {
  const reply = latin1(m.bytes, m.replyStart, m.replyEnd);
  const reserved =
    reply.startsWith("_R_.") ||
    hasMoreThan(reply, "$JS.ACK.") ||
    hasMoreThan(reply, "_GR_.") ||
    hasMoreThan(reply, "$GR.");
  if (!reserved) return false;
  engine.log("error", link, `Publish Violation - Reply ${goQuote(reply)}`);
  refuse(engine, link, `Permissions Violation for Publish with Reply of ${goQuote(reply)}`);
  return true;
}

function hasMoreThan(text: string, prefix: string): boolean {
  return text.length > prefix.length && text.startsWith(prefix);
}

/** `allow_responses`: a reply that was delivered to this client may be answered so many times, so long. */
function answersTrackedRequest(engine: Engine, link: Link, m: Message): boolean {
  return mayAnswer(engine, link, subjectText(m));
}

export function mayAnswer(engine: Engine, link: Link, subject: string): boolean {
  const rule = link.permissions?.source.responses ?? null;
  const tracked = link.replies?.get(subject);
  if (rule === null || tracked === undefined) return false;
  // A deny list holds for answers too only where it was given; the reference asks the tracker last.
  const spent = rule.max >= 0 && tracked.count >= rule.max;
  const late = rule.expires >= 0 && engine.now - tracked.at > rule.expires;
  if (spent || late) {
    link.replies?.delete(subject);
    return false;
  }
  tracked.count++;
  return true;
}
