/** What a transform makes of subjects, remembered as bytes ready to be written. Bounded. */
import { latin1, latin1Bytes } from "../bytes/ascii.ts";
import type { Message } from "../protocol/message.ts";
import { hashText, MatchCache } from "./match-cache.ts";

const CACHE_SUBJECTS = 8192;
const CACHE_BYTES = 1024 * 1024;

export class RewrittenSubject {
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly hash: number;

  constructor(text: string, seed: number) {
    this.text = text;
    this.bytes = latin1Bytes(text);
    this.hash = hashText(seed, text);
  }
}

export class RewriteCache {
  readonly #rewrite: (subject: string) => string;
  readonly #seed: number;
  readonly #cache: MatchCache<RewrittenSubject>;

  /** `rewrite` must always give the same result for the same subject. */
  constructor(seed: number, rewrite: (subject: string) => string) {
    this.#rewrite = rewrite;
    this.#seed = seed;
    this.#cache = new MatchCache(seed, CACHE_SUBJECTS, CACHE_BYTES);
  }

  /** What the message's subject becomes. */
  of(m: Message): RewrittenSubject {
    const entry = this.#cache.lookup(m.hash, m.bytes, m.subjectStart, m.subjectEnd);
    if (entry.value !== null) return entry.value;
    const subject = this.#rewrite(latin1(m.bytes, m.subjectStart, m.subjectEnd));
    return (entry.value = new RewrittenSubject(subject, this.#seed));
  }
}
