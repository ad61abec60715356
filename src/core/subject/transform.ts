/**
 * Subject transforms: a source pattern and a destination template, compiled once. Mappings know all functions;
 * imports (`strict`) only the wildcard's, and must use every wildcard of the source.
 *
 * Subjects are latin1 strings, so lengths and positions count bytes. What a subject becomes is remembered by
 * the callers on the path of messages; nothing here is.
 */
import { hashText } from "./match-cache.ts";
import { isValidSubject } from "./subject.ts";
import {
  cutToken,
  faultOf,
  parseTransformToken,
  type TransformFault,
  type TransformToken,
} from "./transform-token.ts";

const FNV_OFFSET = 0x811c9dc5;

export class SubjectTransform {
  readonly source: string;
  readonly destination: string;
  /** False where `{{random}}` makes two results of one subject differ. */
  readonly isConstant: boolean;
  readonly #from: readonly string[];
  readonly #to: readonly TransformToken[];
  /** Index in the source of its n-th `*`. */
  readonly #wildcards: readonly number[];

  constructor(source: string, destination: string, to: readonly TransformToken[]) {
    this.source = source;
    this.destination = destination;
    this.#from = source.split(".");
    this.#to = to;
    this.#wildcards = this.#from.flatMap((token, i) => (token === "*" ? [i] : []));
    this.isConstant = to.every((token) => token.kind !== "random");
  }

  /** What a subject that matches the source becomes. */
  apply(subject: string, random: () => number): string {
    const tokens = subject.split(".");
    return this.#to.map((token) => this.#expand(token, subject, tokens, random)).join(".");
  }

  /**
   * The pattern of source subjects for a pattern of results, which must lie within `destinationPattern`; null
   * if there is none. Only for transforms that are strict.
   */
  reverse(pattern: string): string | null {
    const tokens = pattern.split(".");
    const found = [...this.#from];
    for (const [i, token] of this.#to.entries()) {
      if (token.kind === "rest") {
        found.splice(found.length - 1, 1, ...tokens.slice(i));
        break;
      }
      if (token.kind !== "wildcard") continue;
      const at = this.#wildcards[token.at - 1] ?? 0;
      const wanted = tokens[i] ?? "*";
      if (wanted === "*") continue;
      const known = found[at];
      if (known !== "*" && known !== wanted) return null;
      found[at] = wanted;
    }
    return found.join(".");
  }

  #expand(
    token: TransformToken,
    subject: string,
    tokens: readonly string[],
    random: () => number,
  ): string {
    switch (token.kind) {
      case "literal":
        return token.text;
      case "rest":
        return tokens.slice(this.#from.length - 1).join(".");
      case "random":
        return String(token.ceiling <= 0 ? 0 : Math.floor(random() * token.ceiling));
      case "partition":
        return this.#partition(token.buckets, token.of, subject, tokens);
      case "wildcard":
        return this.#wildcard(token.at, tokens);
      case "split": {
        const pieces = this.#wildcard(token.at, tokens).split(token.delimiter);
        return pieces.filter((piece) => piece !== "").join(".");
      }
      case "left":
      case "right":
      case "slicefromleft":
      case "slicefromright":
      case "splitfromleft":
      case "splitfromright":
        break;
    }
    return cutToken(token.kind, this.#wildcard(token.at, tokens), token.size);
  }

  /** As in nats-server, number 0 stands for the first token of the subject. */
  #wildcard(number: number, tokens: readonly string[]): string {
    return tokens[this.#wildcards[number - 1] ?? 0] ?? "";
  }

  #partition(
    buckets: number,
    of: readonly number[],
    subject: string,
    tokens: readonly string[],
  ): string {
    if (buckets <= 0) return "0";
    const whole = of.length === 0 || this.#wildcards.length === 0;
    const key = whole ? subject : of.map((number) => this.#wildcard(number, tokens)).join("");
    return String((hashText(FNV_OFFSET, key) >>> 0) % buckets);
  }
}

/** Compiles a transform, or says in nats-server's words why that cannot be done. */
export function compileTransform(
  source: string,
  destination: string,
  strict: boolean,
): SubjectTransform | TransformFault {
  const src = source === "" ? ">" : source;
  const from = src.split(".");
  const to = destination.split(".");
  const endsOpen = (tokens: readonly string[]): boolean => tokens.at(-1) === ">";
  const valid = isValidSubject(src) && isValidSubject(destination.replaceAll(" ", ""));
  if (!valid || to.includes("*") || endsOpen(from) !== endsOpen(to))
    return { fault: "invalid subject" };
  const wildcards = from.filter((token) => token === "*").length;
  const literal = wildcards === 0 && !endsOpen(from);
  const compiled: TransformToken[] = [];
  let used = 0;
  for (const text of to) {
    const token = parseTransformToken(text);
    if ("fault" in token) return token;
    const problem = checkToken(token, text, { wildcards, literal, strict });
    if (problem !== null) return problem;
    used += positionsOf(token).length;
    compiled.push(token);
  }
  if (strict && !literal && used < wildcards) {
    return faultOf("not using all of the token wildcard(s)", destination);
  }
  return new SubjectTransform(src, destination, compiled);
}

function checkToken(
  token: TransformToken,
  text: string,
  source: { readonly wildcards: number; readonly literal: boolean; readonly strict: boolean },
): TransformFault | null {
  if (token.kind === "literal" || token.kind === "rest") return null;
  if (source.literal) {
    if (token.kind === "partition" || token.kind === "random") return null;
    return faultOf("wildcard index out of range", text);
  }
  if (source.strict && token.kind !== "wildcard") {
    const reason = "the only mapping function allowed for import transforms is {{Wildcard()}}";
    return faultOf(reason, text);
  }
  const beyond = positionsOf(token).find((position) => position > source.wildcards);
  if (beyond === undefined) return null;
  return faultOf("wildcard index out of range", `${text}: [${beyond}]`);
}

function positionsOf(token: TransformToken): readonly number[] {
  switch (token.kind) {
    case "literal":
    case "rest":
    case "random":
      return [];
    case "partition":
      return token.of;
    case "wildcard":
    case "split":
    case "left":
    case "right":
    case "slicefromleft":
    case "slicefromright":
    case "splitfromleft":
    case "splitfromright":
      break;
  }
  return [token.at];
}

/** `orders.$2.{{wildcard(1)}}` -> `orders.*.*`: the subjects a strict transform's result can have. */
export function destinationPattern(destination: string): string {
  return destination
    .split(".")
    .map((token) => (refersToWildcard(token) ? "*" : token))
    .join(".");
}

function refersToWildcard(text: string): boolean {
  if (/^\$[1-9]/.test(text)) return true;
  if (!text.startsWith("{{")) return false;
  const token = parseTransformToken(text);
  return "kind" in token && token.kind === "wildcard";
}

/** `a.*.b.*` -> `a.$1.b.$2`. */
export function numberWildcards(subject: string): string {
  let next = 1;
  return subject
    .split(".")
    .map((token) => (token === "*" ? `$${next++}` : token))
    .join(".");
}
