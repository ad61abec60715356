/**
 * Operator claims: who may sign accounts, and what an operator asks of servers.
 */
import { isPublicKey } from "../nkeys.ts";
import { ClaimsError, booleanOf, textOf, textsOf } from "./json.ts";
import type { Common, Token } from "./token.ts";

export interface OperatorClaims extends Common {
  readonly signingKeys: readonly string[];
  readonly accountServerUrl: string;
  readonly serviceUrls: readonly string[];
  readonly systemAccount: string;
  /** `major.minor.update`, or "". */
  readonly assertServerVersion: string;
  /** Accounts must be signed by a signing key, never by the operator's own. */
  readonly strictSigningKeyUsage: boolean;
}

export function readOperator(token: Token): OperatorClaims {
  if (token.kind !== "operator") throw new ClaimsError("not operator claim");
  const { kind: _kind, version: _version, nats, claims: _claims, ...common } = token;
  return {
    ...common,
    signingKeys: textsOf(nats, "signing_keys"),
    accountServerUrl: textOf(nats, "account_server_url"),
    serviceUrls: textsOf(nats, "operator_service_urls"),
    systemAccount: textOf(nats, "system_account"),
    assertServerVersion: textOf(nats, "assert_server_version"),
    strictSigningKeyUsage: booleanOf(nats, "strict_signing_key_usage"),
  };
}

/** The keys whose signature makes an account trusted. */
export function trustedKeys(operators: readonly OperatorClaims[]): readonly string[] {
  return operators.flatMap((operator) =>
    operator.strictSigningKeyUsage
      ? operator.signingKeys
      : [operator.subject, ...operator.signingKeys],
  );
}

/** The keys of strict operators: accounts that these sign may not sign users with their own key. */
export function strictKeys(operators: readonly OperatorClaims[]): readonly string[] {
  return operators
    .filter((operator) => operator.strictSigningKeyUsage)
    .flatMap((operator) => operator.signingKeys);
}

/** What a server of this version has against the operators' demands; null if nothing. */
export function operatorFault(
  operators: readonly OperatorClaims[],
  serverVersion: string,
): string | null {
  const mine = numbers(serverVersion) ?? [0, 0, 0];
  for (const { subject, assertServerVersion } of operators) {
    if (assertServerVersion === "") continue;
    const asked = numbers(assertServerVersion);
    if (asked === null) {
      const cause = "asserted server version must be of the form <major>.<minor>.<update>";
      return `operator ${subject} expects version ${assertServerVersion} got error instead: ${cause}`;
    }
    for (const [i, part] of (["major", "minor", "update"] as const).entries()) {
      const [want = 0, have = 0] = [asked[i], mine[i]];
      if (want > have) {
        return `operator ${subject} expected ${part} version ${want} > server ${part} version ${have}`;
      }
      if (want < have) break;
    }
  }
  const bad = trustedKeys(operators).find((key) => !isPublicKey(key, "operator"));
  if (bad === undefined) return null;
  return `trusted Keys "${bad}" are required to be a valid public operator nkey`;
}

function numbers(version: string): readonly number[] | null {
  const match = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
  return match === null ? null : match.slice(1).map(Number);
}
