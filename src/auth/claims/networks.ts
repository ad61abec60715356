/**
 * CIDR networks, of both families, as user claims restrict addresses by them.
 */

/** An address as 16 bytes (IPv4 mapped), and how many leading bits count. */
export interface Network {
  readonly address: Uint8Array;
  readonly bits: number;
}

const V4_PREFIX_BITS = 96;

/** The network of a CIDR text, or null. */
export function parseNetwork(text: string): Network | null {
  const slash = text.indexOf("/");
  const address = parseAddress(text.slice(0, Math.max(slash, 0)));
  const length = text.slice(slash + 1);
  if (slash < 0 || address === null || !/^\d{1,3}$/.test(length)) return null;
  const v4 = text.slice(0, slash).includes(":") ? 0 : V4_PREFIX_BITS;
  const bits = Number(length) + v4;
  return bits > 128 ? null : { address, bits };
}

/** Whether an address text lies in one of the networks; an unreadable network matches nothing. */
export function isWithin(host: string, networks: readonly string[]): boolean {
  const address = parseAddress(host);
  if (address === null) return false;
  return networks.some((text) => {
    const network = parseNetwork(text);
    return network !== null && samePrefix(address, network);
  });
}

function samePrefix(address: Uint8Array, { address: base, bits }: Network): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== base[i]) return false;
  const rest = bits & 7;
  if (rest === 0) return true;
  const mask = 0xff00 >> rest;
  return ((address[whole] ?? 0) & mask & 0xff) === ((base[whole] ?? 0) & mask & 0xff);
}

/** The bytes of an IP address text, IPv4 as ::ffff:a.b.c.d; null if it is none. */
export function parseAddress(text: string): Uint8Array | null {
  const bytes = new Uint8Array(16);
  if (!text.includes(":")) {
    const v4 = parseV4(text);
    if (v4 === null) return null;
    bytes.fill(0xff, 10, 12);
    bytes.set(v4, 12);
    return bytes;
  }
  const groups = expand(text);
  if (groups?.length !== 8) return null;
  for (const [i, group] of groups.entries()) {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 255;
  }
  return bytes;
}

function parseV4(text: string): readonly number[] | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return null;
  const numbers = parts.map(Number);
  return numbers.every((n) => n < 256) ? numbers : null;
}

/** The eight groups of an IPv6 text, or null. */
function expand(text: string): readonly number[] | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map(groupsOf);
  if (head === null || tail === null) return null;
  if (halves.length === 1) return head;
  const missing = 8 - head.length - tail.length;
  if (missing < 1) return null;
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail];
}

function groupsOf(half: string): readonly number[] | null {
  if (half === "") return [];
  const groups: number[] = [];
  for (const [i, part] of half.split(":").entries()) {
    if (part.includes(".") && i === half.split(":").length - 1) {
      const v4 = parseV4(part);
      if (v4 === null) return null;
      const [a = 0, b = 0, c = 0, d = 0] = v4;
      groups.push((a << 8) | b, (c << 8) | d);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return null;
    }
  }
  return groups;
}
