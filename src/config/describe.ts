/** The tables of options as documentation: each block once, its options in the order of their table. */
import { formatDuration } from "./duration.ts";
import { type AnySchema, type ReloadClass, snakeCase } from "./rows.ts";
import { OPTIONS } from "./schema.ts";

export interface OptionDescription {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly kind: string;
  /** The default as configuration text; "" where there is none. */
  readonly fallback: string;
  readonly reload: ReloadClass;
  readonly doc: string;
  readonly unsupported: boolean;
}

export interface BlockDescription {
  /** `leafnodes.remotes`; `options` for the top level. */
  readonly name: string;
  readonly options: readonly OptionDescription[];
}

/** Every block and every option there is. */
export function describeOptions(): readonly BlockDescription[] {
  const blocks: BlockDescription[] = [];
  const seen = new Set<AnySchema>();
  const waiting: AnySchema[] = [OPTIONS];
  for (let schema = waiting.shift(); schema !== undefined; schema = waiting.shift()) {
    if (seen.has(schema)) continue;
    seen.add(schema);
    blocks.push({ name: schema.name, options: describe(schema) });
    for (const { kind } of schema.members.values()) if (kind.schema) waiting.push(kind.schema);
    for (const directive of Object.values(schema.directives ?? {})) {
      if (directive.schema) waiting.push(directive.schema);
    }
  }
  return blocks;
}

function describe(schema: AnySchema): readonly OptionDescription[] {
  const directives = Object.entries(schema.directives ?? {}).map(([name, directive]) => ({
    name,
    aliases: directive.aliases,
    kind: directive.label,
    fallback: "",
    reload: directive.reload,
    doc: directive.doc,
    unsupported: directive.unsupported ?? false,
  }));
  const rows = [...schema.members].map(([member, row]) => ({
    name: snakeCase(member),
    aliases: row.aliases,
    kind: row.kind.label,
    fallback: showFallback(row.fallback, row.kind.label),
    reload: row.reload,
    doc: row.doc,
    unsupported: row.unsupported ?? false,
  }));
  return [...directives, ...rows];
}

function showFallback(value: unknown, label: string): string {
  if (typeof value === "number") {
    return label.includes("duration") ? formatDuration(value) : String(value);
  }
  if (typeof value === "boolean" || typeof value === "string") return String(value);
  if (typeof value === "object" && value !== null && "mode" in value) return String(value.mode);
  return "";
}
