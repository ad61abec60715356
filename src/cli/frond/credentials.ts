/**
 * Who one is: the authenticator for a context's user, creds, nkey, JWT or token.
 *
 * A secret may be a path, `file://PATH`, `env://NAME`, `data:;base64,…`, `op://…` (asks the
 * 1Password command) or `nsc://OPERATOR/ACCOUNT/USER` (asks nsc).
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { Authenticator } from "@nats-io/transport-node";
import {
  credsAuthenticator,
  jwtAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import type { ContextSettings } from "./context-store.ts";
import { expandPath } from "./context-store.ts";
import { CliError } from "./errors.ts";

/** Every way the settings name to prove who one is; none for an anonymous connection. */
export function authenticators(settings: ContextSettings): Authenticator[] {
  const result: Authenticator[] = [];
  if (settings.user !== "") {
    result.push(usernamePasswordAuthenticator(settings.user, literal(settings.password)));
  } else if (settings.creds !== "") {
    result.push(credsAuthenticator(Buffer.from(secret(settings.creds))));
  } else if (settings.nkey !== "") {
    result.push(nkeyAuthenticator(seed(secret(settings.nkey))));
  } else if (settings.user_jwt !== "") {
    const jwt = literal(settings.user_jwt);
    const key = settings.user_seed === "" ? undefined : seed(literal(settings.user_seed));
    result.push(key === undefined ? jwtAuthenticator(jwt) : jwtAuthenticator(jwt, key));
  }
  if (settings.token !== "") result.push(tokenAuthenticator(literal(settings.token)));
  return result;
}

/** Replaces paths to creds, nkey, JWT and seed by what the files hold. */
export function embedCredentials(settings: ContextSettings): void {
  for (const key of ["creds", "nkey", "user_jwt", "user_seed"] as const) {
    const value = settings[key];
    if (value === "" || (scheme(value) !== "" && scheme(value) !== "file")) continue;
    settings[key] = `data:;base64,${Buffer.from(secret(value)).toString("base64")}`;
  }
}

/** The path a TLS setting names; only files can be used here. */
export function tlsPath(value: string, key: string): string {
  const kind = scheme(value);
  if (kind !== "" && kind !== "file") {
    throw new CliError(`${key}: scheme "${kind}" not supported (file/bare only)`);
  }
  const path = filePath(value);
  if (!existsSync(path)) throw new CliError(`nats: open ${path}: no such file or directory`);
  return path;
}

/** What a bare path or a reference stands for. */
function secret(reference: string): string {
  const kind = scheme(reference);
  switch (kind) {
    case "":
    case "file":
      return readSecret(filePath(reference));
    case "env": {
      const name = reference.slice("env://".length);
      const value = process.env[name];
      if (!value) throw new CliError(`environment variable ${name} is not set`);
      return value;
    }
    case "data":
      return Buffer.from(reference.replace(/^data:[^,]*,/i, ""), "base64").toString("utf8");
    case "op":
      return run("op", ["read", reference]);
    case "nsc":
      return readSecret(nscCreds(reference));
    default:
      throw new CliError(`no way to read a secret from "${kind}:"`);
  }
}

/** A value that stands for itself unless it is a reference or the path of a file. */
function literal(value: string): string {
  if (["file", "env", "data", "op", "nsc"].includes(scheme(value))) return secret(value).trim();
  return value.includes("/") && existsSync(value) ? readSecret(value).trim() : value;
}

/** The seed in a text that may have decoration around it. */
function seed(text: string): Uint8Array {
  const found = /\bS[A-Z][A-Z2-7]{56}\b/.exec(text);
  if (found === null) throw new CliError("nats: no nkey seed found");
  return Buffer.from(found[0]);
}

function readSecret(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? error.code : "";
    throw new CliError(
      `nats: open ${path}: ${reason === "ENOENT" ? "no such file or directory" : String(reason)}`,
    );
  }
}

function nscCreds(reference: string): string {
  const profile: unknown = JSON.parse(run("nsc", ["generate", "profile", reference]));
  if (typeof profile === "object" && profile !== null && "user_creds" in profile) {
    return String(profile.user_creds);
  }
  throw new CliError(`nsc knows no credentials for ${reference}`);
}

function run(command: string, args: string[]): string {
  const done = spawnSync(command, args, { encoding: "utf8" });
  if (done.status === 0) return done.stdout;
  throw new CliError(`${command} failed: ${done.error?.message ?? done.stderr.trim()}`);
}

function filePath(reference: string): string {
  return expandPath(reference.replace(/^file:\/\//i, ""));
}

/** The scheme of a reference in lower case; empty for a path or a bare value. */
function scheme(reference: string): string {
  return /^([a-z][a-z0-9+.-]+):/i.exec(reference)?.[1]?.toLowerCase() ?? "";
}
