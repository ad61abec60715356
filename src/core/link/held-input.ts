/** What links in `authenticating` sent on before their verdict: kept, bounded per link and for all together. */
import type { Link } from "./link.ts";

const LINK_MAX = 1024 * 1024;
const CHUNKS_MAX = 1024;
const TOTAL_MAX = 64 * 1024 * 1024;

export class HeldInput {
  #total = 0;

  /** Keeps `rest`; false if that is too much. */
  hold(link: Link, rest: Uint8Array): boolean {
    link.held ??= [];
    link.heldBytes += rest.length;
    this.#total += rest.length;
    if (link.heldBytes > LINK_MAX || link.held.length > CHUNKS_MAX || this.#total > TOTAL_MAX)
      return false;
    link.held.push(rest);
    return true;
  }

  /** Hands over what was kept and forgets it. */
  release(link: Link): readonly Uint8Array[] {
    const held = link.held ?? [];
    this.#total -= link.heldBytes;
    link.held = null;
    link.heldBytes = 0;
    return held;
  }
}
