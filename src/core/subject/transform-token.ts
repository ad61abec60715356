/**
 * One token of a transform's destination: a literal, `$1`, or a call such as `{{split(1,-)}}`, with
 * nats-server's texts for what is wrong with it.
 */

/** What a destination token does. `at` counts the source's `*`, from 1. */
export type TransformToken =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "wildcard"; readonly at: number }
  | { readonly kind: "partition"; readonly buckets: number; readonly of: readonly number[] }
  | { readonly kind: "split"; readonly at: number; readonly delimiter: string }
  | { readonly kind: CutKind; readonly at: number; readonly size: number }
  | { readonly kind: "random"; readonly ceiling: number }
  /** `>`: the tokens that the source's `>` stands for. */
  | { readonly kind: "rest" };

export type CutKind =
  | "splitfromleft"
  | "splitfromright"
  | "slicefromleft"
  | "slicefromright"
  | "left"
  | "right";

export interface TransformFault {
  readonly fault: string;
}

const FUNCTION = /^\{\{\s*([A-Za-z]+)\s*\((.*)\)\s*\}\}$/;

type FunctionName = "wildcard" | "partition" | "split" | "random" | CutKind;

const FUNCTIONS: readonly (readonly [FunctionName, readonly string[]])[] = [
  ["wildcard", ["wildcard"]],
  ["partition", ["partition"]],
  ["split", ["split"]],
  ["splitfromleft", ["split", "from", "left"]],
  ["splitfromright", ["split", "from", "right"]],
  ["slicefromleft", ["slice", "from", "left"]],
  ["slicefromright", ["slice", "from", "right"]],
  ["left", ["left"]],
  ["right", ["right"]],
  ["random", ["random"]],
];

/** Names as written, each word capitalised or not. */
const NAMES: ReadonlyMap<string, FunctionName> = new Map(
  FUNCTIONS.flatMap(([name, words]) =>
    spellings(words).map((text): [string, FunctionName] => [text, name]),
  ),
);

function spellings(words: readonly string[]): readonly string[] {
  let found = [""];
  for (const word of words) {
    const capital = word.charAt(0).toUpperCase() + word.slice(1);
    found = found.flatMap((start) => [start + word, start + capital]);
  }
  return found;
}

export function faultOf(reason: string, token: string): TransformFault {
  return { fault: `invalid mapping destination: ${reason} in ${token}` };
}

export function parseTransformToken(token: string): TransformToken | TransformFault {
  if (token === ">") return { kind: "rest" };
  if (/^\$[+-]?\d+$/.test(token)) return { kind: "wildcard", at: Number(token.slice(1)) };
  if (token.length <= 4 || !token.startsWith("{{") || !token.endsWith("}}")) {
    return { kind: "literal", text: token };
  }
  const match = FUNCTION.exec(token);
  const name = NAMES.get(match?.[1] ?? "");
  if (match === null || name === undefined) return faultOf("unknown function", token);
  return parseCall(name, token, (match[2] ?? "").split(/,\s*/));
}

function parseCall(
  name: FunctionName,
  token: string,
  args: readonly string[],
): TransformToken | TransformFault {
  const numbers = args.map(integer);
  const [first, second] = numbers;
  const bad = faultOf("function argument is invalid or in the wrong format", token);
  const few = faultOf("not enough arguments passed to the function", token);
  const many = faultOf("too many arguments passed to the function", token);
  switch (name) {
    case "wildcard":
      if (args[0] === "") return few;
      if (args.length > 1) return many;
      return first === null || first === undefined ? bad : { kind: "wildcard", at: first };
    case "partition":
      if (numbers.includes(null)) return bad;
      return { kind: "partition", buckets: first ?? 0, of: numbers.slice(1).map(Number) };
    case "random":
      if (args.length !== 1) return few;
      return first === null || first === undefined ? bad : { kind: "random", ceiling: first };
    case "split": {
      const delimiter = args[1];
      if (delimiter === undefined) return few;
      if (args.length > 2) return many;
      if (first === null || first === undefined || /[ .]/.test(delimiter)) return bad;
      return { kind: "split", at: first, delimiter };
    }
    case "left":
    case "right":
    case "slicefromleft":
    case "slicefromright":
    case "splitfromleft":
    case "splitfromright":
      break;
  }
  if (args.length < 2) return few;
  if (args.length > 2) return many;
  if (first === null || first === undefined || second === null || second === undefined) return bad;
  return { kind: name, at: first, size: second };
}

function integer(text: string): number | null {
  const digits = text.replace(/^ +| +$/g, "");
  if (!/^[+-]?\d+$/.test(digits)) return null;
  return Number(digits) > 0x7fffffff ? null : Number(digits);
}

/** Cuts a token as `splitfromleft` and its like do; a size that leaves nothing to cut leaves it whole. */
export function cutToken(kind: CutKind, token: string, size: number): string {
  if (size <= 0 || size >= token.length) return token;
  const fromRight = token.length - size;
  switch (kind) {
    case "left":
      return token.slice(0, size);
    case "right":
      return token.slice(fromRight);
    case "splitfromleft":
      return `${token.slice(0, size)}.${token.slice(size)}`;
    case "splitfromright":
      return `${token.slice(0, fromRight)}.${token.slice(fromRight)}`;
    case "slicefromleft":
    case "slicefromright":
      break;
  }
  const first = kind === "slicefromleft" ? size : token.length % size || size;
  const pieces = [token.slice(0, first)];
  for (let i = first; i < token.length; i += size) pieces.push(token.slice(i, i + size));
  return pieces.join(".");
}
