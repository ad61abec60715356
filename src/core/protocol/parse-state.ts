/** What a link remembers between two chunks: an unfinished unit, or a line whose rest is to be skipped. */
import type { Slab } from "../bytes/pool.ts";
import type { Verb } from "./verbs.ts";

export class ParseState {
  /** The start of an unfinished unit, `length` bytes of it. */
  carry: Slab | null = null;
  length = 0;
  /** The unit's whole length once its control line is known; 0 = its LF has not come yet. */
  need = 0;
  /** A verb without arguments was read; its effect comes at the next LF, what stands before that is ignored. */
  skipping: Verb | null = null;
}
