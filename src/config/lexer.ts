/**
 * Configuration text -> tokens: the structure of the language. What a single value looks like is
 * `lex-value.ts`.
 *
 * A state machine with a stack of states to return to, so nesting costs no call stack. The first fault ends
 * it with an `error` token. Columns are counted in bytes from the last newline a character was read from:
 * 0 is the first column of line 1 and 1 the first of later lines, as nats-server prints them.
 */
import { END, glyph, isBlank, isKeySeparator, isNewline, isSpace, shown } from "./characters.ts";
import { Cursor, type Token } from "./cursor.ts";
import { lexValue } from "./lex-value.ts";

type State =
  | "top"
  | "topEnd"
  | "block"
  | "blockEntryEnd"
  | "blockEnd"
  | "key"
  | "topKeyEnd"
  | "array"
  | "arrayValueEnd"
  | "map"
  | "mapKeyEnd"
  | "mapValue"
  | "mapValueEnd"
  | "value"
  | "done";

const HASH = 0x23;
const SLASH = 0x2f;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_PAREN = 0x28;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;

export class Lexer {
  readonly #cursor: Cursor;
  readonly #returnTo: State[] = [];
  #state: State = "top";

  constructor(text: string) {
    this.#cursor = new Cursor(text);
  }

  /** The next token; after `end` or `error` there is none. */
  next(): Token {
    const queue = this.#cursor.tokens;
    for (;;) {
      const token = queue.shift();
      if (token !== undefined) return token;
      this.#state = this.#step(this.#state);
    }
  }

