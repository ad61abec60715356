/**
 * From a file, a text or a program's object to checked options.
 *
 * All ways lead through the same tables, and end with the checks that concern several blocks. What can only
 * be judged when a server starts is `validate.ts`.
 */
import { accountFaults } from "./account-check.ts";
import { ConfigError, type ConfigProblem, problemAt } from "./config-error.ts";
import type { ConfigHost } from "./config-host.ts";
import { childOf, crossFaults } from "./cross-check.ts";
import { digestOf } from "./digest.ts";
import type { Options, OptionsOrigin } from "./options.ts";
import { parseFile, parseText } from "./parser.ts";
import { type Draft, Reading, defaultsOf, readInto, snakeCase } from "./rows.ts";
import { ConfigPlaces } from "./places.ts";
import { OPTIONS } from "./schema.ts";
import { type ConfigNode, nodeFromPlain } from "./value.ts";

/** Options with what is known of where they came from. */
export interface LoadedOptions {
  readonly options: Options;
  readonly origin: OptionsOrigin;
  /** A server starts in spite of these; checking a configuration fails on them. */
  readonly warnings: readonly ConfigProblem[];
}

/** A value of an option given by a program: what JSON can hold; absent where undefined or null. */
export type InputValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly InputValue[]
  | { readonly [name: string]: InputValue };

/**
 * Options given by a program. Names are those of `Options`, or of configuration files; forms are those of
 * configuration files (`accounts` maps names to blocks). Numbers stand for milliseconds where a duration is
 * expected.
 */
export type OptionsInput = {
  readonly [K in Exclude<keyof Options, "accounts">]?: InputValue;
} & {
  readonly accounts?: InputValue;
  /** `host:port` or port. */
  readonly listen?: string | number;
  readonly http?: string | number;
  readonly https?: string | number;
};

/** Reads a configuration file. Throws a `ConfigError` that lists everything wrong with it. */
export function loadConfig(host: ConfigHost, file: string): LoadedOptions {
  return fromEntries(host, file, () => parseFile(host, file));
}

/** Reads configuration text; `file` is what errors call it, and what includes are relative to. */
export function loadConfigText(host: ConfigHost, text: string, file = ""): LoadedOptions {
  return fromEntries(host, file, () => parseText(host, text, file));
}

function fromEntries(
  host: ConfigHost,
  file: string,
  parse: () => Map<string, ConfigNode>,
): LoadedOptions {
  let entries: Map<string, ConfigNode>;
  try {
    entries = parse();
  } catch (e) {
    throw new ConfigError([problemAt(null, e instanceof Error ? e.message : String(e))]);
  }
  const reading = new Reading(host);
  if (entries.size === 0) {
    reading.warnings.push(problemAt(null, `${file}: config has no values or is empty`));
  }
  const node: ConfigNode = {
    value: { kind: "map", entries },
    file,
    line: 0,
    column: 0,
    path: null,
    usedVariable: false,
  };
  const draft = defaultsOf(OPTIONS);
  readInto(OPTIONS, draft, node, reading);
  const places = new ConfigPlaces(node);
  return finish(draft, node, reading, { digest: digestOf(host, entries), file, places });
}

/** All defaults. */
export function defaultOptions(): LoadedOptions {
  return optionsFromObject({});
}

/**
 * Checks options given by a program against the same tables as files. Throws a `ConfigError` whose problems
 * name the option's path. `host` is needed only for options that name files or environment variables.
 */
export function optionsFromObject(
  input: OptionsInput | Readonly<Record<string, InputValue>>,
  host: ConfigHost | null = null,
): LoadedOptions {
  const node = plainNode(input);
  const reading = new Reading(host);
  const draft = defaultsOf(OPTIONS);
  readInto(OPTIONS, draft, node, reading);
  return finish(draft, node, reading, { digest: "", file: null, places: new ConfigPlaces(node) });
}

/** Blocks of which overrides replace single members. */
const MERGED_BLOCKS = ["authorization"] as const;

/**
 * Lays overrides, such as a command line's, over loaded options: members of `authorization` one by one, any
 * other option as a whole. `null` sets an option back to its default (`tls: null` switches TLS off).
 */
export function applyOverrides(
  loaded: LoadedOptions,
  overrides: OptionsInput,
  host: ConfigHost | null = null,
): LoadedOptions {
  const node = plainNode(overrides);
  const reading = new Reading(host);
  const defaults = defaultsOf(OPTIONS);
  const draft: Draft<Options> = { ...loaded.options };
  for (const [name, value] of Object.entries(overrides)) {
    const entry = OPTIONS.byName.get(snakeCase(name));
    if (value === null && entry !== undefined && "member" in entry) {
      Object.assign(draft, { [entry.member]: defaults[entry.member] });
    }
  }
  readInto(OPTIONS, draft, node, reading);
  for (const name of MERGED_BLOCKS) mergeBlock(draft, loaded.options, name, reading);
  const { digest, file, places, explicit } = loaded.origin;
  for (const name of explicit) reading.given(name);
  // nats-server does not hold a command line against the blocks of a file either.
  const result = finish(draft, null, reading, { digest, file, places });
  return { ...result, warnings: [...loaded.warnings, ...result.warnings] };
}

function mergeBlock(
  draft: Draft<Options>,
  before: Options,
  name: (typeof MERGED_BLOCKS)[number],
  reading: Reading,
): void {
  const old = before[name];
  const given = draft[name];
  if (old === null || given === null || old === given) return;
  const members = Object.entries(given).filter(([member]) =>
    reading.explicit.has(`${name}.${member}`),
  );
  draft[name] = { ...old, ...Object.fromEntries(members) };
}

function plainNode(input: object): ConfigNode {
  const node = nodeFromPlain(input, "");
  if (node?.value.kind === "map") return node;
  const message = "options must be a plain object of texts, numbers, booleans, lists and maps";
  throw new ConfigError([{ file: "", line: 0, column: 0, path: "", message }]);
}

function finish(
  draft: Draft<Options>,
  node: ConfigNode | null,
  reading: Reading,
  origin: Pick<OptionsOrigin, "digest" | "file" | "places">,
): LoadedOptions {
  if (node !== null) {
    reading.errors.push(...crossFaults(draft, node));
    const place = childOf(node, "accounts");
    if (reading.errors.length === 0) {
      for (const fault of accountFaults(draft)) reading.error(place, fault);
    }
  }
  if (reading.errors.length > 0) throw new ConfigError(reading.errors, reading.warnings);
  const options = deepFreeze(draft);
  return {
    options,
    origin: {
      ...origin,
      explicit: reading.explicit,
      plaintextPasswords: hasPlaintextPassword(options),
    },
    warnings: reading.warnings,
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}

const BCRYPT = /^\$2[abxy]\$\d{2}\$.*/;

/** Whether a configured password is a bcrypt hash. */
export const isBcryptHash = (password: string): boolean => BCRYPT.test(password);

function hasPlaintextPassword(options: Options): boolean {
  const { authorization, accounts, tls } = options;
  const single = authorization?.password ?? "";
  if (single !== "" && !isBcryptHash(single)) return true;
  const users = [...(authorization?.users ?? []), ...(accounts ?? []).flatMap((a) => a.users)];
  return users.some(({ password, allowedConnectionTypes: types }) => {
    // Users that certificates are mapped to need no password.
    const mapped =
      (tls?.verifyAndMap ?? false) && (types.length === 0 || types.includes("STANDARD"));
    return password === "" ? !mapped : !isBcryptHash(password);
  });
}
