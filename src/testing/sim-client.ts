/**
 * A simulated client: speaks the client protocol's bytes over a simulated connection, keeps what each of its
 * subscriptions received, and if told to connects and subscribes again after its connection broke.
 */
import type { Link } from "../core/index.ts";
import type { LineOptions, SimConnection } from "./network.ts";
import type { SimServer } from "./sim-server.ts";

export interface ClientInput {
  readonly user?: string;
  readonly echo?: boolean;
  readonly line?: LineOptions;
  /** Milliseconds until it dials again after a break; null = never. */
  readonly reconnect?: number | null;
  readonly headers?: boolean;
  readonly noResponders?: boolean;
}

export interface Received {
  readonly subject: string;
  readonly reply: string;
  readonly body: string;
  readonly status: string;
}

export class SimSubscription {
  readonly client: SimClient;
  readonly sid: string;
  readonly subject: string;
  readonly queue: string;
  readonly received: Received[] = [];
  /** UNSUB was sent. */
  ended = false;

  constructor(client: SimClient, sid: string, subject: string, queue: string) {
    this.client = client;
    this.sid = sid;
    this.subject = subject;
    this.queue = queue;
  }
}

const LF = 10;

export class SimClient {
  readonly server: SimServer;
  readonly name: string;
  readonly input: ClientInput;
  /** Live and ended subscriptions, by sid. */
  readonly subs = new Map<string, SimSubscription>();
  readonly errors: string[] = [];
  connection: SimConnection | null = null;
  /** The server's end. */
  link: Link | null = null;
  isConnected = false;
  /** Grows whenever the connection breaks. */
  epoch = 0;
  pongs = 0;
  #isClosed = false;
  #buffer = new Uint8Array(0);
  #nextSid = 1;

  constructor(server: SimServer, name: string, input: ClientInput) {
    this.server = server;
    this.name = name;
    this.input = input;
    this.#dial();
  }

  subscribe(subject: string, queue = ""): SimSubscription {
    const sub = new SimSubscription(this, String(this.#nextSid++), subject, queue);
    this.subs.set(sub.sid, sub);
    if (this.isConnected) this.send(subLine(sub));
    return sub;
  }

  unsubscribe(sub: SimSubscription): void {
    sub.ended = true;
    if (this.isConnected) this.send(`UNSUB ${sub.sid}\r\n`);
  }

  publish(subject: string, body: string, reply = ""): void {
    this.send(`PUB ${subject} ${reply === "" ? "" : `${reply} `}${body.length}\r\n${body}\r\n`);
  }

  ping(): void {
    this.send("PING\r\n");
  }

  /** Raw latin1 text. */
  send(text: string): void {
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    this.connection?.a.write(bytes);
  }

  close(): void {
    this.#isClosed = true;
    this.isConnected = false;
    this.connection?.a.end(true);
  }

  /** Everything received by all subscriptions. */
  get received(): readonly Received[] {
    return [...this.subs.values()].flatMap((sub) => sub.received);
  }

  #dial(): void {
    if (this.#isClosed) return;
    const { sim } = this.server;
    if (!this.server.isRunning) {
      this.#retry();
      return;
    }
    const connection = sim.connect(this.input.line);
    this.connection = connection;
    this.#buffer = new Uint8Array(0);
    connection.a.onBreak = connection.b.onBreak = () => {
      if (this.connection === connection) this.#broke();
    };
    connection.a.handler = {
      data: (chunk) => this.#data(chunk),
      closed: () => this.#retry(),
      drained: () => {},
    };
    this.link = this.server.acceptClient(connection.b);
    this.isConnected = true;
    const options = {
      verbose: false,
      pedantic: false,
      echo: this.input.echo ?? true,
      headers: this.input.headers ?? true,
      no_responders: this.input.noResponders ?? false,
      user: this.input.user ?? "",
      name: this.name,
      lang: "sim",
      protocol: 1,
    };
    this.send(`CONNECT ${JSON.stringify(options)}\r\nPING\r\n`);
    for (const sub of this.subs.values()) if (!sub.ended) this.send(subLine(sub));
  }

  #broke(): void {
    this.epoch++;
    this.isConnected = false;
  }

  #retry(): void {
    const { reconnect = null } = this.input;
    if (reconnect === null || this.#isClosed) return;
    const { sim } = this.server;
    sim.clock.after(reconnect + sim.random.below(reconnect), () => this.#dial());
  }

  #data(chunk: Uint8Array): void {
    const joined = new Uint8Array(this.#buffer.length + chunk.length);
    joined.set(this.#buffer);
    joined.set(chunk, this.#buffer.length);
    let at = 0;
    for (let next = this.#unit(joined, at); next > at; next = this.#unit(joined, at)) at = next;
    this.#buffer = joined.subarray(at);
  }

  /** Applies the unit at `at`; the index behind it, or `at` if it is not whole. */
  #unit(bytes: Uint8Array, at: number): number {
    const lf = bytes.indexOf(LF, at);
    if (lf < 0) return at;
    const line = text(bytes, at, lf - 1);
    const [verb = "", ...args] = line.split(" ");
    switch (verb) {
      case "MSG":
      case "HMSG":
        return this.#message(verb, args, bytes, at, lf + 1);
      case "PING":
        this.send("PONG\r\n");
        break;
      case "PONG":
        this.pongs++;
        break;
      case "-ERR":
        this.errors.push(line.slice(6, -1));
        break;
      case "INFO":
      case "+OK":
        break;
      default:
        this.server.sim.fault(`${this.name} got an unknown line: ${JSON.stringify(line)}`);
    }
    return lf + 1;
  }

  #message(
    verb: string,
    args: readonly string[],
    bytes: Uint8Array,
    at: number,
    start: number,
  ): number {
    const numbers = verb === "MSG" ? 1 : 2;
    const size = Number(args.at(-1));
    if (start + size + 2 > bytes.length) return at;
    const [subject = "", sid = ""] = args;
    const reply = args.length - numbers === 3 ? (args[2] ?? "") : "";
    const headerLength = numbers === 2 ? Number(args.at(-2)) : 0;
    const status = /^NATS\/1\.0 (\d{3})/.exec(text(bytes, start, start + headerLength))?.[1] ?? "";
    const body = text(bytes, start + headerLength, start + size);
    if (bytes[start + size] !== 13 || bytes[start + size + 1] !== LF) {
      this.server.sim.fault(`${this.name}: no CRLF behind a payload`);
    }
    const sub = this.subs.get(sid);
    if (sub === undefined)
      this.server.sim.fault(`${this.name}: a message for an unknown sid ${sid}`);
    else {
      const received = { subject, reply, body, status };
      sub.received.push(received);
      this.server.sim.delivered(sub, received);
    }
    return start + size + 2;
  }
}

function subLine(sub: SimSubscription): string {
  return `SUB ${sub.subject} ${sub.queue === "" ? "" : `${sub.queue} `}${sub.sid}\r\n`;
}

function text(bytes: Uint8Array, start: number, end: number): string {
  let out = "";
  for (let i = start; i < end; i++) out += String.fromCharCode(bytes[i] ?? 0);
  return out;
}
