/**
 * `frond subscribe SUBJECT…`: shows what arrives, whole, raw, as files or as a report.
 *
 * Messages are handled in the order the server sent them, one at a time.
 */
import { mkdirSync } from "node:fs";
import type { Msg, Subscription } from "@nats-io/transport-node";
import { createInbox } from "@nats-io/transport-node";
import type { Command } from "commander";
import type { Link } from "./connect.ts";
import { target, withLink } from "./connect.ts";
import { CliError } from "./errors.ts";
import { countOf, duration } from "./flags.ts";
import { collect } from "./headers.ts";
import { log } from "./output.ts";
import type { PrintOptions } from "./sub-print.ts";
import { printMessage } from "./sub-print.ts";
import { SubjectReport } from "./sub-report.ts";
import { subjectsCollide } from "./subjects.ts";

interface SubOptions extends PrintOptions {
  queue?: string;
  matchReplies?: boolean;
  inbox?: boolean;
  count: number;
  ignoreSubject?: string[];
  wait: number;
  reportSubjects?: boolean;
  reportSubscriptions?: boolean;
  reportTop: number;
}

export function addSub(program: Command): void {
  const command = program
    .command("subscribe")
    .alias("sub")
    .description("Generic subscription client")
    .argument("[subjects...]", "Subjects to subscribe to")
    .option("--queue <queue>", "Subscribe to a named queue group")
    .option("-r, --raw", "Show the raw data received")
    .option("--translate <command>", "Run the message data through this command before output")
    .option("--match-replies", "Match replies to requests")
    .option("-i, --inbox", "Subscribes to a generated inbox")
    .option("--count <count>", "Quit after receiving this many messages", countOf, 0)
    .option("--dump <directory>", "Dump messages to files, one each; - for null terminated output")
    .option("--headers-only", "Do not render any data, shows only headers")
    .option("--subjects-only", "Prints only the messages' subjects")
    .option("-I, --ignore-subject <subject>", "Subjects whose messages are ignored", collect)
    .option(
      "--wait <duration>",
      "Unsubscribe after this amount of time without any traffic",
      duration,
      0,
    )
    .option("--report-subjects", "Reports the subjects that receive data")
    .option("--report-subscriptions", "Reports the subscriptions that receive data")
    .option("--report-top <count>", "Number of subjects to show in a report", countOf, 10)
    .option("-t, --timestamp", "Show timestamps in output")
    .option("-d, --delta-time", "Show time since start in output");
  command.action(async (subjects: string[]) => {
    const options = command.opts<SubOptions>();
    checkOptions(subjects, options);
    await withLink(target(command), (link) => new Watcher(link, subjects, options).run());
  });
}

function checkOptions(subjects: readonly string[], options: SubOptions): void {
  if (subjects.length === 0 && !options.inbox) {
    throw new CliError(
      "no subjects provided, use --help for full help including flags and arguments",
    );
  }
  if (options.dump === "-" && options.inbox) {
    throw new CliError(
      "generating inboxes is not compatible with dumping to stdout using null terminated strings",
    );
  }
  if (options.reportTop === 0) throw new CliError("subject count must be at least one");
  if (options.timestamp && options.deltaTime) {
    throw new CliError("timestamp and delta-time flags are mutually exclusive");
  }
  if (options.dump !== undefined && options.dump !== "-") {
    mkdirSync(options.dump, { recursive: true, mode: 0o700 });
  }
}

/** One run of the command: its subscriptions, how many messages it has seen and when it is done. */
class Watcher {
  readonly #link: Link;
  readonly #subjects: readonly string[];
  readonly #options: SubOptions;
  readonly #ignored: readonly string[];
  readonly #report: SubjectReport | undefined;
  readonly #subscriptions: Subscription[] = [];
  /** Requests whose reply has not been seen, by their reply subject. */
  readonly #unmatched = new Map<string, Msg>();
  readonly #start = performance.now();
  #received = 0;
  #timer: NodeJS.Timeout | undefined;
  #finish: (error?: Error) => void = () => {};

  constructor(link: Link, subjects: readonly string[], options: SubOptions) {
    this.#link = link;
    this.#subjects = subjects.length > 0 ? subjects : [createInbox(link.inboxPrefix)];
    this.#options = options;
    this.#ignored = (options.ignoreSubject ?? []).flatMap((s) => s.split(",")).map((s) => s.trim());
    this.#report =
      options.reportSubjects || options.reportSubscriptions
        ? new SubjectReport(options.reportTop)
        : undefined;
  }

  async run(): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#finish = (error) => {
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    // A failure before the wait below is thrown there; nobody else hears of it.
    done.catch(() => {});
    this.#tell();
    if (this.#options.matchReplies) {
      this.#subscribe(`${this.#link.inboxPrefix}.>`, undefined, (reply) => {
        this.#onReply(reply);
      });
    }
    for (const subject of this.#subjects) {
      this.#subscribe(subject, this.#options.queue, (message) => {
        this.#onMessage(message, subject);
      });
    }
    this.#restartTimer();
    this.#report?.start();
    try {
      await this.#link.check();
      await done;
    } finally {
      clearTimeout(this.#timer);
      this.#report?.stop();
    }
  }

  #subscribe(subject: string, queue: string | undefined, onMessage: (message: Msg) => void): void {
    const subscription = this.#link.nc.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error === null) onMessage(message);
        else this.#finish(error);
      },
    });
    this.#subscriptions.push(subscription);
  }

  #tell(): void {
    const { raw, dump, inbox, matchReplies } = this.#options;
    const quiet = raw === true || dump !== undefined;
    if (!quiet && matchReplies)
      log(`Matching replies with inbox prefix ${this.#link.inboxPrefix}.>`);
    if (quiet && !inbox) return;
    log(`Subscribing on ${this.#subjects.join(", ")} `);
    if (this.#ignored.length > 0) log(`Ignored subjects: ${this.#ignored.join(", ")}`);
  }

  #onMessage(message: Msg, subscribed: string): void {
    const limit = this.#options.count;
    if (limit > 0 && this.#received >= limit) return;
    if (this.#ignored.some((ignored) => subjectsCollide(message.subject, ignored))) return;
    this.#received += 1;
    if (this.#report !== undefined) {
      const name = this.#options.reportSubscriptions ? subscribed : message.subject;
      this.#report.count(name, message.data.length);
    } else if (this.#options.matchReplies && message.reply) {
      this.#unmatched.set(message.reply, message);
    } else {
      printMessage(message, undefined, this.#received, this.#start, this.#options);
    }
    if (limit > 0 && this.#received === limit) {
      if (this.#unmatched.size === 0) this.#end();
      return;
    }
    this.#restartTimer();
  }

  #onReply(reply: Msg): void {
    const request = this.#unmatched.get(reply.subject);
    if (request === undefined) return;
    this.#unmatched.delete(reply.subject);
    printMessage(request, reply, this.#received, this.#start, this.#options);
    const limit = this.#options.count;
    if (limit > 0 && this.#received === limit && this.#unmatched.size === 0) this.#end();
  }

  #restartTimer(): void {
    if (this.#options.wait <= 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#end();
    }, this.#options.wait);
  }

  #end(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#finish();
  }
}
