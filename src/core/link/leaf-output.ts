/**
 * What leaves on a leaf link, paced by its window: while the window is full, output is held here, where it is
 * bounded, can be overtaken and can be dropped whole, and not in a kernel, where it can not.
 *
 * What overtakes held data, and why it may:
 * - PONG acknowledges what we RECEIVED before its PING. It says nothing about our own output, so no message of
 *   ours has to come before it; a spoke that hears no PONG in time closes the link (nats-server #7615).
 * - PING measures what was handed over before it, so that is where it belongs.
 * - LS+ LS- INFO -ERR: interest must stand before the messages that depend on it, never after others. They keep
 *   the order among themselves, so a line stays behind held data only while an older line does.
 *
 * Messages keep their order. At a boundary between frames a link can always be interrupted; a frame larger
 * than the window goes out whole.
 */
import type { Engine } from "../engine.ts";
import { easePressure } from "./leaf-pressure.ts";
import { LeafWindow } from "./leaf-window.ts";
import type { Link } from "./link.ts";
import { Outbox } from "./outbound.ts";
import { watchWrite } from "./write-deadline.ts";

const PONG = frame("PONG\r\n");
const PING = frame("PING\r\n");

export class LeafOutput {
  readonly window = new LeafWindow();
  /** Output waits, for the window or for the transport. */
  isHeld = false;
  /** Control lines that overtake the held data in the link's outbox. */
  lane: Outbox | null = null;
  /** PONGs to be sent in front of held output. */
  pongs = 0;
  /** A PING is to be sent whether or not the window wants one. */
  pingWanted = false;
  /** Messages that were not sent, and bytes of their payloads, since the link's outbox was full. */
  droppedMsgs = 0;
  droppedBytes = 0;
  /** Dropping right now, and what was said about it when. */
  isDropping = false;
  reportedAt = 0;
  reportedMsgs = 0;
  /** Producers that are paused until there is room again. */
  paused: Set<Link> | null = null;
  /** Bytes that the outbox has handed over in all, and of them the end of its last control line. */
  handedOver = 0;
  lastControl = 0;
  /** Bytes of control lines in the outbox, until the last of them has left. */
  #controlBytes = 0;

  /** Where the next control line goes. */
  controlBox(link: Link, engine: Engine): Outbox {
    if (!this.isHeld || this.lastControl > this.handedOver) return link.out;
    return (this.lane ??= new Outbox(engine.pool));
  }

  /** A control line was appended to the link's outbox itself. */
  controlEnds(link: Link, length: number): void {
    if (this.lastControl <= this.handedOver) this.#controlBytes = 0;
    this.#controlBytes += length;
    this.lastControl = this.handedOver + link.out.bytes;
  }

  /** Bytes of control lines that wait, about: those that left from among others still count. */
  waitingControl(link: Link): number {
    const own = this.lastControl <= this.handedOver ? 0 : this.#controlBytes;
    return Math.min(own, link.out.bytes) + (this.lane?.bytes ?? 0);
  }

  /** Bytes that wait on our side of the transport. */
  waiting(link: Link): number {
    return link.out.bytes + (this.lane?.bytes ?? 0);
  }
}

/** Hands over what the window has room for. */
export function flushLeaf(engine: Engine, link: Link, output: LeafOutput): void {
  if (output.pongs > 0) sendPongs(engine, link, output);
  const { window } = output;
  const waiting = output.waiting(link);
  if (link.queued > 0) link.out.settle();
  else if (waiting > 0) {
    const isPaced = link.leaf?.registered === true;
    const room = isPaced ? window.room(engine.now, link.inBytes) : Number.POSITIVE_INFINITY;
    if (waiting <= room) handOverAll(engine, link, output);
    else handOverParts(engine, link, output, room);
    if (link.queued === 0) link.lastDrain = engine.now;
  }
  const left = output.waiting(link);
  output.isHeld = left > 0;
  ping(engine, link, output, left > 0 && link.queued === 0);
  watchWrite(engine, link, output.isHeld);
  if (output.isDropping || output.paused !== null) easePressure(engine, link, output);
}

/** Hands over everything, whatever the window says: before a change of framing, and at the end. */
export function handOverAll(engine: Engine, link: Link, output: LeafOutput): void {
  const { lane, window } = output;
  if (lane !== null && lane.bytes > 0) {
    window.sent(lane.bytes);
    link.queued = lane.flush(engine.outlet, link.id);
  }
  const bytes = link.out.bytes;
  if (bytes === 0) return;
  window.sent(bytes);
  output.handedOver += bytes;
  link.queued = link.out.flush(engine.outlet, link.id);
}

/** A PING behind each part, so that the line never runs dry while one is on its way. */
function handOverParts(engine: Engine, link: Link, output: LeafOutput, room: number): void {
  const { window } = output;
  let left = room;
  while (left > 0 && link.queued === 0 && output.waiting(link) > 0) {
    handOverSome(engine, link, output, Math.min(left, window.part));
    ping(engine, link, output, false);
    left = window.bytes - window.inFlight;
  }
  link.out.settle();
}

function handOverSome(engine: Engine, link: Link, output: LeafOutput, room: number): void {
  const { lane, window } = output;
  let left = room;
  if (lane !== null && lane.bytes > 0) {
    const before = lane.bytes;
    link.queued = lane.flushFrames(engine.outlet, link.id, left);
    window.sent(before - lane.bytes);
    left -= before - lane.bytes;
  }
  if (left <= 0 || link.queued > 0) return;
  const before = link.out.bytes;
  link.queued = link.out.flushFrames(engine.outlet, link.id, left);
  window.sent(before - link.out.bytes);
  output.handedOver += before - link.out.bytes;
}

/** Behind what the transport holds they would be no sooner there: they wait for it here, as a number. */
function sendPongs(engine: Engine, link: Link, output: LeafOutput): void {
  for (; output.pongs > 0 && link.queued === 0; output.pongs--) {
    output.window.sent(PONG.length);
    link.queued = engine.outlet.write(link.id, PONG);
  }
}

function ping(engine: Engine, link: Link, output: LeafOutput, held: boolean): void {
  const { window } = output;
  if (link.leaf?.registered !== true) return;
  if (!window.wantsProbe(engine.now, held) && !output.pingWanted) return;
  output.pingWanted = false;
  window.pinged(engine.now, link.inBytes, PING.length);
  link.queued = engine.outlet.write(link.id, PING);
  if (engine.options.trace) engine.trace(link, "->>", "PING");
}

/** Shared by all links; nobody writes to it. */
function frame(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
