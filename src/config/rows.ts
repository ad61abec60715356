/**
 * What a table of options is, and how a block of configuration is read by one.
 *
 * A `Schema<B>` has one row for each member of the interface `B`, under the member's snake_case name: the
 * compiler refuses a table that lacks one, or whose row yields another type. Nothing outside the tables
 * knows an option's name; the rest reads rows. Problems are gathered, never thrown: a row that yields
 * `undefined` has reported why, and the default stays.
 */
import type { ConfigHost } from "./config-host.ts";
import { type ConfigProblem, problemAt } from "./config-error.ts";
import { type ConfigNode, quote, typeName } from "./value.ts";

/** Whether a changed option takes effect in a running server. */
export type ReloadClass = "hot" | "restart";

/** How a value is read, checked and typed. */
export interface Kind<T> extends Labelled {
  read(node: ConfigNode, reading: Reading, key: string): T | undefined;
}

interface Described {
  readonly aliases: readonly string[];
  readonly reload: ReloadClass;
  readonly doc: string;
  /** Known, but not built yet. */
  readonly unsupported?: true;
}

interface Labelled {
  /** For the documentation: `duration`, `list of text`. */
  readonly label: string;
  /** The table behind a block, for the documentation. */
  readonly schema?: AnySchema;
}

export interface Row<T, B> extends Described {
  readonly kind: Kind<T>;
  readonly fallback: T;
  /** Sets what else this option decides. */
  readonly also?: (draft: Draft<B>, value: T) => void;
}

/** A name that stands for no member of its own: `listen` sets host and port. */
export interface Directive<B> extends Described, Labelled {
  apply(draft: Draft<B>, node: ConfigNode, reading: Reading, key: string): void;
}

export type Draft<B> = { -readonly [K in keyof B]: B[K] };

