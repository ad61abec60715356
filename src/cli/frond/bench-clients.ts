/** What one client of a benchmark does; each returns what it measured. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { PublishOptions } from "@nats-io/transport-node";
import type { BenchSample } from "./bench-report.ts";
import type { Link } from "./connect.ts";
import { CliError } from "./errors.ts";
import { messageHeaders } from "./headers.ts";
import type { Progress } from "./progress.ts";
import { messageFunctions } from "./templates.ts";

export interface BenchOptions {
  clients: number;
  msgs: number;
  size: number;
  sleep: number;
  progress: boolean;
  csv?: string;
  payload?: string;
  header?: string[];
  multisubject?: boolean;
  multisubjectmax: number;
  throughput: number;
  duration: number;
}

/** One client's part of the work. */
export interface BenchTask {
  readonly link: Link;
  readonly subject: string;
  readonly options: BenchOptions;
  readonly messages: number;
  /** How many messages the clients before this one send; numbers the subjects. */
  readonly offset: number;
  readonly progress: Progress;
}

/** Bytes sent before the one waits for the server: enough to keep it busy, few enough to hold. */
const IN_FLIGHT_BYTES = 1 << 20;
const PROGRESS_EVERY = 256;

export async function publishClient(task: BenchTask): Promise<BenchSample> {
  const { link, options, messages, progress } = task;
  const { payload, publishOptions } = content(options);
  const latencies = new Float64Array(messages);
  const paced = pacer(options);
  const batch = Math.max(Math.floor(IN_FLIGHT_BYTES / (payload.length + 64)), 1);
  const start = performance.now();
  // Two batches are under way at most: one the server works on, one being written.
  let previous: Promise<void> = Promise.resolve();
  for (let i = 0; i < messages; i++) {
    const before = performance.now();
    link.nc.publish(subjectOf(task, i), payload, publishOptions);
    latencies[i] = (performance.now() - before) * 1000;
    if (paced !== undefined) await paced(i + 1);
    if ((i + 1) % PROGRESS_EVERY === 0) progress.advance(PROGRESS_EVERY);
    if ((i + 1) % batch === 0) {
      const current = link.nc.flush();
      await previous;
      previous = current;
    }
  }
  await link.check();
  progress.advance(messages % PROGRESS_EVERY);
  return sample(messages, payload.length, start, latencies);
}

export async function subscribeClient(task: BenchTask): Promise<BenchSample> {
  const { link, options, messages, progress } = task;
  let received = 0;
  let start = 0;
  const all = new Promise<void>((resolve, reject) => {
    const subject = options.multisubject ? `${task.subject}.*` : task.subject;
    const subscription = link.nc.subscribe(subject, {
      callback: (error) => {
        if (error !== null) {
          reject(error);
          return;
        }
        received += 1;
        if (received === 1) start = performance.now();
        if (received % PROGRESS_EVERY === 0) progress.advance(PROGRESS_EVERY);
        if (received === messages) {
          subscription.unsubscribe();
          resolve();
        }
      },
    });
  });
  await Promise.race([all, link.check().then(() => all)]);
  progress.advance(messages % PROGRESS_EVERY);
  return sample(messages, options.size, start, new Float64Array(0));
}

export async function requestClient(task: BenchTask): Promise<BenchSample> {
  const { link, options, messages, progress } = task;
  const { payload, publishOptions } = content(options);
  const latencies = new Float64Array(messages);
  const paced = pacer(options);
  const timeout = link.target.globals.timeoutMs;
  const start = performance.now();
  for (let i = 0; i < messages; i++) {
    const before = performance.now();
    try {
      await link.nc.request(subjectOf(task, i), payload, { timeout, ...publishOptions });
    } catch (error) {
      throw new CliError(`nats: ${error instanceof Error ? error.message : String(error)}`);
    }
    latencies[i] = (performance.now() - before) * 1000;
    progress.advance();
    if (paced !== undefined) await paced(i + 1);
  }
  return sample(messages, payload.length, start, latencies);
}

/** Answers every request until the process ends. */
export function serveClient(link: Link, subject: string, options: BenchOptions): void {
  const answer = Buffer.alloc(options.size, "x");
  link.nc.subscribe(subject, {
    queue: "bench-service",
    callback: (error, request) => {
      if (error !== null) return;
      if (options.sleep === 0) request.respond(answer);
      else setTimeout(() => request.respond(answer), options.sleep);
    },
  });
}

function content(options: BenchOptions): { payload: Uint8Array; publishOptions: PublishOptions } {
  const payload =
    options.payload === undefined ? Buffer.alloc(options.size, "x") : readFileSync(options.payload);
  const headers = messageHeaders(options.header ?? [], messageFunctions(0));
  return { payload, publishOptions: headers === undefined ? {} : { headers } };
}

function subjectOf(task: BenchTask, i: number): string {
  if (!task.options.multisubject) return task.subject;
  const number = i + task.offset;
  const max = task.options.multisubjectmax;
  return `${task.subject}.${String(max === 0 ? number : number % max).padStart(String(max).length, "0")}`;
}

/** Waits after each message as `--sleep` and `--throughput` ask for; undefined if neither does. */
function pacer(options: BenchOptions): ((sent: number) => Promise<void>) | undefined {
  const perClient = options.throughput / options.clients;
  if (options.sleep === 0 && !(perClient > 0)) return undefined;
  const start = performance.now();
  return async (sent) => {
    if (options.sleep > 0) await sleep(options.sleep);
    const ahead = perClient > 0 ? (sent / perClient) * 1000 - (performance.now() - start) : 0;
    // Below a millisecond a timer is late; the next messages make up for it.
    if (ahead >= 1) await sleep(ahead);
  };
}

function sample(
  messages: number,
  size: number,
  startMs: number,
  latencies: Float64Array,
): BenchSample {
  return {
    messages,
    bytes: messages * size,
    startMs,
    endMs: performance.now(),
    latencies: latencies.sort(),
  };
}
