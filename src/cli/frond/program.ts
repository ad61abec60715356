/** The command line as a whole: flags for all, the verbs, and how it ends. */
import { Command } from "commander";
import { drainOutput } from "./output.ts";
import { CliError, errorText } from "./errors.ts";
import { addGlobalFlags } from "./globals.ts";
import { VERBS } from "./verbs.ts";
import { VERSION } from "./version.ts";

/** Builds the program; a fresh one for each run, as commander keeps what it parsed. */
export function createProgram(): Command {
  const program = new Command("frond")
    .description(
      "NATS Utility\n\nPublishes, subscribes, asks, answers and measures, with any NATS server.",
    )
    .version(VERSION, "--version", "Show application version.")
    .helpOption("-h, --help", "Show context-sensitive help")
    .helpCommand("help [command]", "Show help of a command")
    .showHelpAfterError("(use --help for full help including flags and arguments)");
  addGlobalFlags(program);
  for (const add of VERBS) add(program);
  // A word that is no verb reaches the action below, which says so. Verbs do not inherit this: they take
  // no more words than they know, as `pub subject two words` means something else than was meant.
  program.allowExcessArguments();
  program.action(() => {
    if (program.args.length === 0) program.outputHelp();
    else program.error(`error: expected command but got "${program.args[0] ?? ""}"`);
  });
  return program;
}

/** Runs the command in `args` (without node and script); the exit code. */
export async function runFrond(args: readonly string[]): Promise<number> {
  let code = 0;
  try {
    await createProgram().parseAsync([...args], { from: "user" });
    code = Number(process.exitCode ?? 0);
  } catch (error) {
    code = error instanceof CliError ? error.exitCode : 1;
    process.stderr.write(`frond: error: ${errorText(error)}\n`);
  }
  await drainOutput();
  return code;
}
