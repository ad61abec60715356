/**
 * Scalars of the configuration language: strings, numbers, booleans, timestamps, variables, block strings.
 *
 * Numbers have quirks that files in the wild depend on: an integer is not ended by `]`, a suffixed one before
 * `]` is a string, and digits followed by anything unexpected turn into a bare string.
 */
import { END, glyph, isBlank, isDigit, isNewline, isScale, shown } from "./characters.ts";
import type { Cursor, TokenKind } from "./cursor.ts";

const BOOLEANS = new Set(["true", "false", "on", "off", "yes", "no"]);
const ESCAPES: Readonly<Record<string, string>> = {
  t: "\t",
  n: "\n",
  r: "\r",
  '"': '"',
  "\\": "\\",
};

/** Reads the value that begins with `first`, just read. False after a fault, or at the end of input. */
export function lexValue(cursor: Cursor, first: number): boolean {
  switch (glyph(first)) {
    case "'":
      cursor.ignore();
      return rawString(cursor);
    case '"':
      cursor.ignore();
      return quotedString(cursor);
    case "(":
      cursor.ignore();
      return blockString(cursor);
    case "-":
      return negativeNumber(cursor);
    case ".":
      return fail(cursor, "Floats must start with a digit");
    default:
  }
  if (isDigit(first)) return number(cursor);
  if (isNewline(first)) return fail(cursor, "Expected value but found new line");
  cursor.backup();
  return bareString(cursor);
}

function fail(cursor: Cursor, text: string): false {
  cursor.fail(text);
  return false;
}

function done(cursor: Cursor, kind: TokenKind): true {
  cursor.emit(kind);
  return true;
}

/** Emits a string whose closing quote was just read. */
function closeQuote(cursor: Cursor): true {
  cursor.backup();
  cursor.emit("string");
  cursor.next();
  cursor.ignore();
  return true;
}

function endInString(cursor: Cursor): false {
  if (cursor.consumed()) return fail(cursor, "Unexpected EOF.");
  cursor.emit("end");
  return false;
}

function rawString(cursor: Cursor): boolean {
  for (;;) {
    const c = cursor.next();
    if (c === 0x27) return closeQuote(cursor);
    if (c === END) return endInString(cursor);
  }
}

function quotedString(cursor: Cursor): boolean {
  for (;;) {
    const c = cursor.next();
    if (c === 0x22) return closeQuote(cursor);
    if (c === END) return endInString(cursor);
    if (c === 0x5c && !escape(cursor)) return false;
  }
}

function bareString(cursor: Cursor): boolean {
  for (;;) {
    const c = cursor.next();
    if (c === 0x5c) {
      if (!escape(cursor)) return false;
    } else if (c === 0x27) {
      return closeQuote(cursor);
    } else if (endsBareWord(c)) {
      cursor.backup();
      return bareWord(cursor);
    }
  }
}

function endsBareWord(c: number): boolean {
  return endsNumber(c) || c === 0x5d;
}

function endsNumber(c: number): boolean {
  return isNewline(c) || isBlank(c) || c === END || c === 0x3b || c === 0x2c || c === 0x7d;
}

function bareWord(cursor: Cursor): true {
  if (cursor.hasParts()) return done(cursor, "string");
  const word = cursor.pending();
  if (BOOLEANS.has(word.toLowerCase())) return done(cursor, "boolean");
  if (!word.startsWith("$")) return done(cursor, "string");
  cursor.dropFirst();
  return done(cursor, "variable");
}

/** After a backslash. */
function escape(cursor: Cursor): boolean {
  cursor.keepPart();
  const c = cursor.next();
  if (c === 0x78) return hexEscape(cursor);
  const meaning = ESCAPES[glyph(c)];
  if (meaning === undefined) {
    return fail(
      cursor,
      `Invalid escape character '${shown(c)}'. Only the following escape characters are allowed: ` +
        `\\xXX, \\t, \\n, \\r, \\", \\\\.`,
    );
  }
  cursor.addPart(meaning);
  return true;
}

