/**
 * Finds where frames of a leaf link's output end, so that it can be handed over and interrupted between them.
 * Only output that has to wait is walked; what flows freely is never looked at again.
 */
const LF = 10;
const UPPER_H = 72;
const UPPER_L = 76;
const UPPER_M = 77;
const ZERO = 48;

export class FrameWalk {
  /** Bytes of the last payload that lie beyond the bytes walked so far. */
  #rest = 0;

  /** Between two frames. */
  get atBoundary(): boolean {
    return this.#rest === 0;
  }

  /**
   * Walks whole frames of `bytes[start, end)` until `budget` bytes are covered; returns the index behind them.
   * Only payloads continue in the next piece of an output; control lines never do.
   */
  advance(bytes: Uint8Array, start: number, end: number, budget: number): number {
    let at = this.#payload(start, end, this.#rest);
    while (at < end && at - start < budget) {
      const lf = bytes.indexOf(LF, at);
      if (lf < 0 || lf >= end) return end;
      const first = bytes[at];
      const isMessage = first === UPPER_H || (first === UPPER_L && bytes[at + 1] === UPPER_M);
      at = isMessage ? this.#payload(lf + 1, end, sizeBefore(bytes, lf) + 2) : lf + 1;
    }
    return at;
  }

  #payload(at: number, end: number, length: number): number {
    const here = Math.min(length, end - at);
    this.#rest = length - here;
    return at + here;
  }
}

/** The number that stands before the CRLF whose LF is at `lf`. */
function sizeBefore(bytes: Uint8Array, lf: number): number {
  let size = 0;
  let factor = 1;
  for (let i = lf - 2; i >= 0; i--) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    size += digit * factor;
    factor *= 10;
  }
  return size;
}
