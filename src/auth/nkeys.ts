/**
 * NKeys as text: base32 of a prefix byte, 32 bytes of key and a CRC-16, and the same for seeds with two prefix
 * bytes. Only encodings live here; signatures are the platform's (`Crypto`).
 *
 * Ours rather than `@nats-io/nkeys`, which does not hand out the raw bytes that a verifier needs.
 */
import type { Crypto } from "./crypto.ts";
import { decodeSignature } from "./base64.ts";
import { utf8Bytes } from "../core/bytes/ascii.ts";

export type KeyKind = "operator" | "account" | "user" | "server" | "cluster" | "curve";

const PREFIX: Readonly<Record<KeyKind, number>> = {
  operator: 14 << 3,
  account: 0,
  user: 20 << 3,
  server: 13 << 3,
  cluster: 2 << 3,
  curve: 23 << 3,
};
const KEY_KINDS = ["operator", "account", "user", "server", "cluster", "curve"] as const;
const KINDS: ReadonlyMap<number, KeyKind> = new Map(KEY_KINDS.map((kind) => [PREFIX[kind], kind]));
const SEED_PREFIX = 18 << 3;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const KEY_BYTES = 32;

export interface DecodedKey {
  readonly kind: KeyKind;
  readonly key: Uint8Array;
}

/** A public key's text (56 characters, `A…`, `U…`). */
export function encodePublicKey(kind: KeyKind, key: Uint8Array): string {
  return encodeChecked(Uint8Array.of(PREFIX[kind], ...key));
}

/** A public key's kind and bytes; null if the text is not one (length, alphabet, checksum, prefix). */
export function decodePublicKey(text: string): DecodedKey | null {
  const raw = decodeChecked(text);
  if (raw === null || raw.length !== 1 + KEY_BYTES) return null;
  const kind = KINDS.get(raw[0] ?? -1);
  return kind === undefined ? null : { kind, key: raw.subarray(1) };
}

/** Whether the text is a public key of this kind (of any kind if none is named). */
export function isPublicKey(text: string, kind?: KeyKind): boolean {
  const key = decodePublicKey(text);
  return key !== null && (kind === undefined || key.kind === kind);
}

/** A seed's text (58 characters, `SU…`). */
export function encodeSeed(kind: KeyKind, seed: Uint8Array): string {
  const prefix = PREFIX[kind];
  return encodeChecked(Uint8Array.of(SEED_PREFIX | (prefix >> 5), (prefix & 31) << 3, ...seed));
}

/** A seed's kind and bytes, or null. */
export function decodeSeed(text: string): DecodedKey | null {
  const raw = decodeChecked(text);
  if (raw === null || raw.length !== 2 + KEY_BYTES) return null;
  const [first = 0, second = 0] = raw;
  if ((first & 0xf8) !== SEED_PREFIX) return null;
  const kind = KINDS.get(((first & 7) << 5) | ((second & 0xf8) >> 3));
  return kind === undefined ? null : { kind, key: raw.subarray(2) };
}

/** The public key text that belongs to a seed text; null if the seed is malformed or a curve key. */
export function publicKeyOfSeed(crypto: Crypto, seed: string): string | null {
  const key = decodeSeed(seed);
  if (key === null || key.kind === "curve") return null;
  return encodePublicKey(key.kind, crypto.publicKey(key.key));
}

/** Why a nonce's signature is not accepted, in nats-server's debug words; null if it is good. */
export function signatureFault(
  crypto: Crypto,
  publicKey: string,
  sig: string,
  nonce: string,
): string | null {
  const proof = readProof(publicKey, sig, nonce);
  if (typeof proof === "string") return proof;
  return faultOf(crypto.verifyEd25519(proof.key, proof.signature, proof.data));
}

/** As `signatureFault`, in another thread where there is one: null says that `later` will be called. */
export function checkSignature(
  crypto: Crypto,
  publicKey: string,
  sig: string,
  nonce: string,
  later: (fault: string | null) => void,
): { readonly fault: string | null } | null {
  const proof = readProof(publicKey, sig, nonce);
  if (typeof proof === "string") return { fault: proof };
  const { key, signature, data } = proof;
  if (crypto.verifyEd25519Later === undefined) {
    return { fault: faultOf(crypto.verifyEd25519(key, signature, data)) };
  }
  crypto.verifyEd25519Later(key, signature, data, (ok) => later(faultOf(ok)));
  return null;
}

function faultOf(ok: boolean): string | null {
  return ok ? null : "Signature not verified";
}

interface Proof {
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
  readonly data: Uint8Array;
}

function readProof(publicKey: string, sig: string, nonce: string): Proof | string {
  if (sig === "") return "Signature missing";
  const signature = decodeSignature(sig);
  if (signature === null) return "Signature not valid base64";
  const key = decodePublicKey(publicKey);
  if (key === null) return "User nkey not valid: nkeys: invalid encoded key";
  // A signature of nothing would prove nothing: without a nonce no key is ever accepted.
  if (nonce === "" || signature.length !== 64) return "Signature not verified";
  return { key: key.key, signature, data: utf8Bytes(nonce) };
}

/** RFC 4648 base32 without padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = "";
  let word = 0;
  let bits = 0;
  for (const byte of bytes) {
    word = ((word << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((word >> bits) & 31);
    }
  }
  return bits === 0 ? text : text + ALPHABET.charAt((word << (5 - bits)) & 31);
}

function decodeBase32(text: string): Uint8Array | null {
  // A whole character that adds no byte is no base32.
  if ((text.length * 5) % 8 >= 5) return null;
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let out = 0;
  let word = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const value = ALPHABET.indexOf(text.charAt(i));
    if (value < 0) return null;
    word = ((word << 5) | value) & 0xffff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[out++] = (word >> bits) & 255;
  }
  return bytes;
}

function encodeChecked(payload: Uint8Array): string {
  const crc = crc16(payload);
  return encodeBase32(Uint8Array.of(...payload, crc & 255, crc >> 8));
}

function decodeChecked(text: string): Uint8Array | null {
  // Longer text than any key's is not looked at: it comes from strangers.
  if (text.length > 60) return null;
  const raw = decodeBase32(text);
  if (raw === null || raw.length < 4) return null;
  const payload = raw.subarray(0, raw.length - 2);
  const crc = (raw[raw.length - 2] ?? 0) | ((raw[raw.length - 1] ?? 0) << 8);
  return crc16(payload) === crc ? payload : null;
}

/** CRC-16/XMODEM: polynomial 0x1021, initial 0. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 0x8000) === 0 ? (crc << 1) & 0xffff : ((crc << 1) ^ 0x1021) & 0xffff;
    }
  }
  return crc;
}
