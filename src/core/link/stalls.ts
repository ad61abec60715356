/**
 * The bound on what waits for a link, and producers that are paused since a receiver's outbox fills faster than it empties: for a few milliseconds at
 * a time, as nats-server does, and not at all for a receiver that takes nothing, which runs into its limit.
 */
import type { Millis } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { schedule } from "./deadlines.ts";
import { checkLeafPending, slowsProducers } from "./leaf-pressure.ts";
import { KIND_CLIENT, KIND_LEAF, type Link } from "./link.ts";

const STALL_ABOVE = 8 * 1024 * 1024;
const STALL_TIME: Millis = 5;
const STUCK_AFTER: Millis = 100;

export class Stalls {
  /** How often a producer was paused. */
  count = 0;
  readonly #engine: Engine;
  readonly #stalled = new Set<Link>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Enforces the bound on what waits for a link, and pauses the producer at work if it fills it. */
  check(link: Link): void {
    const engine = this.#engine;
    const limit = engine.options.maxPending;
    if (link.kind === KIND_CLIENT && link.queued + link.out.bytes > limit) {
      engine.slowConsumers.clients++;
      engine.log("notice", link, `Slow Consumer Detected: MaxPending of ${limit} Exceeded`);
      engine.close(link, "Slow Consumer (Pending Bytes)", false);
      return;
    }
    if (link.kind === KIND_LEAF) checkLeafPending(engine, link);
    const source = engine.current;
    if (source === null || source === link || source.stalled || engine.options.noStall) return;
    if (source.kind !== KIND_CLIENT || !this.isFilling(link)) return;
    if (slowsProducers(engine, link)) this.stall(source, link);
  }

  isFilling(link: Link): boolean {
    const limit = Math.min(this.#engine.options.maxPending * 0.75, STALL_ABOVE);
    return link.queued + link.out.bytes > limit;
  }

  stall(source: Link, receiver: Link): void {
    const engine = this.#engine;
    if (engine.now - receiver.lastDrain > STUCK_AFTER) return;
    source.stalled = true;
    source.stalls++;
    this.count++;
    this.#stalled.add(source);
    source.resumeAt = engine.now + STALL_TIME;
    schedule(engine, source);
    engine.outlet.pause(source.id);
  }

  /** Stops reading from a producer until `resume`. */
  pause(source: Link): void {
    if (!source.stalled) this.#engine.outlet.pause(source.id);
    source.stalled = true;
    source.resumeAt = 0;
    source.stalls++;
    this.count++;
    this.#stalled.delete(source);
  }

  resume(link: Link): void {
    link.resumeAt = 0;
    link.stalled = false;
    link.waitsFor = null;
    this.#stalled.delete(link);
    if (this.#engine.isOpen(link)) this.#engine.outlet.resume(link.id);
  }

  /** A receiver was relieved: if it is no longer filling, nobody waits on. */
  relieved(receiver: Link): void {
    if (this.#stalled.size === 0 || this.isFilling(receiver)) return;
    for (const link of this.#stalled) this.resume(link);
  }

  forget(link: Link): void {
    this.#stalled.delete(link);
  }
}
