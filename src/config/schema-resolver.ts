/**
 * The options of operator mode: operators, trusted keys, and the account resolver in its forms (`MEMORY`,
 * `URL(...)`, a directory).
 */
import { parseDuration } from "./duration.ts";
import { text } from "./kinds.ts";
import { isPublicNkey } from "./nkey-format.ts";
import type { ResolverOptions } from "./options.ts";
import { type Kind, type Reading, snakeCase } from "./rows.ts";
import { type ConfigNode, quote, typeName } from "./value.ts";

const DEFAULT_TIMEOUT_MILLIS = 1900;
const DEFAULT_INTERVAL_MILLIS = 60_000;
const DEFAULT_CACHE_LIMIT = 1000;

/** A JWT, alone on its line in files that decorate it. */
const JWT_LINE = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/m;

/** Operator JWTs, given as such or as the names of files that hold one. */
export const operators: Kind<readonly string[]> = {
  label: "JWT or file, or list of them",
  read(node, reading) {
    const jwts: string[] = [];
    for (const item of textsOf(node, reading, "operators")) {
      const jwt = operatorJwt(item, node, reading);
      if (jwt !== undefined) jwts.push(jwt);
    }
    return jwts;
  },
};

function operatorJwt(given: string, node: ConfigNode, reading: Reading): string | undefined {
  const prefix = "error parsing operator JWT";
  let content = given;
  if (!given.startsWith("eyJ")) {
    try {
      content = reading.host?.readFile(given) ?? given;
    } catch (e) {
      return reading.error(node, `${prefix}: ${e instanceof Error ? e.message : String(e)}`);
    }
  }
  const jwt = JWT_LINE.exec(content)?.[0];
  if (jwt === undefined) return reading.error(node, `${prefix}: expected 3 chunks`);
  const fault = reading.host?.checkOperatorJwt?.(jwt) ?? null;
  return fault === null ? jwt : reading.error(node, `${prefix}: ${fault}`);
}

function textsOf(node: ConfigNode, reading: Reading, name: string): readonly string[] {
  const { value } = node;
  if (value.kind === "string") return [value.text];
  if (value.kind !== "array") {
    reading.error(node, `error parsing ${name}: unsupported type ${typeName(node)}`);
    return [];
  }
  const texts: string[] = [];
  for (const item of value.items) {
    if (item.value.kind === "string") {
      texts.push(item.value.text);
    } else {
      const problem = "unsupported type *conf.token where string is expected";
      reading.error(node, `error parsing ${name}: ${problem}`);
    }
  }
  return texts;
}

export const trustedKeys: Kind<readonly string[]> = {
  label: "list of public operator nkeys",
  read(node, reading) {
    const keys = keyList("trusted").read(node, reading, "trusted") ?? [];
    const place = node.value.kind === "array" ? (node.value.items.at(-1) ?? node) : node;
    for (const key of keys) {
      if (!isPublicNkey(key, "O")) {
        const expected = "required to be a valid public operator nkey";
        reading.error(place, `trust key ${quote(key)} ${expected}`);
      }
    }
    return keys;
  },
};

/** A text or list of texts; `name` is the one in messages. */
export const keyList = (name: string): Kind<readonly string[]> => ({
  label: "list of keys",
  read(node, reading) {
    const { value } = node;
    if (value.kind === "string") return [value.text];
    if (value.kind !== "array") {
      return reading.error(node, `error parsing ${name}: unsupported type ${typeName(node)}`);
    }
    const keys: string[] = [];
    for (const item of value.items) {
      if (item.value.kind === "string") keys.push(item.value.text);
      else {
        const got = typeName(item);
        reading.error(item, `error parsing ${name}: unsupported type in array ${got}`);
      }
    }
    return keys;
  },
});

/** Account keys to their JWTs. */
export const preload: Kind<Readonly<Record<string, string>>> = {
  label: "map of account key to JWT",
  read(node, reading) {
    if (node.value.kind !== "map") {
      const expected = "preload should be a map of account_public_key:account_jwt";
      return reading.error(node, expected);
    }
    const jwts: [string, string][] = [];
    for (const [key, child] of node.value.entries) {
      if (child.value.kind !== "string") {
        reading.error(child, "preload map value should be a string JWT");
        continue;
      }
      const jwt = child.value.text;
      const decodes = reading.host?.checkAccountJwt?.(jwt) ?? JWT_LINE.test(jwt);
      if (decodes) jwts.push([key, jwt]);
      else reading.error(child, "invalid account JWT");
    }
    return Object.fromEntries(jwts);
  },
};

