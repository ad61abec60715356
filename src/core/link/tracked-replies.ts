/** `allow_responses`: the reply subjects that were delivered to a link, and how long it may answer them. */
import type { Millis } from "../contract.ts";
import type { Link } from "./link.ts";

/** A bound: with it full, spent entries go first, then the oldest. */
const MAX_REPLIES = 4096;

export function trackReply(link: Link, reply: string, now: Millis): void {
  link.replies ??= new Map();
  if (link.replies.size >= MAX_REPLIES) prune(link, now);
  link.replies.set(reply, { count: 0, at: now });
}

function prune(link: Link, now: Millis): void {
  const rule = link.permissions?.source.responses ?? null;
  const replies = link.replies;
  if (replies === null) return;
  for (const [reply, { count, at }] of replies) {
    const spent = rule !== null && rule.max >= 0 && count >= rule.max;
    if (spent || (rule !== null && rule.expires >= 0 && now - at > rule.expires))
      replies.delete(reply);
  }
  // Still full: the oldest go first, which is the order of a Map.
  for (const reply of replies.keys()) {
    if (replies.size < MAX_REPLIES) break;
    replies.delete(reply);
  }
}
