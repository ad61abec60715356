/**
 * Decorated files: armoured sections between dashed lines, as `.creds` files (user JWT, then seed) and
 * operator files hold them; and the proofs that a leaf link makes from them.
 */
import { utf8Bytes } from "../core/bytes/ascii.ts";
import { encodeBase64Url } from "./base64.ts";
import type { Crypto } from "./crypto.ts";
import { decodeSeed, publicKeyOfSeed } from "./nkeys.ts";

const ARMOUR = /^\s*-{3,}.*-{3,}$/;
const CLOSING = /^-{3,}.*-{3,}$/;
const BODY = /^[\w\-.=]+$/;
const SEED = /^\s*(S[OAU][A-Z2-7]+)\s*$/;

/** The bodies of the armoured sections of a text, in order. Lines may end in LF or CRLF. */
export function sections(text: string): string[] {
  const lines = text.split(/\r?\n/);
  const bodies: string[] = [];
  for (let i = 0; i + 2 < lines.length; i++) {
    const [opening = "", body = "", closing = ""] = lines.slice(i, i + 3);
    if (!ARMOUR.test(opening) || !BODY.test(body) || !CLOSING.test(closing)) continue;
    bodies.push(body);
    i += 2;
  }
  return bodies;
}

/** The JWT of a decorated text: the first section, or the whole text if it has none. */
export function decoratedJwt(text: string): string {
  return sections(text)[0] ?? text.trim();
}

/** The seed of a decorated text: the second section, or the first line that is one; null if there is none. */
export function decoratedSeed(text: string): string | null {
  const seed = sections(text)[1];
  if (seed !== undefined) return seed;
  for (const line of text.split("\n")) {
    const found = SEED.exec(line)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}

/** What CONNECT carries of a proof; absent members are "". */
export interface LeafProof {
  readonly jwt: string;
  readonly nkey: string;
  readonly sig: string;
}

export type LeafProofResult =
  | { readonly ok: true; readonly proof: LeafProof }
  | { readonly ok: false; readonly fault: string };

/** The proof of a `.creds` text over a nonce, or the words of the log. */
export function proveByCreds(crypto: Crypto, text: string, nonce: string): LeafProofResult {
  const [jwt, seed] = sections(text);
  if (jwt === undefined || seed === undefined) {
    return { ok: false, fault: "Credentials file malformed" };
  }
  const sig = signNonce(crypto, seed, nonce);
  return sig === null
    ? { ok: false, fault: "Credentials file has malformed seed" }
    : { ok: true, proof: { jwt, nkey: "", sig } };
}

/** The proof of an nkey seed over a nonce, or the words of the log. */
export function proveByNkey(crypto: Crypto, seed: string, nonce: string): LeafProofResult {
  const nkey = publicKeyOfSeed(crypto, seed);
  const sig = signNonce(crypto, seed, nonce);
  return nkey === null || sig === null
    ? { ok: false, fault: "Remote nkey has malformed seed" }
    : { ok: true, proof: { jwt: "", nkey, sig } };
}

/** The signature of a nonce's text, base64url; null if the seed is malformed. */
export function signNonce(crypto: Crypto, seed: string, nonce: string): string | null {
  const key = decodeSeed(seed);
  if (key === null || key.kind === "curve") return null;
  return encodeBase64Url(crypto.sign(key.key, utf8Bytes(nonce)));
}