  #step(state: State): State {
    switch (state) {
      case "top":
        return this.#entryStart("top", "topEnd");
      case "topEnd":
        return this.#topEnd();
      case "block":
        return this.#entryStart("block", "blockEntryEnd");
      case "blockEntryEnd":
        return this.#blockEntryEnd();
      case "blockEnd":
        return this.#blockEnd();
      case "key":
        return this.#key();
      case "topKeyEnd":
        return this.#topKeyEnd();
      case "array":
        return this.#array();
      case "arrayValueEnd":
        return this.#arrayValueEnd();
      case "map":
        return this.#mapKey();
      case "mapKeyEnd":
        return this.#mapKeyEnd();
      case "mapValue":
        return this.#mapValue();
      case "mapValueEnd":
        return this.#mapValueEnd();
      case "value":
        return this.#value();
      case "done":
    }
    return this.#fail("Unexpected EOF.");
  }

  #fail(text: string): State {
    this.#cursor.fail(text);
    return "done";
  }

  #skip(next: State): State {
    this.#cursor.ignore();
    return next;
  }

  #return(): State {
    return this.#returnTo.pop() ?? this.#fail("Unexpected EOF.");
  }

  /**
   * Whether `c`, just read, begins a comment; then the comment is consumed. A single slash is read together
   * with its successor and given back, which the caller must know.
   */
  #comment(c: number): boolean {
    const cursor = this.#cursor;
    if (c === SLASH) {
      if (cursor.next() !== SLASH) {
        cursor.backup();
        return false;
      }
    } else if (c !== HASH) {
      return false;
    }
    for (let next = cursor.peek(); !isNewline(next) && next !== END; next = cursor.peek()) {
      cursor.next();
    }
    cursor.ignore();
    return true;
  }

  /** Where a key may begin outside of maps: at top level, or inside the braces around the whole file. */
  #entryStart(self: "top" | "block", after: State): State {
    const cursor = this.#cursor;
    const c = cursor.next();
    if (isSpace(c)) return this.#skip(self);
    if (c === OPEN_BRACE) {
      this.#returnTo.push(self === "top" ? "top" : "blockEnd");
      return this.#skip("block");
    }
    if (self === "block" && c === CLOSE_BRACE) {
      cursor.ignore();
      return this.#return();
    }
    if (this.#comment(c)) return self;
    if (c === SLASH || c === END) {
      if (cursor.consumed()) return this.#fail("Unexpected EOF.");
      cursor.emit("end");
      return "done";
    }
    cursor.backup();
    this.#returnTo.push(after);
    return "key";
  }

  #topEnd(): State {
    const c = this.#cursor.next();
    if (this.#comment(c)) return "top";
    if (isBlank(c) || c === SLASH) return "topEnd";
    if (isNewline(c) || c === END || c === SEMICOLON || c === COMMA || c === CLOSE_BRACE) {
      return this.#skip("top");
    }
    return this.#fail(
      `Expected a top-level value to end with a new line, comment or EOF, but got '${shown(c)}' instead.`,
    );
  }

  #blockEntryEnd(): State {
    const c = this.#cursor.next();
    if (this.#comment(c)) return "blockEntryEnd";
    if (isBlank(c) || c === SLASH) return "blockEntryEnd";
    if (isNewline(c) || c === SEMICOLON || c === COMMA) return this.#skip("block");
    if (c === CLOSE_BRACE) {
      this.#cursor.backup();
      return "blockEnd";
    }
    return this.#fail(
      `Expected a block-level value to end with a new line, comment or EOF, but got '${shown(c)}' instead.`,
    );
  }

  #blockEnd(): State {
    const c = this.#cursor.next();
    if (this.#comment(c)) return "block";
    if (isNewline(c) || isBlank(c) || c === SLASH) return "blockEnd";
    if (c === SEMICOLON || c === COMMA) return this.#skip("block");
    if (c === CLOSE_BRACE) {
      this.#cursor.ignore();
      return this.#return();
    }
    return this.#fail(`Expected a block-level to end with a '}', but got '${shown(c)}' instead.`);
  }

  #key(): State {
    const cursor = this.#cursor;
    const c = cursor.peek();
    if (isKeySeparator(c)) return this.#fail(`Unexpected key separator '${glyph(c)}'`);
    if (isSpace(c)) {
      cursor.next();
      return this.#skip("key");
    }
    if (c === DOUBLE_QUOTE || c === SINGLE_QUOTE) return this.#quotedKey(c, "topKeyEnd");
    cursor.ignore();
    cursor.next();
    for (;;) {
      const c = cursor.peek();
      if (isSpace(c)) return this.#endOfBareKey("topKeyEnd", null);
      if (isKeySeparator(c) || c === END) break;
      cursor.next();
    }
    cursor.emit("key");
    return "topKeyEnd";
  }

  #quotedKey(quote: number, next: "topKeyEnd" | "mapKeyEnd"): State {
    const cursor = this.#cursor;
    cursor.next();
    cursor.ignore();
    for (let c = cursor.peek(); c !== quote; c = cursor.peek()) {
      if (c === END) return this.#endInQuotedKey(quote, next);
      cursor.next();
    }
    cursor.emit("key");
    cursor.next();
    return this.#skip(next);
  }

  #endInQuotedKey(quote: number, next: "topKeyEnd" | "mapKeyEnd"): State {
    if (next === "mapKeyEnd") {
      const kind = quote === DOUBLE_QUOTE ? "double quoted" : "quoted";
      return this.#fail(`Unexpected EOF processing ${kind} map key.`);
    }
    if (this.#cursor.consumed()) return this.#fail("Unexpected EOF.");
    this.#cursor.emit("end");
    return "done";
  }

  /** A bare key before white space: `include` is a directive there, whose path is read at once. */
  #endOfBareKey(next: State, afterInclude: State | null): State {
    const cursor = this.#cursor;
    if (cursor.pending().toLowerCase() !== "include") {
      cursor.emit("key");
      return next;
    }
    cursor.ignore();
    if (afterInclude !== null) this.#returnTo.push(afterInclude);
    while (isBlank(cursor.peek())) cursor.next();
    cursor.ignore();
    return this.#include();
  }

  #include(): State {
    const cursor = this.#cursor;
    const c = cursor.next();
    if (c === SINGLE_QUOTE || c === DOUBLE_QUOTE) {
      cursor.ignore();
      for (let next = cursor.next(); next !== c; next = cursor.next()) {
        if (next === END) {
          const kind = c === DOUBLE_QUOTE ? "double quoted" : "quoted";
          return this.#fail(`Unexpected EOF in ${kind} include`);
        }
      }
      cursor.backup();
      cursor.emit("include");
      cursor.next();
      cursor.ignore();
      return this.#return();
    }
    const wrong = includeFault(c);
    if (wrong !== null) return this.#fail(`Expected include value but found ${wrong}`);
    cursor.backup();
    for (;;) {
      const next = cursor.next();
      const ends = isNewline(next) || isBlank(next) || next === END || next === SEMICOLON;
      if (!ends && next !== CLOSE_BRACE && next !== SINGLE_QUOTE) continue;
      cursor.backup();
      cursor.emit("include");
      if (next === SINGLE_QUOTE) {
        cursor.next();
        cursor.ignore();
      }
      return this.#return();
    }
  }

  #topKeyEnd(): State {
    const cursor = this.#cursor;
    const c = cursor.next();
    if (isSpace(c)) return this.#skip("topKeyEnd");
    if (isKeySeparator(c)) return this.#skip("value");
    if (c === END) {
      cursor.emit("end");
      return "done";
    }
    cursor.backup();
    return "value";
  }

  /** At the place of a value: opens arrays and maps here, leaves scalars to `lexValue`. */
  #value(): State {
    const cursor = this.#cursor;
    const c = cursor.next();
    if (isBlank(c)) return this.#skip("value");
    if (c === OPEN_BRACKET || c === OPEN_BRACE) {
      cursor.ignore();
      cursor.emit(c === OPEN_BRACKET ? "arrayStart" : "mapStart");
      return c === OPEN_BRACKET ? "array" : "map";
    }
    return lexValue(cursor, c) ? this.#return() : "done";
  }

  #array(): State {
    const cursor = this.#cursor;
    const c = cursor.next();
    if (isSpace(c)) return this.#skip("array");
    if (this.#comment(c)) return "array";
    if (c === COMMA || c === SLASH) return this.#fail("Unexpected array value terminator ','.");
    if (c === CLOSE_BRACKET) return this.#close("arrayEnd");
    cursor.backup();
    this.#returnTo.push("arrayValueEnd");
    return "value";
  }

  #arrayValueEnd(): State {
    const c = this.#cursor.next();
    if (isBlank(c)) return this.#skip("arrayValueEnd");
    if (this.#comment(c)) return "arrayValueEnd";
    if (c === COMMA || isNewline(c) || c === SLASH) return this.#skip("array");
    if (c === CLOSE_BRACKET) return this.#close("arrayEnd");
    return this.#fail(
      `Expected an array value terminator "," or an array terminator "]", but got '${shown(c)}' instead.`,
    );
  }

  #close(kind: "arrayEnd" | "mapEnd"): State {
    this.#cursor.ignore();
    this.#cursor.emit(kind);
    return this.#return();
  }

  #mapKey(): State {
    const cursor = this.#cursor;
    const c = cursor.peek();
    if (isKeySeparator(c)) return this.#fail(`Unexpected key separator '${glyph(c)}'.`);
    if (c === CLOSE_BRACKET) return this.#fail("Unexpected array end ']' processing map.");
    if (c === END) return this.#fail("Unexpected EOF processing map.");
    if (c === DOUBLE_QUOTE || c === SINGLE_QUOTE) return this.#quotedKey(c, "mapKeyEnd");
    if (isSpace(c) || c === CLOSE_BRACE) {
      cursor.next();
      return isSpace(c) ? this.#skip("map") : this.#close("mapEnd");
    }
    if (c === HASH || c === SLASH) {
      cursor.next();
      if (this.#comment(c)) return "map";
    }
    cursor.ignore();
    cursor.next();
    for (;;) {
      const c = cursor.peek();
      if (c === END) return this.#fail("Unexpected EOF processing map key.");
      if (isSpace(c)) return this.#endOfBareKey("mapKeyEnd", "mapValueEnd");
      if (isKeySeparator(c)) break;
      cursor.next();
    }
    cursor.emit("key");
    return "mapKeyEnd";
  }

  #mapKeyEnd(): State {
    const c = this.#cursor.next();
    if (isSpace(c)) return this.#skip("mapKeyEnd");
    if (isKeySeparator(c)) return this.#skip("mapValue");
    this.#cursor.backup();
    return "mapValue";
  }

  #mapValue(): State {
    const c = this.#cursor.next();
    if (isSpace(c)) return this.#skip("mapValue");
    if (c === COMMA) return this.#fail(`Unexpected map value terminator ",".`);
    if (c === CLOSE_BRACE) return this.#close("mapEnd");
    this.#cursor.backup();
    this.#returnTo.push("mapValueEnd");
    return "value";
  }

  #mapValueEnd(): State {
    const c = this.#cursor.next();
    if (isBlank(c)) return this.#skip("mapValueEnd");
    if (this.#comment(c)) return "mapValueEnd";
    if (c === SEMICOLON || c === COMMA || isNewline(c) || c === SLASH) return this.#skip("map");
    if (c === CLOSE_BRACE) return this.#close("mapEnd");
    return this.#fail(
      `Expected a map value terminator "," or a map terminator "}", but got '${shown(c)}' instead.`,
    );
  }
}

function includeFault(c: number): string | null {
  if (c === OPEN_BRACKET) return "start of an array";
  if (c === OPEN_BRACE) return "start of a map";
  if (c === OPEN_PAREN) return "start of a block";
  if ((c >= 0x30 && c <= 0x39) || c === 0x2d) return "start of a number";
  if (c === 0x5c) return "escape sequence";
  return isNewline(c) ? "new line" : null;
}
