/**
 * How much of what a leaf link was sent its peer has not worked through, and how much that may be. No transport
 * tells: a kernel's send buffer takes megabytes that a slow line needs minutes for, and every PONG of ours waits
 * behind them. So we ask: a PING behind a part of the window, whose PONG acknowledges everything before it,
 * since every NATS peer works through its input in order.
 *
 * The window follows the rate measured by these PONGs. It starts small and doubles while it is what holds us
 * back; it holds about a second of a slow line's output and a quarter of a second of a fast one's, so that one
 * is never far behind and the other is never waited for.
 *
 * Pure: bytes and times come in as numbers. PINGs that only keep the link alive are recorded too, as PONGs
 * come in the order of all of them.
 */
import type { Millis } from "../contract.ts";

const START_BYTES = 16 * 1024;
const LEAST_BYTES = 4 * 1024;
/** Up to here the window may hold `SLOW_TIME` of output, above it `FAST_TIME`. */
const SLOW_BYTES = 64 * 1024;
const SLOW_TIME: Millis = 1000;
const FAST_TIME: Millis = 250;
/** A PING goes out behind so much of the window, and on a quieter link behind so many bytes after such a time. */
const PARTS = 4;
const PROBE_BYTES = 1024;
const PROBE_TIME: Millis = 500;
/** A PING behind no more than this measures the line's own delay; one behind more measures at most `DELAY_GUESS`. */
const SMALL_FLIGHT = 512;
const DELAY_MAX: Millis = 2000;
const DELAY_GUESS: Millis = 500;
/** For so long a rate that was reached is taken for what the line can do. */
const RATE_MEMORY: Millis = 10_000;
const LEAST_TIME: Millis = 0.001;
/** PINGs of ours that wait for an answer; no more are sent beyond. */
const PROBES_MAX = 256;

/** A PING that was sent and not answered. */
interface Probe {
  readonly at: Millis;
  /** Bytes sent in all up to and with this PING, and how many of them were unanswered. */
  readonly offset: number;
  readonly flight: number;
  /** What had been received in all. */
  readonly received: number;
}

export class LeafWindow {
  /** Bytes that may be under way. */
  bytes = START_BYTES;
  /**
   * Whether a late PONG says that our output is slow. False where the peer's own output may be what delays it
   * (a nats-server hub that sends more than the line takes): then it proves nothing while data arrives.
   */
  trusted = true;
  #sent = 0;
  #acknowledged = 0;
  #probed = 0;
  #probedAt: Millis = 0;
  readonly #probes: Probe[] = [];
  /** The window held output back since the last PONG. */
  #limited = false;
  /** Bytes per millisecond, the most that was reached of late. */
  #rate = 0;
  #ratedAt: Millis = 0;
  #leastDelay: Millis = Number.POSITIVE_INFINITY;
  #leastGuess: Millis = DELAY_GUESS;

  /** Bytes that the peer may not have worked through yet. */
  get inFlight(): number {
    return this.#sent - this.#acknowledged;
  }

  get unanswered(): number {
    return this.#probes.length;
  }

  /** Bytes were handed to the transport. */
  sent(bytes: number): void {
    this.#sent += bytes;
  }

