/**
 * HOT PATH (bench rows with one subject). A run: messages of one link, one behind the other, with the same
 * control line, for one receiver or one fan. The second of them opens it; from then on a message costs a copy
 * of the outgoing line from the frame before and a copy of its payload, and is counted when the run ends.
 *
 * Nothing else can happen between the messages of a run: any other operation, and the end of the chunk,
 * closes it first. So what was checked when it was opened holds until then.
 */
import type { Fan } from "../account/match-result.ts";
import type { Engine } from "../engine.ts";
import type { Link, Subscription } from "../link/link.ts";
import { Slab } from "../bytes/pool.ts";
import { type Batch, copyBytes, type Outbox } from "../link/outbound.ts";
import type { Message } from "../protocol/message.ts";
import { SLICE_MIN } from "./deliver-one.ts";

const DOLLAR = 36;
const UNDERSCORE = 95;
const NOBODY: readonly Subscription[] = [];

export class Run {
  isOpen = false;
  readonly #engine: Engine;
  #source: Link | null = null;
  #subs: readonly Subscription[] = NOBODY;
  #outbox: Outbox | null = null;
  #batch: Batch | null = null;
  /** Where the outgoing line stands, to be copied, and how long it and a whole frame are. */
  #slab = new Slab(new Uint8Array(0));
  #lineAt = 0;
  #lineLength = 0;
  #frameLength = 0;
  #size = 0;
  #count = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** `m`, just delivered, had the same line as the one before: opens a run if nothing stands against it. */
  open(source: Link, m: Message): void {
    const result = m.entry?.value?.result ?? null;
    if (result === null || result.sole === null || !this.#suits(source, m)) return;
    const single = "batch" in result.sole ? null : result.sole;
    const fan = "batch" in result.sole ? result.sole : null;
    this.#subs = fan === null ? result.singles : fan.subs;
    if (!this.#subs.every((sub) => takes(sub, source))) return;
    const sidPart = (this.#subs[0] as Subscription).sidPart;
    this.#lineLength =
      4 + m.subjectEnd - m.subjectStart + sidPart.length + m.payloadStart - m.restStart;
    this.#size = m.size;
    this.#frameLength = this.#lineLength + m.size + 2;
    if (single !== null) this.#openSingle(single);
    else if (fan !== null) this.#openFan(fan);
    if (this.isOpen) this.#source = source;
  }

  /** Appends the next message of the run, whose payload and CRLF stand at `[payload, end)`. */
  append(m: Message, payload: number, end: number): void {
    const outbox = this.#outbox;
    this.#count++;
    if (outbox === null) {
      this.#appendToBatch(m, payload, end);
      return;
    }
    const slab = outbox.reserve(this.#frameLength);
    const from = outbox.position;
    const lineEnd = this.#lineAt + this.#lineLength;
    const at = copyBytes(slab, from, this.#slab, this.#lineAt, lineEnd);
    outbox.advance(copyBytes(slab, at, m, payload, end));
    if (slab !== this.#slab) this.#moved(slab, from);
  }

  /** Counts what the run moved and ends it. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const n = this.#count;
    const bytes = n * this.#size;
    const source = this.#source;
    this.#count = 0;
    if (n > 0 && source !== null) {
      source.inMsgs += n;
      source.inBytes += bytes;
      source.lastActivity = this.#engine.now;
      for (const sub of this.#subs) {
        sub.delivered += n;
        sub.link.outMsgs += n;
        sub.link.outBytes += bytes;
      }
    }
    this.#source = null;
    this.#subs = NOBODY;
    this.#outbox = this.#batch = null;
  }

  /** What a message's way to its receivers depends on besides them, and is the same for the whole run. */
  #suits(source: Link, m: Message): boolean {
    const first = m.bytes[m.subjectStart];
    const filter = source.publishFilter;
    const match = m.entry?.value ?? null;
    return (
      m.restStart === m.subjectEnd + 1 &&
      m.headerEnd === 0 &&
      m.size < SLICE_MIN &&
      first !== DOLLAR &&
      first !== UNDERSCORE &&
      !this.#engine.options.trace &&
      !source.verbose &&
      !source.pedantic &&
      source.account.ingress === null &&
      (source.leaf === null || source.leaf.receiveFilter === null) &&
      (filter === null || (match !== null && match.lastFilter === filter && match.lastAllowed))
    );
  }

  #openSingle(sub: Subscription): void {
    const { out } = sub.link;
    if (out.tail !== null || out.position < this.#frameLength) return;
    this.#outbox = out;
    this.#slab = out.reserve(0);
    this.#lineAt = out.position - this.#frameLength;
    this.isOpen = true;
  }

  #openFan(fan: Fan): void {
    const { batch } = fan;
    if (batch.buffer === null || batch.length < this.#frameLength) return;
    if (!fan.subs.every((sub) => sub.link.out.tail === batch)) return;
    this.#batch = batch;
    this.#lineAt = batch.length - this.#frameLength;
    this.isOpen = true;
  }

  #appendToBatch(m: Message, payload: number, end: number): void {
    const batch = this.#batch as Batch;
    // A batch that grows keeps its bytes where they were.
    const slab = batch.reserve(this.#frameLength);
    const lineEnd = this.#lineAt + this.#lineLength;
    const at = copyBytes(slab, batch.length, slab, this.#lineAt, lineEnd);
    batch.length = copyBytes(slab, at, m, payload, end);
  }

  /** The outbox went on in another slab: its bound is looked at, as for any message. */
  #moved(slab: Slab, lineAt: number): void {
    this.#slab = slab;
    this.#lineAt = lineAt;
    const { link } = this.#subs[0] as Subscription;
    this.#engine.checkPending(link);
    if (!this.#engine.isOpen(link)) this.close();
  }
}

function takes(sub: Subscription, source: Link): boolean {
  const { link } = sub;
  return !sub.closed && sub.max === 0 && !link.checksDelivery && (link !== source || link.echo);
}
