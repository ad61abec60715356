/**
 * What a check found, in the forms monitoring systems read: Nagios plugin output, JSON, Prometheus
 * metrics, or tables for people. The worst finding decides the status.
 */
import { renameSync, writeFileSync } from "node:fs";
import { outLine, renderTable, toJson } from "./output.ts";

const EXIT_CODES = { OK: 0, WARNING: 1, CRITICAL: 2 } as const;
type CheckStatus = keyof typeof EXIT_CODES;

interface Metric {
  readonly name: string;
  readonly help: string;
  /** All three in seconds; a threshold of 0 is none. */
  readonly value: number;
  readonly warning: number;
  readonly critical: number;
}

/** A time that was measured, its thresholds, and the words for each outcome. */
export interface Measurement {
  readonly name: string;
  readonly help: string;
  readonly ms: number;
  readonly warnMs: number;
  readonly criticalMs: number;
  readonly ok: string;
  readonly exceeded: (limitSeconds: string) => string;
}

export class CheckResult {
  readonly #name: string;
  readonly #suite: string;
  readonly #oks: string[] = [];
  readonly #warnings: string[] = [];
  readonly #criticals: string[] = [];
  readonly #metrics: Metric[] = [];

  constructor(name: string, suite: string) {
    this.#name = name;
    this.#suite = suite;
  }

  critical(text: string): void {
    this.#criticals.push(text);
  }

  /** Records a time and holds it against its thresholds. */
  measure(m: Measurement): void {
    this.#metrics.push({
      name: m.name,
      help: m.help,
      value: seconds(m.ms),
      warning: seconds(m.warnMs),
      critical: seconds(m.criticalMs),
    });
    if (m.criticalMs > 0 && m.ms >= m.criticalMs) {
      this.#criticals.push(m.exceeded(goFloat(seconds(m.criticalMs))));
    } else if (m.warnMs > 0 && m.ms >= m.warnMs) {
      this.#warnings.push(m.exceeded(goFloat(seconds(m.warnMs))));
    } else {
      this.#oks.push(m.ok);
    }
  }

  get status(): CheckStatus {
    if (this.#criticals.length > 0) return "CRITICAL";
    return this.#warnings.length > 0 ? "WARNING" : "OK";
  }

  /** Prints or saves the result; the exit code, which Prometheus wants to be 0. */
  finish(
    format: "nagios" | "json" | "prometheus" | "text",
    namespace: string,
    file?: string,
  ): number {
    const renderers = {
      nagios: () => this.#nagios(),
      json: () => this.#json(),
      prometheus: () => this.#prometheus(namespace),
      text: () => this.#text(),
    };
    const text = renderers[format]();
    if (file === undefined) {
      outLine(text);
    } else {
      writeFileSync(`${file}.${process.pid}`, `${text}\n`, { mode: 0o600 });
      renameSync(`${file}.${process.pid}`, file);
    }
    return format === "prometheus" ? 0 : EXIT_CODES[this.status];
  }

  #nagios(): string {
    const words = [
      this.#name,
      ...this.#criticals.map((text) => `Crit:${text}`),
      ...this.#warnings.map((text) => `Warn:${text}`),
      ...this.#oks.map((text) => `OK:${text}`),
    ];
    const metrics = this.#metrics.map((m) => {
      const thresholds =
        m.critical > 0 ? [threshold(m.warning), threshold(m.critical)] : [threshold(m.warning)];
      const shown =
        m.warning > 0 || m.critical > 0
          ? [`${m.value.toFixed(4)}s`, ...thresholds]
          : [`${m.value.toFixed(4)}s`];
      return `${m.name}=${shown.join(";")}`;
    });
    const line = `${this.status} ${words.join(" ")}`;
    return metrics.length === 0 ? line : `${line} | ${metrics.join(" ")}`;
  }

  #json(): string {
    const some = (key: string, list: readonly string[]): object =>
      list.length === 0 ? {} : { [key]: list };
    return toJson({
      status: this.status,
      check_suite: this.#suite,
      check_name: this.#name,
      ...some("warning", this.#warnings),
      ...some("critical", this.#criticals),
      ...some("ok", this.#oks),
      perf_data: this.#metrics.map(({ name, value, warning, critical }) => ({
        name,
        value,
        warning,
        critical,
        unit: "s",
      })),
    });
  }

  #prometheus(namespace: string): string {
    const prefix = `${namespace}_${this.#suite}`;
    const item = `item="${this.#name}"`;
    const gauge = (name: string, help: string, labels: string, value: number): string =>
      `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}{${labels}} ${value}\n`;
    const gauges = this.#metrics.map((m) => gauge(`${prefix}_${m.name}`, m.help, item, m.value));
    gauges.push(
      gauge(
        `${prefix}_status_code`,
        `Nagios compatible status code for ${this.#suite}`,
        `${item},status="${this.status}"`,
        EXIT_CODES[this.status],
      ),
    );
    return gauges.sort().join("");
  }

  #text(): string {
    const findings = [
      ...this.#oks.map((text) => ["OK", text]),
      ...this.#warnings.map((text) => ["Warning", text]),
      ...this.#criticals.map((text) => ["Critical", text]),
    ];
    let text = `${this.#name}: ${this.status}\n\n`;
    if (findings.length > 0) {
      text += `Status Detail\n\n${renderTable({ headings: ["Status", "Message"], rows: findings })}\n`;
    }
    if (this.#metrics.length > 0) {
      const headings = [
        "Metric",
        "Value",
        "Unit",
        "Critical Threshold",
        "Warning Threshold",
        "Description",
      ];
      const rows = this.#metrics.map((m) => [
        m.name,
        m.value.toFixed(3),
        "s",
        m.critical.toFixed(3),
        m.warning.toFixed(3),
        m.help,
      ]);
      text += `\nCheck Metrics\n\n${renderTable({ headings, rows })}\n`;
    }
    return text;
  }
}

function seconds(ms: number): number {
  return Number((ms / 1000).toFixed(9));
}

function threshold(value: number): string {
  return value > 0 ? value.toFixed(4) : "";
}

/** A number as Go prints it: two digits in an exponent. */
function goFloat(value: number): string {
  return String(value).replace(/e([-+])(\d)$/, "e$10$2");
}