  /** How many bytes may be handed to the transport; `received`: what came in on this link in all. */
  room(now: Millis, received: number): number {
    const oldest = this.#probes[0];
    if (oldest !== undefined && now - oldest.at > this.#patience(oldest)) {
      if (this.#isBlind(oldest, received)) return Number.POSITIVE_INFINITY;
      // The line has become slower than the window was made for: nothing more until it says how slow.
      this.#limited = true;
      return 0;
    }
    return this.bytes - this.inFlight;
  }

  /** Whether a PING is due behind what was handed over; `held`: there is more that must wait. */
  wantsProbe(now: Millis, held: boolean): boolean {
    if (held) this.#limited = true;
    const unprobed = this.#sent - this.#probed;
    if (this.#probes.length >= PROBES_MAX) return false;
    if (unprobed >= this.bytes / PARTS) return true;
    if (held && this.#probes.length === 0) return true;
    return unprobed >= PROBE_BYTES && now - this.#probedAt >= PROBE_TIME;
  }

  /** How much may be handed over before the next PING. */
  get part(): number {
    return Math.max(1, this.bytes / PARTS - (this.#sent - this.#probed));
  }

  get mayPing(): boolean {
    return this.#probes.length < PROBES_MAX;
  }

  /** A PING of `size` bytes was handed over. */
  pinged(now: Millis, received: number, size: number): void {
    this.#sent += size;
    this.#probed = this.#sent;
    this.#probedAt = now;
    this.#probes.push({ at: now, offset: this.#sent, flight: this.inFlight, received });
  }

  /** A PONG came. Returns how long its PING took, or -1 if none was sent. */
  ponged(now: Millis, received: number): Millis {
    const probe = this.#probes.shift();
    if (probe === undefined) return -1;
    const time = Math.max(now - probe.at, LEAST_TIME);
    this.#acknowledged = Math.max(this.#acknowledged, probe.offset);
    this.#leastGuess = Math.min(this.#leastGuess, time);
    if (probe.flight <= SMALL_FLIGHT) {
      this.#leastDelay = Math.min(this.#leastDelay, time, DELAY_MAX);
    }
    this.#follow(probe, now, received);
    return time;
  }

  /** Whether the oldest PING should have been answered, at the rate that was measured or after `most` in any case. */
  isLate(now: Millis, most: Millis): boolean {
    const oldest = this.#probes[0];
    if (oldest !== undefined && now - oldest.at > most) return true;
    return oldest === undefined || now - oldest.at > this.#patience(oldest);
  }

  /** Whether the oldest PING should have been answered, at twice the time that was measured. */
  isOverdue(now: Millis): boolean {
    const oldest = this.#probes[0];
    return oldest === undefined || now - oldest.at > 2 * this.#patience(oldest);
  }

  #follow(probe: Probe, now: Millis, received: number): void {
    const time = Math.max(now - probe.at, LEAST_TIME);
    const sample = probe.flight / time;
    const isBusy = received - probe.received >= LEAST_BYTES;
    const memory = this.#rate * Math.max(0, 1 - (now - this.#ratedAt) / RATE_MEMORY);
    let rate = Math.max(sample, memory);
    // The peer's own output may delay its PONG by as much as ours may take.
    const share = isBusy ? SLOW_TIME : clamp(SLOW_BYTES / rate, FAST_TIME, SLOW_TIME);
    const allowed = share + this.#delay;
    if (time > 2 * allowed) rate = sample;
    this.#rate = rate;
    this.#ratedAt = now;
    if (time > allowed) {
      if (this.#isBlind(probe, received)) return;
      // A PING behind next to nothing tells of a delay, hardly of a rate.
      const least = probe.flight * PARTS < this.bytes ? this.bytes / 2 : LEAST_BYTES;
      this.bytes = Math.max(LEAST_BYTES, least, Math.min(this.bytes, rate * allowed));
    } else if (this.#limited) {
      this.bytes = Math.max(this.bytes, Math.min(2 * this.bytes, rate * allowed));
    }
    this.#limited = false;
  }

  /** What a PING behind nothing would take. */
  get #delay(): Millis {
    return Number.isFinite(this.#leastDelay) ? this.#leastDelay : this.#leastGuess;
  }

  /** How long the answer to a PING may take at the rate that the window was made for. */
  #patience(probe: Probe): Millis {
    return (SLOW_TIME + this.#delay) * Math.max(1, probe.flight / this.bytes);
  }

  /** Data that arrived in the meantime may be what the PONG waited behind. */
  #isBlind(probe: Probe, received: number): boolean {
    return !this.trusted && received - probe.received >= probe.flight;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
