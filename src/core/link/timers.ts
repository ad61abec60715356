/** Deadlines of links: a binary heap; what is no longer a link's next deadline is skipped when it comes up. */
import type { Millis } from "../contract.ts";
import type { Link } from "./link.ts";

interface Slot {
  readonly at: Millis;
  readonly link: Link;
}

export class TimerQueue {
  readonly #heap: Slot[] = [];
  #stale = 0;

  get next(): Millis | null {
    return this.#heap[0]?.at ?? null;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(link: Link, at: Millis): void {
    const heap = this.#heap;
    let i = heap.length;
    const slot = { at, link };
    heap.push(slot);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Slot;
      if (above.at <= at) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = slot;
  }

  /** The next link whose slot is due, or null. A slot that an earlier one of its link replaced is dropped. */
  pop(now: Millis): Link | null {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > now) return null;
      const last = this.#heap.pop() as Slot;
      if (this.#heap.length > 0) this.#sink(last);
      if (first.at === first.link.timerAt) return first.link;
    }
  }

  /** Call when a link has closed: its slots go when they are half of all. */
  forget(): void {
    if (++this.#stale * 2 < this.#heap.length) return;
    this.#stale = 0;
    const live = this.#heap.filter((slot) => slot.link.state !== "closed");
    this.#heap.length = 0;
    for (const slot of live) this.add(slot.link, slot.at);
  }

  #sink(slot: Slot): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Slot).at < (heap[child] as Slot).at)
        child++;
      const below = heap[child] as Slot;
      if (below.at >= slot.at) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = slot;
  }
}

/** Puts a link's next deadline into the queue. */
export function scheduleIn(queue: TimerQueue, link: Link): void {
  const at = nextDeadlineOf(link);
  if (at === 0 || (link.timerAt !== 0 && link.timerAt <= at)) return;
  link.timerAt = at;
  queue.add(link, at);
}

/** The earliest of a link's deadlines, or 0. */
export function nextDeadlineOf(link: Link): Millis {
  let at = 0;
  for (const deadline of [
    link.pingAt,
    link.authAt,
    link.resumeAt,
    link.expireAt,
    link.overfullAt,
    link.writeAt,
    link.leaf?.handshakeBy ?? 0,
  ]) {
    if (deadline > 0 && (at === 0 || deadline < at)) at = deadline;
  }
  return at;
}
