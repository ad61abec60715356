/**
 * Messages of the server on the system account: who it is, the envelopes of answers, the encodings that a
 * request may ask for. What is said on it is in `system-services.ts` and `system-events.ts`.
 */
import { gzipSync } from "node:zlib";
import {
  latin1,
  utf8Bytes,
  type Account,
  type Engine,
  type InternalHandler,
  type InternalMessage,
} from "../core/index.ts";
import {
  encodeJson,
  serverInfo,
  timestamp,
  type Json,
  type JsonObject,
  type MonitorState,
} from "../monitoring/index.ts";
import { now } from "./clock.ts";
import { snappyFramed } from "./snappy.ts";

export interface SystemBusHost {
  readonly engine: Engine;
  monitorState(): MonitorState;
}

export class SystemBus {
  readonly engine: Engine;
  readonly #host: SystemBusHost;
  #seq = 0;

  constructor(host: SystemBusHost) {
    this.engine = host.engine;
    this.#host = host;
  }

  /** Null where there is no system account. */
  get account(): Account | null {
    const name = this.engine.options.systemAccount;
    return name === "" ? null : this.engine.account(name);
  }

  state(): MonitorState {
    return this.#host.monitorState();
  }

  /** The `server` member of the next message. */
  info(state: MonitorState = this.state()): JsonObject {
    return serverInfo(state, ++this.#seq);
  }

  subscribe(subject: string, handler: InternalHandler): void {
    const { account } = this;
    if (account !== null) this.engine.subscribeInternal(account, subject, "", handler);
  }

  /** `make` is asked only where somebody listens: with many connections some bodies are costly. */
  publish(subject: string, make: () => Json, account: Account | null = this.account): void {
    if (account === null || account.sublist.match(subject, []).length === 0) return;
    this.#send(account, subject, null, utf8Bytes(encodeJson(make(), 0)));
  }

  /** What every advisory begins with. */
  head(state: MonitorState, type: string): JsonObject {
    const server = this.info(state);
    return { type, id: this.engine.nuid(), timestamp: timestamp(state.now), server };
  }

  /** Answers a request; `encoded` false for errors, which are always plain. */
  reply(request: InternalMessage, body: Json | string, encoded = true): void {
    if (request.reply === "") return;
    const payload = utf8Bytes(typeof body === "string" ? body : encodeJson(body, 0));
    const accepted = encoded ? acceptedEncoding(request.header) : null;
    this.#sendEncoded(request.account, request.reply, accepted, payload);
  }

  /** Publishes in any account, encoded as `accepted` (the value of `Accept-Encoding`, "" without it) asks for. */
  publishEncoded(account: Account, subject: string, accepted: string, make: () => Json): void {
    if (this.account === null || account.sublist.match(subject, []).length === 0) return;
    const payload = utf8Bytes(encodeJson(make(), 0));
    this.#sendEncoded(account, subject, accepted === "" ? null : encodingOf(accepted), payload);
  }

  #sendEncoded(
    account: Account,
    subject: string,
    encoding: Encoding | null,
    payload: Uint8Array,
  ): void {
    if (encoding === null) this.#send(account, subject, null, payload);
    else {
      const header = utf8Bytes(`NATS/1.0\r\nContent-Encoding: ${encoding}\r\n\r\n`);
      this.#send(account, subject, header, encode(encoding, payload));
    }
  }

  #send(account: Account, subject: string, header: Uint8Array | null, payload: Uint8Array): void {
    this.engine.publish(
      { account, subject, reply: "", header, payload, source: null, queues: null },
      now(),
    );
  }
}

type Encoding = "snappy" | "gzip" | "identity";

/** Null without the header. */
function acceptedEncoding(header: Uint8Array | null): Encoding | null {
  if (header === null) return null;
  const lines = latin1(header, 0, header.length).split("\r\n");
  const line = lines.find((one) => one.toLowerCase().startsWith("accept-encoding:"));
  if (line === undefined) return null;
  return encodingOf(line.slice(line.indexOf(":") + 1));
}

function encodingOf(accepted: string): Encoding {
  const value = accepted.toLowerCase();
  if (value.includes("snappy") || value.includes("s2")) return "snappy";
  return value.includes("gzip") ? "gzip" : "identity";
}

function encode(encoding: Encoding, payload: Uint8Array): Uint8Array {
  if (encoding === "identity") return payload;
  return encoding === "snappy" ? snappyFramed(payload) : new Uint8Array(gzipSync(payload));
}