function hexEscape(cursor: Cursor): boolean {
  const problem = "Expected two hexadecimal digits after '\\x', but ";
  const high = cursor.next();
  if (isNewline(high)) return fail(cursor, `${problem}hit end of line`);
  const low = cursor.next();
  if (isNewline(low)) return fail(cursor, `${problem}hit end of line`);
  const digits = (high === END ? "" : glyph(high)) + (low === END ? "" : glyph(low));
  if (!/^[0-9a-fA-F]{2}$/.test(digits)) return fail(cursor, `${problem}got '${digits}'`);
  cursor.addPart(Number.parseInt(digits, 16));
  return true;
}

/** `(` … `)`, verbatim: the end is a `)` that begins a line and is followed by LF or the end of input. */
function blockString(cursor: Cursor): boolean {
  for (;;) {
    const c = cursor.next();
    if (c === END) return fail(cursor, "Unexpected EOF processing block.");
    if (c !== 0x29 || cursor.before() !== 0x0a) continue;
    const after = cursor.peek();
    // At the end of input nats-server takes the `)` into the value; so files' digests need it here too.
    if (after === END) return done(cursor, "string");
    if (after === 0x0a) return closeQuote(cursor);
  }
}

function number(cursor: Cursor): boolean {
  for (;;) {
    const c = cursor.next();
    if (isDigit(c)) continue;
    if (c === 0x2d) {
      if (cursor.length() === 5) return timestamp(cursor);
      return fail(cursor, "All ISO8601 dates must be in full Zulu form.");
    }
    if (c === 0x2e) return float(cursor);
    if (isScale(c)) return scaledInteger(cursor);
    if (!endsNumber(c)) return bareString(cursor);
    cursor.backup();
    return done(cursor, "integer");
  }
}

function negativeNumber(cursor: Cursor): boolean {
  const first = cursor.next();
  if (first === 0x2e) return fail(cursor, "Floats must start with a digit, not '.'.");
  if (!isDigit(first)) return fail(cursor, `Expected a digit but got '${shown(first)}'.`);
  for (;;) {
    const c = cursor.next();
    if (isDigit(c)) continue;
    if (c === 0x2e) return float(cursor);
    if (isScale(c)) return scaledInteger(cursor);
    cursor.backup();
    return done(cursor, "integer");
  }
}

/** After the scale letter: any run of `b` and `i` belongs to the number; what it means is the parser's. */
function scaledInteger(cursor: Cursor): boolean {
  let c = cursor.next();
  while (c !== END && "bBiI".includes(glyph(c))) c = cursor.next();
  cursor.backup();
  return endsNumber(c) ? done(cursor, "integer") : bareString(cursor);
}

/** After the dot; a second dot makes it an address. */
function float(cursor: Cursor): boolean {
  let c = cursor.next();
  if (!isDigit(c)) {
    return fail(cursor, `Floats must have a digit after the '.', but got '${shown(c)}' instead.`);
  }
  while (isDigit(c)) c = cursor.next();
  if (c !== 0x2e) {
    cursor.backup();
    return done(cursor, "float");
  }
  do c = cursor.next();
  while (isDigit(c) || c === 0x2e || c === 0x3a || c === 0x2d);
  cursor.backup();
  return done(cursor, "string");
}

function timestamp(cursor: Cursor): boolean {
  for (const expected of "00-00T00:00:00Z") {
    const c = cursor.next();
    if (expected === "0") {
      if (!isDigit(c)) {
        return fail(cursor, `Expected digit in ISO8601 datetime, but found '${shown(c)}' instead.`);
      }
    } else if (glyph(c) !== expected) {
      return fail(
        cursor,
        `Expected '${expected}' in ISO8601 datetime, but found '${shown(c)}' instead.`,
      );
    }
  }
  return done(cursor, "timestamp");
}
