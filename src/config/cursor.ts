/**
 * A place in configuration text, with what has been read since the last token: the lexer's hands.
 *
 * Line and column are kept the way nats-server keeps them, since its error texts print them: reading or even
 * peeking at a newline moves the line's start there, and a token's column is measured from the line start
 * known when the token before it ended.
 */
import { END, decodeUtf8, utf8Length } from "./characters.ts";

export type TokenKind =
  | "error"
  | "end"
  | "key"
  | "string"
  | "boolean"
  | "integer"
  | "float"
  | "timestamp"
  | "variable"
  | "include"
  | "arrayStart"
  | "arrayEnd"
  | "mapStart"
  | "mapEnd";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

export class Cursor {
  /** Tokens not yet taken. */
  readonly tokens: Token[] = [];
  readonly #text: string;
  readonly #ascii: boolean;
  /** Finished pieces of a string with escapes: text, or single bytes. */
  #parts: (string | number)[] = [];
  #at = 0;
  #start = 0;
  #width = 0;
  #line = 1;
  #lineStart = 0;
  #tokenLineStart = 0;

  constructor(text: string) {
    this.#text = text;
    // oxlint-disable-next-line no-control-regex
    this.#ascii = !/[^\u0000-\u007f]/.test(text);
  }

  next(): number {
    if (this.#at >= this.#text.length) {
      this.#width = 0;
      return END;
    }
    const c = this.#text.codePointAt(this.#at) ?? END;
    if (c === 0x0a) {
      this.#line += 1;
      this.#lineStart = this.#at;
    }
    this.#width = c > 0xffff ? 2 : 1;
    this.#at += this.#width;
    return c;
  }

  /** Gives the last character back. */
  backup(): void {
    this.#at -= this.#width;
    if (this.#text.codePointAt(this.#at) === 0x0a) this.#line -= 1;
  }

  peek(): number {
    const c = this.next();
    this.backup();
    return c;
  }

  /** The character before the one just read. */
  before(): number {
    return this.#text.codePointAt(this.#at - 2) ?? END;
  }

  consumed(): boolean {
    return this.#at > this.#start;
  }

  /** What was read since the last token. */
  pending(): string {
    return this.#text.slice(this.#start, this.#at);
  }

  /** How many characters were read since the last token. */
  length(): number {
    return this.#at - this.#start;
  }

  /** Drops the first pending character. */
  dropFirst(): void {
    this.#start += 1;
  }

  ignore(): void {
    this.#start = this.#at;
    this.#tokenLineStart = this.#lineStart;
  }

  /** Keeps what was read but for the last character, a backslash, as a piece of a string. */
  keepPart(): void {
    this.#parts.push(this.#text.slice(this.#start, this.#at - 1));
    this.#start = this.#at;
  }

  /** Adds what an escape stands for: text, or a byte. */
  addPart(part: string | number): void {
    this.#parts.push(part);
    this.#start = this.#at;
  }

  hasParts(): boolean {
    return this.#parts.length > 0;
  }

  emit(kind: TokenKind): void {
    const text = joinParts([...this.#parts, this.pending()]);
    this.#parts = [];
    const column = this.#bytes(this.#tokenLineStart, this.#at) - this.#size(text);
    this.tokens.push({ kind, text, line: this.#line, column });
    this.ignore();
  }

  fail(text: string): void {
    const column = this.#bytes(this.#lineStart, this.#at);
    this.tokens.push({ kind: "error", text, line: this.#line, column });
  }

  #bytes(from: number, to: number): number {
    if (this.#ascii || to < from) return to - from;
    return utf8Length(this.#text.slice(from, to));
  }

  #size(text: string): number {
    return this.#ascii ? text.length : utf8Length(text);
  }
}

/** Joins text and runs of bytes; bytes are UTF-8. */
function joinParts(parts: readonly (string | number)[]): string {
  let text = "";
  let bytes: number[] = [];
  for (const part of parts) {
    if (typeof part === "number") {
      bytes.push(part);
    } else if (part !== "") {
      text += decodeUtf8(bytes) + part;
      bytes = [];
    }
  }
  return text + decodeUtf8(bytes);
}
