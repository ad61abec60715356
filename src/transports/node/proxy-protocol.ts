/**
 * The PROXY protocol's header (v1 text, v2 binary) as a pure function over the bytes seen so far. It comes
 * before anything else, TLS included; bytes that are no header are left for the client protocol.
 */

/** Version 1 lines are at most this long, CRLF included. */
const MAX_V1_BYTES = 107;
const V1_PREFIX = ascii("PROXY ");
const V2_SIGNATURE = Uint8Array.from([13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]);
const V2_FIXED_BYTES = 16;

export const PROXY_PROTOCOL_ERRORS = {
  invalid: "invalid PROXY protocol header",
  invalidV1: "invalid PROXY protocol header: invalid v1 format",
  unsupported: "unsupported PROXY protocol feature",
  timeout: "timeout reading PROXY protocol header",
  unrecognized: "unrecognized PROXY protocol format",
} as const;

/** How long the server waits for a header. */
export const PROXY_PROTOCOL_TIMEOUT_MS = 5000;

export type ProxyHeader =
  /** A header of `bytes` that names the true source. */
  | {
      readonly kind: "proxied";
      readonly bytes: number;
      readonly host: string;
      readonly port: number;
    }
  /** A header of `bytes` that keeps the socket's own address (LOCAL, UNKNOWN, UNSPEC). */
  | { readonly kind: "local"; readonly bytes: number }
  /** No header: the bytes belong to the client protocol. */
  | { readonly kind: "none" }
  | { readonly kind: "malformed"; readonly error: string };

/** Reads a header at the start of `bytes`; null = more bytes are needed to tell. */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader | null {
  if (startsLike(bytes, V1_PREFIX)) return bytes.length < V1_PREFIX.length ? null : parseV1(bytes);
  if (startsLike(bytes, V2_SIGNATURE)) return bytes.length < V2_FIXED_BYTES ? null : parseV2(bytes);
  return { kind: "none" };
}

/** Whether what is there of `bytes` agrees with `prefix`. */
function startsLike(bytes: Uint8Array, prefix: Uint8Array): boolean {
  const length = Math.min(bytes.length, prefix.length);
  for (let i = 0; i < length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}

function malformed(error: string): ProxyHeader {
  return { kind: "malformed", error };
}

function parseV1(bytes: Uint8Array): ProxyHeader | null {
  let line = "";
  let end = 0;
  while (end < bytes.length && end < MAX_V1_BYTES && bytes[end] !== 10) {
    line += String.fromCharCode(bytes[end] ?? 0);
    end++;
  }
  if (end === MAX_V1_BYTES) return malformed(PROXY_PROTOCOL_ERRORS.invalidV1);
  if (end === bytes.length) return null;
  if (!line.endsWith("\r")) return malformed(PROXY_PROTOCOL_ERRORS.invalidV1);
  const fields = line.slice(0, -1).split(" ");
  const [, family, source, , sourcePort] = fields;
  if (family === "UNKNOWN") return { kind: "local", bytes: end + 1 };
  if (family !== "TCP4" && family !== "TCP6") return malformed(PROXY_PROTOCOL_ERRORS.unsupported);
  const port = Number(sourcePort);
  const valid =
    fields.length === 6 &&
    source !== undefined &&
    (family === "TCP4" ? isIPv4(source) : isIPv6(source)) &&
    [sourcePort, fields[5]].every((text) => /^\d{1,5}$/.test(text ?? "") && Number(text) <= 65535);
  if (!valid) return malformed(PROXY_PROTOCOL_ERRORS.invalidV1);
  return { kind: "proxied", bytes: end + 1, host: source, port };
}

function isIPv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

function isIPv6(text: string): boolean {
  return text.includes(":") && /^[0-9a-fA-F:.]{2,45}$/.test(text);
}

const AF_UNSPEC = 0;
const AF_INET = 1;
const AF_INET6 = 2;
const STREAM = 1;

function parseV2(bytes: Uint8Array): ProxyHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint8(12) >> 4;
  const command = view.getUint8(12) & 15;
  const family = view.getUint8(13) >> 4;
  const transport = view.getUint8(13) & 15;
  const length = view.getUint16(14);
  const total = V2_FIXED_BYTES + length;
  if (version !== 2 || command > 1) return malformed(PROXY_PROTOCOL_ERRORS.invalid);
  if (bytes.length < total) return null;
  if (command === 0 || family === AF_UNSPEC) return { kind: "local", bytes: total };
  if (transport !== STREAM || (family !== AF_INET && family !== AF_INET6)) {
    return malformed(PROXY_PROTOCOL_ERRORS.unsupported);
  }
  const addressBytes = family === AF_INET ? 4 : 16;
  if (length < 2 * addressBytes + 4) return malformed(PROXY_PROTOCOL_ERRORS.invalid);
  const address = bytes.subarray(V2_FIXED_BYTES, V2_FIXED_BYTES + addressBytes);
  const port = view.getUint16(V2_FIXED_BYTES + 2 * addressBytes);
  const host = family === AF_INET ? address.join(".") : ipv6Text(address);
  return { kind: "proxied", bytes: total, host, port };
}

/** The canonical text of 16 bytes: the longest run of zero groups becomes `::`, IPv4-mapped ones IPv4. */
function ipv6Text(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return bytes.subarray(12).join(".");
  }
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  if (best.start < 0) return hex(0, 8);
  return `${hex(0, best.start)}::${hex(best.start + best.length, 8)}`;
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
