/**
 * Where options stand in the configuration they were read from, for messages after loading: which line holds
 * the rule that stopped a message, or the option that will bite.
 */
import type { Place } from "./config-error.ts";
import { type AnySchema, snakeCase } from "./rows.ts";
import { OPTIONS } from "./schema.ts";
import type { ConfigNode } from "./value.ts";

/** A member's name (`denyExports`), an index of a list, or a name chosen by the user (of an account). */
export type PlaceStep = string | number;

export class ConfigPlaces {
  readonly #root: ConfigNode | null;

  constructor(root: ConfigNode | null) {
    this.#root = root;
  }

  /** The value at a path; null where it was not given. */
  node(...steps: readonly PlaceStep[]): ConfigNode | null {
    let node = this.#root;
    let schema: AnySchema | null = asAny(OPTIONS);
    for (const step of steps) {
      if (node === null) return null;
      if (typeof step === "number") {
        // A single value may stand for a list of one.
        if (node.value.kind === "array") node = node.value.items[step] ?? null;
        continue;
      }
      const row: { kind: { schema?: AnySchema } } | undefined = schema?.members.get(step);
      node = child(node, [snakeCase(step), step, ...(schema?.members.get(step)?.aliases ?? [])]);
      if (row !== undefined) schema = row.kind.schema ?? null;
    }
    return node;
  }

  /** The place of the deepest given part of a path. */
  of(...steps: readonly PlaceStep[]): Place | null {
    for (let length = steps.length; length > 0; length--) {
      const node = this.node(...steps.slice(0, length));
      if (node !== null) return node;
    }
    return null;
  }

  /** The place of a subject in a list of subjects; of the list if it does not hold it. */
  entry(list: ConfigNode | null, subject: string): Place | null {
    if (list?.value.kind !== "array") return list;
    const found = list.value.items.find(
      (item) => item.value.kind === "string" && item.value.text === subject,
    );
    return found ?? list;
  }

  /** The block of the user with this name, token or public key, wherever users may stand. */
  user(name: string): ConfigNode | null {
    const blocks = [
      this.node("authorization"),
      this.node("accounts"),
      this.node("leafnodes", "authorization"),
    ];
    for (const block of blocks) {
      const found = block && findUser(block, name);
      if (found !== null) return found;
    }
    return null;
  }

  /** A list of a user's permissions, or the nearest part of them that was given. */
  permission(
    user: ConfigNode,
    direction: "publish" | "subscribe",
    list: "allow" | "deny" | null,
  ): ConfigNode | null {
    const permissions = child(user, ["permissions", "permission", "authorization"]);
    const names = direction === "publish" ? PUBLISH : SUBSCRIBE;
    const rules = permissions && child(permissions, names);
    return (list === null ? null : rules && child(rules, [list])) ?? rules ?? permissions;
  }
}

const PUBLISH = ["publish", "pub", "import"];
const SUBSCRIBE = ["subscribe", "sub", "export"];

function child(node: ConfigNode, names: readonly string[]): ConfigNode | null {
  if (node.value.kind !== "map") return null;
  for (const [key, value] of node.value.entries) {
    const name = value.path === null ? key.toLowerCase() : snakeCase(key);
    if (names.includes(name) || names.includes(key)) return value;
  }
  return null;
}

function findUser(node: ConfigNode, name: string): ConfigNode | null {
  if (node.value.kind === "array") {
    for (const item of node.value.items) {
      const found = findUser(item, name);
      if (found !== null) return found;
    }
    return null;
  }
  if (node.value.kind !== "map") return null;
  const named = child(node, ["user", "username", "nkey", "token"])?.value;
  if (named?.kind === "string" && named.text === name) return node;
  for (const value of node.value.entries.values()) {
    const found = findUser(value, name);
    if (found !== null) return found;
  }
  return null;
}

function asAny(schema: unknown): AnySchema {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every schema is one, but for its block's type
  return schema as AnySchema;
}
