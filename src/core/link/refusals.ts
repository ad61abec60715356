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
    // The border of JetStream domains is no violation: told once an entry, whatever the subjects.
    const isBorder = reason?.rule === "jetstream-domain";
    const key = isBorder ? reason.entry : subject;
    if (told.subjects.has(key)) return;
    told.subjects.add(key);
    const level = isBorder ? "notice" : "warn";
    const text = `${goQuote(subject)} ${WORDS[what]} ${peerName(link)}: ${ruleText(reason)}`;
    this.#engine.log(level, link, text);
    if (told.subjects.size > SUBJECTS_TOLD) {
      this.#engine.log(level, link, `More subjects like this follow, which are not logged`);
    }
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

function ruleText(reason: Reason | null): string {
  return reason === null ? "permissions of the link" : reason.text;
}
