/** A host for tests: files and environment held in memory, hashes from Node. */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { type ConfigHost, ConfigError, formatProblem, loadConfig } from "../../src/config/index.ts";
import type { LoadedOptions } from "../../src/config/index.ts";

export function memoryHost(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): ConfigHost {
  return {
    readFile(path) {
      const text = files[path];
      if (text === undefined) throw new Error(`open ${path}: no such file or directory`);
      return text;
    },
    env: (name) => env[name],
    join: (a, b) => posix.join(a, b),
    dirname: (path) => posix.dirname(path),
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
  };
}

/** Loads text as `t.conf`. */
export function load(text: string, env: Readonly<Record<string, string>> = {}): LoadedOptions {
  return loadConfig(memoryHost({ "t.conf": text }, env), "t.conf");
}

/** The lines of what is wrong with a text, or none. */
export function problemsOf(text: string, env: Readonly<Record<string, string>> = {}): string[] {
  try {
    return load(text, env).warnings.map(formatProblem);
  } catch (e) {
    if (e instanceof ConfigError) return e.message.split("\n");
    throw e;
  }
}
