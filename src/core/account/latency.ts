/**
 * Latency of an exported service: which requests are measured, and the metric that is published in the
 * exporting account when the answer has come, or will not come.
 */
import { latin1, utf8Bytes } from "../bytes/ascii.ts";
import { rfc3339 } from "../bytes/time.ts";
import type { Millis } from "../contract.ts";
import type { Engine } from "../engine.ts";
import type { Link } from "../link/link.ts";
import type { Message } from "../protocol/message.ts";
import type { Account } from "./account.ts";
import type { LatencySpec } from "./exports.ts";
import { clientInfoJson, type InfoDetail } from "./request-info.ts";

const TYPE = "io.nats.server.metric.v1.service_latency";

interface Outcome {
  readonly status: number;
  readonly description: string;
}

const OK: Outcome = { status: 200, description: "" };
const BAD_REQUEST: Outcome = { status: 400, description: "Bad Request" };
const REQUEST_TIMEOUT: Outcome = { status: 408, description: "Request Timeout" };
const UNAVAILABLE: Outcome = { status: 503, description: "Service Unavailable" };
const SERVICE_TIMEOUT: Outcome = { status: 504, description: "Service Timeout" };

/** One request that is measured. */
export class Measurement {
  readonly #exporter: Account;
  readonly #subject: string;
  readonly #requestor: string;
  readonly #requestorRtt: Millis;
  readonly #at: Millis;
  /** The tracing headers that had it measured, as JSON; "" = none. */
  readonly #header: string;

  constructor(
    engine: Engine,
    spec: LatencySpec,
    exporter: Account,
    by: { readonly link: Link | null; readonly detail: InfoDetail; readonly header: string },
  ) {
    this.#exporter = exporter;
    this.#subject = spec.subject;
    this.#requestor = by.link === null ? "" : clientInfoJson(engine, by.link, by.detail);
    this.#requestorRtt = by.link?.rtt ?? 0;
    this.#at = engine.now;
    this.#header = by.header;
  }

  answered(engine: Engine, responder: Link | null): void {
    const full = { through: "", full: true, server: true };
    const info = responder === null ? "" : clientInfoJson(engine, responder, full);
    const rtt = responder?.rtt ?? 0;
    this.#publish(engine, OK, info, Math.max(0, engine.now - this.#at - rtt), rtt);
  }

  /** There is no reply to answer to. */
  badRequest(engine: Engine): void {
    this.#publish(engine, BAD_REQUEST, "", 0, 0);
  }

  /** The requester went away. */
  abandoned(engine: Engine): void {
    this.#publish(engine, REQUEST_TIMEOUT, "", 0, 0);
  }

  unavailable(engine: Engine): void {
    this.#publish(engine, UNAVAILABLE, "", 0, 0);
  }

  expired(engine: Engine): void {
    this.#publish(engine, SERVICE_TIMEOUT, "", 0, 0);
  }

  #publish(
    engine: Engine,
    outcome: Outcome,
    responder: string,
    service: Millis,
    rtt: Millis,
  ): void {
    const good = outcome === OK;
    const total = good ? this.#requestorRtt + rtt + service : 0;
    const parts = [
      `"type":"${TYPE}"`,
      `"id":"${engine.nuid()}"`,
      `"timestamp":"${rfc3339(engine.now)}"`,
      `"status":${outcome.status}`,
    ];
    if (!good) parts.push(`"description":"${outcome.description}"`);
    if (this.#requestor !== "") parts.push(`"requestor":${this.#requestor}`);
    if (responder !== "") parts.push(`"responder":${responder}`);
    if (this.#header !== "") parts.push(`"header":${this.#header}`);
    parts.push(`"start":"${rfc3339(this.#at - this.#requestorRtt)}"`);
    parts.push(`"service":${nanos(service)}`, `"system":0`, `"total":${nanos(total)}`);
    const message = {
      account: this.#exporter,
      subject: this.#subject,
      reply: "",
      header: null,
      payload: utf8Bytes(`{${parts.join(",")}}`),
      source: null,
      queues: null,
    };
    engine.publish(message, engine.now);
  }
}

function nanos(duration: Millis): number {
  return Math.round(duration * 1e6);
}

/** Whether a request is measured; the tracing headers that say so as JSON, "" without them, null = not. */
export function sampled(engine: Engine, spec: LatencySpec, m: Message): string | null {
  if (spec.sampling === "headers") return tracingHeaders(m);
  if (spec.sampling >= 100) return "";
  return engine.world.random() * 100 < spec.sampling ? "" : null;
}

/** Headers of Jaeger, Zipkin and the W3C, if one of them says that the request is traced. */
function tracingHeaders(m: Message): string | null {
  if (m.headerEnd === 0) return null;
  const text = latin1(m.bytes, m.payloadStart, m.payloadStart + m.headerLength);
  const headers = new Map<string, string>();
  for (const line of text.split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon > 0)
      headers.set(canonical(line.slice(0, colon).trim()), line.slice(colon + 1).trim());
  }
  const pick = (...names: readonly string[]): string => {
    const found = names.flatMap((name) => {
      const value = headers.get(name);
      return value === undefined ? [] : [`${JSON.stringify(name)}:${JSON.stringify([value])}`];
    });
    return `{${found.join(",")}}`;
  };
  const uber = headers.get("Uber-Trace-Id");
  if (uber !== undefined) {
    const flags = uber.split(":")[3] ?? "";
    if (uber.split(":").length !== 4 || flags === "" || flags.length > 2) return null;
    return Number.parseInt(flags, 16) % 2 === 1 ? pick("Uber-Trace-Id") : null;
  }
  const b3 = headers.get("B3");
  if (b3 !== undefined) {
    const parts = b3.split("-");
    const state = parts.length === 1 ? parts[0] : parts[2];
    return state !== undefined && /^[1d]$/.test(state) ? pick("B3") : null;
  }
  const zipkin = headers.get("X-B3-Sampled");
  if (zipkin === "0") return null;
  if (zipkin === "1" || headers.has("X-B3-Traceid")) {
    return pick("X-B3-Sampled", "X-B3-Traceid", "X-B3-Parentspanid", "X-B3-Spanid");
  }
  const parent = headers.get("Traceparent");
  if (parent === undefined) return null;
  const flags = parent.split("-")[3] ?? "";
  return flags.length === 2 && Number.parseInt(flags, 16) % 2 === 1
    ? pick("Traceparent", "Tracestate")
    : null;
}

/** `x-b3-sampled` -> `X-B3-Sampled`, as Go's header keys. */
function canonical(name: string): string {
  return name
    .split("-")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase())
    .join("-");
}
