/**
 * Tells operators what permissions keep from crossing leaf links, and by which rule: once per subject, for a
 * bounded number of subjects a link. The memory outlives a link, as a hub's violation closes it each time.
 */
import { goQuote } from "../bytes/ascii.ts";
import type { Millis } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { peerName } from "../routing/explain.ts";
import { receiveRule, type Reason, sendRule } from "../routing/explain-rules.ts";
import type { Link } from "./link.ts";

const SUBJECTS_TOLD = 64;
const PEERS_KEPT = 1024;
/** After this time subjects are told anew. */
const TOLD_FOR: Millis = 3_600_000;

interface Told {
  readonly since: Millis;
  readonly subjects: Set<string>;
}

const WORDS = {
  out: "is not sent to",
  in: "is not taken from",
  interest: "is asked for in vain by",
} as const;

export class Refusals {
  readonly #engine: Engine;
  readonly #told = new Map<string, Told>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** A message (or, `interest`, an interest of the peer's in `subject`) was refused by the link's rules. */
  note(link: Link, what: keyof typeof WORDS, subject: string): void {
    const told = this.#of(link, what);
    if (told.subjects.size > SUBJECTS_TOLD || told.subjects.has(subject)) return;
    const reason = what === "in" ? receiveRule(link, subject) : sendRule(link, subject);
    told.subjects.add(subject);
    this.#log("warn", link, what, subject, reason);
    if (told.subjects.size > SUBJECTS_TOLD) {
      this.#engine.log("warn", link, "More subjects like this follow, which are not logged");
    }
  }

  /** The border of JetStream domains held a message back: no violation, and told once an entry. */
  noteBorder(link: Link, what: "out" | "in", subject: string): void {
    const reason = what === "in" ? receiveRule(link, subject) : sendRule(link, subject);
    const { subjects } = this.#of(link, `${what} border`);
    if (subjects.has(reason?.entry ?? "")) return;
    subjects.add(reason?.entry ?? "");
    this.#log("notice", link, what, subject, reason);
  }

  #log(
    level: "warn" | "notice",
    link: Link,
    what: keyof typeof WORDS,
    subject: string,
    reason: Reason | null,
  ): void {
    const why = reason === null ? "permissions of the link" : reason.text;
    this.#engine.log(level, link, `${goQuote(subject)} ${WORDS[what]} ${peerName(link)}: ${why}`);
  }

  #of(link: Link, what: string): Told {
    const key = `${what} ${link.account.name} ${link.leaf?.remoteServer ?? ""}`;
    const { now } = this.#engine;
    let told = this.#told.get(key);
    if (told === undefined || now - told.since > TOLD_FOR) {
      const [oldest] = this.#told.keys();
      if (this.#told.size >= PEERS_KEPT && oldest !== undefined) this.#told.delete(oldest);
      told = { since: now, subjects: new Set() };
      this.#told.set(key, told);
    }
    return told;
  }
}
