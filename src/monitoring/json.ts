/**
 * JSON as operators' tools expect it from a NATS server: members in the order they are given, zero values left
 * out where the contract says so, and the characters `<`, `>`, `&` escaped.
 */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

export type JsonObject = { readonly [name: string]: Json | undefined };

/** The value, or undefined (so that the member is left out) where it is a zero value. */
export function omit<T extends Json>(value: T | undefined): T | undefined {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) {
    return undefined;
  }
  if (typeof value === "object" && Object.keys(value).length === 0) return undefined;
  return value;
}

/** `indent` spaces per level; 0 is compact. */
export function encodeJson(value: Json, indent: number): string {
  return JSON.stringify(value, null, indent).replace(/[<>&\u2028\u2029]/g, escape);
}

/** A map as an object with sorted keys. */
export function sortedObject<T extends Json>(entries: Iterable<readonly [string, T]>): JsonObject {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