const UNKNOWN_RESOLVER =
  'error parsing account resolver, should be MEM or  URL("url") or a map containing dir and type ' +
  "state=[FULL|CACHE])";

export const resolver: Kind<ResolverOptions> = {
  label: "`MEMORY`, `URL(…)` or `{type, dir, …}`",
  read(node, reading) {
    const { value } = node;
    if (value.kind === "map") return directory(node, value.entries, reading);
    if (value.kind !== "string") {
      const got = typeName(node);
      return reading.error(node, `error parsing operator resolver, wrong type ${got}`);
    }
    if (/MEM/i.test(value.text)) return { type: "memory" };
    const match = /URL(?:\(\s*"?([^\s"]*)"?\s*\))?\s*/i.exec(value.text);
    if (match === null) return reading.error(node, UNKNOWN_RESOLVER);
    return { type: "url", url: match[1] ?? "" };
  },
};

interface Settings {
  dir: string;
  type: string;
  allow_delete: boolean;
  hard_delete: boolean | null;
  interval: number | null;
  limit: number;
  ttl: number;
  timeout: number;
}

/** Unknown keys are no error here. */
function directory(
  node: ConfigNode,
  entries: ReadonlyMap<string, ConfigNode>,
  reading: Reading,
): ResolverOptions | undefined {
  const settings: Settings = {
    dir: "",
    type: "",
    allow_delete: false,
    hard_delete: null,
    interval: null,
    limit: 0,
    ttl: 0,
    timeout: DEFAULT_TIMEOUT_MILLIS,
  };
  const before = reading.errors.length;
  for (const [key, child] of entries) readSetting(settings, key, { child, node, reading });
  const type = settings.type.toUpperCase();
  if (type === "MEM" || type === "MEMORY") return { type: "memory" };
  if (type !== "FULL" && type !== "CACHE") return reading.error(node, UNKNOWN_RESOLVER);
  for (const fault of settingFaults(settings, type)) reading.error(node, fault);
  const unusable =
    settings.dir === "" ? null : (reading.host?.makeDirectory?.(settings.dir) ?? null);
  if (unusable !== null) {
    const isFile = unusable === `mkdir ${settings.dir}: not a directory`;
    if (isFile) reading.error(node, "dir needs to point to an accessible directory");
    reading.error(node, unusable);
  }
  if (reading.errors.length > before) return undefined;
  return {
    type: type === "FULL" ? "full" : "cache",
    dir: settings.dir,
    allowDelete: settings.allow_delete,
    hardDelete: settings.hard_delete ?? false,
    interval: settings.interval || DEFAULT_INTERVAL_MILLIS,
    limit: settings.limit || (type === "FULL" ? -1 : DEFAULT_CACHE_LIMIT),
    ttl: settings.ttl,
    timeout: settings.timeout,
  };
}

interface SettingPlace {
  readonly child: ConfigNode;
  readonly node: ConfigNode;
  readonly reading: Reading;
}

function readSetting(
  settings: Settings,
  key: string,
  { child, node, reading }: SettingPlace,
): void {
  const name = child.path === null ? key : snakeCase(key);
  const { value } = child;
  switch (name) {
    case "dir":
    case "type":
      settings[name] = text.read(child, reading, key) ?? "";
      return;
    case "allow_delete":
    case "hard_delete":
      if (value.kind === "boolean") settings[name] = value.value;
      else reading.wrongType(child, "bool");
      return;
    case "limit":
      if (value.kind === "integer") settings.limit = Number(value.value);
      else reading.wrongType(child, "int64");
      return;
    case "ttl":
    case "interval":
    case "timeout": {
      if (child.path !== null && value.kind === "integer") {
        settings[name] = Number(value.value);
        return;
      }
      const words = text.read(child, reading, key);
      const millis = words === undefined ? 0 : parseDuration(words);
      if (typeof millis === "number") settings[name] = millis;
      else reading.error(node, millis.fault);
    }
  }
}

function settingFaults(settings: Settings, type: "FULL" | "CACHE"): readonly string[] {
  const faults: string[] = [];
  if (settings.dir === "") faults.push("dir has no value and needs to point to a directory");
  if (type === "CACHE") {
    if (settings.interval) faults.push("CACHE does not accept sync");
    if (settings.allow_delete) faults.push("CACHE does not accept allow_delete");
    if (settings.hard_delete !== null) faults.push("CACHE does not accept hard_delete");
    return faults;
  }
  if (settings.ttl !== 0) faults.push("FULL does not accept ttl");
  if (settings.hard_delete !== null && !settings.allow_delete) {
    faults.push("hard_delete has no effect without delete");
  }
  return faults;
}
