/**
 * How long the transport may take over what a link is sent. The time runs from the moment it holds bytes back
 * until it has taken all of them, and starts anew whenever some went out, unless the policy is `close`.
 */
import type { Millis } from "../contract.ts";
import type { Engine } from "../engine.ts";
import type { WriteTimeout } from "../options.ts";
import { formatMillis } from "../bytes/ascii.ts";
import { KIND_CLIENT, KIND_LEAF, type Link } from "./link.ts";
import { scheduleIn } from "./timers.ts";

/** A silent peer behind a slow line is given this many deadlines. */
const PATIENCE = 2;

/** The transport holds back what it was just given. */
export function writeBegan(engine: Engine, link: Link): void {
  const { writeDeadline } = rulesFor(engine, link);
  if (writeDeadline <= 0) return;
  link.writeSince = engine.now;
  link.writeAt = engine.now + writeDeadline;
  link.progress = progressOf(engine, link);
  scheduleIn(engine.timers, link);
}

/** The transport has taken everything. */
export function writeEnded(engine: Engine, link: Link): void {
  link.writeAt = 0;
  if (!link.slow) return;
  link.slow = false;
  const seconds = ((engine.now - link.writeSince) / 1000).toFixed(3);
  engine.log(
    "notice",
    link,
    `Slow Consumer Recovered: Flush took ${seconds}s with ${amount(link)}`,
  );
}

/** The same for a leaf link, whose output may also wait here for its window: `held`. */
export function watchWrite(engine: Engine, link: Link, held: boolean): void {
  if (link.queued > 0 || held) {
    if (link.writeAt === 0) writeBegan(engine, link);
  } else if (link.writeAt > 0) writeEnded(engine, link);
}

/** The deadline has come. Returns whether it closed the link. */
export function checkWrite(engine: Engine, link: Link): boolean {
  const { writeDeadline, writeTimeout } = rulesFor(engine, link);
  // A reload has taken the deadline away.
  if (writeDeadline <= 0) {
    link.writeAt = 0;
    return false;
  }
  const since = link.writeAt - writeDeadline;
  const progress = progressOf(engine, link);
  const moved = progress !== link.progress || isExcused(engine, link, since);
  link.progress = progress;
  link.writeAt = engine.now + writeDeadline;
  const isClient = link.kind === KIND_CLIENT;
  if (moved && !(isClient && writeTimeout !== "default")) return false;
  if (!isClient || link.state === "active") report(engine, link, writeDeadline);
  // A retried write has taken some in the beginning, or it would not be under way.
  const isRetried = writeTimeout === "retry" || (writeTimeout === "default" && !isClient);
  if (isRetried && (moved || !link.slow)) {
    link.slow = true;
    return false;
  }
  engine.close(link, "Slow Consumer (Write Deadline)", false);
  return true;
}

/**
 * A leaf link whose transport has taken everything, and whose window is what holds output back: its peer is given
 * the time that the line was seen to need, and any byte from it is a sign of life.
 */
function isExcused(engine: Engine, link: Link, since: Millis): boolean {
  const output = link.leaf?.output;
  if (output === undefined || link.queued > 0) return false;
  const { writeDeadline } = rulesFor(engine, link);
  return link.lastByte > since || !output.window.isLate(engine.now, PATIENCE * writeDeadline);
}

function report(engine: Engine, link: Link, writeDeadline: Millis): void {
  if (link.kind === KIND_LEAF) engine.slowConsumers.leafs++;
  else engine.slowConsumers.clients++;
  const state = link.slow ? "State" : "Detected";
  const after = `WriteDeadline of ${formatMillis(writeDeadline)} exceeded with ${amount(link)}`;
  engine.log("notice", link, `Slow Consumer ${state}: ${after}`);
}

function amount(link: Link): string {
  const chunks = link.out.chunks + (link.queued > 0 ? 1 : 0);
  return `${chunks} chunks of ${link.queued + link.out.bytes} total bytes.`;
}

function progressOf(engine: Engine, link: Link): number {
  return engine.outlet.progress?.(link.id) ?? link.queued;
}

function rulesFor(
  engine: Engine,
  link: Link,
): { readonly writeDeadline: number; readonly writeTimeout: WriteTimeout } {
  return link.kind === KIND_LEAF ? engine.options.leaf : engine.options;
}
