/**
 * Tokens -> a tree of values: maps, arrays, units, variables, environment, includes.
 *
 * Keys are kept as written and a repeated one replaces its predecessor. A variable is looked up in the maps
 * around it, innermost first, among what is defined by then; afterwards in the environment, whose text is
 * parsed as a value of its own. The first fault is thrown as a `SyntaxFault`, whose text is complete.
 */
import type { ConfigHost } from "./config-host.ts";
import type { Token } from "./cursor.ts";
import { Lexer } from "./lexer.ts";
import type { ConfigNode, ConfigValue } from "./value.ts";

/** A fault of the text; unlike other problems it comes alone and holds its place in its text. */
export class SyntaxFault extends Error {}

/** Maps and arrays nested deeper than this mean nothing, and would exhaust the stack of who reads them. */
const MAX_DEPTH = 1000;

/** Includes nested deeper than this are taken for a cycle. */
const MAX_INCLUDE_DEPTH = 100;

type Entries = Map<string, ConfigNode>;
type Context = { readonly map: Entries } | { readonly items: ConfigNode[] };

/** The top-level map of a file and of what it includes. */
export function parseFile(host: ConfigHost, file: string, depth = 0): Entries {
  if (depth > MAX_INCLUDE_DEPTH) throw new SyntaxFault(`includes nested too deeply: ${file}`);
  return parseText(host, host.readFile(file), file, depth);
}

/** The top-level map of a text; includes are found relative to `file`. */
export function parseText(host: ConfigHost, text: string, file: string, depth = 0): Entries {
  return new Parser(host, text, file, new Set(), depth).parse();
}

class Parser {
  readonly #host: ConfigHost;
  readonly #lexer: Lexer;
  readonly #file: string;
  /** Environment variables being resolved, outermost first. */
  readonly #resolving: Set<string>;
  readonly #depth: number;
  readonly #root: Entries = new Map();
  readonly #contexts: Context[] = [{ map: this.#root }];
  readonly #keys: Token[] = [];

  constructor(host: ConfigHost, text: string, file: string, resolving: Set<string>, depth: number) {
    this.#host = host;
    this.#lexer = new Lexer(text);
    this.#file = file;
    this.#resolving = resolving;
    this.#depth = depth;
  }

  parse(): Entries {
    let previous: Token | null = null;
    for (;;) {
      const token = this.#lexer.next();
      if (token.kind === "end") {
        // A lone `}` reads as a key and is forgiven.
        if (previous?.kind === "key" && previous.text !== "}") throw this.#invalid(token);
        return this.#root;
      }
      previous = token;
      this.#take(token);
    }
  }

  #invalid(token: Token): SyntaxFault {
    return new SyntaxFault(`config is invalid (${this.#file}:${token.line}:${token.column})`);
  }

  #take(token: Token): void {
    switch (token.kind) {
      case "error":
        throw new SyntaxFault(`Parse error on line ${token.line}: '${token.text}'`);
      case "key":
        this.#keys.push(token);
        return;
      case "mapStart":
        this.#open({ map: new Map() }, token);
        return;
      case "arrayStart":
        this.#open({ items: [] }, token);
        return;
      case "mapEnd":
      case "arrayEnd":
        this.#close(token);
        return;
      case "include":
        this.#include(token);
        return;
      case "variable":
        this.#set(token, this.#variable(token));
        return;
      case "string":
      case "integer":
      case "float":
      case "boolean":
      case "timestamp": {
        const value = scalar(token);
        if (value !== null) this.#set(token, value);
        return;
      }
      case "end":
    }
  }

  #open(context: Context, token: Token): void {
    this.#contexts.push(context);
    if (this.#contexts.length > MAX_DEPTH) {
      throw new SyntaxFault(`maps and arrays nested too deeply on line ${token.line}`);
    }
  }

  #close(token: Token): void {
    const context = this.#contexts.pop();
    if (context === undefined || this.#contexts.length === 0) throw this.#invalid(token);
    if ("map" in context) this.#set(token, { kind: "map", entries: context.map });
    else this.#set(token, { kind: "array", items: context.items });
  }

  #set(token: Token, value: ConfigValue): void {
    const context = this.#contexts.at(-1);
    if (context === undefined) throw this.#invalid(token);
    if ("items" in context) {
      context.items.push(this.#node(token, value));
      return;
    }
    const key = this.#keys.pop();
    if (key === undefined) throw this.#invalid(token);
    put(context.map, key.text, this.#node(key, value));
  }

  #node(place: Token, value: ConfigValue): ConfigNode {
    const { line, column } = place;
    return { value, file: this.#file, line, column, path: null, usedVariable: false };
  }

  #include(token: Token): void {
    const path = this.#host.join(this.#host.dirname(this.#file), token.text);
    let entries: Entries;
    try {
      entries = parseFile(this.#host, path, this.#depth + 1);
    } catch (e) {
      throw new SyntaxFault(`error parsing include file '${token.text}', ${messageOf(e)}`);
    }
    const context = this.#contexts.at(-1);
    if (context === undefined || !("map" in context)) throw this.#invalid(token);
    for (const [key, node] of entries) put(context.map, key, node);
  }

  #variable(token: Token): ConfigValue {
    const name = token.text;
    // A bare bcrypt hash looks like a reference.
    if (name.startsWith("2a$")) return { kind: "string", text: `$${name}` };
    for (let i = this.#contexts.length - 1; i >= 0; i--) {
      const context = this.#contexts[i];
      const found = context !== undefined && "map" in context ? context.map.get(name) : undefined;
      if (found !== undefined) {
        found.usedVariable = true;
        return found.value;
      }
    }
    const where = `variable reference for '${name}' on line ${token.line}`;
    let value: ConfigValue | null;
    try {
      value = this.#environment(name);
    } catch (e) {
      throw new SyntaxFault(`${where} could not be parsed: ${messageOf(e)}`);
    }
    if (value === null) throw new SyntaxFault(`${where} can not be found`);
    return value;
  }

  #environment(name: string): ConfigValue | null {
    if (this.#resolving.has(name)) {
      throw new SyntaxFault(`variable reference cycle for '${name}'`);
    }
    const text = this.#host.env(name);
    if (text === undefined) return null;
    this.#resolving.add(name);
    try {
      const parser = new Parser(this.#host, `pk=${text}`, "", this.#resolving, this.#depth);
      return parser.parse().get("pk")?.value ?? null;
    } finally {
      this.#resolving.delete(name);
    }
  }
}

