/**
 * What the auth tests share: a platform on `node:crypto`, fresh keys, login requests, and a log that keeps
 * its lines. JWTs are signed in `tokens.ts`.
 */
import assert from "node:assert/strict";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { compareSync } from "bcryptjs";
import type { AuthRequest, AuthVerdict, Authenticator, Credentials } from "../../src/core/index.ts";
import {
  encodePublicKey,
  encodeSeed,
  type AuthLog,
  type Crypto,
  type KeyKind,
} from "../../src/auth/index.ts";

export const NONCE = "aXJlbGFuZC1hbmRf";
export const NOW = 1_700_000_000_000;

const SPKI = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

function privateKey(seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });
}

/** A platform whose clock stands at `NOW`, or where the test moves it. */
export class TestCrypto implements Crypto {
  time = NOW;
  verifyEd25519Later?: NonNullable<Crypto["verifyEd25519Later"]>;

  verifyEd25519(key: Uint8Array, signature: Uint8Array, data: Uint8Array): boolean {
    const der = Buffer.concat([SPKI, key]);
    try {
      return verify(
        null,
        data,
        createPublicKey({ key: der, format: "der", type: "spki" }),
        signature,
      );
    } catch {
      return false;
    }
  }

  sign(seed: Uint8Array, data: Uint8Array): Uint8Array {
    return sign(null, data, privateKey(seed));
  }

  publicKey(seed: Uint8Array): Uint8Array {
    const der = createPublicKey(privateKey(seed)).export({ format: "der", type: "spki" });
    return Uint8Array.from(der.subarray(SPKI.length));
  }

  bcryptCompare(plain: string, hash: string, done: (ok: boolean) => void): void {
    setImmediate(() => done(compareSync(plain, hash)));
  }

  timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && timingSafeEqual(a, b);
  }

  sha256(data: Uint8Array): Uint8Array {
    return createHash("sha256").update(data).digest();
  }

  randomBytes(length: number): Uint8Array {
    return randomBytes(length);
  }

  now(): number {
    return this.time;
  }
}

/** A key pair made at run time. */
export class Key {
  readonly bytes = new Uint8Array(randomBytes(32));
  readonly public: string;
  readonly seed: string;
  readonly #crypto = new TestCrypto();

  constructor(kind: KeyKind) {
    this.public = encodePublicKey(kind, this.#crypto.publicKey(this.bytes));
    this.seed = encodeSeed(kind, this.bytes);
  }

  sign(text: string): string {
    return Buffer.from(this.#crypto.sign(this.bytes, Buffer.from(text))).toString("base64url");
  }
}

export const NOBODY: Credentials = {
  user: "",
  pass: "",
  authToken: "",
  nkey: "",
  jwt: "",
  sig: "",
  proxySig: "",
};

/** A client's login with these credentials. */
export function login(
  credentials: Partial<Credentials>,
  more: Partial<AuthRequest> = {},
): AuthRequest {
  return {
    link: 1,
    kind: "client",
    connectionType: "STANDARD",
    credentials: { ...NOBODY, ...credentials },
    name: "",
    lang: "",
    version: "",
    nonce: NONCE,
    host: "127.0.0.1",
    tls: null,
    now: NOW,
    ...more,
  };
}

/** A leaf link's login. */
export function leafLogin(
  credentials: Partial<Credentials>,
  more: Partial<AuthRequest> = {},
): AuthRequest {
  return login(credentials, { kind: "leaf", connectionType: "LEAFNODE", ...more });
}

/** A log that keeps `level text` lines. */
export function recorder(): { readonly lines: string[]; readonly log: AuthLog } {
  const lines: string[] = [];
  return { lines, log: (level, _link, text) => lines.push(`${level} ${text}`) };
}

/** The verdict, waited for where it comes later. */
export async function verdictOf(
  authenticator: Authenticator,
  request: AuthRequest,
): Promise<AuthVerdict> {
  return await new Promise((resolve) => {
    let inside = true;
    const now = authenticator.authenticate(request, (verdict) => {
      assert.ok(!inside, "later was called from inside authenticate");
      resolve(verdict);
    });
    inside = false;
    if (now !== null) resolve(now);
  });
}

/** `account` of an accepted user, or the reason and who of a refusal: short to compare in tables. */
export async function outcome(authenticator: Authenticator, request: AuthRequest): Promise<string> {
  const verdict = await verdictOf(authenticator, request);
  return verdict.ok ? verdict.account : `${verdict.reason}${verdict.who}`;
}
