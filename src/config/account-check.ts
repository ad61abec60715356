/**
 * Whether the exports and imports of all accounts fit together: who may import what, no circles, transforms
 * that can work. nats-server's texts, in its order; they carry no place but that of the `accounts` key.
 */
import { collide, hasWildcard, isSubset, isValidLiteral, isValidSubject } from "../core/index.ts";
import type {
  AccountOptions,
  ExportOptions,
  Options,
  ServiceImport,
  StreamImport,
} from "./options.ts";
import { GLOBAL_ACCOUNT } from "./schema-authorization.ts";
import { numbered, patternOf, transformFault } from "./transform-check.ts";
import { quote } from "./value.ts";

const MAX_DEPTH = 1024;

/** An import that has been accepted: what later ones must not form a circle with. */
interface Accepted {
  readonly account: string;
  /** What is imported, and what it is locally. */
  readonly remote: string;
  readonly local: string;
}

interface World {
  readonly accounts: ReadonlyMap<string, AccountOptions>;
  readonly streams: Map<string, Accepted[]>;
  readonly services: Map<string, Accepted[]>;
}

/** All faults of the accounts' sharing. */
export function accountFaults(
  options: Pick<Options, "accounts" | "noSystemAccount" | "mappings">,
): readonly string[] {
  const list = options.accounts ?? [];
  const accounts = new Map(list.map((account) => [account.name, account]));
  const world: World = { accounts, streams: new Map(), services: new Map() };
  const faults: string[] = [];
  const each = (check: (account: AccountOptions) => readonly (string | null)[]): void => {
    for (const account of list) {
      for (const fault of check(account)) if (fault !== null) faults.push(fault);
    }
  };
  // `$G` is an account one can name only when top-level mappings created it by then.
  const known = (name: string): boolean =>
    accounts.has(name) || (name === GLOBAL_ACCOUNT && options.mappings.length > 0);
  each((account) => account.exports.flatMap((item) => exportFaults(item, known)));
  each((account) =>
    account.exports.map((item) => latencyFault(account, item, options.noSystemAccount)),
  );
  each((account) =>
    account.imports.map((item) =>
      item.kind === "stream" ? streamImportFault(account, item, world) : null,
    ),
  );
  each((account) =>
    account.imports.map((item) =>
      item.kind === "service" ? serviceImportFault(account, item, world) : null,
    ),
  );
  return faults;
}

function exportFaults(
  item: ExportOptions,
  known: (name: string) => boolean,
): readonly (string | null)[] {
  const faults: string[] = [];
  for (const name of item.accounts ?? []) {
    if (!known(name)) faults.push(`${quote(name)} account not defined for ${item.kind} export`);
  }
  const position = item.accountTokenPosition;
  if (position > 0 && item.subject.split(".")[position - 1] !== "*") {
    faults.push(
      `Error adding ${item.kind} export ${quote(item.subject)}: sublist: invalid subject`,
    );
  }
  return faults;
}

function latencyFault(
  account: AccountOptions,
  item: ExportOptions,
  noSystemAccount: boolean,
): string | null {
  if (item.kind === "stream" || item.latency === null) return null;
  const { subject } = item.latency;
  const prefix = `Error adding service latency sampling for ${quote(item.subject)}`;
  if (noSystemAccount) return `${prefix}: system account not setup`;
  const exported = account.exports.some(
    (other) => other.kind === "service" && isSubset(subject, other.subject),
  );
  let fault: string | null = null;
  if (!isValidLiteral(subject) || exported) fault = "invalid publish subject";
  else if (item.responseType !== "singleton") fault = "bad service response type";
  return fault && `${prefix} on subject ${quote(subject)}: ${fault}`;
}

