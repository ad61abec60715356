/** Deadlines of things that are no links; there are few, each with one deadline at a time. */
import type { Millis } from "./contract.ts";

export interface Alarmed {
  /** When `alarm` wants to be called; 0 = never. Set through `Alarms.set`. */
  alarmAt: Millis;
  alarm(now: Millis): void;
}

export class Alarms {
  readonly #owners = new Set<Alarmed>();
  #next: Millis | null = null;
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  get next(): Millis | null {
    return this.#next;
  }

  set(owner: Alarmed, at: Millis): void {
    owner.alarmAt = at;
    if (at > 0) {
      this.#owners.add(owner);
      if (this.#next === null || at < this.#next) this.#next = at;
    } else if (this.#owners.delete(owner)) this.#recount();
  }

  fire(now: Millis): void {
    if (this.#next === null || this.#next > now) return;
    // An owner that sets itself anew is met again, with a deadline to come.
    for (const owner of this.#owners) {
      if (owner.alarmAt > now) continue;
      this.#owners.delete(owner);
      owner.alarmAt = 0;
      try {
        owner.alarm(now);
      } catch (error) {
        // What throws costs its own alarm, not those of others.
        this.#onError(error);
      }
    }
    this.#recount();
  }

  #recount(): void {
    let next: Millis | null = null;
    for (const { alarmAt } of this.#owners) if (next === null || alarmAt < next) next = alarmAt;
    this.#next = next;
  }
}
