/**
 * What is wrong with account claims. One error makes the whole account unusable, so this follows the token
 * library of nats-server closely: neither stricter nor laxer.
 */
import type { Millis } from "../../core/index.ts";
import { hasWildcard, isSubset } from "../../core/subject/subject.ts";
import type { Crypto } from "../crypto.ts";
import { isPublicKey } from "../nkeys.ts";
import type { AccountClaims, ExportClaim, ImportClaim } from "./account.ts";
import { activationIssues, exporterSubject, readActivation } from "./activation.ts";
import { error, subjectIssues, timeIssues, warning, type Issue } from "./issues.ts";
import type { SharingKind } from "./sharing-kind.ts";
import { decodeAs } from "./token.ts";
import { permissionIssues } from "./user.ts";

export function accountIssues(
  crypto: Crypto,
  account: AccountClaims,
  now: Millis,
): readonly Issue[] {
  return [
    ...timeIssues(account, now),
    ...importsIssues(crypto, account),
    ...exportsIssues(account.exports),
    ...permissionIssues(account.defaultPermissions),
    ...mappingIssues(account),
    ...authorizationIssues(account),
    ...limitIssues(account),
    ...traceIssues(account),
    ...signingKeyIssues(account),
  ];
}

function importsIssues(crypto: Crypto, account: AccountClaims): readonly Issue[] {
  const issues: Issue[] = [];
  const taken = new Map<string, string[]>();
  for (const claim of account.imports) {
    if (claim.kind === "service") issues.push(...overlapIssues(claim, taken));
    issues.push(...importIssues(crypto, account.subject, claim));
  }
  return issues;
}

/** Two services of one exporter must not meet in one subject. */
function overlapIssues(claim: ImportClaim, taken: Map<string, string[]>): readonly Issue[] {
  const named = claim.to === "" ? withWildcards(claim.localSubject) : claim.to;
  const subject = named === "" ? claim.subject : named;
  const others = taken.get(claim.account) ?? [];
  const issues = others
    .filter((other) => isSubset(subject, other) || isSubset(other, subject))
    .map((other) => {
      const both = `"${subject}" and "${other}"`;
      return error(`overlapping subject namespace for ${both} in same account "${claim.account}"`);
    });
  taken.set(claim.account, [...others, subject]);
  return issues;
}

function withWildcards(subject: string): string {
  return subject
    .split(".")
    .map((token) => (/^\$\d+$/.test(token) ? "*" : token))
    .join(".");
}

function importIssues(crypto: Crypto, importer: string, claim: ImportClaim): readonly Issue[] {
  const { kind, subject, localSubject, to } = claim;
  const issues: Issue[] = [];
  if (kind === "") issues.push(error('invalid import type: "unknown"'));
  if (kind === "service" && claim.allowTrace) {
    issues.push(error("AllowTrace only valid for stream import"));
  }
  if (claim.account === "") issues.push(error("account to import from is not specified"));
  if (to !== "") {
    issues.push(warning("the field to has been deprecated (use LocalSubject instead)"));
  }
  issues.push(...subjectIssues(subject));
  if (localSubject !== "") {
    issues.push(...renamingIssues(localSubject, subject));
    if (to !== "") issues.push(error("Local Subject replaces To"));
  }
  if (claim.share && kind !== "service") {
    const purpose = "sharing information (for latency tracking)";
    issues.push(error(`${purpose} is only valid for services: "${subject}"`));
  }
  if (claim.token !== "") issues.push(...tokenIssues(crypto, importer, claim));
  return issues;
}

function renamingIssues(local: string, subject: string): readonly Issue[] {
  const issues = [...subjectIssues(local)];
  const full = (text: string): boolean => text === ">" || text.endsWith(".>");
  if (full(local) !== full(subject)) {
    issues.push(error("both, renaming subject and subject, need to end or not end in >"));
  }
  const wildcards = subject.split(".").filter((token) => token === "*").length;
  let references = 0;
  for (const token of local.split(".")) {
    const index = /^\$(\d+)$/.exec(token)?.[1];
    if (token === "*") references++;
    else if (index !== undefined && Number(index) <= wildcards) references++;
    else if (index !== undefined) {
      const where = `in "${local}" reference * in "${subject}"`;
      issues.push(error(`Reference $${index} ${where} that do not exist`));
    }
  }
  if (references !== wildcards) {
    issues.push(error("subject does not contain enough * or reference wildcards $[0-9]"));
  }
  return issues;
}

