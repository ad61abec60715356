/** Whether a text is a well-formed NKey: base32 of a type, a key and a CRC. Nothing here does cryptography. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export type PublicKeyLetter = "A" | "C" | "N" | "O" | "U" | "X";

/** A public key of one of these types; of any type without `letters`. */
export function isPublicNkey(
  text: string,
  letters: PublicKeyLetter | "ACNOUX" = "ACNOUX",
): boolean {
  if (text.length !== 56 || !letters.includes(text.charAt(0))) return false;
  const bytes = decodeChecked(text);
  // The low bits of the type byte belong to the key of no known type.
  return bytes?.length === 33 && ((bytes[0] ?? 0) & 7) === 0;
}

/** A seed of a user key, `SU…`. */
export function isUserSeed(text: string): boolean {
  return text.length === 58 && text.startsWith("SU") && decodeChecked(text)?.length === 34;
}

/** The bytes without the CRC, if it fits. */
function decodeChecked(text: string): readonly number[] | null {
  const bytes: number[] = [];
  let held = 0;
  let bits = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return null;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  const [low, high] = bytes.splice(-2);
  return crc16(bytes) === (low ?? 0) + ((high ?? 0) << 8) ? bytes : null;
}

/** CRC-16/XMODEM. */
function crc16(bytes: readonly number[]): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}
