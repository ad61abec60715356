/**
 * What configurations ask of their surroundings, on Node: files, the environment, hashes, certificates. Paths
 * are relative to the working directory, as everywhere on Node.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, posix } from "node:path";
import {
  type Decoded,
  type OperatorClaims,
  decodeAs,
  readAccount,
  readOperator,
} from "../auth/index.ts";
import type { ConfigHost, TlsOptions } from "../config/index.ts";
import { buildClientTls, buildServerTls } from "../transports/node/index.ts";
import { NodeCrypto } from "./node-crypto.ts";
import { fileErrorText } from "./os-error.ts";
import { makeDirectory } from "./resolver-files.ts";

const CRYPTO = new NodeCrypto();

const HOST: ConfigHost = {
  readFile(path) {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      const operation = error instanceof Error && "syscall" in error ? error.syscall : "open";
      throw new Error(fileErrorText(String(operation), path, error), { cause: error });
    }
  },
  env: (name) => process.env[name],
  join: (a, b) => posix.join(a, b),
  dirname,
  sha256: (text) => createHash("sha256").update(text).digest("hex"),
  checkTls: tlsFault,
  makeDirectory,
  checkOperatorJwt(jwt) {
    const operator = decodeOperator(jwt);
    return operator.ok ? null : operator.error;
  },
  checkAccountJwt: (jwt) => decodeAs(CRYPTO, jwt, readAccount).ok,
};

/** One serves all: it has no state. */
export function nodeHost(): ConfigHost {
  return HOST;
}

/** What an operator's token says. */
export function decodeOperator(jwt: string): Decoded<OperatorClaims> {
  return decodeAs(CRYPTO, jwt, readOperator);
}

/** Loads the files as a listener, or a remote without a certificate of its own, would. */
function tlsFault(tls: TlsOptions): string | null {
  try {
    if (tls.certFile === null && tls.certs.length === 0) buildClientTls(tls);
    else buildServerTls(tls);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
