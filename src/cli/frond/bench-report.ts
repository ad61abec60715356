/** What a benchmark found, as text for people and as CSV, in the layout of `nats bench`. */
import { nuid } from "@nats-io/transport-node";
import { bytes, commas } from "./output.ts";

/** One client's measurements. */
export interface BenchSample {
  readonly messages: number;
  readonly bytes: number;
  readonly startMs: number;
  readonly endMs: number;
  /** Microseconds a message, ascending; empty where a latency has no meaning. */
  readonly latencies: Float64Array;
}

interface Latencies {
  readonly min: number;
  readonly avg: number;
  readonly max: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
}

export function benchReport(label: string, samples: readonly BenchSample[]): string {
  const [first] = samples;
  if (first === undefined) return "No publisher or subscribers. Nothing to report.";
  if (samples.length === 1) return `NATS ${label} stats: ${summary(first)}\n`;
  const lines = samples.map((s, i) => `  [${i + 1}] ${summary(s)} (${commas(s.messages)} msgs)`);
  const all = together(samples);
  const rates = samples.map(rate);
  const average = rates.reduce((sum, r) => sum + r, 0) / rates.length;
  lines.push(
    "",
    ` NATS ${label} aggregated stats: ${throughput(all)}`,
    ` message rates min ${commas(Math.min(...rates))} | avg ${commas(average)} | max ${commas(Math.max(...rates))} | stddev ${commas(deviation(rates, average))} msgs`,
  );
  if (all.latencies.length > 0) {
    const l = latencies(all.latencies);
    lines.push(
      ` latencies per operation min ${us(l.min)} | avg ${us(l.avg)} | max ${us(l.max)} | stddev ${us(l.stddev)} | P50 ${us(l.p50)} | P90 ${us(l.p90)} | P99 ${us(l.p99)} | P99.9: ${us(l.p999)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

export function benchCsv(prefix: "P" | "S", samples: readonly BenchSample[]): string {
  const run = nuid.next();
  const timed = samples.some((s) => s.latencies.length > 0);
  const columns = [
    "#RunID",
    "ClientID",
    "MsgCount",
    "MsgBytes",
    "MsgsPerSec",
    "BytesPerSec",
    "DurationSecs",
  ];
  if (timed) {
    for (const name of ["Min", "Avg", "Max", "P50", "P90", "P99", "P99.9", "StdDev"]) {
      columns.push(`${name}LatencyMicroSecs`);
    }
  }
  const rows = samples.map((s, i) => {
    const seconds = (s.endMs - s.startMs) / 1000;
    const row = [run, `${prefix}${i}`, `${s.messages}`, `${s.bytes}`, `${rate(s)}`];
    row.push((s.bytes / seconds).toFixed(6), seconds.toFixed(6));
    if (timed) {
      const l = latencies(s.latencies);
      for (const v of [l.min, l.avg, l.max, l.p50, l.p90, l.p99, l.p999, l.stddev])
        row.push(v.toFixed(6));
    }
    return row;
  });
  return [columns, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

function summary(s: BenchSample): string {
  if (s.latencies.length === 0) return throughput(s);
  const l = latencies(s.latencies);
  return [
    throughput(s),
    `min: ${us(l.min)}`,
    `avg: ${us(l.avg)}`,
    `max: ${us(l.max)}`,
    `P50: ${us(l.p50)}`,
    `P90: ${us(l.p90)}`,
    `P99: ${us(l.p99)}`,
    `P99.9: ${us(l.p999)}`,
  ].join(" ~ ");
}

function throughput(s: BenchSample): string {
  return `${commas(rate(s))} msgs/sec ~ ${bytes((s.bytes / (s.endMs - s.startMs)) * 1000)}/sec`;
}

function rate(s: BenchSample): number {
  return Math.floor((s.messages / Math.max(s.endMs - s.startMs, 1e-6)) * 1000);
}

/** All samples as one, from the first start to the last end. */
function together(samples: readonly BenchSample[]): BenchSample {
  const joined = new Float64Array(samples.reduce((sum, s) => sum + s.latencies.length, 0));
  let at = 0;
  for (const s of samples) {
    joined.set(s.latencies, at);
    at += s.latencies.length;
  }
  return {
    messages: samples.reduce((sum, s) => sum + s.messages, 0),
    bytes: samples.reduce((sum, s) => sum + s.bytes, 0),
    startMs: Math.min(...samples.map((s) => s.startMs)),
    endMs: Math.max(...samples.map((s) => s.endMs)),
    latencies: joined.sort(),
  };
}

function latencies(sorted: Float64Array): Latencies {
  const at = (percentile: number): number =>
    sorted[Math.max(Math.ceil((percentile / 100) * sorted.length) - 1, 0)] ?? 0;
  const avg = sorted.reduce((sum, v) => sum + v, 0) / Math.max(sorted.length, 1);
  return {
    min: sorted[0] ?? 0,
    avg,
    max: sorted.at(-1) ?? 0,
    stddev: deviation(sorted, avg),
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
  };
}

function deviation(values: ArrayLike<number>, average: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] ?? 0) - average) ** 2;
  return Math.sqrt(sum / Math.max(values.length, 1));
}

function us(value: number): string {
  return `${commas(value, 2)}us`;
}
