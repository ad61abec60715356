/** The `exports` and `imports` of an account. Whether they fit together is `account-check.ts`. */
import { parseDuration } from "./duration.ts";
import { flag, integer, parseInteger, text } from "./kinds.ts";
import type {
  ExportOptions,
  ImportOptions,
  LatencyOptions,
  ServiceExport,
  ServiceImport,
} from "./options.ts";
import { type Kind, type Reading, snakeCase } from "./rows.ts";
import { type ConfigNode, quote, typeName } from "./value.ts";

const RESPONSE_TYPES: Readonly<Record<string, ServiceExport["responseType"]>> = {
  single: "singleton",
  singleton: "singleton",
  stream: "stream",
  chunk: "chunked",
  chunked: "chunked",
};

const DEFAULT_THRESHOLD_MILLIS = 120_000;

const nameOf = (key: string, node: ConfigNode): string =>
  node.path === null ? key.toLowerCase() : snakeCase(key);

/** An array whose items are maps; `read` may decline one. */
function listOf<T>(
  title: string,
  read: (item: ConfigNode, reading: Reading) => T | undefined,
): Kind<readonly T[]> {
  return {
    label: `list of ${title.toLowerCase()}`,
    read(node, reading) {
      if (node.value.kind !== "array") {
        return reading.error(node, `${title} should be an array, got ${typeName(node)}`);
      }
      const items: T[] = [];
      for (const item of node.value.items) {
        const value = read(item, reading);
        if (value !== undefined) items.push(value);
      }
      return items;
    },
  };
}

export const exports: Kind<readonly ExportOptions[]> = listOf("Exports", readExport);

export const imports: Kind<readonly ImportOptions[]> = {
  ...listOf("Imports", readImport),
  read(node, reading, key) {
    const list = listOf("Imports", readImport).read(node, reading, key);
    return list?.filter((item, i) => !repeatsImport(list.slice(0, i), item, node, reading));
  },
};

function repeatsImport(
  earlier: readonly ImportOptions[],
  item: ImportOptions,
  node: ConfigNode,
  reading: Reading,
): boolean {
  if (item.kind === "stream") return false;
  const same = earlier.find(
    (other): other is ServiceImport =>
      other.kind === "service" && other.to === item.to && other.account === item.account,
  );
  if (same === undefined) return false;
  const previous = `account ${quote(same.account)}, subject ${quote(same.subject)}`;
  reading.error(
    node.value.kind === "array" ? (node.value.items[earlier.length] ?? node) : node,
    `Duplicate service import subject ${quote(item.to)}, previously used in import for ${previous}`,
  );
  return true;
}

/** What an export says, before it is known to be of a stream or of a service. */
interface ExportDraft {
  stream: string | null;
  service: string | null;
  accounts: readonly string[];
  accountTokenPosition: number;
  responseType: ServiceExport["responseType"];
  responseSeen: boolean;
  threshold: number;
  latency: LatencyOptions | null;
  allowTrace: boolean;
  /** The first value that only services may have, by the word in its error. */
  serviceOnly: { readonly word: string; readonly node: ConfigNode } | null;
}

function readExport(item: ConfigNode, reading: Reading): ExportOptions | undefined {
  if (item.value.kind !== "map") {
    const expected = "Export Items should be a map with type entry";
    return reading.error(item, `${expected}, got ${typeName(item)}`);
  }
  const draft: ExportDraft = {
    stream: null,
    service: null,
    accounts: [],
    accountTokenPosition: 0,
    responseType: "singleton",
    responseSeen: false,
    threshold: DEFAULT_THRESHOLD_MILLIS,
    latency: null,
    allowTrace: false,
    serviceOnly: null,
  };
  for (const [key, node] of item.value.entries) readExportMember(draft, key, node, reading);
  const { stream, service, accountTokenPosition, serviceOnly } = draft;
  const accounts = draft.accounts.length > 0 ? draft.accounts : null;
  if (stream !== null) {
    if (serviceOnly !== null) {
      const { node, word } = serviceOnly;
      return reading.error(node, `Detected ${word} directive on non-service`);
    }
    return { kind: "stream", subject: stream, accounts, accountTokenPosition };
  }
  if (service === null) return undefined;
  const { responseType, threshold, latency, allowTrace } = draft;
  const common = { subject: service, accounts, accountTokenPosition };
  return { kind: "service", ...common, responseType, threshold, latency, allowTrace };
}

