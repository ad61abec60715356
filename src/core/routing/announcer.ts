/**
 * When leaf links are told of changed interest: before the next message could overtake it, else at the end of
 * the call. Where many leaf links must be told, what other leaves want waits a moment: in a storm of them it goes
 * out together, and nobody's handshake stands behind it.
 */
import type { Account } from "../account/account.ts";
import type { Millis } from "../contract.ts";
import type { Engine } from "../engine.ts";
import type { Link } from "../link/link.ts";
import { copyBytes } from "../link/outbound.ts";
import { announcementLine, announcementText, type InterestEntry } from "./interest.ts";

/** From so many leaf links in an account on, interest of leaves is announced in batches, this much later. */
const MANY_LEAVES = 32;
const DELAY: Millis = 5;

export class Announcer {
  /** When interest that waits for more of its kind is announced; 0 = none waits. */
  deadline: Millis = 0;
  readonly #engine: Engine;
  readonly #dirty = new Set<Account>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Something must be announced before this call ends. */
  get isPending(): boolean {
    return this.#dirty.size > 0 && this.deadline === 0;
  }

  changed(account: Account): void {
    if (account.interest.isDirty) this.#dirty.add(account);
  }

  announceNow(): void {
    if (this.#dirty.size === 0) return;
    this.deadline = 0;
    for (const account of this.#dirty) account.interest.announce(this.tell);
    this.#dirty.clear();
  }

  /** At the end of a call: now, or a moment later. */
  announceSoon(): void {
    if (this.#dirty.size === 0) return;
    for (const account of this.#dirty) {
      if (account.leaves.size > MANY_LEAVES && !account.interest.localChanged) continue;
      this.announceNow();
      return;
    }
    if (this.deadline === 0) this.deadline = this.#engine.now + DELAY;
  }

  /** Tells one link of one key; `weight` 0 takes it back. */
  readonly tell = (link: Link, entry: InterestEntry, weight: number): void => {
    const engine = this.#engine;
    const line = announcementLine(entry, weight);
    const { length } = line.bytes;
    const output = link.leaf?.output;
    const out = output === undefined ? link.out : output.controlBox(link, engine);
    const slab = out.reserve(length);
    out.advance(copyBytes(slab, out.position, line, 0, length));
    if (output !== undefined && out === link.out) output.controlEnds(link, length);
    if (!link.dirty) engine.markDirty(link);
    if (engine.options.trace) engine.trace(link, "->>", announcementText(entry, weight));
  };
}
