/**
 * Where the bodies of `pub` and `request` come from: the command line, the whole of standard input,
 * or its lines one by one; and what templates make of body and subject.
 */
import type { Command } from "commander";
import { Option } from "commander";
import { log } from "./output.ts";
import type { TemplateFunctions } from "./templates.ts";
import { renderBytes, renderText } from "./templates.ts";
import { errorText } from "./errors.ts";

/** The flags both commands share. */
export interface BodyOptions {
  header?: string[];
  count: number;
  forceStdin?: boolean;
  sendOn: "eof" | "newline";
  templates: boolean;
}

/** Declares the flags of BodyOptions but the header and the count. */
export function addBodyFlags(command: Command): Command {
  return command
    .option("--force-stdin", "Force reading from stdin")
    .addOption(
      new Option("--send-on <when>", "When to send data from stdin: 'eof' (default) or 'newline'")
        .choices(["newline", "eof"])
        .default("eof"),
    )
    .option("--templates", "Enables template functions in the body and subject", true)
    .option("--no-templates");
}

/** Whether the body is read from standard input: it is not given, and somebody or something can type it. */
export function readsStandardInput(body: string | undefined, force: boolean): boolean {
  if (body !== undefined) return false;
  return force || !process.stdin.isTTY || process.stdout.isTTY;
}

/** Each body in turn; `fromInput` as readsStandardInput() said. */
export async function* bodies(
  body: string | undefined,
  options: BodyOptions,
  fromInput: boolean,
): AsyncGenerator<Uint8Array> {
  if (!fromInput) {
    yield Buffer.from(body ?? "");
  } else if (options.sendOn === "newline") {
    yield* lines(process.stdin);
  } else {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
    yield Buffer.concat(chunks);
  }
}

/** Lines without their ends; an unfinished last one counts if it holds anything. */
async function* lines(input: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of input) {
    rest = Buffer.concat([rest, Buffer.from(chunk)]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.subarray(0, rest[end - 1] === 13 ? end - 1 : end);
      rest = rest.subarray(end + 1);
    }
  }
  if (rest.length > 0) yield rest;
}

/** Subject and body after their templates; a fault is told and leaves the text as it is. */
export function rendered(
  subject: string,
  body: Uint8Array,
  functions: TemplateFunctions,
  enabled: boolean,
): { subject: string; body: Uint8Array } {
  if (!enabled) return { subject, body };
  return {
    subject: attempt("subject", subject, () => renderText(subject, functions)),
    body: attempt("body", body, () => renderBytes(body, functions)),
  };
}

/** The result of `render`, or the text untouched where it fails. */
export function attempt<T>(what: string, untouched: T, render: () => T): T {
  try {
    return render();
  } catch (error) {
    log(`Could not parse ${what} template: ${errorText(error)}`);
    return untouched;
  }
}
