/**
 * Compiled permissions of a user or a leaf link: allow and deny lists as tries, with nats-server's rules for
 * queue groups and for "the entry is matched as if the subscription's subject were a literal".
 *
 * `SubjectFilter` objects are compared by identity in the match cache, which remembers a filter's answer for
 * each subject; a change of permissions therefore makes new filters and never alters old ones.
 */
import type { Permissions, SubjectRules } from "../contract.ts";
import { Sublist } from "../subject/sublist.ts";
import { collide, hasWildcard, isSubset } from "../subject/subject.ts";

interface Rule {
  readonly subject: string;
  /** "" for a plain entry. */
  readonly queue: string;
}

/** One direction's rules. */
export class SubjectFilter {
  readonly rules: SubjectRules;
  readonly #allow: Sublist<Rule> | null;
  readonly #deny: Sublist<Rule> | null;
  readonly #denied: readonly Rule[];
  readonly #nothing: boolean;
  /** A second filter that must allow as well. */
  readonly #also: SubjectFilter | null;

  /** `nothing`: no subject passes at all (allow_responses without a list of its own). */
  constructor(rules: SubjectRules, nothing = false, also: SubjectFilter | null = null) {
    this.rules = rules;
    this.#nothing = nothing;
    this.#also = also;
    // An empty allow list restricts nothing, as in nats-server.
    this.#allow = rules.allow === null || rules.allow.length === 0 ? null : compile(rules.allow);
    this.#deny = rules.deny.length === 0 ? null : compile(rules.deny);
    this.#denied = rules.deny.map(parseRule);
  }

  get hasDeny(): boolean {
    return this.#deny !== null || this.#also?.hasDeny === true;
  }

  /** Whether a literal subject passes (publishing, or delivery over a leaf link). */
  allows(subject: string): boolean {
    if (this.#nothing) return false;
    if (this.#allow !== null && this.#allow.match(subject, []).length === 0) return false;
    if (this.#deny?.match(subject, []).some((rule) => rule.queue === "") === true) return false;
    return this.#also === null || this.#also.allows(subject);
  }

  /** Whether a subscription to `subject`, with queue group `queue` ("" = plain), is permitted. */
  allowsSubscription(subject: string, queue: string): boolean {
    if (this.#allow !== null && !queueAllowed(this.#allow.match(subject, []), queue)) return false;
    if (this.#deny === null) return true;
    return !this.#deny
      .match(subject, [])
      .some((rule) => rule.queue === "" || (queue !== "" && queueMatches(rule.queue, queue)));
  }

  /** Whether a delivery on `subject` for `queue` ("" = plain) is held back by the deny list. */
  denies(subject: string, queue: string): boolean {
    if (this.#deny === null) return false;
    return this.#deny
      .match(subject, [])
      .some((rule) => rule.queue === "" || (queue !== "" && queueMatches(rule.queue, queue)));
  }

  /** Whether a wildcard or queue subscription overlaps some deny entry, so that deliveries need a look. */
  overlapsDeny(subject: string): boolean {
    return this.#denied.some((rule) => collide(rule.subject, subject));
  }

  /**
   * Whether interest may be announced over a leaf link: covered by an allow entry, or covering one (the
   * messages are filtered one by one then); a deny counts only if it covers the whole subject.
   */
  allowsAnnouncement(subject: string): boolean {
    if (this.#also !== null && !this.#also.allowsAnnouncement(subject)) return false;
    if (this.rules.deny.some((entry) => isSubset(subject, parseRule(entry).subject))) return false;
    if (this.#nothing) return false;
    if (this.rules.allow === null || this.rules.allow.length === 0) return true;
    return this.rules.allow.some((entry) => {
      const allowed = parseRule(entry).subject;
      return isSubset(subject, allowed) || (hasWildcard(subject) && isSubset(allowed, subject));
    });
  }
}

function compile(entries: readonly string[]): Sublist<Rule> {
  const list = new Sublist<Rule>();
  for (const entry of entries) {
    const rule = parseRule(entry);
    list.insert(rule.subject, rule);
  }
  return list;
}

function parseRule(entry: string): Rule {
  const [subject = "", queue = ""] = entry.trim().split(/\s+/);
  return { subject, queue };
}

/** A queue entry's pattern may hold wildcards by token, as `v1.*`. */
function queueMatches(pattern: string, queue: string): boolean {
  return pattern === queue || isSubset(queue, pattern);
}

function queueAllowed(matching: readonly Rule[], queue: string): boolean {
  if (queue === "") return matching.some((rule) => rule.queue === "");
  const named = matching.filter((rule) => rule.queue !== "");
  if (named.length > 0) return named.some((rule) => queueMatches(rule.queue, queue));
  return matching.length > 0;
}

/** Both directions of a client's permissions. */
export class LinkPermissions {
  readonly source: Permissions;
  readonly publish: SubjectFilter;
  readonly subscribe: SubjectFilter;

  constructor(source: Permissions) {
    this.source = source;
    const lists = source.publish.allow;
    this.publish = new SubjectFilter(source.publish, source.responses !== null && lists === null);
    this.subscribe = new SubjectFilter(source.subscribe);
  }
}
