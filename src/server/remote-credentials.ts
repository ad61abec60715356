/**
 * What a leaf link proves to its hub: a creds file (read anew at each attempt), an nkey seed, and user, password
 * or token from the URL.
 */
import { readFileSync, statSync } from "node:fs";
import { decodeSeed, encodePublicKey, type Crypto } from "../auth/index.ts";
import type { LeafRemoteOptions, ServerUrl } from "../config/index.ts";
import type { Credentials } from "../core/index.ts";
import { fileErrorText } from "./os-error.ts";

/** Null stands for a malformed file: no CONNECT is sent. Throws with the text for the log. */
export function remoteCredentials(
  remote: LeafRemoteOptions,
  url: ServerUrl,
  nonce: string,
  crypto: Crypto,
): Partial<Credentials> | null {
  const signing = remote.credentials !== null ? fromFile(remote.credentials, nonce, crypto) : {};
  if (signing === null) return null;
  const proof =
    remote.nkey === null ? signing : { ...signing, ...fromSeed(remote.nkey, nonce, crypto) };
  return { ...fromUrl(remote, url), ...proof };
}

function fromUrl(remote: LeafRemoteOptions, url: ServerUrl): Partial<Credentials> {
  const named = url.user !== null ? url : remote.urls.find((other) => other.user !== null);
  if (named === undefined || named.user === null) return {};
  if (named.password !== null) return { user: named.user, pass: named.password };
  return { user: named.user, authToken: named.user };
}

function fromSeed(seed: string, nonce: string, crypto: Crypto): Partial<Credentials> {
  const key = decodeSeed(seed);
  if (key === null) throw new Error("Remote nkey has malformed seed");
  const nkey = encodePublicKey("user", crypto.publicKey(key.key));
  return { nkey, sig: signNonce(key.key, nonce, crypto) };
}

function fromFile(path: string, nonce: string, crypto: Crypto): Partial<Credentials> | null {
  const [jwt, seed] = decorated(contentOf(path));
  if (jwt === undefined || seed === undefined) return null;
  const key = decodeSeed(seed);
  if (key === null) throw new Error("Credentials file has malformed seed");
  return { jwt, sig: signNonce(key.key, nonce, crypto) };
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    throw new Error(fileErrorText("open", path, error), { cause: error });
  }
}

/** A line for the log where others than the owner's group can read the secret; null otherwise. */
export function credentialsWarning({ credentials }: LeafRemoteOptions): string | null {
  if (credentials === null || process.platform === "win32") return null;
  const mode = statSync(credentials, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & WORLD_READABLE) === 0) return null;
  return `Credentials file "${credentials}" can be read by every user of this machine: chmod 600 it`;
}

const WORLD_READABLE = 0o004;

/** The bodies of the armoured sections of a creds file, in order. */
export function decorated(text: string): string[] {
  const section = /-{3,}[^\n]*-{3,}\r?\n([A-Za-z0-9_.=-]+)\r?\n-{3,}[^\n]*-{3,}(?:\r?\n|$)/g;
  return [...text.matchAll(section)].map((match) => match[1] ?? "");
}

function signNonce(seed: Uint8Array, nonce: string, crypto: Crypto): string {
  const bytes = new Uint8Array(nonce.length);
  for (let i = 0; i < nonce.length; i++) bytes[i] = nonce.charCodeAt(i);
  return Buffer.from(crypto.sign(seed, bytes)).toString("base64url");
}

/** What keeps the file from being read now; it is asked again at each attempt. Null: nothing. */
export function credentialsFault({ credentials }: LeafRemoteOptions): string | null {
  if (credentials === null) return null;
  try {
    contentOf(credentials);
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `Error reading LeafNode Remote Credentials file "${credentials}": ${reason}`;
  }
}
