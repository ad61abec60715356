/**
 * Why a message does, or does not, cross a leaf link: the same decisions as delivery and interest make, but with
 * every rule that stops it named. For operators and logs; nothing here is on the path of a message.
 *
 * "out" is a message published here by a client of the account, "in" one published on the other end.
 */
import type { Account } from "../account/account.ts";
import { goQuote } from "../bytes/ascii.ts";
import type { Link } from "../link/link.ts";
import { KIND_LEAF } from "../link/link.ts";
import { hasWildcard, isSubset } from "../subject/subject.ts";
import { receiveRule, sendRule, type Reason } from "./explain-rules.ts";
import type { InterestEntry } from "./interest.ts";

export interface Verdict {
  readonly crosses: boolean;
  /** Everything that stops it, what decides first; empty where it crosses. */
  readonly reasons: readonly Reason[];
  /** What to know although it crosses, or "". */
  readonly note: string;
}

export interface LinkExplanation {
  readonly link: Link;
  readonly out: Verdict;
  readonly in: Verdict;
}

/** One entry for each leaf link of the account. `subject` is a literal, as latin1 text. */
export function explain(account: Account, subject: string): readonly LinkExplanation[] {
  return [...account.leaves].map((link) => ({
    link,
    out: explainOut(account, link, subject),
    in: explainIn(account, link, subject),
  }));
}

function explainOut(account: Account, link: Link, subject: string): Verdict {
  const state = stateReason(link);
  if (state !== null) return stopped([state]);
  const reasons: Reason[] = [];
  const rule = sendRule(link, subject);
  if (rule !== null) reasons.push(rule);
  const matching = account.sublist.match(subject, []);
  const there = matching.filter((sub) => sub.link === link);
  if (there.length === 0) reasons.push(noInterestThere(link, subject));
  if (there.length === 0 || there.some((sub) => sub.queue === "")) {
    return stopped(reasons, slowNote(link));
  }
  const groups = [...new Set(there.map((sub) => sub.queue))];
  const members = matching.filter((sub) => sub.link !== link && groups.includes(sub.queue));
  const here = new Set(members.filter((s) => s.link.kind !== KIND_LEAF).map((s) => s.queue));
  if (groups.every((group) => here.has(group))) {
    const names = groups.map(goQuote).join(", ");
    const text = `only queue group ${names} is asked for there, and its members here come first`;
    reasons.push({ ...OF_ROUTING, rule: "queue-group", text });
  }
  const note =
    members.length > here.size
      ? "other links have members of the same queue group: each message goes to one of them"
      : slowNote(link);
  return stopped(reasons, note);
}

/** A link that lost messages since it could not take them in time. */
function slowNote(link: Link): string {
  const dropped = link.leaf?.output.droppedMsgs ?? 0;
  return dropped === 0 ? "" : `the link was too slow at times: ${dropped} messages were dropped`;
}

function explainIn(account: Account, link: Link, subject: string): Verdict {
  const state = stateReason(link);
  if (state !== null) return stopped([state]);
  const rule = receiveRule(link, subject);
  const reasons = rule === null ? [] : [rule];
  const slot = link.leaf?.slot ?? -1;
  const entries = [...account.interest.entries()].filter(
    (entry) => !entry.isLds && isSubset(subject, entry.subject),
  );
  if (entries.some((entry) => (entry.announced[slot] ?? 0) > 0)) return stopped(reasons);
  const first = entries.find((entry) => entry.local > 0) ?? entries[0];
  if (first === undefined) {
    const text = `nobody here has asked for it: no subscription covers ${goQuote(subject)}`;
    reasons.push({ ...OF_ROUTING, rule: "no-interest", text });
  } else {
    const why = whyNotAnnounced(link, first, rule !== null);
    if (why !== null) reasons.push(why);
  }
  return stopped(reasons);
}

function stateReason(link: Link): Reason | null {
  if (link.state === "active" && link.leaf?.registered === true) return null;
  const state = link.state === "active" ? "handshake" : link.state;
  return { ...OF_ROUTING, rule: "link-state", text: `the link is not up (${state})` };
}

function noInterestThere(link: Link, subject: string): Reason {
  const isolated =
    link.leaf?.remote?.requestIsolation === true
      ? "; request_isolation keeps the interest of other leaves from us"
      : "";
  return {
    ...OF_ROUTING,
    rule: "no-interest",
    text: `${peerName(link)} has not asked for it: no subscription there covers ${goQuote(subject)}${isolated}`,
  };
}

/** As `InterestTable.wanted` decides. `denied`: a rule against the subject itself was named already. */
function whyNotAnnounced(link: Link, entry: InterestEntry, denied: boolean): Reason | null {
  const leaf = link.leaf;
  if (leaf === null) return null;
  const interest = `the interest in ${goQuote(entry.subject)} here`;
  const reason = (rule: Reason["rule"], text: string): Reason => ({ ...OF_ROUTING, rule, text });
  if (entry.local === 0) {
    const others = [...(entry.leaves?.keys() ?? [])].filter((other) => other !== link);
    if (others.length === 0) {
      return reason(
        "echo",
        `${interest} came over this link, and nothing is sent back to its origin`,
      );
    }
    if (leaf.isolated) {
      return reason(
        "isolation",
        `${interest} is of other leaves, and this link is isolated from it`,
      );
    }
    if (leaf.isSpoke && others.every((other) => other.leaf?.isSpoke === true)) {
      return reason(
        "hub-interest",
        `${interest} came from another hub, which hubs are not told of`,
      );
    }
    const cluster = leaf.remoteCluster;
    if (cluster !== "" && others.every((other) => other.leaf?.remoteCluster === cluster)) {
      return reason(
        "same-cluster",
        `${interest} is of links to the same cluster ${goQuote(cluster)}`,
      );
    }
  }
  if (denied) return null;
  const rule = receiveRule(link, entry.subject, true);
  if (rule !== null) return rule;
  const shape = hasWildcard(entry.subject)
    ? ": the wildcard is neither inside an allowed entry nor covers one"
    : "";
  return reason("not-announced", `${interest} was not announced to ${peerName(link)}${shape}`);
}

export function peerName(link: Link): string {
  const name = link.leaf?.remoteServer ?? "";
  return name === "" ? "the other end" : goQuote(name);
}

function stopped(reasons: readonly Reason[], note = ""): Verdict {
  return { crosses: reasons.length === 0, reasons, note: reasons.length === 0 ? note : "" };
}

const OF_ROUTING = { entry: "", list: null, source: null } as const;
