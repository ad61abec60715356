/**
 * What is wrong with a configuration: all problems at once, each with its place.
 *
 * A problem in a file prints as `file:line:column: message`, one in options given by a program as
 * `path: message`, one that concerns the whole as its message alone.
 */
import type { ConfigNode } from "./value.ts";

export interface Place {
  readonly file: string;
  /** 0: not known. */
  readonly line: number;
  readonly column: number;
  /** The option path, for options given by a program. */
  readonly path: string | null;
}

export interface ConfigProblem extends Place {
  readonly message: string;
}

/** A configuration that cannot be used. `message` lists everything, warnings first, one a line. */
export class ConfigError extends Error {
  readonly code = "CONFIG";
  readonly errors: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];

  constructor(errors: readonly ConfigProblem[], warnings: readonly ConfigProblem[] = []) {
    super([...warnings, ...errors].map(formatProblem).join("\n"));
    this.name = "ConfigError";
    this.errors = errors;
    this.warnings = warnings;
  }
}

/** The line a user reads. */
export function formatProblem(problem: ConfigProblem): string {
  if (problem.path !== null) return `${problem.path || "options"}: ${problem.message}`;
  if (problem.line === 0) return problem.message;
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`;
}

/** A problem at the place of a value; at no place without one. */
export function problemAt(node: ConfigNode | null, message: string): ConfigProblem {
  if (node === null) return { file: "", line: 0, column: 0, path: null, message };
  return { file: node.file, line: node.line, column: node.column, path: node.path, message };
}

/** `file:line:column`, or the option's path; "" where nothing is known. */
export function placeText(place: Place | null): string {
  if (place === null) return "";
  if (place.path !== null) return place.path;
  return place.line === 0 ? place.file : `${place.file}:${place.line}:${place.column}`;
}
