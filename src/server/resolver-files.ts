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
import { join, resolve } from "node:path";
import type { JwtFiles } from "../auth/index.ts";

const SUFFIX = ".jwt";
const DELETED = ".deleted";
const PARTIAL = ".part";

export class JwtDirectory implements JwtFiles {
  /** Absolute, for logs. */
  readonly path: string;

  /** Makes the directory where it is missing. */
  constructor(path: string) {
    this.path = resolve(path);
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    if (!statSync(this.path).isDirectory()) throw new Error(`${path} is not a directory`);
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
