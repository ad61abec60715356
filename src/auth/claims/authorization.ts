/**
 * Authorization responses: what an auth callout service answers about a login.
 */
import type { Millis } from "../../core/index.ts";
import { isPublicKey } from "../nkeys.ts";
import { error, timeIssues, type Issue } from "./issues.ts";
import { ClaimsError, textOf } from "./json.ts";
import type { Common, Token } from "./token.ts";

export interface AuthorizationResponse extends Common {
  /** The user's token; exactly one of it and `error` is there. */
  readonly jwt: string;
  readonly error: string;
  readonly issuerAccount: string;
}

export function readAuthorizationResponse(token: Token): AuthorizationResponse {
  if (token.kind !== "authorization_response") {
    throw new ClaimsError("not an authorization request claim");
  }
  const { kind: _kind, version: _version, nats, claims: _claims, ...common } = token;
  return {
    ...common,
    jwt: textOf(nats, "jwt"),
    error: textOf(nats, "error"),
    issuerAccount: textOf(nats, "issuer_account"),
  };
}

export function authorizationResponseIssues(
  response: AuthorizationResponse,
  now: Millis,
): readonly Issue[] {
  const { subject, audience, issuerAccount, jwt } = response;
  const issues: Issue[] = [];
  if (!isPublicKey(subject, "user")) issues.push(error("Subject must be a user public key"));
  if (!isPublicKey(audience, "server")) {
    issues.push(error("Audience must be a server public key"));
  }
  if (response.error === "" && jwt === "") issues.push(error("Error or Jwt is required"));
  if (response.error !== "" && jwt !== "") issues.push(error("Only Error or Jwt can be set"));
  if (issuerAccount !== "" && !isPublicKey(issuerAccount, "account")) {
    issues.push(error("issuer_account is not an account public key"));
  }
  return [...issues, ...timeIssues(response, now)];
}
