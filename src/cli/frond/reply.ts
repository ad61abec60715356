/** `frond reply SUBJECT [BODY]`: answers requests with a text, an echo or a command's output. */
import type { ExecFileException } from "node:child_process";
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Msg, MsgHdrs } from "@nats-io/transport-node";
import { headers as emptyHeaders } from "@nats-io/transport-node";
import type { Command } from "commander";
import { attempt } from "./bodies.ts";
import type { Link } from "./connect.ts";
import { target, withLink } from "./connect.ts";
import { CliError, errorText } from "./errors.ts";
import { countOf, duration } from "./flags.ts";
import { collect, headerLines, headerPairs, messageHeaders } from "./headers.ts";
import { REPLY_HELP } from "./help.ts";
import { log, out, outLine, quote } from "./output.ts";
import { splitWords } from "./shell-words.ts";
import { messageFunctions, renderBytes } from "./templates.ts";

interface ReplyOptions {
  echo?: boolean;
  command?: string;
  queue: string;
  sleep: number;
  header?: string[];
  count: number;
}

export function addReply(program: Command): void {
  const command = program
    .command("reply")
    .description("Generic service reply utility")
    .argument("<subject>", "Subject to subscribe to")
    .argument("[body]", "Reply body")
    .option("--echo", "Echo back what is received")
    .option("--command <command>", "Runs a command and responds with the output")
    .option("-q, --queue <name>", "Queue group name", "NATS-RPLY-22")
    .option(
      "--sleep <max>",
      "Inject a random sleep delay between replies up to this duration max",
      duration,
      0,
    )
    .option("-H, --header <K:V>", "Adds headers to the message using K:V format", collect)
    .option("--count <count>", "Quit after receiving this many messages", countOf, 0)
    .addHelpText("after", REPLY_HELP);
  command.action(async (subject: string, body = "") => {
    await withLink(target(command), (link) => answerAll(link, subject, body, command.opts()));
  });
}

async function answerAll(
  link: Link,
  subject: string,
  body: string,
  options: ReplyOptions,
): Promise<void> {
  if (body === "" && !options.command && !options.echo) {
    log("No body or command supplied, enabling echo mode");
    options.echo = true;
  }
  const subscription = link.nc.subscribe(subject, {
    queue: options.queue,
    ...(options.count > 0 ? { max: options.count } : {}),
  });
  await link.check();
  log(`Listening on ${quote(subject)} in group ${quote(options.queue)}`);
  let interrupted = false;
  process.once("SIGINT", () => {
    interrupted = true;
    log("Draining...");
    void subscription.drain();
  });
  let answered = 0;
  for await (const request of subscription) {
    if (await answer(request, answered, body, options)) answered += 1;
    if (options.count > 0 && answered === options.count) break;
  }
  await link.nc.flush();
  // As nats, which ends this command with a failure when it is interrupted.
  if (interrupted) throw new CliError("Exiting");
}

/** Shows one request and answers it; false if it could not be answered. */
async function answer(
  request: Msg,
  count: number,
  body: string,
  options: ReplyOptions,
): Promise<boolean> {
  log(`[#${count}] Received on subject ${quote(request.subject)}:`);
  for (const line of headerLines(request.headers)) log(line);
  outLine();
  out(request.data);
  outLine();
  if (options.sleep > 0) await sleep(Math.random() * options.sleep);
  try {
    const data = await replyData(request, count, body, options);
    const headers = replyHeaders(request, count, options);
    if (!request.respond(data, headers === undefined ? {} : { headers })) {
      throw new CliError("nats: message does not have a reply");
    }
    return true;
  } catch (error) {
    log(`Could not publish reply: ${errorText(error)}`);
    return false;
  }
}

function replyHeaders(request: Msg, count: number, options: ReplyOptions): MsgHdrs | undefined {
  const own = messageHeaders(options.header ?? [], messageFunctions(count, request.data));
  if (!options.echo) return own;
  const result = own ?? emptyHeaders();
  for (const [key, value] of headerPairs(request.headers)) result.append(key, value);
  result.append("NATS-Reply-Counter", String(count));
  return result;
}

async function replyData(
  request: Msg,
  count: number,
  body: string,
  options: ReplyOptions,
): Promise<Uint8Array> {
  if (options.echo) return request.data;
  const functions = messageFunctions(count, request.data);
  if (!options.command) {
    const bytes = Buffer.from(body);
    return attempt("body", bytes, () => renderBytes(bytes, functions));
  }
  let line = options.command;
  request.subject.split(".").forEach((token, i) => {
    line = line.replaceAll(`{{${i}}}`, () => token);
  });
  const bytes = Buffer.from(line);
  const commandLine = Buffer.from(attempt("command", bytes, () => renderBytes(bytes, functions)));
  return run(commandLine.toString("utf8"), request);
}

/** The command's output, both streams; a failure is told and what it printed is the answer. */
function run(line: string, request: Msg): Promise<Uint8Array> {
  const [file, ...args] = splitWords(line);
  if (file === undefined) throw new CliError("the command is empty");
  const env = {
    ...process.env,
    NATS_REQUEST_SUBJECT: request.subject,
    NATS_REQUEST_BODY: Buffer.from(request.data).toString("utf8").replaceAll("\0", ""),
  };
  return new Promise((resolve) => {
    const child = execFile(file, args, { env, encoding: "buffer", maxBuffer: 1 << 30 }, (error) => {
      if (error !== null) log(`Command ${quote(line)} failed to run: ${commandFault(error)}`);
      resolve(Buffer.concat(pieces));
    });
    const pieces: Buffer[] = [];
    const keep = (piece: Buffer): void => {
      pieces.push(piece);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    child.stdin?.end();
  });
}

function commandFault(error: ExecFileException): string {
  if (typeof error.code === "number") return `exit status ${error.code}`;
  return error.signal ? `signal: ${error.signal}` : error.message;
}
