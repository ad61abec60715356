/**
 * Reads a command line against the table of flags. The syntax is that of Go's flag package, as nats-server's
 * is: one or two dashes, `-f=value` or `-f value`, switches take a value only with `=`, and the first word that
 * is no flag ends them.
 */
import { FLAGS, type Flag } from "./flags.ts";

const BY_NAME: ReadonlyMap<string, Flag> = new Map(
  FLAGS.flatMap((flag) => flag.names.map((name) => [name, flag] as const)),
);

export type FlagValue = string | number | boolean;

export interface CommandLine {
  /** The flags given, by their first name; the last of a kind counts. In the order in which they were given. */
  readonly flags: ReadonlyMap<string, FlagValue>;
  /** Words after the flags. */
  readonly words: readonly string[];
}

/** A command line that cannot be read; its message is Go's. */
export class FlagError extends Error {}

/** Takes a command line apart. Throws a `FlagError`. */
export function parseFlags(args: readonly string[]): CommandLine {
  const flags = new Map<string, FlagValue>();
  let at = 0;
  while (at < args.length) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("-") || arg === "-") break;
    at++;
    if (arg === "--") break;
    const { name, given } = splitFlag(arg);
    const flag = BY_NAME.get(name);
    if (flag === undefined) throw new FlagError(`flag provided but not defined: -${name}`);
    let text = given;
    if (text === null && flag.kind !== "switch") {
      text = args[at++] ?? null;
      if (text === null) throw new FlagError(`flag needs an argument: -${name}`);
    }
    const [first] = flag.names;
    // Taken out first, so that the order is that of the last mention.
    flags.delete(first);
    flags.set(first, readValue(flag.kind, name, text));
  }
  return { flags, words: args.slice(at) };
}

function splitFlag(arg: string): { readonly name: string; readonly given: string | null } {
  const body = arg.slice(arg.startsWith("--") ? 2 : 1);
  if (body === "" || body.startsWith("-") || body.startsWith("=")) {
    throw new FlagError(`bad flag syntax: ${arg}`);
  }
  const equals = body.indexOf("=");
  if (equals < 0) return { name: body, given: null };
  return { name: body.slice(0, equals), given: body.slice(equals + 1) };
}

function readValue(kind: Flag["kind"], name: string, text: string | null): FlagValue {
  if (kind === "text") return text ?? "";
  if (kind === "integer") {
    const value = readInteger(text ?? "");
    if (typeof value === "number") return value;
    throw new FlagError(`invalid value ${JSON.stringify(text)} for flag -${name}: ${value}`);
  }
  if (text === null) return true;
  const value = SWITCH_WORDS.get(text);
  if (value !== undefined) return value;
  throw new FlagError(`invalid boolean value ${JSON.stringify(text)} for -${name}: parse error`);
}

const SWITCH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((word) => [word, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((word) => [word, false] as const),
]);

const INTEGER = /^[+-]?(?:0x(?:_?[0-9a-f])+|0b(?:_?[01])+|0o?(?:_?[0-7])+|0|[1-9](?:_?[0-9])*)$/i;
const MOST = 2n ** 63n;

/** A number as Go writes them, `0x1F` and `1_000` included; or what is wrong with it. */
function readInteger(text: string): number | "parse error" | "value out of range" {
  if (!INTEGER.test(text)) return "parse error";
  const digits = text.replaceAll(/[+_-]/g, "").replace(/^0(?=[0-7])/, "0o");
  const value = BigInt(digits) * (text.startsWith("-") ? -1n : 1n);
  return value >= MOST || value < -MOST ? "value out of range" : Number(value);
}
