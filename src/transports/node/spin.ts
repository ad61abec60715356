/**
 * HOT PATH (the latency rows). Looks again for a moment before the thread sleeps.
 *
 * Waking a thread whose core went idle can cost more than a whole round trip through this server: 137 us against
 * 45 for a relay of two hops on a virtual machine. So after input the event loop goes on polling for `SPIN_MS`
 * instead of waiting in the kernel, and what a peer on the same machine answers at once finds us awake, as Go's
 * scheduler does for nats-server. Where the next input mostly comes later than that, polling would only take
 * the core from others: it stops, but for a try now and then.
 */
import { availableParallelism } from "node:os";

/** More than three hops on one machine take, which is what a server waits for across a leaf (bench, 2026-11). */
export const SPIN_MS = 0.1;
const MOST = 16;
/** Below this confidence only one input in `PROBE_EVERY` is followed by polling. */
const CONFIDENT = 8;
/** Finding input while polling adds 1, finding none takes this. */
const DISAPPOINTED = 4;
const PROBE_EVERY = 256;

export class Spinner {
  readonly #now: () => number;
  readonly #soon: (turn: () => void) => void;
  readonly #turn: () => void;
  #until = 0;
  #polling = false;
  #confidence = MOST;
  #skipped = 0;

  /** `now` in milliseconds; `soon` runs a turn after the event loop has polled once more. */
  constructor(now: () => number, soon: (turn: () => void) => void) {
    this.#now = now;
    this.#soon = soon;
    this.#turn = (): void => this.#poll();
  }

  /** Input came: the next may follow soon. */
  input(): void {
    if (this.#polling) {
      if (this.#confidence < MOST) this.#confidence++;
    } else {
      if (this.#confidence < CONFIDENT && ++this.#skipped < PROBE_EVERY) return;
      this.#skipped = 0;
      this.#polling = true;
      this.#soon(this.#turn);
    }
    this.#until = this.#now() + SPIN_MS;
  }

  #poll(): void {
    if (this.#now() < this.#until) {
      this.#soon(this.#turn);
      return;
    }
    this.#polling = false;
    this.#confidence = Math.max(0, this.#confidence - DISAPPOINTED);
  }
}

const spinner = new Spinner(() => performance.now(), setImmediate);
/** With one core, polling would keep the peer from answering. */
const enabled = availableParallelism() > 1;

/** Input came on some socket of this thread. */
export function stayAwake(): void {
  if (enabled) spinner.input();
}
