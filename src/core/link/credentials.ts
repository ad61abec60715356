/** The members of CONNECT that say who the peer is, as the authenticator takes them. */
import type { Credentials } from "../contract.ts";
import type { Fields } from "../protocol/connect.ts";

export function credentialsOf(fields: Fields | null): Credentials {
  const text = (key: string): string => fields?.string(key) ?? "";
  return {
    user: text("user"),
    pass: text("pass"),
    authToken: text("auth_token"),
    nkey: text("nkey"),
    jwt: text("jwt"),
    sig: text("sig"),
    proxySig: text("proxy_sig"),
  };
}
