/**
 * Reading decoded JSON of unknown shape: absent members take a fallback, members of another type are an error,
 * as Go's decoder has it. Errors travel as `ClaimsError` up to the one place that decodes tokens.
 */

/** A token that cannot be read. Caught in `decodeToken`, never thrown out of this layer. */
export class ClaimsError extends Error {}

export type JsonObject = { readonly [key: string]: unknown };

function fault(key: string, value: unknown, expected: string): ClaimsError {
  const kind = Array.isArray(value) ? "array" : typeof value;
  return new ClaimsError(`json: cannot unmarshal ${kind} into field ${key} of type ${expected}`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON object of a text. */
export function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ClaimsError("json: invalid character");
  }
  if (!isObject(value)) throw fault("claims", value, "object");
  return value;
}

export function textOf(object: JsonObject, key: string): string {
  const value = object[key] ?? "";
  if (typeof value !== "string") throw fault(key, value, "string");
  return value;
}

/** A whole number; `absent` stands for a missing one. */
export function integerOf(object: JsonObject, key: string, absent = 0): number {
  const value = object[key] ?? absent;
  if (typeof value !== "number" || !Number.isInteger(value)) throw fault(key, value, "int64");
  return value;
}

export function booleanOf(object: JsonObject, key: string): boolean {
  const value = object[key] ?? false;
  if (typeof value !== "boolean") throw fault(key, value, "bool");
  return value;
}

export function objectOf(object: JsonObject, key: string): JsonObject {
  return objectOrNull(object, key) ?? {};
}

export function objectOrNull(object: JsonObject, key: string): JsonObject | null {
  const value = object[key] ?? null;
  if (value === null) return null;
  if (!isObject(value)) throw fault(key, value, "object");
  return value;
}

export function listOf(object: JsonObject, key: string): readonly unknown[] {
  const value = object[key] ?? [];
  if (!Array.isArray(value)) throw fault(key, value, "array");
  return value;
}

export function textsOf(object: JsonObject, key: string): readonly string[] {
  return listOf(object, key).map((item) => {
    if (typeof item !== "string") throw fault(key, item, "string");
    return item;
  });
}

export function objectsOf(object: JsonObject, key: string): readonly JsonObject[] {
  return listOf(object, key).map((item) => {
    if (!isObject(item)) throw fault(key, item, "object");
    return item;
  });
}

/** A map from text to whole numbers. */
export function integersOf(object: JsonObject, key: string): ReadonlyMap<string, number> {
  const entries = objectOf(object, key);
  return new Map(Object.keys(entries).map((name) => [name, integerOf(entries, name)]));
}
