/**
 * What the grammar asks of single characters. Code 0 stands for the end of input, and so does a NUL in the
 * text. Digits and spaces are Unicode's, as nats-server takes them.
 */

export const END = 0;

export const isBlank = (c: number): boolean => c === 0x20 || c === 0x09;

export const isNewline = (c: number): boolean => c === 0x0a || c === 0x0d;

export const isKeySeparator = (c: number): boolean => c === 0x3d || c === 0x3a;

export function isSpace(c: number): boolean {
  if (c === 0x20 || (c >= 0x09 && c <= 0x0d)) return true;
  return c > 0x7f && (c === 0x85 || /^\p{Z}$/u.test(String.fromCodePoint(c)));
}

export function isDigit(c: number): boolean {
  if (c >= 0x30 && c <= 0x39) return true;
  return c > 0x7f && /^\p{Nd}$/u.test(String.fromCodePoint(c));
}

/** The letters that scale an integer: k m g t p e. */
export const isScale = (c: number): boolean => c !== END && "kKmMgGtTpPeE".includes(glyph(c));

export const glyph = (c: number): string => String.fromCodePoint(c);

/** A character inside an error text. */
export const shown = (c: number): string => (c === 0x0a ? "\\n" : glyph(c));

/** How many bytes the text takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Decodes UTF-8; a byte that begins no valid sequence becomes U+FFFD. */
export function decodeUtf8(bytes: readonly number[]): string {
  let text = "";
  for (let i = 0; i < bytes.length;) {
    const first = bytes[i] ?? 0;
    const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    const tail = bytes.slice(i + 1, i + length);
    if (length === 0 || tail.length < length - 1 || tail.some((b) => (b & 0xc0) !== 0x80)) {
      text += "\ufffd";
      i += 1;
      continue;
    }
    let code = length === 1 ? first : first & (0x7f >> length);
    for (const b of tail) code = (code << 6) | (b & 0x3f);
    text += code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? "\ufffd" : glyph(code);
    i += length;
  }
  return text;
}
