/**
 * A client of a run. It subscribes and publishes at random, reads what it is sent, and checks each message: one of its
 * subscriptions takes the subject, the body is whole, it was allowed to get here, it comes once and in order. Besides,
 * the run tells it what is `due`.
 */
import type { Link, LinkPlace } from "../../src/core/index.ts";
import type { Random } from "../../src/testing/random.ts";
import {
  accountOf,
  bodyOf,
  matches,
  PUBLISHED,
  randomSize,
  SUBSCRIBED,
  USERS,
  type User,
} from "./delivery-model.ts";
import type { DeliveryHost } from "./delivery-host.ts";
import { asBuffer, Input } from "./input.ts";
import type { Wire } from "./wires.ts";

const PLACE: LinkPlace = { host: "127.0.0.1", port: 5000, connectionType: "STANDARD" };
const HEADER = "NATS/1.0\r\nX: y\r\n\r\n";
/** A message in a burst is no larger than one of these. */
const BURST_SIZES = [60, 600, 6000];

/** What a client asks of its run. */
export interface ClientRun {
  readonly random: Random;
  nextSeq(): number;
  /** The server has read all of this message. */
  published(from: DeliveryClient, subject: string, seq: number): void;
}

export interface ClientInput {
  readonly id: number;
  readonly user: User;
  /** Hears everything and says nothing. */
  readonly sink: boolean;
}

export class DeliveryClient {
  readonly host: DeliveryHost;
  readonly user: User;
  readonly isSink: boolean;
  readonly echo: boolean;
  readonly wire: Wire;
  /** Its verdict comes late, or was not asked for: when the server reads what it sent is not known. */
  unsure = true;
  /** Subscriptions without queue group and limit that the server has read and that are not ended. */
  readonly plain = new Map<number, string>();
  /** `sid seq` of messages that must come. */
  readonly due = new Set<string>();
  received = 0;
  readonly #run: ClientRun;
  readonly #random: Random;
  readonly #id: number;
  readonly #headers: boolean;
  readonly #input: Input;
  readonly #subjects: string[] = [];
  readonly #lastSeq = new Map<string, number>();
  #answers = false;
  #rest: Buffer = Buffer.alloc(0);

  constructor(run: ClientRun, host: DeliveryHost, { id, user, sink }: ClientInput) {
    const random = (this.#random = run.random);
    this.#run = run;
    this.host = host;
    this.#id = id;
    this.user = user;
    this.isSink = sink;
    this.echo = sink || random.chance(0.5);
    this.#headers = sink || random.chance(0.7);
    this.#input = new Input(random);
    const { engine } = host;
    const open = (): Link => engine.openClient(PLACE, engine.now);
    this.wire = host.wires.connect((bytes) => this.#read(bytes), open);
    this.wire.slow = random.chance(0.4);
    const options = {
      verbose: !sink && random.chance(0.1),
      echo: this.echo,
      headers: this.#headers,
      no_responders: this.#headers && random.chance(0.5),
      user,
    };
    this.#send(`CONNECT ${JSON.stringify(options)}\r\n`, () => {
      this.unsure = host.delaysVerdicts;
    });
    if (sink) this.#subscribe(">", false);
    else for (let i = random.below(5); i > 0; i--) this.#subscribeSome();
  }

  /** Thinks of something to send. */
  act(): void {
    const random = this.#random;
    const what = random.below(10);
    if (what < 5) this.#publishSome();
    else if (what === 5) this.#subscribeSome();
    else if (what === 6) this.#unsubscribe(1 + random.below(this.#subjects.length + 1));
    else if (what === 7) this.#send("PING\r\n");
  }

  get isIdle(): boolean {
    return this.#input.isEmpty || this.wire.ended;
  }

