/** Header blocks as latin1 strings: reading them as leniently as nats-server does, and setting one header. */
import { latin1Bytes } from "../bytes/ascii.ts";

export const VERSION_LINE = "NATS/1.0\r\n";

/**
 * Names and values in their order, empty ones left out; null if this is no header block. A name is all there is
 * up to the next colon, and what follows a line without its end is not read.
 */
export function headerEntries(block: string): readonly (readonly [string, string])[] | null {
  if (!block.startsWith(VERSION_LINE)) return null;
  const entries: (readonly [string, string])[] = [];
  for (let at = VERSION_LINE.length; at < block.length;) {
    const colon = block.indexOf(":", at);
    if (colon < 0) break;
    let start = colon + 1;
    while (isBlank(block.charCodeAt(start))) start++;
    const lineEnd = block.indexOf("\r\n", start);
    if (lineEnd < 0) break;
    let end = lineEnd;
    while (end > start && isBlank(block.charCodeAt(end - 1))) end--;
    if (colon > at && end > start) entries.push([block.slice(at, colon), block.slice(start, end)]);
    at = lineEnd + 2;
  }
  return entries;
}

/** The block with this header in place of those of its name; "" for a message that has no block. */
export function withHeader(block: string, name: string, value: string): Uint8Array {
  const kept = block
    .split("\r\n")
    .filter((line) => line !== "" && !line.startsWith(`${name}:`))
    .map((line) => `${line}\r\n`);
  const head = kept.length === 0 ? VERSION_LINE : kept.join("");
  return latin1Bytes(`${head}${name}: ${value}\r\n\r\n`);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
