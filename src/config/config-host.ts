/**
 * What reading a configuration asks of its surroundings: files, the environment, a hash. The optional
 * members are checks that need cryptography or directories; without them those parts are taken on trust.
 */
import type { TlsOptions } from "./options.ts";

export interface ConfigHost {
  /** The text of a file; throws an error whose message is fit to print (`open x: no such file or directory`). */
  readFile(path: string): string;
  env(name: string): string | undefined;
  /** Joins path elements and cleans the result; `b` stays below `a` even when it is absolute. */
  join(a: string, b: string): string;
  dirname(path: string): string;
  /** Lower-case hex SHA-256 of the UTF-8 text. */
  sha256(text: string): string;

  /** What is wrong with the files of a TLS block, or null. */
  checkTls?(tls: TlsOptions): string | null;
  /** What is wrong with an operator JWT, or null. */
  checkOperatorJwt?(jwt: string): string | null;
  /** Whether an account JWT decodes. */
  checkAccountJwt?(jwt: string): boolean;
  /** Makes a directory and its parents where they are missing; answers what went wrong, or null. */
  makeDirectory?(path: string): string | null;
}
