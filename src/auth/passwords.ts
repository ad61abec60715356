/**
 * Passwords and tokens: plain texts compared in constant time, bcrypt hashes by the platform, which answers
 * later.
 */
import { utf8Bytes } from "../core/bytes/ascii.ts";
import type { Crypto } from "./crypto.ts";

const BCRYPT = /^\$2[abxy]\$\d{2}\$.*/;

/** Whether a configured password or token is a bcrypt hash. */
export function isBcrypt(configured: string): boolean {
  return BCRYPT.test(configured);
}

/** The answer at once, or null and `later` is called once, after this call. */
export function checkPassword(
  crypto: Crypto,
  configured: string,
  given: string,
  later: (ok: boolean) => void,
): boolean | null {
  if (!isBcrypt(configured)) {
    return crypto.timingSafeEqual(utf8Bytes(configured), utf8Bytes(given));
  }
  crypto.bcryptCompare(given, configured, later);
  return null;
}
