/**
 * Curve keys (`X…`): sealing for one reader, opening from one writer, in the `xkv1` format.
 */
import { fromCurveSeed } from "@nats-io/nkeys";
import { latin1Bytes } from "../core/bytes/ascii.ts";
import type { Crypto } from "./crypto.ts";
import { decodeSeed, encodeSeed } from "./nkeys.ts";

/** A curve key pair of this server. */
export class CurveKey {
  /** `X…`. */
  readonly publicKey: string;
  readonly #seed: string;
  readonly #crypto: Crypto;

  /** A fresh key, or the one of a seed text (`SX…`). */
  constructor(crypto: Crypto, seed: string = encodeSeed("curve", crypto.randomBytes(32))) {
    if (decodeSeed(seed)?.kind !== "curve") throw new Error("not a curve seed");
    this.#seed = seed;
    this.#crypto = crypto;
    this.publicKey = fromCurveSeed(latin1Bytes(seed)).getPublicKey();
  }

  /** The data sealed for the holder of `reader`, a well-formed public curve key. */
  seal(data: Uint8Array, reader: string): Uint8Array {
    return fromCurveSeed(latin1Bytes(this.#seed)).seal(data, reader, this.#crypto.randomBytes(24));
  }

  /** The data that the holder of `writer` sealed for this key; null if it was not so. */
  open(data: Uint8Array, writer: string): Uint8Array | null {
    try {
      return fromCurveSeed(latin1Bytes(this.#seed)).open(data, writer);
    } catch {
      // The library throws for a malformed message, and answers null for a wrong key.
      return null;
    }
  }
}
