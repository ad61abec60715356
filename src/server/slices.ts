/** Long work in short turns: walks over many links let others have their messages in between. */

/** The most that one turn may take. */
const TURN_MS = 4;

/** Runs jobs one after the other; each `yield` is a place to stop at. */
export class Slices {
  readonly #jobs: Generator<void>[] = [];
  readonly #begin: () => void;
  readonly #end: () => void;
  #waiting: NodeJS.Immediate | null = null;
  #stopped = false;

  /** `begin` and `end` frame each turn. */
  constructor(begin: () => void, end: () => void) {
    this.#begin = begin;
    this.#end = end;
  }

  add(job: Generator<void>): void {
    if (this.#stopped) return;
    this.#jobs.push(job);
    this.#waiting ??= setImmediate(() => this.#turn());
  }

  stop(): void {
    this.#stopped = true;
    this.#jobs.length = 0;
    if (this.#waiting !== null) clearImmediate(this.#waiting);
    this.#waiting = null;
  }

  #turn(): void {
    this.#waiting = null;
    const until = performance.now() + TURN_MS;
    this.#begin();
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      if (job.next().done === true) this.#jobs.shift();
      else if (performance.now() >= until) break;
    }
    this.#end();
    if (this.#jobs.length > 0) this.#waiting ??= setImmediate(() => this.#turn());
  }
}
