/**
 * The digest of a configuration: SHA-256 of the parsed map as JSON with sorted keys and a newline.
 *
 * It must equal nats-server's, so text is escaped and numbers are written as Go's encoder does.
 */
import type { ConfigHost } from "./config-host.ts";
import type { ConfigNode, ConfigValue } from "./value.ts";

/** `sha256:<hex>`. */
export function digestOf(host: ConfigHost, entries: ReadonlyMap<string, ConfigNode>): string {
  return `sha256:${host.sha256(`${canonicalJson({ kind: "map", entries })}\n`)}`;
}

/** The JSON text the digest is taken of, without the newline. */
export function canonicalJson(value: ConfigValue): string {
  switch (value.kind) {
    case "string":
      return jsonText(value.text);
    case "timestamp":
      return `"${value.text}"`;
    case "integer":
    case "boolean":
      return String(value.value);
    case "float":
      return jsonFloat(value.value);
    case "array":
      return `[${value.items.map((item) => canonicalJson(item.value)).join(",")}]`;
    case "map": {
      const keys = [...value.entries.keys()].sort(byCodePoints);
      const members = keys.map((key) => {
        const node = value.entries.get(key);
        return `${jsonText(key)}:${node === undefined ? "null" : canonicalJson(node.value)}`;
      });
      return `{${members.join(",")}}`;
    }
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function jsonText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const escaped = text.replace(
    /["\\<>&\u0000-\u001f\u2028\u2029]/g,
    (c) => ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

/** JavaScript's shortest digits are Go's, but for the sign of zero. */
const jsonFloat = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

function byCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