function streamImportFault(
  importer: AccountOptions,
  item: StreamImport,
  world: World,
): string | null {
  const exporter = world.accounts.get(item.account);
  if (exporter === undefined) {
    return `${quote(item.account)} account not defined for stream import`;
  }
  const from = item.subject;
  const fault = (text: string): string => `Error adding stream import ${quote(from)}: ${text}`;
  if (!mayImport(exporter, importer.name, "stream", from)) {
    return fault("stream import not authorized");
  }
  if (item.prefix !== "" && hasWildcard(item.prefix)) {
    return fault("stream import prefix can not contain wildcard tokens");
  }
  let to = item.to === "" ? from : item.to;
  if (item.prefix !== "") to = `${item.prefix.replace(/\.?$/, ".")}${from}`;
  for (const subject of [to, from]) {
    const circle = streamCircle(world, exporter.name, subject, new Set([importer.name]));
    if (circle !== null) return fault(circle);
  }
  if (hasWildcard(from) && to !== from) {
    const problem = transformFault(from, numbered(to), true);
    if (problem !== null) {
      const what = `from ${quote(from)} to ${quote(to)}: ${problem}`;
      return fault(`failed to create mapping transform for stream import subject ${what}`);
    }
    to = patternOf(to);
  }
  const accepted = acceptedBy(world.streams, importer.name);
  if (accepted.some((other) => other.account === exporter.name && other.remote === from)) {
    return fault("stream import already exists");
  }
  accepted.push({ account: exporter.name, remote: from, local: to });
  return null;
}

function serviceImportFault(
  importer: AccountOptions,
  item: ServiceImport,
  world: World,
): string | null {
  const exporter = world.accounts.get(item.account);
  if (exporter === undefined) {
    return `${quote(item.account)} account not defined for service import`;
  }
  const { subject, to: local } = item;
  const fault = (text: string): string => `Error adding service import ${quote(subject)}: ${text}`;
  if (!isValidSubject(local) || !isValidSubject(subject)) return fault("invalid subject");
  if (!mayImport(exporter, importer.name, "service", subject)) {
    return fault("service import not authorized");
  }
  const pattern = hasWildcard(subject) ? patternOf(local) : local;
  const circle = serviceCircle(world, exporter.name, pattern, new Set([importer.name]));
  if (circle !== null) return fault(circle);
  if (hasWildcard(subject) && subject !== local) {
    const problem = transformFault(patternOf(subject), numbered(local), true);
    if (problem !== null) {
      const what = `from ${quote(local)} to ${quote(patternOf(subject))}: ${problem}`;
      return fault(`failed to create mapping transform for service import subject ${what}`);
    }
  }
  acceptedBy(world.services, importer.name).push({
    account: exporter.name,
    remote: subject,
    local: pattern,
  });
  return null;
}

function acceptedBy(map: Map<string, Accepted[]>, account: string): Accepted[] {
  const list = map.get(account) ?? [];
  map.set(account, list);
  return list;
}

/** An export of exactly this subject decides; else any whose pattern covers it. */
function mayImport(
  exporter: AccountOptions,
  importer: string,
  kind: "stream" | "service",
  subject: string,
): boolean {
  if (!isValidSubject(subject)) return false;
  const offers = exporter.exports.filter((item) => item.kind === kind);
  const exact = offers.findLast((item) => item.subject === subject);
  const offer = exact ?? offers.find((item) => isSubset(subject, item.subject));
  if (offer === undefined) return false;
  if (offer.accountTokenPosition > 0) {
    const tokens = exact === undefined ? subject.split(".") : [];
    return tokens[offer.accountTokenPosition - 1] === importer;
  }
  return offer.accounts === null || offer.accounts.includes(importer);
}

const CIRCLE = "import forms a cycle";
const TOO_DEEP = "search cycle depth exhausted";

function streamCircle(
  world: World,
  account: string,
  subject: string,
  visited: Set<string>,
): string | null {
  if (visited.size >= MAX_DEPTH) return TOO_DEEP;
  const exported = world.accounts
    .get(account)
    ?.exports.some((item) => item.kind === "stream" && isSubset(subject, item.subject));
  if (exported !== true) return null;
  for (const item of world.streams.get(account) ?? []) {
    if (!collide(subject, item.local)) continue;
    if (visited.has(item.account)) return CIRCLE;
    visited.add(account);
    const narrowed = isSubset(item.local, subject) ? item.local : subject;
    const found = streamCircle(world, item.account, narrowed, visited);
    if (found !== null) return found;
  }
  return null;
}

function serviceCircle(
  world: World,
  account: string,
  subject: string,
  visited: Set<string>,
): string | null {
  if (visited.size >= MAX_DEPTH) return TOO_DEEP;
  for (const item of world.services.get(account) ?? []) {
    if (!collide(subject, item.remote)) continue;
    if (visited.has(item.account)) return CIRCLE;
    visited.add(account);
    const narrowed = isSubset(item.local, subject) ? item.local : subject;
    const found = serviceCircle(world, item.account, narrowed, visited);
    if (found !== null) return found;
  }
  return null;
}
