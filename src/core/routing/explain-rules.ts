/**
 * Which rule stops a subject on a leaf link: the lists of the remote's options, permissions of the user, those
 * that the hub told, or the border of JetStream domains. Filters hold merged lists; here they are told apart.
 */
import { goQuote } from "../bytes/ascii.ts";
import type { SubjectRules } from "../contract.ts";
import type { Link } from "../link/link.ts";
import type { RemoteSpec } from "../link/remote-spec.ts";
import { isSubset } from "../subject/subject.ts";

export type RuleName =
  | "link-state"
  | "no-interest"
  | "not-announced"
  | "queue-group"
  | "echo"
  | "isolation"
  | "hub-interest"
  | "same-cluster"
  | "jetstream-domain"
  | "deny_exports"
  | "deny_imports"
  | "allow_exports"
  | "allow_imports"
  /** The user of an accepted link. */
  | "publish"
  | "subscribe"
  /** What the hub told of our user there. */
  | "export"
  | "import";

/** Where a rule stands: options of a remote, a user of this server, the other end. */
export type RuleSource =
  | { readonly kind: "remote"; readonly id: string }
  | { readonly kind: "user"; readonly label: string }
  | { readonly kind: "peer" };

export interface Reason {
  readonly rule: RuleName;
  /** The entry of a list that stops it; "" where it is a missing one. */
  readonly entry: string;
  readonly list: "allow" | "deny" | null;
  readonly source: RuleSource | null;
  /** One sentence without a full stop. */
  readonly text: string;
}

export type RemoteLists = Pick<
  RemoteSpec,
  "id" | "denyExports" | "denyImports" | "allowExports" | "allowImports"
>;

/** What a remote's own options say, whether its link is up or not; null = nothing stops it. */
export function remoteRule(
  remote: RemoteLists,
  direction: "out" | "in",
  subject: string,
): Reason | null {
  const out = direction === "out";
  const source = { kind: "remote", id: remote.id } as const;
  const entry = covering(out ? remote.denyExports : remote.denyImports, subject);
  if (entry !== null) {
    const rule = out ? "deny_exports" : "deny_imports";
    const text = `${rule} of the remote holds ${goQuote(entry)}`;
    return { rule, entry, list: "deny", source, text };
  }
  const allow = out ? remote.allowExports : remote.allowImports;
  if (allow === null || covering(allow, subject) !== null) return null;
  const rule = out ? "allow_exports" : "allow_imports";
  const text = `${rule} of the remote has no entry for ${goQuote(subject)}`;
  return { rule, entry: "", list: "allow", source, text };
}

/** What stops sending a subject to the peer; null = nothing. */
export function sendRule(link: Link, subject: string): Reason | null {
  const leaf = link.leaf;
  if (leaf === null || subject.startsWith("_R_.")) return null;
  const filter = leaf.sendFilter;
  if (filter !== null && !filter.allows(subject)) return blame(link, "out", subject, filter.rules);
  return leaf.quietSend === null ? null : domainRule(leaf.quietSend.rules, subject);
}

/**
 * What stops taking a subject from the peer; null = nothing. With `announcing`, `subject` is that of an
 * interest, and JetStream's border counts on both roles.
 */
export function receiveRule(link: Link, subject: string, announcing = false): Reason | null {
  const leaf = link.leaf;
  if (leaf === null || /^(_R_|\$JS\.ACK|_GR_)\./.test(subject)) return null;
  const filter = leaf.receiveFilter;
  if (filter !== null) {
    const passes = announcing ? filter.allowsAnnouncement(subject) : filter.allows(subject);
    if (!passes) return blame(link, "in", subject, filter.rules);
  }
  const quiet = leaf.isSpoke || announcing ? leaf.quietReceive : null;
  return quiet === null ? null : domainRule(quiet.rules, subject);
}

function domainRule(rules: SubjectRules, subject: string): Reason | null {
  const entry = covering(rules.deny, subject);
  if (entry === null) return null;
  const text = `${goQuote(entry)} stays in its JetStream domain, as the two ends are in different ones`;
  return { rule: "jetstream-domain", entry, list: "deny", source: null, text };
}

/** A filter refused: whose list was it? */
function blame(link: Link, direction: "out" | "in", subject: string, merged: SubjectRules): Reason {
  const remote = link.leaf?.remote ?? null;
  if (remote !== null) {
    const own = remoteRule(remote, direction, subject);
    if (own !== null) return own;
    const rule = direction === "out" ? "export" : "import";
    const who = `the ${rule} permission that the hub gives our user`;
    return listReason(rule, { kind: "peer" }, who, merged, subject);
  }
  const rule = direction === "out" ? "subscribe" : "publish";
  const label = link.user?.label ?? "";
  const own = link.permissions?.source[rule] ?? null;
  const who = `the ${rule} permission of the link's user${label === "" ? "" : ` ${label}`}`;
  if (own !== null && !passes(own, subject)) {
    return listReason(rule, { kind: "user", label }, who, own, subject);
  }
  const entry = direction === "out" ? covering(merged.deny, subject) : null;
  if (entry !== null) {
    const text = `deny_imports of the leaf holds ${goQuote(entry)}`;
    return { rule: "deny_imports", entry, list: "deny", source: { kind: "peer" }, text };
  }
  const text = `${who} is for answers to requests alone (allow_responses)`;
  return { rule, entry: "", list: null, source: { kind: "user", label }, text };
}

function listReason(
  rule: RuleName,
  source: RuleSource,
  who: string,
  rules: SubjectRules,
  subject: string,
): Reason {
  const entry = covering(rules.deny, subject);
  if (entry !== null) {
    return { rule, entry, list: "deny", source, text: `${who} denies ${goQuote(entry)}` };
  }
  const text = `${who} does not allow ${goQuote(subject)}`;
  return { rule, entry: "", list: "allow", source, text };
}

function passes(rules: SubjectRules, subject: string): boolean {
  if (covering(rules.deny, subject) !== null) return false;
  const allow = rules.allow ?? [];
  return allow.length === 0 || allow.some((entry) => isSubset(subject, plain(entry)));
}

/** The first entry that covers the subject; those for queue groups alone do not count. */
function covering(entries: readonly string[], subject: string): string | null {
  return entries.find((entry) => isSubset(subject, entry)) ?? null;
}

const plain = (entry: string): string => entry.trim().split(/\s+/)[0] ?? "";
