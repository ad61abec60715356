/**
 * The configured accounts as the core wants them: limits, mappings, exports and imports, and what every
 * account gets from the system account without asking.
 */
import type { AccountOptions, MappingOptions, Options, ServiceExport } from "../config/index.ts";
import {
  defineAccounts,
  emptySpec,
  utf8ToLatin1,
  type AccountLimits,
  type AccountSpec,
  type Engine,
  type ImportSpec,
  type MappingSpec,
  type ServiceExportSpec,
  type TraceDestination,
} from "../core/index.ts";
import { closeExcess } from "./account-update.ts";
import { now } from "./clock.ts";

const GLOBAL = "$G";
const DEFAULT_SYSTEM = "$SYS";
const SERVICE_THRESHOLD = 120_000;
const JETSTREAM_API = [
  "INFO",
  "STREAM.>",
  "CONSUMER.>",
  "DIRECT.>",
  "META.>",
  "SERVER.>",
  "ACCOUNT.>",
  "$KV.>",
  "$OBJ.>",
];
const UNLIMITED = { maxConnections: -1, maxLeafnodes: -1, maxSubscriptions: -1, maxPayload: -1 };

/** What an account's definition is made of: from the configuration, or from claims. */
export interface SharedAccount {
  readonly name: string;
  readonly nameTag?: string;
  readonly exports: readonly (ServiceOffer | { readonly kind: "stream" })[];
  readonly imports: AccountOptions["imports"];
  readonly mappings: readonly MappingOptions[];
  readonly limits: AccountOptions["limits"];
  readonly msgTrace: AccountOptions["msgTrace"];
}

type ServiceOffer = Omit<ServiceExport, "accounts" | "accountTokenPosition">;

/** Defines all accounts of the configuration in the engine; at a reload those of `before` that are gone lose all. */
export function applyAccounts(engine: Engine, options: Options, before: Options | null): void {
  // Accounts by token define themselves.
  const byToken = options.operator.length > 0 || options.trustedKeys.length > 0;
  const specs = accountSpecs(options).filter(
    ({ name }) => !byToken || (engine.accounts.get(name)?.spec ?? null) === null,
  );
  const names = new Set(specs.map((spec) => spec.name));
  const gone = byToken || before === null ? [] : accountSpecs(before);
  const lost = gone.filter((spec) => !names.has(spec.name)).map((spec) => emptySpec(spec.name));
  const all = [...specs, ...lost];
  engine.now = now();
  const limits = new Map(all.map(({ name }) => [name, engine.accounts.get(name)?.limits]));
  defineAccounts(engine, all);
  for (const spec of all) {
    if (JSON.stringify(spec.limits) !== JSON.stringify(limits.get(spec.name)))
      enforceLimits(engine, spec);
  }
}

function enforceLimits(engine: Engine, { name, limits }: AccountSpec): void {
  const { clients, leaves } = engine.account(name);
  // Nobody else has a turn in between, so all steps at once.
  for (const _ of closeExcess(engine, clients, limits.maxConnections));
  for (const link of [...clients, ...leaves]) engine.refreshLimits(link);
}

/** Defines one account whose claims were loaded or replaced. */
export function applyAccount(engine: Engine, account: SharedAccount, system: string): void {
  defineAccounts(engine, [accountSpec(account, system)]);
}

/** The name of the system account; "" if there is none. */
export function systemAccountOf(options: Options): string {
  return options.noSystemAccount ? "" : (options.systemAccount ?? DEFAULT_SYSTEM);
}

export function accountSpecs(options: Options): readonly AccountSpec[] {
  const system = systemAccountOf(options);
  const accounts = new Map<string, SharedAccount>();
  for (const account of options.accounts ?? []) accounts.set(account.name, account);
  for (const name of [GLOBAL, system]) {
    if (name !== "" && !accounts.has(name)) {
      const mappings = name === GLOBAL ? options.mappings : [];
      const nothing = { exports: [], imports: [], msgTrace: null };
      accounts.set(name, { name, ...nothing, mappings, limits: UNLIMITED });
    }
  }
  return [...accounts.values()].map((account) => {
    const spec = accountSpec(account, system);
    const domain = options.defaultJsDomain[account.name] ?? "";
    return domain === ""
      ? spec
      : { ...spec, mappings: [...spec.mappings, ...domainMappings(domain)] };
  });
}

/** `default_js_domain`: the plain names of the JetStream API stand for those of a domain behind a leaf link. */
function domainMappings(domain: string): readonly MappingSpec[] {
  return JETSTREAM_API.map((subject) => ({
    source: subject.startsWith("$") ? subject : `$JS.API.${subject}`,
    destinations: [{ subject: `$JS.${domain}.API.${subject}`, weight: 100, cluster: "" }],
  }));
}

function accountSpec(account: SharedAccount, system: string): AccountSpec {
  const { name, nameTag = "" } = account;
  const exports = account.exports.flatMap((item) =>
    item.kind === "service" ? exportSpec(item) : [],
  );
  return {
    name,
    label: nameTag === "" ? name : `${name}/${nameTag}`,
    limits: limitsOf(account),
    mappings: account.mappings.map(mappingSpec),
    exports: name === system ? [...exports, ...systemExports()] : exports,
    imports: [...account.imports.map(importSpec), ...systemImports(name, system)],
    msgTrace: traceDestination(account),
  };
}

/** What the system account offers to all others. */
export function systemExports(): readonly ServiceExportSpec[] {
  const offer = (
    subject: string,
    responseType: ServiceExportSpec["responseType"],
  ): ServiceExportSpec => ({
    subject,
    responseType,
    threshold: SERVICE_THRESHOLD,
    latency: null,
    allowTrace: false,
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

function limitsOf({ limits }: SharedAccount): AccountLimits {
  return {
    maxConnections: limits.maxConnections,
    maxLeafNodes: limits.maxLeafnodes,
    maxSubscriptions: limits.maxSubscriptions,
    maxPayload: limits.maxPayload,
  };
}

function traceDestination({ msgTrace }: SharedAccount): TraceDestination | null {
  if (msgTrace === null) return null;
  return { destination: utf8ToLatin1(msgTrace.dest), sampling: msgTrace.sampling };
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

function exportSpec(item: ServiceOffer): ServiceExportSpec {
  const { latency, responseType, threshold, allowTrace } = item;
  return {
    subject: utf8ToLatin1(item.subject),
    responseType,
    threshold: threshold > 0 ? threshold : SERVICE_THRESHOLD,
    latency:
      latency === null
        ? null
        : { subject: utf8ToLatin1(latency.subject), sampling: latency.sampling },
    allowTrace,
  };
}

function importSpec(item: AccountOptions["imports"][number]): ImportSpec {
  const account = item.account;
  const subject = utf8ToLatin1(item.subject);
  const to = utf8ToLatin1(item.to);
  if (item.kind === "service") return { kind: "service", account, subject, to, share: item.share };
  const { allowTrace } = item;
  const prefix = utf8ToLatin1(item.prefix);
  if (prefix !== "") {
    const prefixed = `${prefix.replace(/\.?$/, ".")}${subject}`;
    return { kind: "stream", account, subject, to: prefixed, allowTrace };
  }
  return { kind: "stream", account, subject, to: to === "" ? subject : to, allowTrace };
}
