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
  if (value.kind === "string") return jsonText(value.text);
  if (value.kind === "timestamp") return `"${value.text}"`;
  if (value.kind === "float") return jsonFloat(value.value);
  if (value.kind === "array") {
    return `[${value.items.map((item) => canonicalJson(item.value)).join(",")}]`;
  }
  if (value.kind !== "map") return String(value.value);
  const members = [...value.entries]
    .sort(([a], [b]) => byCodePoints(a, b))
    .map(([key, node]) => `${jsonText(key)}:${canonicalJson(node.value)}`);
  return `{${members.join(",")}}`;
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const SPECIAL = /["\\<>&\u0000-\u001f\u2028\u2029\ufffd]/g;

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** U+FFFD here was a byte that is no UTF-8, which Go's encoder escapes. */
function jsonText(text: string): string {
  const escaped = text.replace(
    SPECIAL,
    (c) => ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

/** JavaScript's shortest digits are Go's, but for the sign of zero. */
const jsonFloat = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

function byCodePoints(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