function readExportMember(
  draft: ExportDraft,
  key: string,
  node: ConfigNode,
  reading: Reading,
): void {
  const serviceOnly = (word: string): void => {
    draft.serviceOnly ??= { word, node };
  };
  switch (nameOf(key, node)) {
    case "stream":
    case "service":
      readExportSubject(draft, nameOf(key, node), node, reading);
      return;
    case "response":
    case "response_type":
      if (draft.responseSeen) {
        reading.error(node, "Duplicate response type definition");
        return;
      }
      draft.responseSeen = true;
      serviceOnly("response");
      draft.responseType = readResponseType(node, reading) ?? draft.responseType;
      return;
    case "threshold":
    case "response_threshold":
    case "response_max_time":
    case "response_time":
      serviceOnly("response");
      draft.threshold = readThreshold(node, reading) || DEFAULT_THRESHOLD_MILLIS;
      return;
    case "latency":
      serviceOnly("latency");
      draft.latency = readLatency(node, reading) ?? null;
      return;
    case "allow_trace":
      serviceOnly("allow_trace");
      draft.allowTrace = flag.read(node, reading, key) ?? false;
      return;
    case "accounts":
      draft.accounts = readNames(node, reading);
      return;
    case "account_token_position":
      draft.accountTokenPosition = integer.read(node, reading, key) ?? 0;
      return;
    default:
      if (!node.usedVariable) reading.error(node, `unknown field ${quote(key)}`);
  }
}

function readExportSubject(
  draft: ExportDraft,
  kind: string,
  node: ConfigNode,
  reading: Reading,
): void {
  const other = kind === "stream" ? "service" : "stream";
  if (node.value.kind !== "string") {
    reading.error(node, `Expected ${kind} name to be string, got ${typeName(node)}`);
  } else if (draft[other] !== null) {
    const subject = quote(node.value.text);
    reading.error(node, `Detected ${kind} ${subject} but already saw a ${other}`);
  } else if (kind === "stream") {
    draft.stream = node.value.text;
  } else {
    draft.service = node.value.text;
  }
}

function readNames(node: ConfigNode, reading: Reading): readonly string[] {
  if (node.value.kind !== "array") {
    reading.wrongType(node, "[]interface {}");
    return [];
  }
  return node.value.items.flatMap((item) => text.read(item, reading, "accounts") ?? []);
}

function readResponseType(
  node: ConfigNode,
  reading: Reading,
): ServiceExport["responseType"] | undefined {
  if (node.value.kind !== "string") {
    return reading.error(node, `Expected response type to be string, got ${typeName(node)}`);
  }
  const word = node.value.text.toLowerCase();
  const type = Object.hasOwn(RESPONSE_TYPES, word) ? RESPONSE_TYPES[word] : undefined;
  return type ?? reading.error(node, `Unknown response type: ${quote(node.value.text)}`);
}

function readThreshold(node: ConfigNode, reading: Reading): number | undefined {
  if (node.path !== null && node.value.kind === "integer") return Number(node.value.value);
  const expected = "Expected response threshold to be a parseable time duration";
  if (node.value.kind !== "string") {
    return reading.error(node, `${expected}, got ${typeName(node)}`);
  }
  const millis = parseDuration(node.value.text);
  if (typeof millis === "number") return millis;
  return reading.error(node, `${expected}, got ${quote(node.value.text)}`);
}

function readLatency(node: ConfigNode, reading: Reading): LatencyOptions | undefined {
  if (node.value.kind === "string") return { subject: node.value.text, sampling: 100 };
  if (node.value.kind !== "map") {
    const expected = "Expected latency entry to be a map/struct or string";
    return reading.error(node, `${expected}, got ${typeName(node)}`);
  }
  const { entries } = node.value;
  const given = entries.get("sampling");
  const sampling = given === undefined ? 100 : readSampling(given, reading);
  if (sampling === undefined) return undefined;
  const subject = entries.get("subject");
  if (subject === undefined) {
    return reading.error(node, "Latency subject required, but missing");
  }
  if (subject.value.kind !== "string") {
    return reading.error(subject, "Expected latency subject to be a string, got string");
  }
  return { subject: subject.value.text, sampling };
}

