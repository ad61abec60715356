/**
 * An account's claims in the shape that configured accounts have, for the server to apply to the core's
 * account: what it shares, maps and limits. Whether a token activates an import is asked in `activation.ts`.
 */
import type { Millis, Permissions } from "../../core/index.ts";
import { isValidLiteral } from "../../core/subject/subject.ts";
import type { AccountClaims, ExportClaim, ImportClaim } from "./account.ts";
import { permissionsOf } from "./user.ts";

export interface ViewedStreamExport {
  readonly kind: "stream";
  readonly subject: string;
  /** null: public; [] = by activation token only. */
  readonly accounts: readonly string[] | null;
  readonly accountTokenPosition: number;
  readonly claim: ExportClaim;
}

export interface ViewedServiceExport {
  readonly kind: "service";
  readonly subject: string;
  readonly accounts: readonly string[] | null;
  readonly accountTokenPosition: number;
  readonly responseType: "singleton" | "stream" | "chunked";
  /** 0: the default. */
  readonly threshold: Millis;
  readonly latency: { readonly subject: string; readonly sampling: number | "headers" } | null;
  readonly allowTrace: boolean;
  readonly claim: ExportClaim;
}

export interface ViewedStreamImport {
  readonly kind: "stream";
  readonly account: string;
  /** In the exporter's space. */
  readonly subject: string;
  readonly prefix: string;
  /** The local subject, or "". */
  readonly to: string;
  readonly allowTrace: boolean;
  readonly claim: ImportClaim;
}

export interface ViewedServiceImport {
  readonly kind: "service";
  readonly account: string;
  readonly subject: string;
  /** The local subject. */
  readonly to: string;
  readonly share: boolean;
  readonly claim: ImportClaim;
}

export interface AccountClaimsView {
  /** The account's public key. */
  readonly name: string;
  readonly nameTag: string;
  readonly tags: readonly string[];
  readonly issuer: string;
  readonly issuedAt: number;
  /** When the whole account ends; null = never. */
  readonly expires: Millis | null;
  readonly exports: readonly (ViewedStreamExport | ViewedServiceExport)[];
  readonly imports: readonly (ViewedStreamImport | ViewedServiceImport)[];
  readonly mappings: readonly {
    readonly subject: string;
    readonly destinations: readonly {
      readonly subject: string;
      readonly weight: number;
      readonly cluster: string;
    }[];
  }[];
  readonly limits: {
    readonly maxConnections: number;
    readonly maxLeafnodes: number;
    readonly maxSubscriptions: number;
    readonly maxPayload: number;
  };
  readonly jetstream: boolean;
  readonly defaultPermissions: Permissions | null;
  readonly revocations: ReadonlyMap<string, number>;
  readonly msgTrace: { readonly dest: string; readonly sampling: number } | null;
  readonly claims: AccountClaims;
}

/** The view of checked claims. */
export function viewAccount(claims: AccountClaims): AccountClaimsView {
  const { limits, trace } = claims;
  return {
    name: claims.subject,
    nameTag: claims.name,
    tags: claims.tags,
    issuer: claims.issuer,
    issuedAt: claims.issuedAt,
    expires: claims.expires === 0 ? null : claims.expires * 1000,
    exports: claims.exports.map(viewExport),
    imports: claims.imports.map(viewImport),
    mappings: [...claims.mappings].map(([subject, destinations]) => ({ subject, destinations })),
    limits: {
      maxConnections: limits.connections,
      maxLeafnodes: limits.leafnodes,
      maxSubscriptions: limits.subscriptions,
      maxPayload: limits.payload,
    },
    jetstream: claims.jetStream,
    defaultPermissions: permissionsOf(claims.defaultPermissions),
    revocations: claims.revocations,
    msgTrace:
      trace === null || !isValidLiteral(trace.dest)
        ? null
        : { dest: trace.dest, sampling: inPercent(trace.sampling) },
    claims,
  };
}

/** As nats-server: what is no percentage stands for all. */
function inPercent(sampling: number): number {
  return sampling > 0 && sampling <= 100 ? sampling : 100;
}

function viewExport(claim: ExportClaim): ViewedStreamExport | ViewedServiceExport {
  const { subject, accountTokenPosition, latency } = claim;
  const shared = {
    subject,
    accountTokenPosition,
    accounts: claim.tokenRequired ? [] : null,
    claim,
  };
  if (claim.kind !== "service") return { kind: "stream", ...shared };
  return {
    kind: "service",
    ...shared,
    responseType: responseType(claim.responseType),
    threshold: claim.responseThreshold / 1e6,
    latency: latency === null ? null : { subject: latency.results, sampling: latency.sampling },
    allowTrace: claim.allowTrace,
  };
}

function responseType(text: string): "singleton" | "stream" | "chunked" {
  if (text === "Stream") return "stream";
  return text === "Chunked" ? "chunked" : "singleton";
}

function viewImport(claim: ImportClaim): ViewedStreamImport | ViewedServiceImport {
  const { account, subject, to, localSubject } = claim;
  if (claim.kind === "service") {
    // The old member `to` is the exporter's subject, the new one names the local subject.
    const remote = localSubject === "" && to !== "" ? to : subject;
    const local = localSubject === "" ? subject : localSubject;
    return { kind: "service", account, subject: remote, to: local, share: claim.share, claim };
  }
  const prefix = localSubject === "" ? to : "";
  const { allowTrace } = claim;
  return { kind: "stream", account, subject, prefix, to: localSubject, allowTrace, claim };
}
