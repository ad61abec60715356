export type { AuthLog, Crypto } from "./crypto.ts";
export { ConfigAuthenticator } from "./config-authenticator.ts";
export * from "./users.ts";
export * from "./nkeys.ts";
