/**
 * Distinguished names as text (RFC 4514): parsing, comparison by position or as a set, and the text that Go's
 * pkix prints for a certificate subject, which old configurations spell their users by.
 */
export interface Attribute {
  readonly type: string;
  readonly value: string;
}

/** The attributes of one relative name; more than one only in a multi-valued one (`a=1+b=2`). */
export type RelativeName = readonly Attribute[];

export type DistinguishedName = readonly RelativeName[];

/** The names of the text, most specific first, or null if it is no distinguished name. */
export function parseDistinguishedName(text: string): DistinguishedName | null {
  const names: Attribute[][] = [];
  let current: Attribute[] = [];
  for (const piece of splitUnescaped(text)) {
    const equals = piece.text.indexOf("=");
    if (equals <= 0 || piece.text.charAt(equals + 1) === "#") return null;
    const type = piece.text.slice(0, equals).trim();
    const value = unescapeValue(piece.text.slice(equals + 1));
    if (type === "" || value === null) return null;
    current.push({ type, value });
    if (piece.joined) continue;
    names.push(current);
    current = [];
  }
  return names.length === 0 || current.length > 0 ? null : names;
}

interface Piece {
  readonly text: string;
  /** A `+` follows: the next attribute belongs to the same relative name. */
  readonly joined: boolean;
}

function splitUnescaped(text: string): Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text.charAt(i);
    if (c === "\\") i++;
    if (i < text.length && c !== "," && c !== "+") continue;
    pieces.push({ text: text.slice(start, i), joined: c === "+" });
    start = i + 1;
  }
  return pieces;
}

function unescapeValue(text: string): string | null {
  const source = text.trimStart();
  let out = "";
  let kept = 0;
  for (let i = 0; i < source.length; i++) {
    const c = source.charAt(i);
    if (c !== "\\") {
      out += c;
      if (c !== " ") kept = out.length;
      continue;
    }
    const next = source.charAt(i + 1);
    if (next !== "" && ' "#+,;<=>\\'.includes(next)) {
      out += next;
      i++;
    } else {
      const hex = source.slice(i + 1, i + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) return null;
      out += String.fromCharCode(Number.parseInt(hex, 16));
      i += 2;
    }
    kept = out.length;
  }
  return out.slice(0, kept);
}

/** Equal relative names at equal positions. */
export function sameName(a: DistinguishedName, b: DistinguishedName): boolean {
  return a.length === b.length && a.every((name, i) => sameRelative(name, b[i] ?? []));
}

/** Equal relative names in any order. */
export function sameNameReordered(a: DistinguishedName, b: DistinguishedName): boolean {
  if (a.length !== b.length) return false;
  const left = [...b];
  return a.every((name) => {
    const at = left.findIndex((other) => sameRelative(name, other));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function sameRelative(a: RelativeName, b: RelativeName): boolean {
  const within = (x: Attribute, list: RelativeName): boolean =>
    list.some((y) => x.type.toLowerCase() === y.type.toLowerCase() && x.value === y.value);
  return a.length === b.length && a.every((x) => within(x, b)) && b.every((x) => within(x, a));
}

/** The order in which Go prints the attributes it knows, whatever their order in the certificate. */
const GO_ORDER = ["SERIALNUMBER", "CN", "POSTALCODE", "STREET", "ST", "L", "OU", "O", "C"] as const;

/** The subject as Go prints it: known attributes in its own order, equal ones joined by `+`. */
export function goSubject(name: DistinguishedName): string {
  const attributes = name.flat();
  return GO_ORDER.flatMap((type) => {
    // The certificate's order is the reverse of the text's.
    const found = attributes.filter((a) => a.type.toUpperCase() === type).toReversed();
    if (type === "CN" || type === "SERIALNUMBER") found.splice(0, found.length - 1);
    return found.length === 0
      ? []
      : [found.map((a) => `${type}=${escapeValue(a.value)}`).join("+")];
  }).join(",");
}

/** `DC=…,DC=…` in the certificate's order, or "". */
export function domainComponents(name: DistinguishedName): string {
  return name
    .flat()
    .filter((a) => a.type.toUpperCase() === "DC")
    .toReversed()
    .map((a) => `DC=${a.value}`)
    .join(",");
}

function escapeValue(value: string): string {
  return value
    .replace(/[,+"\\<>;]/g, "\\$&")
    .replace(/^[# ]/, "\\$&")
    .replace(/ $/, "\\ ");
}
