/**
 * What a message says when it is shown: its body, perhaps run through a command first.
 */
import { spawnSync } from "node:child_process";
import { CliError } from "./errors.ts";
import { out, outLine } from "./output.ts";
import { splitWords } from "./shell-words.ts";
import { renderText } from "./templates.ts";

/** Prints a body and one line end; says so where it is empty. */
export function printBodyCompact(
  data: Uint8Array,
  translate: string | undefined,
  subject: string,
): Uint8Array | undefined {
  if (data.length === 0 && !translate) {
    outLine("nil body");
    return data;
  }
  let shown: Uint8Array;
  try {
    shown = translateBody(data, translate, subject);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    outLine(`""\nError while translating msg body: ${reason}\n`);
    return undefined;
  }
  out(shown);
  if (shown.at(-1) !== 10) outLine();
  return shown;
}

/** Prints a body with an empty line after it, for reading. */
export function printBody(data: Uint8Array, translate: string | undefined, subject: string): void {
  const shown = printBodyCompact(data, translate, subject);
  if (shown === undefined) return;
  outLine();
  if (shown.at(-1) !== 10) outLine();
}

/** The body after the command of `--translate`, which may name `{{Subject}}`. */
export function translateBody(
  data: Uint8Array,
  translate: string | undefined,
  subject: string,
): Uint8Array {
  if (!translate) return data;
  const line = renderText(translate, { Subject: () => subject, Stream: () => "" });
  const [command, ...args] = splitWords(line);
  if (command === undefined) throw new CliError("the translate command is empty");
  // Synchronous on purpose: what was received first is shown first.
  const done = spawnSync(command, args, { input: data, maxBuffer: 1 << 30 });
  if (done.error !== undefined) {
    const missing = "code" in done.error && done.error.code === "ENOENT";
    throw new CliError(
      missing ? `exec: "${command}": executable file not found in $PATH` : done.error.message,
    );
  }
  if (done.status !== 0) {
    outLine(JSON.stringify(Buffer.concat([done.stdout, done.stderr]).toString("utf8")));
    throw new CliError(
      done.signal === null ? `exit status ${done.status}` : `signal: ${done.signal}`,
    );
  }
  return Buffer.concat([done.stdout, done.stderr]);
}
