/**
 * Text and bytes. Inside the core a subject, sid or queue name is a "latin1 string": one character per byte,
 * so that any bytes survive the way there and back. JSON and log texts are UTF-8.
 * Nothing here is on the path of a message; it serves control lines and misses of the match cache.
 */

/** The bytes `[start, end)` as a string with one character per byte. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  // In pieces: `apply` with too many arguments would overflow the stack.
  for (let at = start; at < end; at += 4096) {
    const stop = at + 4096 < end ? at + 4096 : end;
    text += String.fromCharCode.apply(null, bytes.subarray(at, stop) as unknown as number[]);
  }
  return text;
}

/** The inverse of `latin1`; characters above 255 are cut to their low byte, so encode them first. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** UTF-8 text as a latin1 string of its encoded bytes. */
export function utf8ToLatin1(text: string): string {
  let plain = true;
  for (let i = 0; i < text.length && plain; i++) plain = text.charCodeAt(i) < 128;
  if (plain) return text;
  let out = "";
  for (const character of text) {
    const c = character.codePointAt(0) ?? 0;
    if (c < 0x80) out += String.fromCharCode(c);
    else if (c < 0x800) out += String.fromCharCode(0xc0 | (c >> 6), 0x80 | (c & 63));
    else if (c < 0x10000) {
      out += String.fromCharCode(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    } else {
      out += String.fromCharCode(
        0xf0 | (c >> 18),
        0x80 | ((c >> 12) & 63),
        0x80 | ((c >> 6) & 63),
        0x80 | (c & 63),
      );
    }
  }
  return out;
}

/** A latin1 string of UTF-8 bytes as text; malformed sequences become U+FFFD, as Go's decoder does. */
export function latin1ToUtf8(text: string): string {
  let plain = true;
  for (let i = 0; i < text.length && plain; i++) plain = text.charCodeAt(i) < 128;
  if (plain) return text;
  let out = "";
  for (let i = 0; i < text.length;) {
    const first = text.charCodeAt(i);
    const length =
      first < 0x80
        ? 1
        : first < 0xc2
          ? 0
          : first < 0xe0
            ? 2
            : first < 0xf0
              ? 3
              : first < 0xf5
                ? 4
                : 0;
    const code = length === 0 ? -1 : decodeOne(text, i, length, first);
    out += code < 0 ? "\uFFFD" : String.fromCodePoint(code);
    i += code < 0 ? 1 : length;
  }
  return out;
}

function decodeOne(text: string, at: number, length: number, first: number): number {
  if (length === 1) return first;
  if (at + length > text.length) return -1;
  let code = first & (0xff >> (length + 1));
  for (let k = 1; k < length; k++) {
    const next = text.charCodeAt(at + k);
    if ((next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 63);
  }
  if (length === 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) return -1;
  if (length === 4 && (code < 0x10000 || code > 0x10ffff)) return -1;
  return code;
}

/** UTF-8 bytes of a text. */
export function utf8Bytes(text: string): Uint8Array {
  return latin1Bytes(utf8ToLatin1(text));
}

/** A latin1 string (UTF-8 bytes) quoted as Go's `%q` does: `\"`, `\\`, `\t`, `\x01`, printable Unicode kept. */
export function goQuote(latin1Text: string): string {
  if (/^[ !#-[\]-~]*$/.test(latin1Text)) return `"${latin1Text}"`;
  let out = '"';
  // Whole UTF-8 sequences, or single bytes.
  const parts = latin1Text.matchAll(
    /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[^]/g,
  );
  for (const [character] of parts) {
    const c = character.charCodeAt(0);
    if (character.length > 1) out += latin1ToUtf8(character);
    else if (character === '"' || character === "\\") out += `\\${character}`;
    else if (c === 9) out += "\\t";
    else if (c === 10) out += "\\n";
    else if (c === 13) out += "\\r";
    else if (c < 32 || c >= 127) out += `\\x${c.toString(16).padStart(2, "0")}`;
    else out += character;
  }
  return `${out}"`;
}

/** Up to nine ASCII digits as a number; anything else is -1, as nats-server's parseSize. */
export function parseSize(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 1 || end - start > 9) return -1;
  let n = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    n = n * 10 + digit;
  }
  return n;
}

/** A copy of `[start, end)`. Not `slice`: on Node's `Buffer`, a `Uint8Array`, that is a view of the same memory. */
export function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

/** A span of time as logs print it: `300ms`, `10s`, `1m30s`. */
export function formatMillis(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = `${(ms - minutes * 60_000) / 1000}s`;
  if (minutes === 0) return seconds;
  return minutes < 60
    ? `${minutes}m${seconds}`
    : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

/** Random bytes as characters of base 62, the alphabet of NUIDs. */
export function nuidOf(bytes: Uint8Array): string {
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  let text = "";
  for (const byte of bytes) text += alphabet.charAt(byte % 62);
  return text;
}
