export type { AuthLog, Crypto } from "./crypto.ts";
export { ConfigAuthenticator } from "./config-authenticator.ts";
export {
  OperatorAuthenticator,
  sentinelFault,
  type OperatorAuthOptions,
} from "./operator-authenticator.ts";
export {
  OperatorAccounts,
  type AccountChanged,
  type AccountLookup,
  type LoadedAccount,
  type OperatorTrust,
} from "./operator-accounts.ts";
export * from "./auth-callout.ts";
export * from "./base64.ts";
export type { CalloutServer } from "./callout-messages.ts";
export { CurveKey } from "./curve-key.ts";
export * from "./claims-service.ts";
export * from "./creds.ts";
export * from "./jwt-store.ts";
export * from "./nkeys.ts";
export * from "./resolver.ts";
export * from "./user-grant.ts";
export * from "./users.ts";
export * from "./claims/account.ts";
export * from "./claims/account-check.ts";
export * from "./claims/account-view.ts";
export * from "./claims/activation.ts";
export { describeIssues, isBlocking, type Issue } from "./claims/issues.ts";
export * from "./claims/operator.ts";
export { decodeAs, encodeToken, type Common, type Decoded, type Token } from "./claims/token.ts";
export { accountOf, readUser, type UserClaims, type UserRights } from "./claims/user.ts";
