/**
 * Whether a subject transform can be made of a source and a destination; the texts of what is wrong.
 *
 * Only the check: running transforms is core's. Strict transforms, those of imports, know no function but
 * the wildcard's and must use every wildcard of the source.
 */
import { isValidSubject } from "../core/index.ts";

interface Call {
  readonly name: string;
  /** Positions of wildcards the token refers to. */
  readonly positions: readonly number[];
}

type Parsed = Call | { readonly fault: string } | null;

const FUNCTION = /^\{\{\s*([A-Za-z]+)\s*\((.*)\)\s*\}\}$/;

/** Names as written, each word capitalised or not -> the canonical one. */
const NAMES: ReadonlyMap<string, string> = new Map(
  [
    ["wildcard"],
    ["partition"],
    ["split"],
    ["split", "from", "left"],
    ["split", "from", "right"],
    ["slice", "from", "left"],
    ["slice", "from", "right"],
    ["left"],
    ["right"],
    ["random"],
  ].flatMap((words) => spellings(words).map((name): [string, string] => [name, words.join("")])),
);

function spellings(words: readonly string[]): readonly string[] {
  let found = [""];
  for (const word of words) {
    const capital = word.charAt(0).toUpperCase() + word.slice(1);
    found = found.flatMap((start) => [start + word, start + capital]);
  }
  return found;
}

const fault = (reason: string, token: string): { readonly fault: string } => ({
  fault: `invalid mapping destination: ${reason} in ${token}`,
});

/** null: the transform is fine. An empty destination is no transform at all. */
export function transformFault(
  source: string,
  destination: string,
  strict: boolean,
): string | null {
  if (destination === "") return null;
  const src = source === "" ? ">" : source;
  const from = src.split(".");
  const to = destination.split(".");
  const endsOpen = (tokens: readonly string[]): boolean => tokens.at(-1) === ">";
  const valid = isValidSubject(src) && isValidSubject(destination.replaceAll(" ", ""));
  if (!valid || to.includes("*") || endsOpen(from) !== endsOpen(to)) return "invalid subject";
  const wildcards = from.filter((token) => token === "*").length;
  const literal = wildcards === 0 && !endsOpen(from);
  let used = 0;
  for (const token of to) {
    const call = parseToken(token);
    if (call === null) continue;
    if ("fault" in call) return call.fault;
    const problem = literal ? literalFault(call, token) : callFault(call, token, wildcards, strict);
    if (problem !== null) return problem;
    used += call.positions.length;
  }
  if (strict && !literal && used < wildcards) {
    return fault("not using all of the token wildcard(s)", destination).fault;
  }
  return null;
}

function literalFault(call: Call, token: string): string | null {
  if (call.name === "partition" || call.name === "random") return null;
  return fault("wildcard index out of range", token).fault;
}

function callFault(call: Call, token: string, wildcards: number, strict: boolean): string | null {
  if (strict && call.name !== "wildcard") {
    const reason = "the only mapping function allowed for import transforms is {{Wildcard()}}";
    return fault(reason, token).fault;
  }
  const beyond = call.positions.find((position) => position > wildcards);
  if (beyond === undefined) return null;
  return fault("wildcard index out of range", `${token}: [${beyond}]`).fault;
}

function parseToken(token: string): Parsed {
  if (/^\$[+-]?\d+$/.test(token)) return { name: "wildcard", positions: [Number(token.slice(1))] };
  if (token.length <= 4 || !token.startsWith("{{") || !token.endsWith("}}")) return null;
  const match = FUNCTION.exec(token);
  const name = NAMES.get(match?.[1] ?? "");
  if (match === null || name === undefined) return fault("unknown function", token);
  const args = (match[2] ?? "").split(/,\s*/);
  switch (name) {
    case "wildcard":
      return args[0] === "" ? tooFew(token) : checkArguments(name, token, args, [1, 1], 1);
    case "partition":
      return partition(token, args);
    case "random": {
      const [ceiling] = args;
      if (args.length !== 1) return tooFew(token);
      return integer(ceiling) === null ? badArgument(token) : { name, positions: [] };
    }
    case "split":
      return split(token, args);
    default:
      return checkArguments(name, token, args, [2, 2], 1);
  }
}

const tooFew = (token: string): Parsed =>
  fault("not enough arguments passed to the function", token);

const badArgument = (token: string): Parsed =>
  fault("function argument is invalid or in the wrong format", token);

function checkArguments(
  name: string,
  token: string,
  args: readonly string[],
  [least, most]: readonly [number, number],
  positions: number,
): Parsed {
  if (args.length < least) return tooFew(token);
  if (args.length > most) return fault("too many arguments passed to the function", token);
  const numbers = args.map(integer);
  if (numbers.includes(null)) return badArgument(token);
  return { name, positions: numbers.slice(0, positions).map(Number) };
}

function partition(token: string, args: readonly string[]): Parsed {
  const numbers = args.map(integer);
  if (numbers.includes(null)) return badArgument(token);
  return { name: "partition", positions: numbers.slice(1).map(Number) };
}

function split(token: string, args: readonly string[]): Parsed {
  const [position, delimiter] = args;
  if (position === undefined || delimiter === undefined) return tooFew(token);
  if (args.length > 2) return fault("too many arguments passed to the function", token);
  const at = integer(position);
  if (at === null || /[ .]/.test(delimiter)) return badArgument(token);
  return { name: "split", positions: [at] };
}

function integer(text: string | undefined): number | null {
  const digits = text?.replace(/^ +| +$/g, "") ?? "";
  if (!/^[+-]?\d+$/.test(digits)) return null;
  return Number(digits) > 0x7fffffff ? null : Number(digits);
}

/** `orders.$2.{{wildcard(1)}}` -> `orders.*.*`: the subjects a transform's result can have. */
export function patternOf(destination: string): string {
  return destination
    .split(".")
    .map((token) => (refersToWildcard(token) ? "*" : token))
    .join(".");
}

function refersToWildcard(token: string): boolean {
  if (/^\$[1-9]/.test(token)) return true;
  const match = FUNCTION.exec(token);
  return match !== null && NAMES.get(match[1] ?? "") === "wildcard" && match[2] !== "";
}

/** `a.*.b.*` -> `a.$1.b.$2`. */
export function numbered(subject: string): string {
  let next = 1;
  return subject
    .split(".")
    .map((token) => (token === "*" ? `$${next++}` : token))
    .join(".");
}
