/** `connection_rate_limit`: how many TLS handshakes may begin in a second. */
import type { Millis } from "../core/index.ts";

const WINDOW_MS = 1000;

export class RateLimit {
  readonly #limit: number;
  readonly #report: (rejected: number) => void;
  #count = 0;
  #until: Millis = 0;
  #rejected = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `report` is called at most once a second, with the number of refusals since. */
  constructor(limit: number, report: (rejected: number) => void) {
    this.#limit = limit;
    this.#report = report;
  }

  allow(now: Millis): boolean {
    if (now > this.#until) {
      this.#count = 0;
      this.#until = now + WINDOW_MS;
    }
    if (this.#count++ < this.#limit) return true;
    this.#rejected++;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#report(this.#rejected);
      this.#rejected = 0;
    }, WINDOW_MS).unref();
    return false;
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
