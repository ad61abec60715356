/** `frond context …`: named sets of connection settings, shared with the `nats` command. */
import { accessSync, constants, statSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { connect, target } from "./connect.ts";
import { editContext } from "./context-edit.ts";
import type { ContextSettings } from "./context-store.ts";
import { ContextStore, applyGlobals, emptySettings } from "./context-store.ts";
import { embedCredentials } from "./credentials.ts";
import { CliError, errorText } from "./errors.ts";
import { overridingVariables, readGlobals } from "./globals.ts";
import { colour, log, outLine, renderColumns, renderTable, toJson } from "./output.ts";

interface SaveOptions {
  description?: string;
  select?: boolean;
  embed?: boolean;
}

export function addContext(program: Command): void {
  const context = program
    .command("context")
    .alias("ctx")
    .description("Manage nats configuration contexts");
  addSaving(context);
  addEditing(context);
  addListing(context);
  addSelecting(context);
  addShowing(context);
}

function addSaving(context: Command): void {
  const withFlags = (command: Command): Command =>
    command
      .option("--description <text>", "Set a friendly description for this context")
      .option("--select", "Select the saved context as the default one")
      .option("--embed", "Embeds credential content in the body of the context");
  const add = withFlags(
    context
      .command("add")
      .aliases(["create", "save"])
      .description("Update or create a context")
      .argument("<name>", "The context name to act on"),
  );
  add.action(async (name: string) => {
    const store = new ContextStore();
    const { contextName } = readGlobals(add);
    await save(add, name, store.has(name) ? name : contextName);
  });
  const copy = withFlags(
    context
      .command("copy")
      .alias("cp")
      .description("Copies an existing context")
      .argument("<source>", "The name of the context to copy from")
      .argument("<name>", "The name of the context to create"),
  );
  copy.action(async (source: string, name: string) => {
    const store = new ContextStore();
    if (!store.has(source)) throw new CliError(`unknown context "${source}"`);
    if (store.has(name)) throw new CliError(`context "${name}" already exist`);
    await save(copy, name, source);
  });
}

async function save(command: Command, name: string, from: string | undefined): Promise<void> {
  const store = new ContextStore();
  const options = command.opts<SaveOptions>();
  const base = from === undefined ? emptySettings() : store.load(from);
  const settings = applyGlobals(base, readGlobals(command));
  if (options.description) settings.description = options.description;
  if (options.embed) embedCredentials(settings);
  store.save(name, settings);
  if (options.select) store.select(name);
  await show(command, name);
}

function addEditing(context: Command): void {
  const edit = context
    .command("edit")
    .alias("vi")
    .description("Edit a context in your EDITOR")
    .argument("<name>", "The context name to edit");
  edit.action(async (name: string) => {
    editContext(new ContextStore(), name);
    await show(edit, name);
  });
}

function addListing(context: Command): void {
  context
    .command("ls")
    .aliases(["list", "l"])
    .description("List known contexts")
    .option("-j, --json", "Show the list in JSON format")
    .option("--names", "List just the names of known contexts")
    .action((options: { json?: boolean; names?: boolean }) => {
      const store = new ContextStore();
      const known = store.names().flatMap((name) => {
        try {
          return [{ name, ...store.load(name) }];
        } catch (error) {
          log(`Could not load context ${name}: ${errorText(error)}`);
          return [];
        }
      });
      if (options.json) outLine(toJson(known));
      else if (options.names) for (const { name } of known) outLine(name);
      else if (known.length === 0) outLine("No known contexts");
      else {
        const selected = store.selected();
        const rows = known.map((c) => [c.name === selected ? `${c.name}*` : c.name, c.description]);
        outLine(
          `${renderTable({ title: "Known Contexts", headings: ["Name", "Description"], rows })}\n`,
        );
      }
    });
  context
    .command("rm")
    .alias("remove")
    .description("Remove a context")
    .argument("<name>", "The context name to remove")
    .option("-f, --force", "Force remove without prompting")
    .action(async (name: string, options: { force?: boolean }) => {
      const store = new ContextStore();
      if (store.selected() === name) {
        if (!options.force) {
          throw new CliError(
            "cannot remove the selected context, select another one or use the unselect command",
          );
        }
        store.select(undefined);
      }
      if (options.force || (await confirmed(`Really delete context "${name}"`))) store.remove(name);
    });
}

function addSelecting(context: Command): void {
  const select = context
    .command("select")
    .aliases(["switch", "set"])
    .description("Select the default context")
    .argument("<name>", "The context name to select");
  select.action(async (name: string) => {
    new ContextStore().select(name);
    await show(select, name);
  });
  context
    .command("unselect")
    .description("Ensures that no context is the default context")
    .action(() => {
      const store = new ContextStore();
      const selected = store.selected();
      if (selected === undefined) {
        outLine("No context currently selected");
        return;
      }
      store.select(undefined);
      outLine(`Unselected the "${selected}" context`);
    });
  const previous = context
    .command("previous")
    .alias("-")
    .description("Switch to the previous context");
  previous.action(async () => {
    const store = new ContextStore();
    const name = store.previous();
    if (name !== undefined) store.select(name);
    await show(previous, name);
  });
}

function addShowing(context: Command): void {
  const info = context
    .command("info")
    .aliases(["show", "v", "view"])
    .description("Display information on the current or named context")
    .argument("[name]", "The context name to show")
    .option("-j, --json", "Show the context in JSON format")
    .option("--connect", "Attempts to connect to NATS using the context while validating");
  info.action(async (name: string | undefined) => {
    await show(info, name, info.opts());
  });
  const validate = context
    .command("validate")
    .description("Validate one or all contexts")
    .argument("[name]", "Validate a specific context, validates all when not supplied")
    .option("--connect", "Attempts to connect to NATS using the context while validating");
  validate.action(async (name: string | undefined) => {
    let faults = 0;
    for (const each of name === undefined ? new ContextStore().names() : [name]) {
      try {
        faults += await show(validate, each, validate.opts());
      } catch (error) {
        faults += 1;
        outLine(`Could not load ${each}: ${colour("red", errorText(error))}\n`);
      }
      outLine();
    }
    if (faults > 0) throw new CliError("validation failed");
  });
}

/** Prints a context; the number of faults found in it. */
async function show(
  command: Command,
  given: string | undefined,
  options: { json?: boolean; connect?: boolean } = {},
): Promise<number> {
  const store = new ContextStore();
  const name = given ?? store.selected();
  if (name === undefined) throw new CliError("no default context and no name supplied");
  const settings = store.load(name);
  if (options.json) {
    outLine(toJson({ name, ...settings }));
    return 0;
  }
  const rows = describe(settings);
  rows.push(["Path", store.path(name)]);
  if (settings.color_scheme !== "") rows.push(["Color Scheme", settings.color_scheme]);
  let faults = rows.filter(([, value]) => value.includes("(ERROR)")).length;
  if (options.connect) {
    const problem = await connectionProblem(command, settings);
    if (problem !== undefined) faults += 1;
    rows.push([
      "Connection",
      problem === undefined ? colour("green", "OK") : colour("red", problem),
    ]);
  }
  outLine(`NATS Configuration Context "${name}"\n\n${renderColumns(rows)}`);
  const overrides = overridingVariables();
  if (overrides.length > 0) {
    outLine(
      `${colour("red", "WARNING")}: Shell environment overrides in place using ${overrides.join(", ")}`,
    );
  }
  return faults;
}

/** The rows of what is set; a password is as many stars, a token is told as in the file. */
function describe(s: ContextSettings): [string, string][] {
  const rows: [string, string][] = [
    ["Description", s.description],
    ["Server URLs", s.url],
    ["SOCKS5 Proxy", s.socks_proxy],
    ["Username", s.user],
    ["Password", "*".repeat(s.password.length)],
    ["Token", s.token],
    ["Credentials", fileState(s.creds)],
    ["User JWT", fileState(s.user_jwt)],
    ["User Seed", fileState(s.user_seed)],
    ["NKey", fileState(s.nkey)],
    ["Certificate", fileState(s.cert)],
    ["Key", fileState(s.key)],
    ["CA", fileState(s.ca)],
    ["TLS First", s.tls_first ? "true" : ""],
    ["JS API Prefix", s.jetstream_api_prefix],
    ["JS Event Prefix", s.jetstream_event_prefix],
    ["JS Domain", s.jetstream_domain],
    ["Inbox Prefix", s.inbox_prefix],
  ];
  return rows.filter(([, value]) => value !== "");
}

/** A reference to a secret and whether it can be had. */
function fileState(reference: string): string {
  if (reference === "") return "";
  if (reference.startsWith("data:;base64,")) return "embedded data";
  if (reference.startsWith("op://")) return `${reference} (1Password)`;
  if (reference.startsWith("nsc://")) return `${reference} (nsc)`;
  if (reference.startsWith("env://")) return `${reference} (runtime environment)`;
  const path = reference.replace(/^file:\/\//, "");
  try {
    accessSync(path, constants.R_OK);
    if (statSync(path).isDirectory()) return `${reference} (ERROR)`;
    return `${reference} (OK)`;
  } catch {
    return `${reference} (ERROR)`;
  }
}

async function connectionProblem(
  command: Command,
  settings: ContextSettings,
): Promise<string | undefined> {
  try {
    const { globals } = target(command);
    const link = await connect({ globals, settings });
    await link.close();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new CliError(
      "could not obtain confirmation: cannot ask for confirmation without a terminal",
    );
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(`${question} (y/N) `);
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}
