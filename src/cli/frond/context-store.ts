/**
 * Contexts on disk, in the places and the form the `nats` command uses, so both read each other's:
 * `$XDG_CONFIG_HOME/nats/context/NAME.json` (or `~/.config`), the name of the selected one in
 * `nats/context.txt` and of the one before in `nats/previous-context.txt`.
 *
 * A key this version does not know is kept when a context is written again.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Globals } from "./globals.ts";
import { CliError } from "./errors.ts";
import { toJson } from "./output.ts";

/** The keys of a context file, in the order they are written. */
export interface ContextSettings {
  description: string;
  url: string;
  socks_proxy: string;
  token: string;
  user: string;
  password: string;
  creds: string;
  nkey: string;
  cert: string;
  key: string;
  ca: string;
  nsc: string;
  jetstream_domain: string;
  jetstream_api_prefix: string;
  jetstream_event_prefix: string;
  inbox_prefix: string;
  user_jwt: string;
  user_seed: string;
  color_scheme: string;
  tls_first: boolean;
  windows_cert_store: string;
  windows_cert_match_by: string;
  windows_cert_match: string;
  windows_ca_certs_match: string[] | null;
}

export const DEFAULT_URL = "nats://127.0.0.1:4222";

/** A context without anything set, not even a URL. */
export function emptySettings(): ContextSettings {
  return {
    description: "",
    url: "",
    socks_proxy: "",
    token: "",
    user: "",
    password: "",
    creds: "",
    nkey: "",
    cert: "",
    key: "",
    ca: "",
    nsc: "",
    jetstream_domain: "",
    jetstream_api_prefix: "",
    jetstream_event_prefix: "",
    inbox_prefix: "",
    user_jwt: "",
    user_seed: "",
    color_scheme: "",
    tls_first: false,
    windows_cert_store: "",
    windows_cert_match_by: "",
    windows_cert_match: "",
    windows_ca_certs_match: null,
  };
}

export class ContextStore {
  readonly #root: string;

  constructor(env: NodeJS.ProcessEnv = process.env) {
    this.#root = join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "nats");
  }

  /** Where the context of this name is kept. */
  path(name: string): string {
    return join(this.#root, "context", `${name}.json`);
  }

  names(): string[] {
    try {
      return readdirSync(join(this.#root, "context"))
        .filter((file) => file.endsWith(".json"))
        .map((file) => file.slice(0, -".json".length))
        .filter((name) => name !== "" && !name.includes(".."))
        .sort();
    } catch {
      return [];
    }
  }

  has(name: string): boolean {
    return this.names().includes(name);
  }

  load(name: string): ContextSettings {
    checkName(name);
    return readContextFile(this.path(name), name);
  }

  save(name: string, settings: ContextSettings): void {
    checkName(name);
    if (
      [settings.user, settings.creds, settings.nkey, settings.nsc, settings.user_jwt].filter(
        Boolean,
      ).length > 1
    ) {
      throw new CliError(
        "too many types of credentials. Choose only one from 'user/token', 'creds', 'nkey', 'nsc'",
      );
    }
    mkdirSync(join(this.#root, "context"), { recursive: true, mode: 0o700 });
    writeWhole(this.path(name), toJson(settings));
  }

  remove(name: string): void {
    checkName(name);
    rmSync(this.path(name), { force: true });
  }

  selected(): string | undefined {
    return readName(join(this.#root, "context.txt"));
  }

  previous(): string | undefined {
    return readName(join(this.#root, "previous-context.txt"));
  }

  /** Makes this context the default and remembers the one before; undefined selects none. */
  select(name: string | undefined): void {
    if (name !== undefined) this.load(name);
    mkdirSync(join(this.#root, "context"), { recursive: true, mode: 0o700 });
    const before = this.selected();
    if (before !== undefined) writeWhole(join(this.#root, "previous-context.txt"), before);
    if (name === undefined) rmSync(join(this.#root, "context.txt"), { force: true });
    else writeWhole(join(this.#root, "context.txt"), name);
  }
}

/** Reads a context from any file; missing keys are empty. */
export function readContextFile(path: string, name: string): ContextSettings {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new CliError(`context not found: "${name}"`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CliError(
      `context "${name}" is not JSON: ${error instanceof Error ? error.message : ""}`,
    );
  }
  if (typeof parsed !== "object" || parsed === null) {
    throw new CliError(`context "${name}" is not a JSON object`);
  }
  const settings = Object.assign(emptySettings(), parsed);
  for (const key of ["creds", "nkey", "cert", "key", "ca"] as const) {
    settings[key] = expandPath(settings[key]);
  }
  return settings;
}

/** What flags and environment say, laid over a context. */
export function applyGlobals(settings: ContextSettings, globals: Globals): ContextSettings {
  const result = { ...settings };
  const over = (key: keyof ContextSettings, value: string | undefined): void => {
    if (value !== undefined && value !== "") Object.assign(result, { [key]: value });
  };
  over("url", globals.server);
  over("creds", globals.creds);
  over("nkey", globals.nkey);
  over("user_jwt", globals.jwt);
  over("user_seed", globals.seed);
  over("cert", globals.tlscert);
  over("key", globals.tlskey);
  over("ca", globals.tlsca);
  over("jetstream_api_prefix", globals.jsApiPrefix);
  over("jetstream_event_prefix", globals.jsEventPrefix);
  over("jetstream_domain", globals.jsDomain);
  over("inbox_prefix", globals.inboxPrefix);
  over("color_scheme", globals.colors);
  over("token", globals.token);
  if (globals.user !== undefined && globals.password === undefined) {
    // As nats: a user name alone is a token.
    over("token", globals.user);
  } else {
    over("user", globals.user);
    over("password", globals.password);
  }
  if (globals.socksProxy !== undefined) {
    result.socks_proxy = /^(?:none|NONE|-)$/.test(globals.socksProxy) ? "" : globals.socksProxy;
  }
  if (globals.tlsFirst) result.tls_first = true;
  if (result.url === "" && result.nsc === "") result.url = DEFAULT_URL;
  return result;
}

/** `$VAR` and a leading `~` replaced, as context files may carry them. */
export function expandPath(path: string): string {
  const expanded = path.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    return process.env[braced ?? bare ?? ""] ?? "";
  });
  return expanded.startsWith("~") ? homedir() + expanded.slice(1) : expanded;
}

function checkName(name: string): void {
  if (name === "") throw new CliError("invalid context name: name is empty");
  if (name.includes("..")) {
    throw new CliError(`invalid context name: "${name}" must not contain ".."`);
  }
  if (/[/\\]/.test(name)) {
    throw new CliError(`invalid context name: "${name}" must not contain "/" or "\\"`);
  }
}

function readName(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Readers see the old file or the new one, never half of it. */
function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
