/** The directory of a FULL or CACHE resolver: one `<account>.jwt` per account, readable by its owner only. */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { JwtFiles } from "../auth/index.ts";
import { fileErrorText } from "./os-error.ts";

const SUFFIX = ".jwt";
const DELETED = ".deleted";
const PARTIAL = ".part";

export class JwtDirectory implements JwtFiles {
  /** Absolute, for logs. */
  readonly path: string;

  /** Makes the directory where it is missing. */
  constructor(path: string) {
    this.path = resolve(path);
    const fault = makeDirectory(this.path);
    if (fault !== null) throw new Error(fault);
  }

  list(): readonly string[] {
    return readdirSync(this.path)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length));
  }

  read(account: string): string | null {
    try {
      return readFileSync(this.#file(account), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  /** Readers find the old text or the new one, never a part of it. */
  write(account: string, jwt: string): void {
    const file = this.#file(account);
    writeFileSync(file + PARTIAL, jwt, { mode: 0o600 });
    renameSync(file + PARTIAL, file);
  }

  remove(account: string): void {
    rmSync(this.#file(account), { force: true });
  }

  setAside(account: string): void {
    const file = this.#file(account);
    renameSync(file, file + DELETED);
  }

  #file(account: string): string {
    return join(this.path, account + SUFFIX);
  }
}

/**
 * Makes a directory that its owner alone can read, and its parents; answers what went wrong, or null. (Node's
 * own recursion never returns below directories that refuse, as `/proc` does.)
 */
export function makeDirectory(path: string): string | null {
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing !== undefined) {
    return existing.isDirectory() ? null : `mkdir ${path}: not a directory`;
  }
  const parent = dirname(path);
  const fault = parent === path ? null : makeDirectory(parent);
  if (fault !== null) return fault;
  try {
    mkdirSync(path, { mode: 0o700 });
    return null;
  } catch (error) {
    return fileErrorText("mkdir", path, error);
  }
}