/** `maxPayload` -> `max_payload`. */
export type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${SnakeCase<Tail>}`
    : `_${Lowercase<Head>}${SnakeCase<Tail>}`
  : "";

/** A row for each member of B but those of C. */
export type Rows<B, C extends keyof B = never> = {
  readonly [K in Exclude<keyof B & string, C> as SnakeCase<K>]: Row<B[K], B>;
};

interface Common<B> {
  /** The block's name in the documentation. */
  readonly name: string;
  readonly directives?: Readonly<Record<string, Directive<B>>>;
  /** Checks that need several members. */
  readonly finish?: (draft: Draft<B>, node: ConfigNode, reading: Reading) => void;
  /** Error texts where they differ from the usual. */
  readonly unknownField?: (key: string) => string;
  readonly notMap?: (node: ConfigNode) => string;
}

export interface SchemaDefinition<B, C extends keyof B = never> extends Common<B> {
  readonly rows: Rows<B, C>;
  /** Defaults of the members that have no row, but are set by directives. */
  readonly computed: Pick<B, C>;
}

type Entry<B> =
  | { readonly member: keyof B & string; readonly row: Row<unknown, B> }
  | { readonly directive: Directive<B> };

export interface Schema<B> extends Common<B> {
  readonly computed: Readonly<Record<string, unknown>>;
  /** By every lower-case name. */
  readonly byName: ReadonlyMap<string, Entry<B>>;
  /** In the order of the table. */
  readonly members: ReadonlyMap<keyof B & string, Row<unknown, B>>;
}

/** A schema whose block's type does not matter: what documentation reads. */
export interface AnySchema {
  readonly name: string;
  readonly members: ReadonlyMap<
    string,
    Described & { readonly kind: Kind<unknown>; readonly fallback: unknown }
  >;
  readonly directives?: Readonly<Record<string, Described & Labelled>>;
}

export function defineSchema<B, C extends keyof B = never>(
  definition: SchemaDefinition<B, C>,
): Schema<B> {
  const byName = new Map<string, Entry<B>>();
  const members = new Map<keyof B & string, Row<unknown, B>>();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its values are rows by its type
  for (const [name, row] of Object.entries(definition.rows) as [string, Row<unknown, B>][]) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names are those of members of B
    const member = camelCase(name) as keyof B & string;
    members.set(member, row);
    for (const alias of [name, ...row.aliases]) byName.set(alias, { member, row });
  }
  for (const [name, directive] of Object.entries(definition.directives ?? {})) {
    for (const alias of [name, ...directive.aliases]) byName.set(alias, { directive });
  }
  const { name, directives, finish, unknownField, notMap, computed } = definition;
  return {
    name,
    computed: { ...computed },
    byName,
    members,
    ...(directives && { directives }),
    ...(finish && { finish }),
    ...(unknownField && { unknownField }),
    ...(notMap && { notMap }),
  };
}

export const camelCase = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** One pass over a configuration: where problems go, and what was given. */
export class Reading {
  readonly host: ConfigHost | null;
  readonly errors: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];
  /** Dotted option names that were given. */
  readonly explicit = new Set<string>();
  readonly #path: string[] = [];

  constructor(host: ConfigHost | null) {
    this.host = host;
  }

  error(node: ConfigNode | null, message: string): undefined {
    this.errors.push(problemAt(node, message));
  }

  warn(node: ConfigNode, key: string, reason: string): void {
    this.warnings.push(problemAt(node, `invalid use of field ${quote(key)}: ${reason}`));
  }

  plainWarning(node: ConfigNode, message: string): void {
    this.warnings.push(problemAt(node, message));
  }

  wrongType(node: ConfigNode, wanted: string): undefined {
    this.error(node, `interface conversion: interface {} is ${typeName(node)}, not ${wanted}`);
  }

  given(member: string): void {
    this.explicit.add([...this.#path, member].join("."));
  }

  enter(member: string): void {
    this.#path.push(member);
  }

  leave(): void {
    this.#path.pop();
  }
}

export function defaultsOf<B>(schema: Schema<B>): Draft<B> {
  const draft: Record<string, unknown> = { ...schema.computed };
  for (const [member, row] of schema.members) draft[member] = row.fallback;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each member has a row or is computed
  return draft as Draft<B>;
}

/** Reads a map into a draft; members it does not name keep their values. */
export function readInto<B>(
  schema: Schema<B>,
  draft: Draft<B>,
  node: ConfigNode,
  reading: Reading,
): void {
  if (node.value.kind !== "map") {
    reading.error(
      node,
      schema.notMap?.(node) ??
        `interface conversion: interface {} is ${typeName(node)}, not map[string]interface {}`,
    );
    return;
  }
  for (const [key, child] of node.value.entries) {
    const entry = find(schema, key, node.path !== null);
    if (entry === undefined) {
      if (child.usedVariable) continue;
      reading.error(child, schema.unknownField?.(key) ?? `unknown field ${quote(key)}`);
    } else if ("directive" in entry) {
      entry.directive.apply(draft, child, reading, key);
    } else {
      readMember(entry.member, entry.row, draft, { key, child, reading });
    }
  }
  schema.finish?.(draft, node, reading);
}

function find<B>(schema: Schema<B>, key: string, fromProgram: boolean): Entry<B> | undefined {
  const entry = schema.byName.get(key.toLowerCase());
  return entry ?? (fromProgram ? schema.byName.get(snakeCase(key)) : undefined);
}

interface Given {
  readonly key: string;
  readonly child: ConfigNode;
  readonly reading: Reading;
}

function readMember<B>(
  member: keyof B & string,
  row: Row<unknown, B>,
  draft: Draft<B>,
  { key, child, reading }: Given,
): void {
  reading.enter(member);
  const value = row.kind.read(child, reading, key);
  reading.leave();
  if (value === undefined) return;
  reading.given(member);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a row yields its member's type
  draft[member] = value as B[keyof B & string];
  row.also?.(draft, value);
}

/** Reads a block whose absent members get their defaults. */
export function readBlock<B>(schema: Schema<B>, node: ConfigNode, reading: Reading): B | undefined {
  const draft = defaultsOf(schema);
  const before = reading.errors.length;
  readInto(schema, draft, node, reading);
  return reading.errors.length > before && node.value.kind !== "map" ? undefined : draft;
}

/** A block as the value of an option. */
export function block<B>(schema: Schema<B>): Kind<B> {
  return {
    label: "block",
    schema,
    read: (node, reading) => readBlock(schema, node, reading),
  };
}
