/**
 * Messages that the server itself publishes: answers of services, advisories, translated requests. They wait
 * until the message at hand is done, since the engine has one message view, and are then routed like any other.
 */
import type { Account } from "../account/account.ts";
import type { Engine } from "../engine.ts";
import type { Link } from "../link/link.ts";
import { deliver } from "./deliver.ts";

export interface ServerMessage {
  readonly account: Account;
  /** latin1 strings. */
  readonly subject: string;
  readonly reply: string;
  /** A header block with its final empty line, or null. */
  readonly header: Uint8Array | null;
  readonly payload: Uint8Array;
  /** On whose behalf; the message is not echoed to a leaf link it came from. */
  readonly source: Link | null;
  /** Queue groups that may be served; null = all. */
  readonly queues: readonly string[] | null;
  /** Told how many got it. */
  readonly done?: (delivered: number) => void;
}

export class PublishQueue {
  /** How many were delivered so far. */
  delivered = 0;
  #waiting: ServerMessage[] = [];
  #next = 0;

  get isEmpty(): boolean {
    return this.#next >= this.#waiting.length;
  }

  add(message: ServerMessage): void {
    this.#waiting.push(message);
  }

  deliverNext(engine: Engine): void {
    const message = this.#waiting[this.#next++];
    if (this.#next >= this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    if (message === undefined) return;
    this.delivered++;
    engine.announceInterest();
    frame(engine, message);
    const m = engine.message;
    const match = message.account.matchMessage(m);
    const delivered = deliver(engine, message.source, match);
    message.done?.(delivered);
  }
}

/** Lays the message out in the engine's view as if it had come in a frame. */
function frame(engine: Engine, message: ServerMessage): void {
  const headerLength = message.header?.length ?? 0;
  const size = headerLength + message.payload.length;
  const head = headerLength > 0 ? `${headerLength} ` : "";
  const reply = message.reply === "" ? "" : `${message.reply} `;
  const line = `${message.subject} ${reply}${head}${size}\r\n`;
  const buffer = new Uint8Array(line.length + size + 2);
  for (let i = 0; i < line.length; i++) buffer[i] = line.charCodeAt(i);
  if (message.header !== null) buffer.set(message.header, line.length);
  buffer.set(message.payload, line.length + headerLength);
  buffer[line.length + size] = 13;
  buffer[line.length + size + 1] = 10;
  const m = engine.message;
  m.use(buffer);
  m.entry = null;
  m.owned = true;
  m.subjectStart = 0;
  m.subjectEnd = message.subject.length;
  m.hash = engine.hash(message.subject);
  m.restStart = m.subjectEnd + 1;
  m.replyStart = reply === "" ? 0 : m.restStart;
  m.replyEnd = reply === "" ? 0 : m.restStart + message.reply.length;
  m.headerStart = head === "" ? 0 : m.restStart + reply.length;
  m.headerEnd = head === "" ? 0 : m.headerStart + head.length - 1;
  m.headerLength = headerLength;
  m.sizeStart = m.restStart + reply.length + head.length;
  m.sizeEnd = line.length - 2;
  m.size = size;
  m.payloadStart = line.length;
  m.frameEnd = buffer.length;
  m.queues = message.queues;
}
