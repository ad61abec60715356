/** `frond context edit`: a context in the user's own editor, kept only if it still is one. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContextStore, readContextFile } from "./context-store.ts";
import { CliError } from "./errors.ts";
import { toJson } from "./output.ts";
import { splitWords } from "./shell-words.ts";

export function editContext(store: ContextStore, name: string): void {
  const [editor, ...args] = splitWords(process.env["EDITOR"] ?? "");
  if (editor === undefined) {
    throw new CliError("set EDITOR environment variable to your chosen editor");
  }
  if (!store.has(name)) throw new CliError(`unknown context "${name}"`);
  const folder = mkdtempSync(join(tmpdir(), "frond-context-"));
  try {
    const copy = join(folder, `${name}.json`);
    writeFileSync(copy, toJson(store.load(name)), { mode: 0o600 });
    const { error, status, signal } = spawnSync(editor, [...args, copy], { stdio: "inherit" });
    if (error !== undefined || status !== 0) {
      const reason = error?.message ?? (signal === null ? `exit status ${status ?? 0}` : signal);
      throw new CliError(`could not edit file ${copy}: ${reason}`);
    }
    store.save(name, readContextFile(copy, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
