/**
 * The parsed tree: values with the place they came from. Values inside a map carry the place of their key.
 *
 * The same tree is made of plain JavaScript objects, whose nodes know the path of the option instead.
 * Errors name types as nats-server does.
 */

export type ConfigValue =
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "timestamp"; readonly text: string }
  | { readonly kind: "array"; readonly items: readonly ConfigNode[] }
  | { readonly kind: "map"; readonly entries: ReadonlyMap<string, ConfigNode> };

export interface ConfigNode {
  readonly value: ConfigValue;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The option path of a value given by a program (`leafnodes.remotes[0].urls`); null in files. */
  readonly path: string | null;
  /** Set when a variable refers to this value: its key may then be one that no option has. */
  usedVariable: boolean;
}

const TYPE_NAMES: Readonly<Record<ConfigValue["kind"], string>> = {
  string: "string",
  integer: "int64",
  float: "float64",
  boolean: "bool",
  timestamp: "time.Time",
  array: "[]interface {}",
  map: "map[string]interface {}",
};

/** The type as error texts spell it. */
export const typeName = (node: ConfigNode): string => TYPE_NAMES[node.value.kind];

/** The value as error texts show it. */
export function display(node: ConfigNode): string {
  const { value } = node;
  if (value.kind === "array") return `[${value.items.map(display).join(" ")}]`;
  if (value.kind === "map") {
    return `map[${[...value.entries].map(([k, v]) => `${k}:${display(v)}`).join(" ")}]`;
  }
  return "text" in value ? value.text : String(value.value);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** In double quotes, as Go's `%q` quotes names and values in error texts. */
export function quote(text: string): string {
  const quoted = Array.from(text, (character) => {
    const escape = ESCAPES[character];
    if (escape !== undefined) return escape;
    if (character === " " || !/[\p{C}\p{Z}]/u.test(character)) return character;
    const hex = (character.codePointAt(0) ?? 0).toString(16);
    if (hex.length <= 2 && character < "\u0080") return `\\x${hex.padStart(2, "0")}`;
    return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  });
  return `"${quoted.join("")}"`;
}

/** The tree of a plain JavaScript value; null for what a configuration cannot hold. */
export function nodeFromPlain(input: unknown, path: string): ConfigNode | null {
  const value = plainValue(input, path);
  return value && { value, file: "", line: 0, column: 0, path, usedVariable: false };
}

function plainValue(input: unknown, path: string): ConfigValue | null {
  if (typeof input === "string") return { kind: "string", text: input };
  if (typeof input === "boolean") return { kind: "boolean", value: input };
  if (typeof input === "bigint") return { kind: "integer", value: input };
  if (typeof input === "number") {
    if (Number.isSafeInteger(input)) return { kind: "integer", value: BigInt(input) };
    return Number.isFinite(input) ? { kind: "float", value: input } : null;
  }
  if (typeof input !== "object" || input === null) return null;
  if (Array.isArray(input)) {
    const items: ConfigNode[] = [];
    for (const [i, item] of input.entries()) {
      const node = nodeFromPlain(item, `${path}[${i}]`);
      if (node === null) return null;
      items.push(node);
    }
    return { kind: "array", items };
  }
  const prototype: unknown = Object.getPrototypeOf(input);
  if (prototype !== Object.prototype && prototype !== null) return null;
  const entries = new Map<string, ConfigNode>();
  for (const [key, item] of Object.entries(input)) {
    if (item === undefined || item === null) continue;
    const node = nodeFromPlain(item, path === "" ? key : `${path}.${key}`);
    if (node === null) return null;
    entries.set(key, node);
  }
  return { kind: "map", entries };
}
