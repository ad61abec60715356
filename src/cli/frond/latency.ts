/**
 * `frond latency --server-b URL`: how long messages take from a publisher on one server to a
 * subscriber on another, in percentiles.
 */
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createInbox } from "@nats-io/transport-node";
import type { Command } from "commander";
import type { Link } from "./connect.ts";
import { connect, target } from "./connect.ts";
import { formatDuration } from "./durations.ts";
import { CliError, errorText } from "./errors.ts";
import { countOf, duration } from "./flags.ts";
import { log } from "./output.ts";

interface LatencyOptions {
  serverB: string;
  size: number;
  rate: number;
  duration: number;
  histogram?: string;
}

const PERCENTILES = [10, 50, 75, 90, 99, 99.9, 99.99, 99.999, 99.9999, 99.99999, 100];
const STAMP_BYTES = 8;

export function addLatency(program: Command): void {
  const command = program
    .command("latency")
    .alias("lat")
    .description("Perform latency tests between two NATS servers")
    .requiredOption("--server-b <server>", "The second server to subscribe on")
    .option("--size <bytes>", "Message size", countOf, 8)
    .option("--rate <count>", "Rate of messages per second", countOf, 1000)
    .option("--duration <duration>", "Test duration", duration, 5000)
    .option("--histogram <file>", "Output file to store the histogram in");
  command.action(async () => {
    const options = command.opts<LatencyOptions>();
    if (options.size < STAMP_BYTES) {
      throw new CliError(`message Payload Size must be at least ${STAMP_BYTES} bytes`);
    }
    if (options.rate === 0) throw new CliError("--rate must be at least 1 message per second");
    const to = target(command);
    const publisher = await connectNamed("first", () => connect(to));
    const subscriber = await connectNamed("second", () => connect(to, options.serverB));
    try {
      await measure(publisher, subscriber, options);
    } finally {
      await publisher.close();
      await subscriber.close();
    }
  });
}

async function connectNamed(which: string, open: () => Promise<Link>): Promise<Link> {
  try {
    return await open();
  } catch (error) {
    throw new CliError(`${which} connection failed: ${errorText(error)}`);
  }
}

async function measure(publisher: Link, subscriber: Link, options: LatencyOptions): Promise<void> {
  const started = performance.now();
  const count = Math.max(Math.floor((options.duration / 1000) * options.rate), 1);
  rule();
  log(`Pub Server RTT : ${micros(await publisher.rtt())}`);
  log(`Sub Server RTT : ${micros(await subscriber.rtt())}`);
  const subject = createInbox(subscriber.inboxPrefix);
  const latencies: number[] = [];
  const all = new Promise<void>((resolve) => {
    subscriber.nc.subscribe(subject, {
      callback: (_, message) => {
        latencies.push(
          performance.now() -
            new DataView(message.data.buffer, message.data.byteOffset).getFloat64(0),
        );
        if (latencies.length === count) resolve();
      },
    });
  });
  await subscriber.check();
  await waitForRoute(publisher, subscriber);
  log(`Message Payload: ${shortBytes(options.size)}`);
  log(`Target Duration: ${formatDuration(options.duration)}`);
  log(`Target Msgs/Sec: ${options.rate}`);
  log(`Target Band/Sec: ${shortBytes(options.rate * options.size * 2)}`);
  rule();
  const start = performance.now();
  await publishAt(publisher, subject, count, options);
  const sentMs = performance.now() - start;
  const timeoutMs = publisher.target.globals.timeoutMs;
  const late = sleep(timeoutMs, "late" as const, { ref: false });
  if ((await Promise.race([all, late])) === "late") {
    throw new CliError(
      `only ${latencies.length} of ${count} messages arrived within ${formatDuration(timeoutMs)}`,
    );
  }
  const receivedMs = performance.now() - start;
  if (options.histogram !== undefined) {
    writeFileSync(`${options.histogram}.raw`, latencies.map((ms) => `${ms.toFixed(6)}\n`).join(""));
  }
  report(latencies, options, { firstMs: start - started, sentMs, receivedMs });
}

/** Publishes at the wanted rate: what is due at each turn of the clock, each with its time in front. */
async function publishAt(
  publisher: Link,
  subject: string,
  count: number,
  options: LatencyOptions,
): Promise<void> {
  const start = performance.now();
  const data = Buffer.alloc(options.size, "x");
  for (let sent = 0; sent < count;) {
    const due = Math.min(
      Math.floor(((performance.now() - start) / 1000) * options.rate) + 1,
      count,
    );
    for (; sent < due; sent++) {
      data.writeDoubleBE(performance.now());
      publisher.nc.publish(subject, data);
    }
    const wait = (sent / options.rate) * 1000 - (performance.now() - start);
    if (wait > 0) await sleep(wait);
  }
  await publisher.check();
}

/** Until a message from one connection reaches the other: interest takes its time between servers. */
async function waitForRoute(publisher: Link, subscriber: Link): Promise<void> {
  const subject = createInbox(subscriber.inboxPrefix);
  let routed = false;
  const subscription = subscriber.nc.subscribe(subject, {
    callback: () => {
      routed = true;
    },
  });
  await subscriber.check();
  const deadline = performance.now() + 2000;
  for (;;) {
    publisher.nc.publish(subject);
    await publisher.nc.flush();
    await sleep(2);
    if (routed) break;
    if (performance.now() > deadline)
      throw new CliError("couldn't receive end-to-end test message");
    await sleep(10);
  }
  subscription.unsubscribe();
}

function report(
  unsorted: readonly number[],
  options: LatencyOptions,
  times: { firstMs: number; sentMs: number; receivedMs: number },
): void {
  const sorted = Float64Array.from(unsorted).sort();
  const at = (percentile: number): number =>
    sorted[Math.max(Math.ceil((percentile / 100) * sorted.length) - 1, 0)] ?? 0;
  log("HDR Percentiles:");
  for (const p of PERCENTILES) log(`${`${p}:`.padEnd(10)}${micros(at(p))}`);
  rule();
  if (options.histogram !== undefined) {
    const rows = PERCENTILES.map((p) => `${at(p).toFixed(6)} ${p / 100}\n`);
    writeFileSync(`${options.histogram}.histogram`, `Value Percentile\n${rows.join("")}`);
  }
  const rate = Math.floor(sorted.length / (times.sentMs / 1000));
  log(`Actual Msgs/Sec: ${rate}`);
  log(`Actual Band/Sec: ${shortBytes(rate * options.size * 2)}`);
  log(`Minimum Latency: ${micros(sorted[0] ?? 0)}`);
  log(`Median Latency : ${micros(at(50))}`);
  log(`Maximum Latency: ${micros(at(100))}`);
  log(`1st Sent Wall Time : ${micros(times.firstMs)}`);
  log(`Last Sent Wall Time: ${micros(times.sentMs)}`);
  log(`Last Recv Wall Time: ${micros(times.receivedMs)}`);
}

function rule(): void {
  log("==============================");
}

function micros(ms: number): string {
  return formatDuration(Math.floor(ms * 1000) / 1000);
}

/** 8B, 1.6K, 15.6K: what fits the columns of this report. */
function shortBytes(value: number): string {
  if (value < 10) return `${value}B`;
  const exponent = Math.min(Math.floor(Math.log(value) / Math.log(1024)), 4);
  const scaled = Math.floor((value / 1024 ** exponent) * 10 + 0.5) / 10;
  return `${scaled.toFixed(scaled < 10 ? 1 : 0)}${"BKMGT".charAt(exponent)}`;
}
