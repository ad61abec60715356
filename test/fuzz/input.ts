/** What a peer still has to send, cut anywhere on its way, and what follows once a piece of it has been read. */
import type { Random } from "../../src/testing/random.ts";

interface Piece {
  readonly bytes: Uint8Array;
  readonly done: (() => void) | null;
}

const BIG_CHUNKS = [256 * 1024, 1024 * 1024];

export class Input {
  readonly #random: Random;
  #pieces: Piece[] = [];
  /** So much of the first piece is gone. */
  #at = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** `done` is called when the chunk that ends the piece was read whole. */
  add(bytes: Uint8Array, done: (() => void) | null = null): void {
    this.#pieces.push({ bytes, done });
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Sends chunks, all or some of what there is. `feed` answers whether the connection takes more. */
  push(feed: (chunk: Uint8Array) => "more" | "paused" | "ended"): void {
    const random = this.#random;
    let total = 0;
    for (const { bytes } of this.#pieces) total += bytes.length;
    total -= this.#at;
    let left = random.chance(0.5) ? total : random.below(total + 1);
    while (left > 0) {
      const size = random.chance(0.5)
        ? random.pick(BIG_CHUNKS)
        : 1 + random.below(random.pick([3, 100, 5000, 70_000]));
      const [chunk, ends] = this.#cut(Math.min(left, size));
      left -= chunk.length;
      const state = feed(chunk);
      if (state === "ended") return;
      for (const done of ends) done();
      if (state === "paused") return;
    }
  }

  #cut(size: number): [Uint8Array, (() => void)[]] {
    const parts: Uint8Array[] = [];
    const ends: (() => void)[] = [];
    let left = size;
    let whole = 0;
    for (let piece = this.#pieces[0]; left > 0 && piece !== undefined;) {
      const part = piece.bytes.subarray(this.#at, this.#at + left);
      parts.push(part);
      left -= part.length;
      this.#at += part.length;
      if (this.#at < piece.bytes.length) break;
      if (piece.done !== null) ends.push(piece.done);
      this.#at = 0;
      piece = this.#pieces[++whole];
    }
    this.#pieces.splice(0, whole);
    return [Buffer.concat(parts), ends];
  }
}

/** A view of the same bytes. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
