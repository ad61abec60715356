/** How `sub` shows one message: for reading, raw, or as JSON in files. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Msg } from "@nats-io/transport-node";
import { formatDuration } from "./durations.ts";
import { errorText } from "./errors.ts";
import { headerLines, headerPairs } from "./headers.ts";
import { printBody, printBodyCompact, translateBody } from "./message-body.ts";
import { log, out, outLine, quote, toJson } from "./output.ts";

export interface PrintOptions {
  raw?: boolean;
  translate?: string;
  dump?: string;
  headersOnly?: boolean;
  subjectsOnly?: boolean;
  timestamp?: boolean;
  deltaTime?: boolean;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Shows a message and, after it, the reply to it if one was matched. */
export function printMessage(
  message: Msg,
  reply: Msg | undefined,
  count: number,
  start: number,
  options: PrintOptions,
): void {
  if (options.dump !== undefined) {
    dump(message, options, options.dump, `${count}.json`);
    if (reply !== undefined) dump(reply, options, options.dump, `${count}_reply.json`);
  } else if (options.raw) {
    printBodyCompact(message.data, options.translate, message.subject);
    if (reply !== undefined) {
      out(reply.data);
      outLine();
    }
  } else {
    printPretty(message, reply, `[#${count}]${when(options, start)}`, options);
  }
}

function printPretty(
  message: Msg,
  reply: Msg | undefined,
  mark: string,
  options: PrintOptions,
): void {
  const withReply = message.reply ? ` with reply ${quote(message.reply)}` : "";
  outLine(`${mark} Received on ${quote(message.subject)}${withReply}`);
  if (!options.subjectsOnly) printContent(message, options);
  if (reply === undefined) return;
  outLine(`${mark} Matched reply on ${quote(reply.subject)}`);
  printContent(reply, options);
}

function printContent(message: Msg, options: PrintOptions): void {
  const lines = headerLines(message.headers);
  for (const line of lines) outLine(line);
  if (lines.length > 0) outLine();
  if (!options.headersOnly) printBody(message.data, options.translate, message.subject);
}

function dump(message: Msg, options: PrintOptions, directory: string, file: string): void {
  const body = translateBody(message.data, options.translate, message.subject);
  if (body.failure !== undefined) {
    log(`Error while translating msg body: ${body.failure}`);
    return;
  }
  const text = messageJson(message, body.data);
  try {
    if (directory === "-") out(`${text}\0`);
    else writeFileSync(join(directory, file), text, { mode: 0o600 });
  } catch (error) {
    log(`Could not save message: ${errorText(error)}`);
  }
}

/** The form `nats` dumps messages in, on one line, with sorted header names and the body in base64. */
function messageJson(message: Msg, data: Uint8Array): string {
  const header: Record<string, string[]> = {};
  for (const [key, value] of headerPairs(message.headers).sort(([a], [b]) =>
    a < b ? -1 : Number(a > b),
  )) {
    header[key] = [...(header[key] ?? []), value];
  }
  return toJson(
    {
      Subject: message.subject,
      Reply: message.reply ?? "",
      Header: message.headers === undefined ? null : header,
      Data: Buffer.from(data).toString("base64"),
      Sub: null,
    },
    0,
  );
}

function when(options: PrintOptions, start: number): string {
  if (options.deltaTime) return ` @ ${formatDuration(performance.now() - start)}`;
  if (!options.timestamp) return "";
  const now = new Date();
  const day = String(now.getDate()).padStart(2);
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()]
    .map((n) => String(n).padStart(2, "0"))
    .join(":");
  const micros = String(Math.floor(((performance.timeOrigin + performance.now()) * 1000) % 1e6));
  return ` @ ${MONTHS[now.getMonth()] ?? ""} ${day} ${time}.${micros.padStart(6, "0")}`;
}
