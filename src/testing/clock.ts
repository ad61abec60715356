/**
 * Virtual time: callbacks in the order of their time, and among equal times in the order they were asked for.
 * Nothing happens but inside `run`, so a simulation is a plain loop without promises.
 */
export interface Alarm {
  readonly at: number;
  readonly order: number;
  fire: (() => void) | null;
}

export class VirtualClock {
  now: number;
  readonly #heap: Alarm[] = [];
  #order = 0;
  #live = 0;
  #isStopped = false;

  constructor(start = 1_000_000) {
    this.now = start;
  }

  /** Alarms that are set and not cancelled. */
  get pending(): number {
    return this.#live;
  }

  at(time: number, fire: () => void): Alarm {
    const alarm: Alarm = { at: Math.max(time, this.now), order: this.#order++, fire };
    this.#push(alarm);
    this.#live++;
    return alarm;
  }

  after(delay: number, fire: () => void): Alarm {
    return this.at(this.now + delay, fire);
  }

  cancel(alarm: Alarm | null): void {
    if (alarm === null || alarm.fire === null) return;
    alarm.fire = null;
    this.#live--;
  }

  /** Nothing happens any more: a run that went wrong need not be seen to its end. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Lets `duration` milliseconds pass. */
  run(duration: number): void {
    this.runUntil(this.now + duration);
  }

  runUntil(time: number): void {
    for (
      let first = this.#heap[0];
      first !== undefined && first.at <= time;
      first = this.#heap[0]
    ) {
      if (this.#isStopped) return;
      this.#pop();
      const fire = first.fire;
      if (fire === null) continue;
      first.fire = null;
      this.#live--;
      this.now = first.at;
      fire();
    }
    this.now = Math.max(this.now, time);
  }

  #push(alarm: Alarm): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(alarm);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Alarm;
      if (isBefore(above, alarm)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = alarm;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Alarm, heap[child] as Alarm))
        child++;
      const below = heap[child] as Alarm;
      if (isBefore(last, below)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(a: Alarm, b: Alarm): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
