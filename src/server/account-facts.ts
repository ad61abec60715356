/** What `/accountz` shows of a configured account besides its connections: how it shares and maps. */
import type { ExportOptions, Options } from "../config/index.ts";
import { hasWildcard, type AccountSpec, type MappingSpec } from "../core/index.ts";
import type { AccountFacts, ExportFacts, ImportFacts, MappingFacts } from "../monitoring/index.ts";
import { systemAccountOf, systemExports } from "./accounts.ts";

const RESPONSES = { singleton: "Singleton", stream: "Streamed", chunked: "Chunked" } as const;
const WHOLE = 100;

/** Null for an account that has no definition in force. */
export function configuredFacts(options: Options, spec: AccountSpec | null): AccountFacts | null {
  if (spec === null) return null;
  const configured = options.accounts?.find((account) => account.name === spec.name);
  const isSystem = spec.name === systemAccountOf(options);
  const slash = spec.label.indexOf("/");
  return {
    nameTag: slash < 0 ? "" : spec.label.slice(slash + 1),
    updateTime: null,
    expired: false,
    complete: true,
    jwt: "",
    issuerKey: "",
    tags: [],
    decodedJwt: null,
    revokedUsers: new Map(),
    mappings: new Map(spec.mappings.map((mapping) => [mapping.source, mappingFacts(mapping)])),
    exports: [
      ...(configured?.exports.map(exportFacts) ?? []),
      ...(isSystem
        ? systemExports().map(({ subject, responseType }) => offered(subject, responseType))
        : []),
    ],
    imports: spec.imports.map((item) => importFacts(item)),
  };
}

function offered(subject: string, responseType: keyof typeof RESPONSES): ExportFacts {
  return {
    name: "",
    subject,
    type: "service",
    tokenRequired: false,
    responseType: RESPONSES[responseType],
    accountTokenPosition: 0,
    approvedAccounts: [],
  };
}

function exportFacts(item: ExportOptions): ExportFacts {
  return {
    name: "",
    subject: item.subject,
    type: item.kind,
    tokenRequired: false,
    responseType: item.kind === "service" ? RESPONSES[item.responseType] : "",
    accountTokenPosition: 0,
    approvedAccounts: item.accounts ?? [],
  };
}

function importFacts(item: AccountSpec["imports"][number]): ImportFacts {
  const service = item.kind === "service";
  return {
    subject: item.subject,
    account: item.account,
    to: service ? item.to : "",
    localSubject: item.to,
    type: item.kind,
    share: service && item.share,
    invalid: false,
  };
}

/** Weights summed up as they are drawn; what is left over keeps the source's subject. */
function mappingFacts({ source, destinations }: MappingSpec): readonly MappingFacts[] {
  const clusters = new Set(destinations.map((one) => one.cluster));
  return [...clusters].flatMap((cluster) => {
    const listed = destinations.filter((one) => one.cluster === cluster);
    const sorted = listed.toSorted((a, b) => a.weight - b.weight);
    let sum = 0;
    const facts = sorted.map((one) => ({
      subject: one.subject,
      weight: (sum += one.weight),
      cluster,
    }));
    const lossy = listed.some((one) => one.subject === source);
    if (sum >= WHOLE || lossy) return facts;
    return [...facts, { subject: kept(source), weight: WHOLE, cluster }];
  });
}

function kept(source: string): string {
  if (!hasWildcard(source)) return source;
  let next = 1;
  return source
    .split(".")
    .map((token) => (token === "*" ? `$${next++}` : token))
    .join(".");
}
