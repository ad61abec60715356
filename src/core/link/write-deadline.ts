/**
 * How long the transport may take over what a link is sent. The time runs from the moment it holds bytes back
 * until it has taken all of them, and starts anew whenever some went out, unless the policy is `close`.
 */
import type { Engine } from "../engine.ts";
import type { WriteTimeout } from "../options.ts";
import { formatMillis } from "../bytes/ascii.ts";
import { KIND_CLIENT, KIND_LEAF, type Link } from "./link.ts";
import { scheduleIn } from "./timers.ts";

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

/** The deadline has come. Returns whether it closed the link. */
export function checkWrite(engine: Engine, link: Link): boolean {
  const { writeDeadline, writeTimeout } = rulesFor(engine, link);
  const progress = progressOf(engine, link);
  const moved = progress !== link.progress;
  link.progress = progress;
  link.writeAt = engine.now + writeDeadline;
  const patient = writeTimeout === "default" && link.kind === KIND_CLIENT;
  if (moved && patient) return false;
  const isStranger = link.kind === KIND_CLIENT && link.state !== "active";
  if (!isStranger) {
    if (link.kind === KIND_LEAF) engine.slowConsumers.leafs++;
    else engine.slowConsumers.clients++;
    const state = link.slow ? "State" : "Detected";
    const after = `WriteDeadline of ${formatMillis(writeDeadline)} exceeded with ${amount(link)}`;
    engine.log("notice", link, `Slow Consumer ${state}: ${after}`);
  }
  if (moved && writeTimeout !== "close") {
    link.slow = true;
    return false;
  }
  engine.close(link, "Slow Consumer (Write Deadline)", false);
  return true;
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
