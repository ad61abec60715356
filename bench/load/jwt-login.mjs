/** A login in operator mode: a user's token, and the server's nonce signed with the user's key. */
import { createPrivateKey, sign } from "node:crypto";
import { RawClient } from "./raw-client.mjs";

/** @typedef {{ jwt: string, pkcs8: string }} User the key as base64 of DER */

/**
 * @param {User} user
 * @returns {{ jwt: string, key: import("node:crypto").KeyObject }}
 */
export function readUser({ jwt, pkcs8 }) {
  const key = Buffer.from(pkcs8, "base64");
  return { jwt, key: createPrivateKey({ key, format: "der", type: "pkcs8" }) };
}

/**
 * @param {number} port
 * @param {ReturnType<typeof readUser>} user
 * @param {Buffer} buffer
 * @returns {Promise<RawClient>}
 */
export async function logIn(port, { jwt, key }, buffer) {
  const client = new RawClient(port, buffer);
  const { nonce } = await client.info();
  const sig = sign(null, Buffer.from(String(nonce)), key).toString("base64url");
  const connect = { verbose: false, pedantic: false, lang: "bench", version: "1", jwt, sig };
  await client.exchange(`CONNECT ${JSON.stringify({ ...connect, protocol: 1 })}\r\n`);
  return client;
}