function readSampling(node: ConfigNode, reading: Reading): number | "headers" | undefined {
  const { value } = node;
  if (value.kind !== "string" && value.kind !== "integer") {
    const expected = "Expected latency sample to be a string or map/struct";
    return reading.error(node, `${expected}, got ${typeName(node)}`);
  }
  const word = value.kind === "string" ? value.text : String(value.value);
  if (word.trim().toLowerCase() === "headers") return "headers";
  const digits = word.replace(/%$/, "");
  const sampling = parseInteger(digits);
  if (sampling === null) {
    const fault = `strconv.Atoi: parsing ${quote(digits)}: invalid syntax`;
    return reading.error(node, `Failed to parse latency sample: ${fault}`);
  }
  if (sampling >= 1 && sampling <= 100) return sampling;
  return reading.error(node, "bad sampling percentage, should be 1-100");
}

/** What an import says, before it is known to be of a stream or of a service. */
interface ImportDraft {
  kind: "stream" | "service" | null;
  account: string;
  subject: string;
  prefix: string;
  to: { readonly text: string; readonly node: ConfigNode } | null;
  share: boolean;
  allowTrace: { readonly value: boolean; readonly node: ConfigNode } | null;
}

function readImport(item: ConfigNode, reading: Reading): ImportOptions | undefined {
  if (item.value.kind !== "map") {
    const expected = "Import Items should be a map with type entry";
    return reading.error(item, `${expected}, got ${typeName(item)}`);
  }
  const draft: ImportDraft = {
    kind: null,
    account: "",
    subject: "",
    prefix: "",
    to: null,
    share: false,
    allowTrace: null,
  };
  for (const [key, node] of item.value.entries) readImportMember(draft, key, node, reading);
  const { kind, account, subject, prefix, to, share, allowTrace } = draft;
  if (kind === "stream") {
    if (prefix !== "" && to !== null) {
      const fault = "Stream import can not have a 'prefix' and a 'to' property";
      return reading.error(to.node, fault);
    }
    const trace = allowTrace?.value ?? false;
    return { kind, account, subject, prefix, to: to?.text ?? "", allowTrace: trace };
  }
  if (kind === null) return undefined;
  if (allowTrace !== null) {
    return reading.error(allowTrace.node, "Detected allow_trace directive on a non-stream");
  }
  return { kind, account, subject, to: to?.text || subject, share };
}

function readImportMember(
  draft: ImportDraft,
  key: string,
  node: ConfigNode,
  reading: Reading,
): void {
  switch (nameOf(key, node)) {
    case "stream":
    case "service":
      readImportSource(draft, nameOf(key, node) === "stream" ? "stream" : "service", node, reading);
      return;
    case "prefix":
      draft.prefix = text.read(node, reading, key) ?? "";
      return;
    case "to":
      draft.to = { text: text.read(node, reading, key) ?? "", node };
      return;
    case "share":
      draft.share = flag.read(node, reading, key) ?? false;
      return;
    case "allow_trace":
      draft.allowTrace = { value: flag.read(node, reading, key) ?? false, node };
      return;
    default:
      if (!node.usedVariable) reading.error(node, `unknown field ${quote(key)}`);
  }
}

function readImportSource(
  draft: ImportDraft,
  kind: "stream" | "service",
  node: ConfigNode,
  reading: Reading,
): void {
  if (draft.kind !== null && draft.kind !== kind) {
    reading.error(node, `Detected ${kind} but already saw a ${draft.kind}`);
    return;
  }
  if (node.value.kind !== "map") {
    const title = kind === "stream" ? "Stream" : "Service";
    reading.error(node, `${title} entry should be an account map, got ${typeName(node)}`);
    return;
  }
  let account = "";
  let subject = "";
  for (const [key, child] of node.value.entries) {
    const name = key.toLowerCase();
    if (name === "account") account = text.read(child, reading, key) ?? "";
    else if (name === "subject") subject = text.read(child, reading, key) ?? "";
    else if (!child.usedVariable) reading.error(child, `unknown field ${quote(key)}`);
  }
  if (account === "" || subject === "") {
    reading.error(node, "Expect an account name and a subject");
    return;
  }
  Object.assign(draft, { kind, account, subject });
}
