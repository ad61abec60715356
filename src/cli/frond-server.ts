#!/usr/bin/env node
/**
 * `frond-server`: the server as a process, started with nats-server's command line. This file decides what is
 * asked for; only what that needs is loaded.
 */
import { complain } from "./server/complain.ts";
import { type CommandLine, FlagError, parseFlags } from "./server/parse-flags.ts";
import { UsageError, overridesOf, redactedArgs } from "./server/overrides.ts";

const args = process.argv.slice(2);
// What process lists show: the name that signals go by, and no passwords.
process.title = ["frond-server", ...redactedArgs(args)].join(" ");

const code = await main();
if (code !== null) process.exit(code);

async function main(): Promise<number | null> {
  let line: CommandLine;
  try {
    line = parseFlags(args);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return printUsage();
  }
  try {
    return await obey(line);
  } catch (error) {
    if (error instanceof UsageError) return complain(error.message);
    throw error;
  }
}

/** Does what the command line asks for; resolves with the exit code, or null if the process goes on. */
async function obey(line: CommandLine): Promise<number | null> {
  const { flags, words } = line;
  const word = words[0]?.toLowerCase();
  if (flags.get("v") === true) return printVersion();
  if (flags.get("h") === true) return printUsage();
  if (flags.get("help_tls") === true) return printTlsHelp();
  if (word === "version") return printVersion();
  if (word === "help") return printUsage();
  if (word !== undefined) throw new UsageError(`unrecognized command: "${words[0]}"`);
  const signal = String(flags.get("sl") ?? "");
  if (signal !== "") {
    const { sendSignal } = await import("./server/signal-command.ts");
    sendSignal(signal);
    return 0;
  }
  const file = String(flags.get("c") ?? "") || null;
  const { checkConfiguration, runServer } = await import("./server/run.ts");
  if (flags.get("t") === true) {
    if (file !== null) return checkConfiguration(file);
    throw new UsageError("must specify [-c, --config] option to check configuration file syntax");
  }
  return runServer(file, overridesOf(line));
}

async function printVersion(): Promise<number> {
  const { versionText } = await import("./server/usage.ts");
  return print(versionText());
}

/** nats-server ends with 0 even where it was asked for something it does not know. */
async function printUsage(): Promise<number> {
  const { usageText } = await import("./server/usage.ts");
  return print(usageText());
}

async function printTlsHelp(): Promise<number> {
  const { tlsHelpText } = await import("./server/usage.ts");
  const { CIPHER_SUITES, CURVES } = await import("../config/schema-tls.ts");
  return print(tlsHelpText(CIPHER_SUITES, CURVES));
}

/** Resolves when a reader at the other end of a pipe has all of it. */
function print(text: string): Promise<number> {
  return new Promise((resolve) => {
    process.stdout.once("error", () => resolve(0));
    process.stdout.write(text, () => resolve(0));
  });
}
