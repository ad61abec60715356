/** Query parameters: parsing in the reference's grammar, and its texts for what does not parse. */
import { goQuote, utf8ToLatin1 } from "../core/index.ts";

/** `URLSearchParams` is one. */
export interface Query {
  get(name: string): string | null;
}

export const NO_QUERY: Query = { get: () => null };

/** A request that is answered with plain text instead of JSON. */
export class MonitorError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "MonitorError";
    this.status = status;
  }
}

const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["", "0", "f", "F", "FALSE", "false", "False"]);
const INT_MAX = 9_223_372_036_854_775_807n;
const UINT_MAX = 18_446_744_073_709_551_615n;

export function queryText(query: Query, name: string): string {
  return query.get(name) ?? "";
}

export function queryBool(query: Query, name: string): boolean {
  const value = queryText(query, name);
  if (TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  throw malformed("boolean", name, "ParseBool", value, "invalid syntax");
}

/** `subs` where it may also be `detail`. */
export function querySubs(query: Query): { subscriptions: boolean; detail: boolean } {
  if (queryText(query, "subs").toLowerCase() === "detail")
    return { subscriptions: true, detail: true };
  return { subscriptions: queryBool(query, "subs"), detail: false };
}

export function queryInt(query: Query, name: string): number {
  const value = queryText(query, name);
  if (value === "") return 0;
  if (!/^[+-]?\d+$/.test(value)) throw malformed("int", name, "Atoi", value, "invalid syntax");
  const int = BigInt(value.replace(/^\+/, ""));
  if (int > INT_MAX || int < -INT_MAX - 1n) {
    throw malformed("int", name, "Atoi", value, "value out of range");
  }
  return Number(int);
}

export function queryUint(query: Query, name: string): number {
  const value = queryText(query, name);
  if (value === "") return 0;
  if (!/^\d+$/.test(value)) throw malformed("uint64", name, "ParseUint", value, "invalid syntax");
  if (BigInt(value) > UINT_MAX)
    throw malformed("uint64", name, "ParseUint", value, "value out of range");
  return Number(value);
}

function malformed(
  type: string,
  name: string,
  call: string,
  value: string,
  why: string,
): MonitorError {
  const quoted = goQuote(utf8ToLatin1(value));
  return new MonitorError(
    400,
    `Error decoding ${type} for '${name}': strconv.${call}: parsing ${quoted}: ${why}`,
  );
}

export const PAGE_SIZE = 1024;

/** Paging as given, made usable: a limit of 0 or less is the default, a negative offset 0. */
export function paging(options: { offset?: number; limit?: number }): {
  offset: number;
  limit: number;
} {
  const { offset = 0, limit = 0 } = options;
  return { offset: Math.max(0, offset), limit: limit <= 0 ? PAGE_SIZE : limit };
}
