/**
 * What a message says when it is shown: its body, perhaps run through a command first.
 */
import { spawnSync } from "node:child_process";
import { CliError, errorText } from "./errors.ts";
import { out, outLine } from "./output.ts";
import { splitWords } from "./shell-words.ts";
import { renderText } from "./templates.ts";

const NEWLINE = 10;

/** A body as it is shown, and why it could not be translated if it could not. */
export interface ShownBody {
  readonly data: Uint8Array;
  readonly failure?: string;
}

/** Prints a body and one line end; says so where it is empty. */
export function printBodyCompact(
  data: Uint8Array,
  translate: string | undefined,
  subject: string,
): ShownBody {
  if (data.length === 0 && !translate) {
    outLine("nil body");
    return { data };
  }
  const shown = translateBody(data, translate, subject);
  if (shown.failure !== undefined) {
    outLine(JSON.stringify(Buffer.from(shown.data).toString("utf8")));
    outLine(`Error while translating msg body: ${shown.failure}\n`);
    return shown;
  }
  out(shown.data);
  if (shown.data.at(-1) !== NEWLINE) outLine();
  return shown;
}

/** Prints a body with an empty line after it, for reading. */
export function printBody(data: Uint8Array, translate: string | undefined, subject: string): void {
  const shown = printBodyCompact(data, translate, subject);
  if (shown.failure !== undefined) return;
  outLine();
  if (shown.data.at(-1) !== NEWLINE) outLine();
}

/** The body after the command of `--translate`, which may name `{{Subject}}`. */
export function translateBody(
  data: Uint8Array,
  translate: string | undefined,
  subject: string,
): ShownBody {
  if (!translate) return { data };
  try {
    return runTranslation(data, translate, subject);
  } catch (error) {
    return { data: new Uint8Array(0), failure: errorText(error) };
  }
}

function runTranslation(data: Uint8Array, translate: string, subject: string): ShownBody {
  const line = renderText(translate, { Subject: () => subject, Stream: () => "" });
  const [command, ...args] = splitWords(line);
  if (command === undefined) throw new CliError("the translate command is empty");
  // Synchronous on purpose: what was received first is shown first.
  const done = spawnSync(command, args, { input: data, maxBuffer: 1 << 30 });
  const code = done.error !== undefined && "code" in done.error ? done.error.code : undefined;
  if (code === "ENOENT")
    throw new CliError(`exec: "${command}": executable file not found in $PATH`);
  // A command need not read its input.
  if (done.error !== undefined && code !== "EPIPE") throw done.error;
  const output = Buffer.concat([done.stdout, done.stderr]);
  if (done.status === 0) return { data: output };
  const failure = done.signal === null ? `exit status ${done.status}` : `signal: ${done.signal}`;
  return { data: output, failure };
}
