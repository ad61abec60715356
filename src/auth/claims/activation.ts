/**
 * Activation tokens: what an exporting account signs so that one other account may import a private export.
 */
import type { Millis } from "../../core/index.ts";
import { isSubset } from "../../core/subject/subject.ts";
import type { Crypto } from "../crypto.ts";
import { isPublicKey } from "../nkeys.ts";
import type { AccountClaims, ExportClaim, ImportClaim } from "./account.ts";
import { error, isBlocking, subjectIssues, timeIssues, type Issue } from "./issues.ts";
import { ClaimsError, textOf } from "./json.ts";
import { sharingKind, type SharingKind } from "./sharing-kind.ts";
import { decodeAs, type Common, type Token } from "./token.ts";

export interface ActivationClaims extends Common {
  readonly importSubject: string;
  readonly importKind: SharingKind | "";
  readonly issuerAccount: string;
}

export function readActivation(token: Token): ActivationClaims {
  if (token.kind !== "activation") throw new ClaimsError("not activation claim");
  const { kind: _kind, version, nats, claims, ...common } = token;
  const old = version === 1;
  return {
    ...common,
    importSubject: textOf(nats, "subject"),
    importKind: sharingKind(textOf(nats, old ? "type" : "kind")),
    issuerAccount: textOf(old ? claims : nats, "issuer_account"),
  };
}

export function activationIssues(claims: ActivationClaims): readonly Issue[] {
  const { importKind, importSubject, issuerAccount } = claims;
  const issues = [...subjectIssues(importSubject)];
  if (importKind === "") issues.push(error('invalid import type: "unknown"'));
  if (issuerAccount !== "" && !isPublicKey(issuerAccount, "account")) {
    issues.push(error("account_id is not an account public key"));
  }
  return issues;
}

/** The parties of an import by token. */
export interface ActivationCase {
  readonly importer: string;
  readonly claim: ImportClaim;
  readonly exporter: AccountClaims;
  readonly exported: ExportClaim;
}

/** Until when a token activates an import: a time, "always", or null if it does not (now). */
export function activatedUntil(
  crypto: Crypto,
  { importer, claim, exporter, exported }: ActivationCase,
  now: Millis,
): Millis | "always" | null {
  if (claim.token === "") return null;
  const decoded = decodeAs(crypto, claim.token, readActivation);
  if (!decoded.ok) return null;
  const { claims } = decoded;
  if (isBlocking([...timeIssues(claims, now), ...activationIssues(claims)], true)) return null;
  const { issuer, issuerAccount, importKind, importSubject, subject, issuedAt, expires } = claims;
  if (subject !== importer || importKind !== claim.kind) return null;
  if (!isSubset(exporterSubject(claim), importSubject)) return null;
  if (issuerAccount !== "" && issuerAccount !== exporter.subject) return null;
  if (!signs(exporter, issuer, issuerAccount)) return null;
  if (isRevoked(exported.revocations, importer, issuedAt)) return null;
  // The last second of its life counts, as in every other check of `exp`.
  return expires === 0 ? "always" : (expires + 1) * 1000;
}

function signs(exporter: AccountClaims, issuer: string, issuerAccount: string): boolean {
  if (issuer === exporter.subject) return true;
  return issuerAccount === exporter.subject && exporter.signingKeys.has(issuer);
}

/** The subject of an import in the exporter's space. */
export function exporterSubject(claim: ImportClaim): string {
  return claim.kind === "service" && claim.to !== "" ? claim.to : claim.subject;
}

/** Whether a token issued then to this key is revoked: by name or with all others. */
export function isRevoked(
  revocations: ReadonlyMap<string, number>,
  key: string,
  issuedAt: number,
): boolean {
  const mine = revocations.get(key) ?? -1;
  const all = revocations.get("*") ?? -1;
  return Math.max(mine, all) >= issuedAt;
}
