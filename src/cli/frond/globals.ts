/**
 * The flags every command takes and the environment variables that stand in for them.
 *
 * A flag wins over its variable, both win over the context; an empty variable counts as unset.
 */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { Option } from "commander";
import { parseDuration } from "./durations.ts";
import { CliError } from "./errors.ts";

/** What the flags and the environment say, before a context fills the gaps. */
export interface Globals {
  server?: string;
  user?: string;
  password?: string;
  token?: string;
  creds?: string;
  nkey?: string;
  jwt?: string;
  seed?: string;
  tlscert?: string;
  tlskey?: string;
  tlsca?: string;
  socksProxy?: string;
  jsApiPrefix?: string;
  jsEventPrefix?: string;
  jsDomain?: string;
  inboxPrefix?: string;
  colors?: string;
  connectionName?: string;
  contextName?: string;
  noContext: boolean;
  tlsFirst: boolean;
  trace: boolean;
  timeoutMs: number;
}

type TextOption = Exclude<keyof Globals, "noContext" | "tlsFirst" | "trace" | "timeoutMs">;

interface Row {
  readonly to: TextOption;
  readonly flag: string;
  readonly env?: string;
  readonly file?: true;
  readonly doc: string;
}

const ROWS: readonly Row[] = [
  { to: "server", flag: "-s, --server <url>", env: "NATS_URL", doc: "NATS server urls" },
  { to: "user", flag: "--user <user>", env: "NATS_USER", doc: "Username or Token" },
  { to: "password", flag: "--password <password>", env: "NATS_PASSWORD", doc: "Password" },
  { to: "token", flag: "--token <token>", env: "NATS_TOKEN", doc: "Token" },
  { to: "connectionName", flag: "--connection-name <name>", doc: "Name of the connection" },
  { to: "creds", flag: "--creds <location>", env: "NATS_CREDS", doc: "User credentials" },
  { to: "nkey", flag: "--nkey <location>", env: "NATS_NKEY", doc: "User NKEY" },
  { to: "jwt", flag: "--jwt <location>", env: "NATS_JWT", doc: "User JWT" },
  { to: "seed", flag: "--seed <location>", env: "NATS_SEED", doc: "User seed" },
  { to: "tlscert", flag: "--tlscert <file>", env: "NATS_CERT", file: true, doc: "TLS certificate" },
  { to: "tlskey", flag: "--tlskey <file>", env: "NATS_KEY", file: true, doc: "TLS private key" },
  {
    to: "tlsca",
    flag: "--tlsca <file>",
    env: "NATS_CA",
    file: true,
    doc: "TLS certificate authority chain",
  },
  {
    to: "socksProxy",
    flag: "--socks-proxy <proxy>",
    env: "NATS_SOCKS_PROXY",
    doc: "SOCKS5 proxy (kept in contexts only)",
  },
  {
    to: "jsApiPrefix",
    flag: "--js-api-prefix <prefix>",
    doc: "JetStream API prefix (kept in contexts only)",
  },
  {
    to: "jsEventPrefix",
    flag: "--js-event-prefix <prefix>",
    doc: "JetStream event prefix (kept in contexts only)",
  },
  { to: "jsDomain", flag: "--js-domain <domain>", doc: "JetStream domain (kept in contexts only)" },
  { to: "inboxPrefix", flag: "--inbox-prefix <prefix>", doc: "Prefix of inboxes" },
  {
    to: "colors",
    flag: "--colors <scheme>",
    env: "NATS_COLOR",
    doc: "Color scheme (kept in contexts only)",
  },
  {
    to: "contextName",
    flag: "--context <name>",
    env: "NATS_CONTEXT",
    doc: "Configuration context",
  },
];

/** Declares the flags on the program; they are understood before and after the verb. */
export function addGlobalFlags(program: Command): void {
  for (const row of ROWS) {
    program.option(row.flag, row.env === undefined ? row.doc : `${row.doc} ($${row.env})`);
  }
  program
    .option("--tlsfirst", "Perform TLS handshake before expecting the server greeting")
    .option("--no-tlsfirst")
    .addOption(new Option("--tls-first").hideHelp())
    .option("--timeout <duration>", "Time to wait on responses from NATS ($NATS_TIMEOUT)")
    .option("--trace", "Tell more about the connection")
    .option("--no-context", "Disable the selected context");
}

/** What was asked for, from the parsed program and the environment. */
export function readGlobals(command: Command, env: NodeJS.ProcessEnv = process.env): Globals {
  const given = command.optsWithGlobals<Record<string, unknown>>();
  const globals: Globals = {
    noContext: given["context"] === false,
    tlsFirst: given["tlsfirst"] === true || given["tlsFirst"] === true,
    trace: given["trace"] === true,
    timeoutMs: parseDuration(text(given["timeout"]) ?? (env["NATS_TIMEOUT"] || "5s")),
  };
  for (const row of ROWS) {
    const value = text(given[attribute(row)]) ?? variable(env, row.env);
    if (value === undefined || value === "") continue;
    if (row.file === true && !existsSync(value))
      throw new CliError(`path '${value}' does not exist`);
    globals[row.to] = value;
  }
  return globals;
}

/** The variables that are set and would override what a context says. */
export function overridingVariables(env: NodeJS.ProcessEnv = process.env): string[] {
  const names = ROWS.flatMap((row) =>
    row.env === undefined || row.to === "contextName" ? [] : [row.env],
  );
  return [...names, "NATS_TIMEOUT"].filter((name) => Boolean(env[name]));
}

/** Commander's name for the row's value: the long flag in camel case. */
function attribute(row: Row): string {
  const long = /--([a-z-]+)/.exec(row.flag)?.[1] ?? "";
  return long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function variable(env: NodeJS.ProcessEnv, name: string | undefined): string | undefined {
  return name === undefined ? undefined : env[name];
}
