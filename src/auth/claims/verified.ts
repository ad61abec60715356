/**
 * Signatures of tokens that were found right, remembered: the same user comes again with the same token, and a
 * storm of reconnecting clients checks each token once. Only the exact text of issuer, signature and signed data
 * counts; nothing is remembered of what failed. Bounded in entries and in length.
 */
import type { Crypto } from "../crypto.ts";

const ENTRIES_MAX = 8192;
const LENGTH_MAX = 4096;

const verified = new WeakMap<Crypto, Set<string>>();

/** `check`s a signature unless the same one was found right before. */
export function verifiedOnce(crypto: Crypto, text: string, check: () => boolean): boolean {
  if (text.length > LENGTH_MAX) return check();
  let known = verified.get(crypto);
  if (known === undefined) verified.set(crypto, (known = new Set()));
  if (known.has(text)) return true;
  if (!check()) return false;
  if (known.size >= ENTRIES_MAX) known.clear();
  known.add(text);
  return true;
}