  /** Sends some of what waits. */
  push(): void {
    const { wire, host } = this;
    if (wire.paused || wire.ended) return;
    this.#input.push((chunk) => {
      host.wires.feed(host.engine, wire, chunk);
      return wire.ended ? "ended" : wire.paused ? "paused" : "more";
    });
  }

  #send(text: string, done: (() => void) | null = null): void {
    this.#input.add(Buffer.from(text, "latin1"), done);
  }

  #subscribeSome(): void {
    const random = this.#random;
    const subject = random.pick(SUBSCRIBED[accountOf(this.user)]);
    if (subject === "svc.x") this.#answers = true;
    const queue = random.chance(0.25) ? random.pick(["q1", "q2"]) : "";
    const limited = random.chance(0.1);
    this.#subscribe(subject, limited, queue);
    if (limited) this.#send(`UNSUB ${this.#subjects.length} ${1 + random.below(20)}\r\n`);
  }

  /** Ids count from 1 on every client, so that frames are equal and shared. */
  #subscribe(subject: string, limited: boolean, queue = ""): void {
    const sid = this.#subjects.push(subject);
    const isPlain = queue === "" && !limited;
    this.#send(`SUB ${subject} ${queue}${queue === "" ? "" : " "}${sid}\r\n`, () => {
      if (isPlain) this.plain.set(sid, subject);
    });
  }

  #unsubscribe(sid: number): void {
    this.#send(`UNSUB ${sid}\r\n`, () => void this.plain.delete(sid));
  }

  #publishSome(): void {
    const random = this.#random;
    const subject = random.pick(PUBLISHED[accountOf(this.user)]);
    const count = random.chance(0.2) ? 1 + random.below(120) : 1;
    const size = count > 1 ? random.below(random.pick(BURST_SIZES)) : randomSize(random);
    for (let i = 0; i < count; i++) {
      const reply = subject === "ask" || random.chance(0.1) ? `_INBOX.${this.#id}.${i}` : "";
      this.#publish(subject, reply, size);
    }
  }

  #publish(subject: string, reply: string, size: number): void {
    const random = this.#random;
    const seq = this.#run.nextSeq();
    const link = this.wire.link?.id ?? 0;
    const origin = { user: this.user, host: this.host.name, subject, link, seq };
    const body = bodyOf(origin, size);
    // A second blank makes a control line that is not passed on as it stands.
    const names = `${random.chance(0.05) ? " " : ""}${subject} ${reply}${reply === "" ? "" : " "}`;
    if (this.#headers && random.chance(0.2)) {
      this.#send(`HPUB ${names}${HEADER.length} ${HEADER.length + body.length}\r\n${HEADER}`);
    } else this.#send(`PUB ${names}${body.length}\r\n`);
    this.#input.add(body);
    this.#send("\r\n", () => this.#run.published(this, subject, seq));
  }

  #read(bytes: Uint8Array): void {
    const buffer = this.#rest.length === 0 ? asBuffer(bytes) : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    for (;;) {
      const end = buffer.indexOf("\r\n", at);
      if (end < 0) break;
      const line = buffer.toString("latin1", at, end);
      if (/^(INFO \{.*\} ?|PING|PONG|\+OK|-ERR '.*')$/.test(line)) {
        at = end + 2;
        continue;
      }
      const found = /^(H?)MSG (\S+) (\S+) (?:(\S+) )??(?:(\d+) )?(\d+)$/.exec(line);
      if (found === null || (found[1] === "H") !== (found[5] !== undefined)) {
        this.#fault(`was sent ${JSON.stringify(line.slice(0, 200))}`);
        return;
      }
      const [, , subject = "", sid = "", reply = "", headerLength = "0", size = "0"] = found;
      const start = end + 2;
      const stop = start + Number(size);
      if (buffer.length < stop + 2) break;
      if (buffer.toString("latin1", stop, stop + 2) !== "\r\n") this.#fault(`no end of ${line}`);
      at = stop + 2;
      const split = start + Number(headerLength);
      const header = buffer.toString("latin1", start, split);
      this.#message(subject, Number(sid), reply, header, buffer.subarray(split, stop));
    }
    this.#rest = buffer.subarray(at);
  }

  #message(subject: string, sid: number, reply: string, header: string, body: Buffer): void {
    this.received++;
    const pattern = this.#subjects[sid - 1];
    if (pattern === undefined || !matches(pattern, subject)) {
      this.#fault(`subscription ${sid} to ${pattern} got ${subject}`);
    }
    if (USERS[this.user].denied.includes(subject)) this.#fault(`got ${subject}, which is denied`);
    if (header !== "" && !/^NATS\/1\.0[^]*\r\n\r\n$/.test(header)) {
      this.#fault(`got the header ${JSON.stringify(header)}`);
    }
    // Nobody takes it, or metrics: messages of the server.
    if (header.startsWith("NATS/1.0 503") || subject === "lat.x") return;
    const origin = this.host.check(body, subject, accountOf(this.user), `client ${this.#id}`);
    if (origin === null) return;
    const isOwn = origin.host === this.host.name && origin.link === this.wire.link?.id;
    if (isOwn && !this.echo) this.#fault(`got its own ${subject}`);
    // What the server publishes overtakes what its source has yet to send.
    const key = `${sid} ${origin.host} ${origin.link} ${origin.subject === "int.echo"}`;
    const last = this.#lastSeq.get(key) ?? 0;
    if (origin.seq <= last) {
      this.#fault(`subscription ${sid} to ${pattern} got ${origin.seq} after ${last}, ${subject}`);
    }
    this.#lastSeq.set(key, origin.seq);
    this.due.delete(`${sid} ${origin.seq}`);
    if (this.#answers && reply !== "" && subject === "svc.x") {
      this.#publish(reply, "", randomSize(this.#random));
    }
  }

  #fault(text: string): void {
    this.host.fault(`client ${this.#id} (${this.user}) ${text}`);
  }
}
