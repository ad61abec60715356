export type { AuthLog, Crypto } from "./crypto.ts";
export { ConfigAuthenticator } from "./config-authenticator.ts";
export * from "./base64.ts";
export * from "./creds.ts";
export * from "./nkeys.ts";
export * from "./users.ts";
