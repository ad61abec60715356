/**
 * The configured accounts as the core wants them: limits, mappings, exports and imports, and what every
 * account gets from the system account without asking.
 */
import type { AccountOptions, MappingOptions, Options, ServiceExport } from "../config/index.ts";
import {
  defineAccounts,
  emptySpec,
  NO_LIMITS,
  utf8ToLatin1,
  type AccountLimits,
  type AccountSpec,
  type Engine,
  type ImportSpec,
  type MappingSpec,
  type ServiceExportSpec,
} from "../core/index.ts";

const GLOBAL = "$G";
const DEFAULT_SYSTEM = "$SYS";
const SERVICE_THRESHOLD = 120_000;

/** Defines all accounts of the configuration in the engine; at a reload those of `before` that are gone lose all. */
export function applyAccounts(engine: Engine, options: Options, before: Options | null): void {
  const specs = accountSpecs(options);
  const names = new Set(specs.map((spec) => spec.name));
  const gone = before === null ? [] : accountSpecs(before).filter((spec) => !names.has(spec.name));
  defineAccounts(engine, [...specs, ...gone.map((spec) => emptySpec(spec.name))]);
}

/** The name of the system account; "" if there is none. */
export function systemAccountOf(options: Options): string {
  return options.noSystemAccount ? "" : (options.systemAccount ?? DEFAULT_SYSTEM);
}

export function accountSpecs(options: Options): readonly AccountSpec[] {
  const system = systemAccountOf(options);
  const configured = options.accounts ?? [];
  const names = new Set([GLOBAL, ...configured.map((account) => account.name)]);
  if (system !== "") names.add(system);
  return [...names].map((name) => {
    const account = configured.find((one) => one.name === name);
    const mappings = name === GLOBAL ? options.mappings : (account?.mappings ?? []);
    const exports = account?.exports.filter((item) => item.kind === "service") ?? [];
    return {
      name,
      label: name,
      limits: account === undefined ? NO_LIMITS : limitsOf(account),
      mappings: mappings.map(mappingSpec),
      exports: [
        ...exports.map(exportSpec),
        ...(name === system ? systemExports() : []),
      ],
      imports: [...(account?.imports.map(importSpec) ?? []), ...systemImports(name, system)],
    };
  });
}

/** What the system account offers to all others. */
export function systemExports(): readonly ServiceExportSpec[] {
  const offer = (subject: string, responseType: ServiceExportSpec["responseType"]): ServiceExportSpec => ({
    subject,
    responseType,
    threshold: SERVICE_THRESHOLD,
    latency: null,
  });
  return [
    offer("$SYS.REQ.ACCOUNT.*.CONNZ", "stream"),
    offer("$SYS.REQ.ACCOUNT.*.STATZ", "stream"),
    offer("$SYS.REQ.USER.*.INFO", "singleton"),
    offer("$SYS.DEBUG.SUBSCRIBERS", "singleton"),
  ];
}

/** What every account imports from the system account; of itself it takes only the user's own info. */
export function systemImports(name: string, system: string): readonly ImportSpec[] {
  if (system === "") return [];
  const service = (to: string, subject: string, share: boolean): ImportSpec => ({
    kind: "service",
    account: system,
    subject,
    to,
    share,
  });
  const own = utf8ToLatin1(name);
  const user = service("$SYS.REQ.USER.INFO", `$SYS.REQ.USER.${own}.INFO`, true);
  if (name === system) return [user];
  return [
    service("$SYS.REQ.ACCOUNT.PING.CONNZ", `$SYS.REQ.ACCOUNT.${own}.CONNZ`, false),
    service("$SYS.REQ.SERVER.PING.CONNZ", `$SYS.REQ.ACCOUNT.${own}.CONNZ`, false),
    service("$SYS.REQ.ACCOUNT.PING.STATZ", `$SYS.REQ.ACCOUNT.${own}.STATZ`, false),
    user,
  ];
}

function limitsOf({ limits }: AccountOptions): AccountLimits {
  return {
    maxConnections: limits.maxConnections,
    maxLeafNodes: limits.maxLeafnodes,
    maxSubscriptions: limits.maxSubscriptions,
    maxPayload: limits.maxPayload,
  };
}

function mappingSpec(mapping: MappingOptions): MappingSpec {
  return {
    source: utf8ToLatin1(mapping.subject),
    destinations: mapping.destinations.map((one) => ({
      subject: utf8ToLatin1(one.subject),
      weight: one.weight,
      cluster: one.cluster,
    })),
  };
}

function exportSpec(item: ServiceExport): ServiceExportSpec {
  const { latency, responseType, threshold } = item;
  return {
    subject: utf8ToLatin1(item.subject),
    responseType,
    threshold,
    latency:
      latency === null
        ? null
        : { subject: utf8ToLatin1(latency.subject), sampling: latency.sampling },
  };
}

function importSpec(item: AccountOptions["imports"][number]): ImportSpec {
  const account = item.account;
  const subject = utf8ToLatin1(item.subject);
  const to = utf8ToLatin1(item.to);
  if (item.kind === "service") return { kind: "service", account, subject, to, share: item.share };
  const prefix = utf8ToLatin1(item.prefix);
  if (prefix !== "") {
    return { kind: "stream", account, subject, to: `${prefix.replace(/\.?$/, ".")}${subject}` };
  }
  return { kind: "stream", account, subject, to: to === "" ? subject : to };
}
