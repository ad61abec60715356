/**
 * A traced message on its way through a service import. Where the export allows it, the exporting account traces
 * on, and servers behind it send their traces back through a reply subject of that account, as answers go; else
 * the message goes on untraced, here and there.
 */
import { latin1, latin1Bytes, latin1ToUtf8 } from "../bytes/ascii.ts";
import type { Engine } from "../engine.ts";
import { withHeader } from "../protocol/header-block.ts";
import type { Message } from "../protocol/message.ts";
import {
  type MessageTrace,
  TRACE_DEST,
  TRACE_DISABLED,
  TRACE_HOP,
} from "../routing/message-trace.ts";
import type { Account } from "./account.ts";
import type { ServiceExportSpec } from "./exports.ts";
import type { Response } from "./responses.ts";

/** Bounds on what is remembered of one path. */
const SERVERS_MOST = 1024;
const HOP_LONGEST = 256;

/** From one account to another, under which subject. */
export interface Crossing {
  readonly from: Account;
  readonly to: Account;
  readonly subject: string;
  /** The export that allows it to be traced there; null for answers, which are not. */
  readonly offer: ServiceExportSpec | null;
}

export class TraceCrossing {
  readonly #engine: Engine;
  readonly #trace: MessageTrace;
  readonly #via: string;
  readonly #hops: number;
  readonly #isAllowed: boolean;
  #wayBack: Response | null = null;

  /** Notes that `m` crosses. Must be followed by `leave`. */
  constructor(
    engine: Engine,
    trace: MessageTrace,
    m: Message,
    { from, to, subject, offer }: Crossing,
  ) {
    this.#engine = engine;
    this.#trace = trace;
    this.#via = trace.via;
    this.#hops = trace.hops;
    this.#isAllowed = offer?.allowTrace === true;
    trace.imported("si", to, latin1(m.bytes, m.subjectStart, m.subjectEnd), subject);
    if (offer !== null && this.#isAllowed) {
      this.#wayBack = to.responsesFor(engine).openTo(from, latin1Bytes(trace.via), offer);
      trace.via = latin1(this.#wayBack.subject, 0, this.#wayBack.subject.length);
    } else engine.tracing = null;
  }

  /** Nothing is to be delivered, and nothing more to be seen. */
  get ends(): boolean {
    return !this.#isAllowed && this.#trace.request.only;
  }

  /** Nobody gets the message, so nobody answers it. */
  get isUnanswered(): boolean {
    return this.#trace.request.only;
  }

  /** The header block (that of `m` where it is not rewritten otherwise) as it goes on. */
  header(m: Message, block: Uint8Array | null): Uint8Array {
    const text =
      block === null
        ? latin1(m.bytes, m.payloadStart, m.payloadStart + m.headerLength)
        : latin1(block, 0, block.length);
    return withHeader(text, TRACE_DEST, this.#isAllowed ? this.#trace.via : TRACE_DISABLED);
  }

  leave(): void {
    const trace = this.#trace;
    this.#engine.tracing = trace;
    trace.via = this.#via;
    const wayBack = this.#wayBack;
    if (wayBack === null) return;
    const hops = trace.hops - this.#hops;
    if (hops === 0) wayBack.owner.remove(wayBack);
    else wayBack.traces = new ExpectedTraces(trace.request.hop, hops);
  }
}

/**
 * The traces of other servers that come through one way back. Each says how many servers it sent the message on
 * to; they come in any order.
 */
export class ExpectedTraces {
  /** How many servers a place on the path sent the message to, by its own word. */
  readonly #sent = new Map<string, number>();
  /** From how many of them a trace came. */
  readonly #heard = new Map<string, number>();

  constructor(hop: string, hops: number) {
    this.#sent.set(hop, hops);
  }

  /** Takes a trace as it passes; true once all have come. What cannot be read is waited for in vain. */
  came(m: Message): boolean {
    const said = readTrace(m);
    if (said === null || this.#sent.has(said.hop)) return false;
    if (this.#sent.size >= SERVERS_MOST) return true;
    this.#sent.set(said.hop, said.hops);
    const parent = said.hop.slice(0, Math.max(0, said.hop.lastIndexOf(".")));
    this.#heard.set(parent, (this.#heard.get(parent) ?? 0) + 1);
    for (const hop of this.#heard.keys()) if (!this.#sent.has(hop)) return false;
    for (const [hop, hops] of this.#sent) if ((this.#heard.get(hop) ?? 0) < hops) return false;
    return true;
  }
}

/** The place on the path and the hops in a trace; null if it cannot be read, being compressed for one. */
function readTrace(m: Message): { readonly hop: string; readonly hops: number } | null {
  const start = m.payloadStart + m.headerLength;
  const text = latin1ToUtf8(latin1(m.bytes, start, m.payloadStart + m.size));
  const trace = asRecord(parsed(text));
  const header = asRecord(asRecord(trace["request"])["header"]);
  const values = header[TRACE_HOP];
  const hop: unknown = Array.isArray(values) && values.length === 1 ? values[0] : null;
  if (typeof hop !== "string" || hop.length > HOP_LONGEST) return null;
  const { hops } = trace;
  return { hop, hops: typeof hops === "number" ? hops : 0 };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any object has members of unknown types
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
