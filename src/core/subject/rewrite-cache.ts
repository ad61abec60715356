/** What a transform makes of subjects, remembered as bytes ready to be written. Bounded. */
import { latin1, latin1Bytes } from "../bytes/ascii.ts";
import type { Message } from "../protocol/message.ts";
import { hashText, MatchCache } from "./match-cache.ts";
import type { SubjectTransform } from "./transform.ts";

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
  readonly #transform: SubjectTransform;
  readonly #seed: number;
  readonly #random: () => number;
  readonly #cache: MatchCache<RewrittenSubject>;

  constructor(transform: SubjectTransform, seed: number, random: () => number) {
    this.#transform = transform;
    this.#seed = seed;
    this.#random = random;
    this.#cache = new MatchCache(seed, CACHE_SUBJECTS, CACHE_BYTES);
  }

  /** What the message's subject becomes. */
  of(m: Message): RewrittenSubject {
    if (!this.#transform.isConstant) return this.#make(latin1(m.bytes, m.subjectStart, m.subjectEnd));
    const entry = this.#cache.lookup(m.hash, m.bytes, m.subjectStart, m.subjectEnd);
    return (entry.value ??= this.#make(latin1(m.bytes, m.subjectStart, m.subjectEnd)));
  }

  #make(subject: string): RewrittenSubject {
    return new RewrittenSubject(this.#transform.apply(subject, this.#random), this.#seed);
  }
}