/** A repeated key takes its new place in the order of definition. */
function put(map: Entries, key: string, node: ConfigNode): void {
  map.delete(key);
  map.set(key, node);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** null: a number with an unknown suffix, which is dropped without a word. */
function scalar(token: Token): ConfigValue | null {
  const { kind, text } = token;
  if (kind === "integer") return integer(text);
  if (kind === "float") return float(text);
  if (kind === "boolean") return { kind, value: /^(true|yes|on)$/i.test(text) };
  return kind === "timestamp" ? timestamp(text) : { kind: "string", text };
}

const EXPONENTS = "kmgtpe";

function integer(text: string): ConfigValue | null {
  const digits = /^[\p{Nd}-]*/u.exec(text)?.[0] ?? "";
  if (!/^-?[0-9]+$/.test(digits)) {
    throw new SyntaxFault(`expected integer, but got '${text}'`);
  }
  const number = BigInt(digits);
  if (BigInt.asIntN(64, number) !== number) {
    throw new SyntaxFault(`integer '${text}' is out of the range`);
  }
  const suffix = text.slice(digits.length).toLowerCase();
  if (suffix === "") return { kind: "integer", value: number };
  if (!/^.(b|i|ib)?$/.test(suffix)) return null;
  const base = suffix.length === 1 ? 1000n : 1024n;
  const scale = base ** BigInt(EXPONENTS.indexOf(suffix.charAt(0)) + 1);
  // What does not fit wraps around, as it does in nats-server.
  return { kind: "integer", value: BigInt.asIntN(64, number * scale) };
}

function float(text: string): ConfigValue {
  if (!/^-?[0-9]+\.[0-9]+$/.test(text)) {
    throw new SyntaxFault(`expected float, but got '${text}'`);
  }
  const value = Number(text);
  if (!Number.isFinite(value)) throw new SyntaxFault(`float '${text}' is out of the range`);
  return { kind: "float", value };
}

function timestamp(text: string): ConfigValue {
  const match = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/.exec(text);
  const [year, month, day, hour, minute, second] = (match ?? []).slice(1).map(Number);
  const valid =
    year !== undefined &&
    inRange(month, 1, 12) &&
    inRange(day, 1, daysIn(year, month ?? 0)) &&
    inRange(hour, 0, 23) &&
    inRange(minute, 0, 59) &&
    inRange(second, 0, 59);
  if (!valid) throw new SyntaxFault(`expected Zulu formatted DateTime, but got '${text}'`);
  return { kind: "timestamp", text };
}

const inRange = (n: number | undefined, low: number, high: number): boolean =>
  n !== undefined && n >= low && n <= high;

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
