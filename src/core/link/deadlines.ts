/**
 * What happens to links when time passes: authentication and handshake limits, pings and staleness, the end
 * of a producer's pause, the expiry of credentials.
 */
import type { Engine } from "../engine.ts";
import { WIRE_ERRORS } from "../protocol/errors.ts";
import type { Millis } from "../contract.ts";
import { failed } from "./failure.ts";
import { KIND_CLIENT, KIND_LEAF, type Link } from "./link.ts";
import { scheduleIn } from "./timers.ts";
import { checkWrite } from "./write-deadline.ts";

const HOUR = 3_600_000;
/** A deadline met this much later than it was set for means that the driver is overloaded. */
const LATE = 100;
const OVERLOAD_GRACE = 1000;
const OVERLOAD_MOST = 30_000;
const RTT_TIME: Millis = 1000;

/** Puts a link's next deadline into the timer queue; call after setting one of them. */
export function schedule(engine: Engine, link: Link): void {
  scheduleIn(engine.timers, link);
}

export function fireTimers(engine: Engine): void {
  for (
    let link = engine.timers.pop(engine.now);
    link !== null;
    link = engine.timers.pop(engine.now)
  ) {
    link.timerAt = 0;
    if (!engine.isOpen(link)) continue;
    try {
      fire(engine, link);
    } catch (error) {
      failed(engine, link, error);
    }
    if (engine.isOpen(link)) schedule(engine, link);
  }
}

function fire(engine: Engine, link: Link): void {
  const now = engine.now;
  if (link.resumeAt > 0 && link.resumeAt <= now) engine.resume(link);
  if (link.writeAt > 0 && link.writeAt <= now && checkWrite(engine, link)) return;
  if (link.authAt > 0 && link.authAt <= now) {
    // A server that is late itself has not read what the peer sent in time: in a storm that is no peer's fault.
    if (now - link.authAt > LATE && now - link.opened < OVERLOAD_MOST) {
      link.authAt = now + OVERLOAD_GRACE;
      return;
    }
    link.authAt = 0;
    engine.log("debug", link, "Authentication Timeout");
    engine.fail(link, WIRE_ERRORS.authTimeout, "Authentication Timeout");
    return;
  }
  const leaf = link.leaf;
  if (leaf !== null && leaf.handshakeBy > 0 && leaf.handshakeBy <= now) {
    leaf.handshakeBy = 0;
    if (!leaf.gotInfo) {
      engine.log("error", link, "read error: timeout waiting for INFO");
      engine.close(link, "Read Error");
    } else engine.fail(link, WIRE_ERRORS.staleLeaf, "Stale Connection");
    return;
  }
  if (link.expireAt > 0 && link.expireAt <= now) {
    link.expireAt = 0;
    engine.log("debug", link, "User Authentication Expired");
    engine.fail(link, WIRE_ERRORS.userExpired, "Authentication Expired");
    return;
  }
  if (link.overfullAt > 0 && link.overfullAt <= now) {
    link.overfullAt = 0;
    engine.log("error", link, WIRE_ERRORS.maxSubscriptions);
    engine.fail(link, WIRE_ERRORS.maxSubscriptions, "Maximum Subscriptions Exceeded");
    return;
  }
  if (link.pingAt > 0 && link.pingAt <= now) pingTimer(engine, link);
}

/** As nats-server's processPingTimer, except that any byte received from a leaf proves it alive. */
function pingTimer(engine: Engine, link: Link): void {
  const now = engine.now;
  const interval = pingInterval(engine, link);
  link.pingAt = now + interval;
  // We do not read what a producer sends while it is paused, so it cannot answer either.
  if (link.waitsFor !== null) return;
  const spoke = link.leaf?.isSpoke === true;
  const idle = now - link.lastActivity;
  const measured = link.rtt > 0 && now - link.rttAt < HOUR;
  if (!spoke && idle < interval && measured) {
    engine.log("debug", link, `Delaying PING due to remote client data or ping ${idle}ms ago`);
    return;
  }
  const heard = link.kind === KIND_LEAF && link.pingSent > 0 && link.lastByte > link.pingSent;
  if (heard) {
    // A nats-server hub whose PONG is stuck behind its own output counts us alive by what it receives.
    if (link.leaf?.output.window.trusted === false && link.pingsOut > 0)
      link.pingAt = now + interval / 2;
    link.pingsOut = 0;
  }
  if (link.pingsOut + 1 > engine.options.pingMax) {
    // No answer is owed before the peer had the time to work through what is ahead of the PING.
    if (link.leaf !== null && !link.leaf.output.window.isOverdue(now)) return;
    if (link.kind === KIND_CLIENT) engine.staleConnections.clients++;
    else engine.staleConnections.leafs++;
    engine.log("debug", link, "Stale Client Connection - Closing");
    engine.fail(link, WIRE_ERRORS.stale, "Stale Connection");
    return;
  }
  sendPing(engine, link);
}

export function sendPing(engine: Engine, link: Link): void {
  link.pingsOut++;
  link.pingSent = engine.now;
  const output = link.leaf?.output;
  if (output !== undefined) {
    output.pingWanted = output.window.mayPing;
    if (!link.dirty) engine.markDirty(link);
    return;
  }
  engine.send(link, "PING\r\n");
  if (engine.options.trace) engine.trace(link, "->>", "PING");
}

export function pingInterval(engine: Engine, link: Link): number {
  const websocket = engine.options.websocket;
  const isWebsocket = link.connectionType === "WEBSOCKET" || link.connectionType === "LEAFNODE_WS";
  if (isWebsocket && websocket !== null && websocket.pingInterval > 0)
    return websocket.pingInterval;
  return engine.options.pingInterval;
}

/** The short first ping, which measures the RTT: at most `most` ms plus up to 20 %. */
export function firstPing(engine: Engine, link: Link, most: number): void {
  const base = Math.min(pingInterval(engine, link), most);
  link.pingAt = engine.now + base + engine.world.random() * 0.2 * base;
  schedule(engine, link);
}

/** PONG came. */
export function gotPong(engine: Engine, link: Link): void {
  link.pingsOut = 0;
  const output = link.leaf?.output;
  if (output !== undefined) {
    const time = output.window.ponged(engine.now, link.inBytes);
    // A busy link's PINGs are many; what is shown and acted upon need not change more often.
    if (time >= 0 && engine.now - link.rttAt >= RTT_TIME) measured(engine, link, time);
    return;
  }
  // A microsecond at least, so that "measured" and "0s" stay apart.
  if (link.pingSent > 0) measured(engine, link, Math.max(engine.now - link.pingSent, 0.001));
}

function measured(engine: Engine, link: Link, rtt: Millis): void {
  link.rtt = rtt;
  link.rttAt = engine.now;
  engine.observer.measured?.(link);
}
