/**
 * The bound on what waits for a leaf link (`max_pending`), and what happens at it (`pending_policy`): `drop`
 * loses whole messages and counts them, `pause` stops reading from their producers, `close` ends the link as
 * nats-server ends slow clients. Control lines are never dropped; a link that cannot take even those is closed.
 */
import type { Engine } from "../engine.ts";
import type { LeafOutput } from "./leaf-output.ts";
import { KIND_CLIENT, type Link } from "./link.ts";

/** Producers are paused from this part of the bound on, and go on at half of the bound. */
const PAUSE_PART = 0.75;
const EASED_PART = 0.5;
/** Lines about dropping come no more often. */
const REPORT_TIME = 60_000;
const RESTART_TIME = 10_000;

interface PendingRule {
  readonly limit: number;
  readonly policy: "drop" | "pause" | "close";
}

/** What waits of messages, held by us and by the transport; interest does not count, as it must be told. */
function messageBytes(link: Link, output: LeafOutput): number {
  return link.queued + output.waiting(link) - output.waitingControl(link);
}

function ruleFor(engine: Engine, link: Link): PendingRule {
  const { maxPending, pendingPolicy } = engine.options.leaf;
  const remote = link.leaf?.remote ?? null;
  return {
    limit: remote?.maxPending ?? maxPending,
    policy: remote?.pendingPolicy ?? pendingPolicy,
  };
}

/** Whether a message of `frame` bytes may join what is held for a link; if not, it is counted as dropped. */
export function admits(engine: Engine, link: Link, frame: number, payload: number): boolean {
  const output = link.leaf?.output;
  if (output === undefined) return true;
  const { limit, policy } = ruleFor(engine, link);
  if (policy === "close") return true;
  const pending = messageBytes(link, output);
  // Of a paused producer, what was read already is taken.
  const isFilling = policy === "pause" && pending > limit * PAUSE_PART;
  if (isFilling && pauseProducer(engine, output)) return true;
  if (pending + frame <= limit) return true;
  output.droppedMsgs++;
  output.droppedBytes += payload;
  engine.dropped.msgs++;
  engine.dropped.bytes += payload;
  reportDrop(engine, link, output, limit);
  return false;
}

/** What waits for a leaf link has grown: beyond the bound the link is closed, if that is the policy. */
export function checkLeafPending(engine: Engine, link: Link): void {
  const output = link.leaf?.output;
  if (output === undefined) return;
  const { limit, policy } = ruleFor(engine, link);
  const isOver = policy === "close" && messageBytes(link, output) > limit;
  // A peer that leaves even what it must be told unread is no better than a dead one.
  const mostControl = Math.max(limit, engine.options.maxPending);
  if (!isOver && output.waitingControl(link) <= mostControl) return;
  engine.slowConsumers.leafs++;
  engine.log("notice", link, `Slow Consumer Detected: MaxPending of ${limit} Exceeded`);
  engine.close(link, "Slow Consumer (Pending Bytes)", false);
}

/** Whether the engine's short pauses of fast producers apply: `drop` means that nobody waits for this link. */
export function slowsProducers(engine: Engine, link: Link): boolean {
  return link.leaf === null || ruleFor(engine, link).policy === "close";
}

/** Output was handed over. */
export function easePressure(engine: Engine, link: Link, output: LeafOutput): void {
  if (messageBytes(link, output) > ruleFor(engine, link).limit * EASED_PART) return;
  releaseProducers(engine, output);
  if (!output.isDropping) return;
  output.isDropping = false;
  engine.log(
    "notice",
    link,
    `Slow Leafnode Recovered: ${count(output)} dropped on this link in all`,
  );
}

/** Lets the producers go on that wait for this link. */
export function releaseProducers(engine: Engine, output: LeafOutput): void {
  const { paused } = output;
  output.paused = null;
  if (paused !== null) for (const source of paused) engine.resume(source);
}

/** Only clients are paused: another link or the server itself serves others too. */
function pauseProducer(engine: Engine, output: LeafOutput): boolean {
  const source = engine.current;
  if (source === null || source.kind !== KIND_CLIENT) return false;
  if (source.waitsFor !== null) return true;
  source.waitsFor = output;
  output.paused ??= new Set();
  output.paused.add(source);
  engine.pauseFor(source);
  return true;
}

function reportDrop(engine: Engine, link: Link, output: LeafOutput, limit: number): void {
  const since = engine.now - output.reportedAt;
  const isFirst = output.reportedAt === 0;
  const wasDropping = output.isDropping;
  output.isDropping = true;
  if (!isFirst && since < (wasDropping ? REPORT_TIME : RESTART_TIME)) return;
  output.reportedAt = engine.now;
  engine.log(
    "warn",
    link,
    `Slow Leafnode: ${wasDropping ? "still dropping" : "dropping"} messages, max_pending of ${limit} ` +
      `bytes reached; ${count(output)} dropped on this link so far`,
  );
}

function count(output: LeafOutput): string {
  return `${output.droppedMsgs} messages (${output.droppedBytes} bytes)`;
}
