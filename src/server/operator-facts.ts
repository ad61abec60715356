/** What monitoring shows of accounts by token and of the operators that sign them. */
import { exporterSubject, type LoadedAccount, type OperatorAccounts } from "../auth/index.ts";
import type { AccountFacts, Json } from "../monitoring/index.ts";

type Exports = LoadedAccount["view"]["exports"];
type Imports = LoadedAccount["view"]["imports"];

/** `imports`: those that hold. */
export function accountFacts(
  loaded: LoadedAccount,
  accounts: OperatorAccounts,
  imports: Imports,
): AccountFacts {
  const { view, jwt, updated } = loaded;
  const mappings = view.mappings.map(
    ({ subject, destinations }) => [subject, destinations] as const,
  );
  const revoked = [...view.revocations].map(([key, at]) => [key, at * 1000] as const);
  return {
    nameTag: view.nameTag,
    updateTime: updated === 0 ? null : updated,
    expired: accounts.isExpired(loaded),
    complete: view.imports.every(({ account }) => accounts.loaded(account) !== null),
    jwt,
    issuerKey: view.issuer,
    tags: view.tags,
    decodedJwt: claimsOf(jwt),
    revokedUsers: new Map(revoked),
    mappings: new Map(mappings),
    exports: view.exports.map(exportFacts),
    imports: view.imports.map((entry) => ({
      subject: exporterSubject(entry.claim),
      account: entry.account,
      to: entry.kind === "service" ? entry.to : entry.prefix,
      localSubject: entry.claim.localSubject,
      type: entry.kind,
      share: entry.kind === "service" && entry.share,
      invalid: !imports.includes(entry),
    })),
  };
}

function exportFacts(entry: Exports[number]): AccountFacts["exports"][number] {
  const type = entry.kind === "service" ? entry.responseType : "singleton";
  return {
    name: entry.claim.name,
    subject: entry.subject,
    type: entry.kind,
    tokenRequired: entry.claim.tokenRequired,
    responseType: type === "stream" ? "Streamed" : type === "chunked" ? "Chunked" : "",
    accountTokenPosition: entry.accountTokenPosition,
    approvedAccounts: [],
  };
}

/** The claims inside a token that was checked before; null without one. */
export function claimsOf(jwt: string): Json {
  const payload = jwt.split(".")[1];
  if (payload === undefined) return null;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what JSON.parse returns is JSON
  return JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Json;
}
