/** `frond publish SUBJECT [BODY]`: publishes one message, many, or one a line of standard input. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { BodyOptions } from "./bodies.ts";
import { addBodyFlags, bodies, readsStandardInput, rendered } from "./bodies.ts";
import type { Link } from "./connect.ts";
import { target, withLink } from "./connect.ts";
import { countOf, duration } from "./flags.ts";
import { collect, messageHeaders } from "./headers.ts";
import { TEMPLATE_HELP } from "./help.ts";
import { log, quote } from "./output.ts";
import { QUIET_ABOVE, startProgress } from "./progress.ts";
import { messageFunctions } from "./templates.ts";

interface PubOptions extends BodyOptions {
  reply?: string;
  quiet?: boolean;
  sleep: number;
  jitter: number;
}

export function addPub(program: Command): void {
  const command = program
    .command("publish")
    .alias("pub")
    .description("Generic data publish utility")
    .argument("<subject>", "Subject to publish to")
    .argument("[body]", "Message body, read from standard input if there is none")
    .option("--reply <subject>", "Sets a custom reply to subject")
    .option("-H, --header <K:V>", "Adds headers to the message using K:V format", collect)
    .option("--count <count>", "Publish multiple messages", countOf, 1)
    .option(
      "--sleep <duration>",
      "When publishing multiple messages, sleep between publishes",
      duration,
      0,
    )
    .option(
      "--jitter <duration>",
      "Adds a random delay of up to this duration between publishes",
      duration,
      0,
    )
    .option("-q, --quiet", "Show nothing but failures");
  addBodyFlags(command)
    .addHelpText("after", TEMPLATE_HELP)
    .action(async (subject: string, body: string | undefined) => {
      await withLink(target(command), (link) => publish(link, subject, body, command.opts()));
    });
}

async function publish(
  link: Link,
  subject: string,
  body: string | undefined,
  options: PubOptions,
): Promise<void> {
  const count = Math.max(options.count, 1);
  const fromInput = readsStandardInput(body, options.forceStdin === true);
  if (fromInput && !options.quiet) log("Reading payload from STDIN");
  const bar = count > QUIET_ABOVE;
  const progress = startProgress("Publishing", count, bar && !options.quiet);
  const pause = pauses(options.sleep, options.jitter);
  try {
    for await (const each of bodies(body, options, fromInput)) {
      for (let i = 1; i <= count; i++) {
        const functions = messageFunctions(i);
        const message = rendered(subject, each, functions, options.templates);
        const headers = messageHeaders(options.header ?? [], functions);
        await pause();
        link.nc.publish(message.subject, message.body, {
          ...(options.reply === undefined ? {} : { reply: options.reply }),
          ...(headers === undefined ? {} : { headers }),
        });
        await link.check();
        progress.advance();
        if (!bar && !options.quiet) {
          log(`Published ${message.body.length} bytes to ${quote(message.subject)}`);
        }
      }
    }
  } finally {
    progress.stop();
  }
}

/** Waits so that publishes stand `sleep` plus up to `jitter` apart, counted from the start of the last. */
function pauses(sleepMs: number, jitterMs: number): () => Promise<void> {
  let last: number | undefined;
  return async () => {
    if (last !== undefined) {
      const wait = sleepMs + Math.random() * jitterMs - (performance.now() - last);
      if (wait > 0) await sleep(wait);
    }
    last = performance.now();
  };
}
