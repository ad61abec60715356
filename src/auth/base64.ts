/**
 * Base64 in the two forms that NATS uses: URL-safe without padding (written, and read first), and the
 * standard padded form that signatures of older clients come in. Decoders return null for malformed text.
 */
const URL_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STANDARD_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_VALUES = valuesOf(URL_ALPHABET);
const STANDARD_VALUES = valuesOf(STANDARD_ALPHABET);

function valuesOf(alphabet: string): Int8Array {
  const values = new Int8Array(128).fill(-1);
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  return values;
}

/** Base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word =
      ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (left > 2 ? (bytes[i + 2] ?? 0) : 0);
    text += URL_ALPHABET.charAt(word >> 18) + URL_ALPHABET.charAt((word >> 12) & 63);
    if (left > 1) text += URL_ALPHABET.charAt((word >> 6) & 63);
    if (left > 2) text += URL_ALPHABET.charAt(word & 63);
  }
  return text;
}

/** The bytes of base64url text without padding, or null. */
export function decodeBase64Url(text: string): Uint8Array | null {
  return decode(text, URL_VALUES);
}

/** A signature in either form: base64url without padding, else standard base64 with padding. */
export function decodeSignature(text: string): Uint8Array | null {
  const plain = decode(text, URL_VALUES);
  if (plain !== null) return plain;
  if (text.length % 4 !== 0) return null;
  return decode(text.replace(/={1,2}$/, ""), STANDARD_VALUES);
}

function decode(text: string, values: Int8Array): Uint8Array | null {
  const rest = text.length % 4;
  if (rest === 1) return null;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let out = 0;
  let word = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const value = code < 128 ? (values[code] ?? -1) : -1;
    if (value < 0) return null;
    word = ((word << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[out++] = (word >> bits) & 255;
  }
  return bytes;
}
