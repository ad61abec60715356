/**
 * `frond bench pub|sub|service|request|reply`: how many messages a second go through a server.
 *
 * All clients run in this process, on one thread, so above a few clients the measuring side is the
 * limit; the report says what was reached, not what the server could do.
 */
import type { Command } from "commander";
import type { BenchOptions } from "./bench-clients.ts";
import { publishClient, requestClient, serveClient, subscribeClient } from "./bench-clients.ts";
import type { BenchSample } from "./bench-report.ts";
import { benchCsv, benchReport } from "./bench-report.ts";
import type { Link } from "./connect.ts";
import { connect, target } from "./connect.ts";
import { formatDuration } from "./durations.ts";
import { CliError, errorText } from "./errors.ts";
import { byteSize, countOf, duration } from "./flags.ts";
import { collect } from "./headers.ts";
import { bytes, commas, log, outLine } from "./output.ts";
import { startProgress } from "./progress.ts";
import { writeFileSync } from "node:fs";

/** One kind of benchmark: its name in the texts and the work of one of its clients. */
interface BenchKind {
  readonly label: string;
  readonly verb: string;
  readonly prefix: "P" | "S";
  /** Whether the messages are shared among the clients; subscribers each receive all. */
  readonly shared: boolean;
  readonly run: typeof publishClient;
}

const PUB: BenchKind = {
  label: "Core NATS publisher",
  verb: "publishing",
  prefix: "P",
  shared: true,
  run: publishClient,
};
const SUB: BenchKind = {
  label: "Core NATS subscriber",
  verb: "expecting",
  prefix: "S",
  shared: false,
  run: subscribeClient,
};
const REQUEST: BenchKind = {
  label: "Core NATS service requester",
  verb: "requesting",
  prefix: "P",
  shared: true,
  run: requestClient,
};

export function addBench(program: Command): void {
  const bench = program.command("bench").description("Benchmark utility");
  const pub = subject(bench.command("pub").description("Publish Core NATS messages"));
  measured(common(sending(pub)), PUB, [pub]);
  const sub = subject(bench.command("sub").description("Subscribe to Core NATS messages"));
  measured(
    common(sub.option("--multisubject", "Subscribe to the subjects below the given one")),
    SUB,
    [sub],
  );

  const service = common(bench.command("service").description("Micro-service mode"));
  const request = subject(
    service.command("request").description("Send a request and wait for a reply"),
  );
  measured(sending(request), REQUEST, [service, request]);
  const serve = subject(service.command("serve").description("Service requests"));
  served(serve, [service, serve]);

  const plainRequest = subject(
    bench.command("request").description("The same as 'bench service request'"),
  );
  measured(common(sending(plainRequest)), REQUEST, [plainRequest]);
  const plainReply = subject(
    bench.command("reply").description("The same as 'bench service serve'"),
  );
  served(common(plainReply), [plainReply]);
}

function subject(command: Command): Command {
  return command.argument("<subject>", "Subject to use for the benchmark");
}

function common(command: Command): Command {
  return command
    .option("--clients <count>", "Number of concurrent clients", countOf, 1)
    .option("--msgs <count>", "Number of messages to publish or subscribe to", countOf, 100_000)
    .option("--size <size>", "Size of the test messages", byteSize, 128)
    .option("--sleep <duration>", "Sleep between messages or before a reply", duration, 0)
    .option("--progress", "Show a progress bar", true)
    .option("--no-progress")
    .option("--csv <file>", "Save benchmark data to CSV file");
}

function sending(command: Command): Command {
  return command
    .option("--payload <file>", "File containing a message payload to send")
    .option("-H, --header <K:V>", "Adds headers to the message using K:V format", collect)
    .option("--multisubject", "Publish each message on a subject of its own")
    .option(
      "--multisubjectmax <count>",
      "The maximum number of subjects, 0 for no maximum",
      countOf,
      100_000,
    )
    .option(
      "--throughput <rate>",
      "Messages a second at most, over all clients (0 for no limit)",
      countOf,
      0,
    )
    .option(
      "--duration <duration>",
      "Run about this long instead of --msgs (requires --throughput)",
      duration,
      0,
    );
}

function measured(command: Command, kind: BenchKind, flags: readonly Command[]): void {
  command.action(async (name: string) => {
    await measure(command, kind, name, mergedOptions(flags));
  });
}

function served(command: Command, flags: readonly Command[]): void {
  command.action(async (name: string) => {
    const options = mergedOptions(flags);
    log(`Starting Core NATS service server benchmark [${banner(options, name)}]`);
    const links = await connectAll(command, options.clients);
    links.forEach((link, i) => {
      serveClient(link, name, options);
      log(`[${i + 1}] Starting Core NATS service server, hit control-c to stop`);
    });
    for (const link of links) await link.check();
    await new Promise<void>((resolve) => {
      process.once("SIGINT", resolve);
    });
    for (const link of links) await link.close();
  });
}

function mergedOptions(commands: readonly Command[]): BenchOptions {
  const options: BenchOptions = Object.assign({}, ...commands.map((command) => command.opts()));
  if (options.clients < 1) throw new CliError("number of clients should be at least 1");
  if (options.duration > 0) {
    if (options.throughput <= 0) throw new CliError("--duration requires --throughput");
    options.msgs = Math.round((options.duration / 1000) * options.throughput);
  }
  if (options.msgs < 1) throw new CliError("number of messages should be at least 1");
  return options;
}

async function measure(
  command: Command,
  kind: BenchKind,
  name: string,
  options: BenchOptions,
): Promise<void> {
  if (kind.shared) options.clients = Math.min(options.clients, options.msgs);
  log(`Starting ${kind.label} benchmark [${banner(options, name)}]`);
  const links = await connectAll(command, options.clients);
  const shares = links.map((_, i) =>
    kind.shared ? share(options.msgs, links.length, i) : options.msgs,
  );
  const total = shares.reduce((sum, n) => sum + n, 0);
  shares.forEach((n, i) => {
    log(`[${i + 1}] Starting ${kind.label}, ${kind.verb} ${commas(n)} messages`);
  });
  const progress = startProgress(kind.label, total, options.progress);
  let samples: BenchSample[];
  try {
    let offset = 0;
    samples = await Promise.all(
      links.map((link, i) => {
        const messages = shares[i] ?? 0;
        const from = offset;
        offset += messages;
        return kind.run({ link, subject: name, options, messages, offset: from, progress });
      }),
    );
  } catch (error) {
    throw new CliError(errorText(error));
  } finally {
    progress.stop();
  }
  outLine();
  outLine(benchReport(kind.label, samples));
  if (options.csv !== undefined) {
    writeFileSync(options.csv, benchCsv(kind.prefix, samples), { mode: 0o600 });
    outLine(`Saved metric data in csv file ${options.csv}`);
  }
  for (const link of links) await link.close();
}

async function connectAll(command: Command, clients: number): Promise<Link[]> {
  const to = target(command);
  const links: Link[] = [];
  for (let i = 0; i < clients; i++) links.push(await connect(to));
  return links;
}

/** The messages of client `i` of `clients`; the first ones take what does not divide evenly. */
function share(messages: number, clients: number, i: number): number {
  return Math.floor(messages / clients) + (i < messages % clients ? 1 : 0);
}

function banner(options: BenchOptions, name: string): string {
  return [
    `clients=${commas(options.clients)}`,
    `msg-size=${bytes(options.size)}`,
    `msgs=${commas(options.msgs)}`,
    `multi-subject=${String(options.multisubject === true)}`,
    `sleep=${formatDuration(options.sleep)}`,
    `subject=${name}`,
  ].join(", ");
}
