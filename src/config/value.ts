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
  switch (value.kind) {
    case "string":
    case "timestamp":
      return value.text;
    case "array":
      return `[${value.items.map(display).join(" ")}]`;
    case "map":
      return `map[${[...value.entries].map(([k, v]) => `${k}:${display(v)}`).join(" ")}]`;
    case "integer":
    case "float":
    case "boolean":
      return String(value.value);
  }
}

/** In double quotes, as error texts quote names and values. */
export function quote(text: string): string {
  // JSON differs for characters no sane name holds.
  return JSON.stringify(text);
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
