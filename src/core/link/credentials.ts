/** The members of CONNECT that say who the peer is, as the authenticator takes them. */
import type { Credentials } from "../contract.ts";
import type { Fields } from "../protocol/connect.ts";

/** What the request that carried the link here proved, for members that CONNECT leaves empty. */
export type Cookies = Partial<Pick<Credentials, "user" | "pass" | "authToken" | "jwt">>;

export function credentialsOf(fields: Fields | null, cookies: Cookies | null = null): Credentials {
  const text = (key: string): string => fields?.string(key) ?? "";
  return {
    user: text("user") || (cookies?.user ?? ""),
    pass: text("pass") || (cookies?.pass ?? ""),
    authToken: text("auth_token") || (cookies?.authToken ?? ""),
    nkey: text("nkey"),
    jwt: text("jwt") || (cookies?.jwt ?? ""),
    sig: text("sig"),
    proxySig: text("proxy_sig"),
  };
}