function tokenIssues(crypto: Crypto, importer: string, claim: ImportClaim): readonly Issue[] {
  const { subject, account, kind } = claim;
  const decoded = decodeAs(crypto, claim.token, readActivation);
  if (!decoded.ok) {
    return [error(`import "${subject}" contains an invalid activation token`)];
  }
  const token = decoded.claims;
  const issues: Issue[] = [];
  if (token.issuer !== account && token.issuerAccount !== account) {
    issues.push(error(`activation token doesn't match account for import "${subject}"`));
  }
  if (token.subject !== importer) {
    const text = `activation token doesn't match account it is being included in, "${subject}"`;
    issues.push(error(text));
  }
  if (token.importKind !== kind) {
    const kinds = `${token.importKind} and type of import ${kind}`;
    issues.push(error(`mismatch between token import type ${kinds}`));
  }
  issues.push(...activationIssues(token));
  if (!isSubset(exporterSubject(claim), token.importSubject)) {
    const subjects = `"${token.importSubject}" doesn't match import "${subject}"`;
    issues.push(error(`activation token import subject ${subjects}`));
  }
  return issues;
}

function exportsIssues(exports: readonly ExportClaim[]): readonly Issue[] {
  return [
    ...exports.flatMap(exportIssues),
    ...containment("service", exports),
    ...containment("stream", exports),
  ];
}

/** Exports of one kind that lie within one another leave open which rules hold. */
function containment(kind: SharingKind, exports: readonly ExportClaim[]): readonly Issue[] {
  const subjects = exports.filter((each) => each.kind === kind).map((each) => each.subject);
  return subjects.flatMap((wide, i) => {
    const narrow = subjects.find((subject, j) => i !== j && isSubset(subject, wide));
    if (narrow === undefined) return [];
    return [error(`${kind} export subject "${wide}" already exports "${narrow}"`)];
  });
}

function exportIssues(claim: ExportClaim): readonly Issue[] {
  const { kind, responseType, latency } = claim;
  const service = kind === "service";
  const issues = [...subjectIssues(claim.subject), ...positionIssues(claim)];
  if (kind === "") issues.push(error('invalid export type: "unknown"'));
  if (service && !["", "Singleton", "Chunked", "Stream"].includes(responseType)) {
    issues.push(error(`invalid response type for service: "${responseType}"`));
  }
  if (kind === "stream" && responseType !== "") {
    issues.push(error(`invalid response type for stream: "${responseType}"`));
  }
  if (kind === "stream" && claim.allowTrace) {
    issues.push(error("AllowTrace only valid for service export"));
  }
  if (latency !== null) {
    const { sampling, results } = latency;
    if (!service) issues.push(error("latency tracking only permitted for services"));
    if (sampling !== "headers" && (sampling < 1 || sampling > 100)) {
      issues.push(error("sampling percentage needs to be between 1-100"));
    }
    issues.push(...subjectIssues(results));
    if (hasWildcard(results)) issues.push(error("results subject can not contain wildcards"));
  }
  if (claim.responseThreshold < 0) {
    issues.push(error("negative response threshold is invalid"));
  }
  if (claim.responseThreshold > 0 && !service) {
    issues.push(error("response threshold only valid for services"));
  }
  return issues;
}

function positionIssues({ subject, accountTokenPosition }: ExportClaim): readonly Issue[] {
  const name = "Account Token Position";
  if (accountTokenPosition <= 0) return [];
  if (!hasWildcard(subject)) {
    return [error(`${name} can only be used with wildcard subjects: ${subject}`)];
  }
  const token = subject.split(".")[accountTokenPosition - 1];
  if (token === "*") return [];
  return token === undefined
    ? [error(`${name} ${accountTokenPosition} exceeds length of subject '${subject}'`)]
    : [
        error(
          `${name} ${accountTokenPosition} matches '${token}' but must match a * in: ${subject}`,
        ),
      ];
}

