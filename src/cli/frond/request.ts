/**
 * `frond request SUBJECT [BODY]`: asks, and prints the replies.
 *
 * Without responders it fails at once, without a reply in time it fails after `--timeout`; `nats`
 * tells neither in its exit code.
 */
import type { Msg } from "@nats-io/transport-node";
import { createInbox } from "@nats-io/transport-node";
import type { Command } from "commander";
import { Option } from "commander";
import type { BodyOptions } from "./bodies.ts";
import { addBodyFlags, bodies, readsStandardInput, rendered } from "./bodies.ts";
import type { Link } from "./connect.ts";
import { target, withLink } from "./connect.ts";
import { formatDuration } from "./durations.ts";
import { CliError } from "./errors.ts";
import { countOf, duration } from "./flags.ts";
import { collect, headerLines, messageHeaders } from "./headers.ts";
import { TEMPLATE_HELP } from "./help.ts";
import { printBody } from "./message-body.ts";
import { log, quote } from "./output.ts";
import { QUIET_ABOVE, startProgress } from "./progress.ts";
import { messageFunctions } from "./templates.ts";

interface RequestOptions extends BodyOptions {
  raw?: boolean;
  replies: number;
  replyTimeout: number;
  waitForEmpty?: boolean;
  translate?: string;
}

export function addRequest(program: Command): void {
  const command = program
    .command("request")
    .alias("req")
    .description("Generic request-reply request utility")
    .argument("<subject>", "Subject to send the request to")
    .argument("[body]", "Message body, read from standard input if there is none")
    .option("-r, --raw", "Show just the output received")
    .option("-H, --header <K:V>", "Adds headers to the message using K:V format", collect)
    .option("--count <count>", "Send multiple requests", countOf, 1)
    .option(
      "--replies <count>",
      "Wait for multiple replies from services. 0 waits until timeout",
      countOf,
      1,
    )
    .option(
      "--reply-timeout <duration>",
      "Maximum time between replies when waiting for more than one",
      duration,
      300,
    )
    .option("--wait-for-empty", "Wait for multiple replies until a empty message is received")
    .option("--translate <command>", "Run the message data through this command before output")
    .addOption(new Option("-w, --wait", "Wait for a reply from a service").hideHelp());
  addBodyFlags(command)
    .addHelpText("after", TEMPLATE_HELP)
    .action(async (subject: string, body: string | undefined) => {
      await withLink(target(command), (link) => requestAll(link, subject, body, command.opts()));
    });
}

async function requestAll(
  link: Link,
  subject: string,
  body: string | undefined,
  options: RequestOptions,
): Promise<void> {
  const count = Math.max(options.count, 1);
  const fromInput = readsStandardInput(body, options.forceStdin === true);
  if (fromInput) log("Reading payload from STDIN");
  const bar = count > QUIET_ABOVE && !options.raw;
  const progress = startProgress("Requesting", count, bar);
  let unanswered = 0;
  try {
    for await (const each of bodies(body, options, fromInput)) {
      for (let i = 1; i <= count; i++) {
        const replies = await requestOnce(link, subject, each, i, options, bar);
        if (replies === 0) unanswered += 1;
        progress.advance();
      }
    }
  } finally {
    progress.stop();
  }
  // A body that was piped in has been delivered; `nats` calls that a success and scripts rely on it.
  if (unanswered > 0 && !fromInput) {
    throw new CliError(
      `nats: timeout, no reply within ${formatDuration(link.target.globals.timeoutMs)}`,
    );
  }
}

/** Sends one request and shows its replies; the number of them. */
async function requestOnce(
  link: Link,
  subject: string,
  body: Uint8Array,
  count: number,
  options: RequestOptions,
  silent: boolean,
): Promise<number> {
  const functions = messageFunctions(count);
  const message = rendered(subject, body, functions, options.templates);
  const tell = !options.raw && !silent;
  if (tell) log(`Sending request on ${quote(message.subject)}`);
  const headers = messageHeaders(options.header ?? [], functions);
  const inbox = createInbox(link.inboxPrefix);
  const start = performance.now();
  const wanted = options.waitForEmpty === true ? Infinity : options.replies;
  let replies = 0;
  let rttSum = 0;
  await collectReplies(link, inbox, {
    send: () => {
      link.nc.publish(message.subject, message.body, {
        reply: inbox,
        ...(headers === undefined ? {} : { headers }),
      });
    },
    onReply: (reply) => {
      const rtt = performance.now() - start;
      replies += 1;
      rttSum += rtt;
      if (!silent) show(reply, rtt, options);
      if (replies === wanted || (wanted > 0 && reply.data.length === 0)) return undefined;
      if (wanted === 0) return link.target.globals.timeoutMs - rtt;
      return rttSum / replies + options.replyTimeout;
    },
  });
  return replies;
}

function show(reply: Msg, rtt: number, options: RequestOptions): void {
  if (!options.raw) {
    log(`Received with rtt ${formatDuration(rtt)}`);
    const lines = headerLines(reply.headers);
    for (const line of lines) log(line);
    if (lines.length > 0) log("");
  }
  printBody(reply.data, options.translate, reply.subject);
}

/**
 * Subscribes to the inbox, sends, and hands over replies until `onReply` says undefined (enough) or
 * the time it says passes without another one.
 */
async function collectReplies(
  link: Link,
  inbox: string,
  steps: { send: () => void; onReply: (reply: Msg) => number | undefined },
): Promise<void> {
  let finish: (error?: Error) => void = () => {};
  const done = new Promise<void>((resolve, reject) => {
    finish = (error) => {
      if (error === undefined) resolve();
      else reject(error);
    };
  });
  let timer = setTimeout(finish, link.target.globals.timeoutMs);
  const stopWatching = link.onError(finish);
  const subscription = link.nc.subscribe(inbox, {
    callback: (error, reply) => {
      clearTimeout(timer);
      if (error !== null) {
        finish(error);
      } else if (reply.headers?.code === 503 && reply.data.length === 0) {
        finish(new CliError("No responders are available"));
      } else {
        const wait = steps.onReply(reply);
        if (wait === undefined) {
          subscription.unsubscribe();
          finish();
        } else {
          timer = setTimeout(finish, Math.max(wait, 0));
        }
      }
    },
  });
  try {
    steps.send();
    await done;
  } finally {
    clearTimeout(timer);
    stopWatching();
    subscription.unsubscribe();
  }
}