function mappingIssues(account: AccountClaims): readonly Issue[] {
  return [...account.mappings].flatMap(([source, destinations]) => {
    const issues = [...subjectIssues(source)];
    const totals = new Map<string, number>();
    for (const { subject, weight, cluster } of destinations) {
      issues.push(...subjectIssues(subject));
      if (weight < 0 || weight > 100) {
        issues.push(error(`Mapping "${source}" has a weight ${weight} that exceeds 100`));
      }
      totals.set(cluster, (totals.get(cluster) ?? 0) + weight);
    }
    for (const [cluster, total] of totals) {
      if (total <= 100) continue;
      const where = cluster === "" ? "" : ` in cluster "${cluster}"`;
      issues.push(
        error(`Mapping "${source}"${where} exceeds 100% among all of it's weighted to mappings`),
      );
    }
    return issues;
  });
}

function authorizationIssues({ authorization }: AccountClaims): readonly Issue[] {
  const { authUsers, allowedAccounts, xkey } = authorization;
  const issues: Issue[] = [];
  if (allowedAccounts.length > 0 && authUsers.length === 0) {
    issues.push(error("External authorization cannot have accounts without users specified"));
  }
  for (const user of authUsers) {
    if (isPublicKey(user, "user")) continue;
    issues.push(error(`AuthUser "${user}" is not a valid user public key`));
  }
  for (const name of allowedAccounts) {
    if (name === "*" && allowedAccounts.length > 1) {
      issues.push(error('AllowedAccounts can only be a list of accounts or "*"'));
    } else if (name !== "*" && !isPublicKey(name, "account")) {
      issues.push(error(`Account "${name}" is not a valid account public key`));
    }
  }
  if (xkey !== "" && !isPublicKey(xkey, "curve")) {
    issues.push(error(`XKey "${xkey}" is not a valid public xkey`));
  }
  return issues;
}

function limitIssues(account: AccountClaims): readonly Issue[] {
  const { limits, imports, exports, jetStreamConflict } = account;
  const issues: Issue[] = [];
  if (jetStreamConflict) {
    const text = "JetStream Limits and tiered JetStream Limits are mutually exclusive";
    issues.push(error(text));
  }
  const beyond = (count: number, limit: number): boolean => limit !== -1 && count > limit;
  if (beyond(imports.length, limits.imports)) {
    issues.push(error("the account contains more imports than allowed by the operator"));
  }
  if (beyond(exports.length, limits.exports)) {
    issues.push(error("the account contains more exports than allowed by the operator"));
  }
  const wild = exports.some((claim) => hasWildcard(claim.subject));
  if (limits.exports !== -1 && !limits.wildcardExports && wild) {
    const text = "the account contains wildcard exports that are not allowed by the operator";
    issues.push(error(text));
  }
  return issues;
}

function traceIssues({ trace, clusterTraffic }: AccountClaims): readonly Issue[] {
  const issues: Issue[] = [];
  if (trace !== null) {
    const { dest, sampling } = trace;
    for (const { text } of subjectIssues(dest).slice(0, 1)) {
      issues.push(error(`the account Trace.Destination ${text}`));
    }
    if (hasWildcard(dest)) {
      const text = `the account Trace.Destination subject "${dest}" is not a valid publish subject`;
      issues.push(error(text));
    }
    if (sampling < 0 || sampling > 100) {
      const range = "is not valid, should be in the range [1..100]";
      issues.push(error(`the account Trace.Sampling value '${sampling}' ${range}`));
    }
  }
  if (!["", "system", "owner"].includes(clusterTraffic)) {
    issues.push(error(`unknown cluster traffic option: "${clusterTraffic}"`));
  }
  return issues;
}

function signingKeyIssues(account: AccountClaims): readonly Issue[] {
  return [...account.signingKeys]
    .filter(([key]) => !isPublicKey(key, "account"))
    .map(([key, scope]) =>
      scope === null
        ? error(`"${key}" is not a valid account signing key`)
        : error(`${key} is not an account public key`),
    );
}
