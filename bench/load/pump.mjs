/**
 * Moves prebuilt blocks from publishers to subscribers for a while and measures how fast they arrive.
 *
 * Each publisher writes block after block while the kernel takes them, giving the event loop a turn between
 * bursts. Subscribers count bytes only. A publisher that is too far ahead of the slowest subscriber (the
 * window) waits until half of it has drained, so that no server must drop anyone. The run is over when every
 * subscriber has read every byte it must get; surplus bytes that are not the server's PINGs fail it.
 */
import { performance } from "node:perf_hooks";
import { arePings } from "./raw-client.mjs";

/**
 * @typedef {import("./raw-client.mjs").RawClient} RawClient
 * @typedef {import("./blocks.mjs").Block} Block
 */

/** Enough to fill the pipe once, little enough that reads get their turn. */
const BURST_BYTES = 512 * 1024;
const SETTLE_MS = 30;

export class Pump {
  /** @type {RawClient[]} */ #publishers;
  /** @type {RawClient[]} */ #subscribers;
  /** @type {Block[]} */ #blocks;
  /** @type {number[]} the next block of each publisher */ #next;
  /** @type {boolean[]} whether a publisher waits for the window, and for nothing else */ #waiting;
  #windowBytes;
  #expected = 0;
  #published = 0;
  #deadline = 0;
  #stopped = 0;
  #finish = () => {};

  /**
   * @param {{ publishers: RawClient[], subscribers: RawClient[], blocks: Block[], windowBytes: number }} parts
   */
  constructor({ publishers, subscribers, blocks, windowBytes }) {
    this.#publishers = publishers;
    this.#subscribers = subscribers;
    this.#blocks = blocks;
    this.#windowBytes = windowBytes;
    // Publishers start at different blocks, as independent ones would.
    this.#next = publishers.map((_, i) => Math.floor((i * blocks.length) / publishers.length));
    this.#waiting = publishers.map(() => false);
  }

  /**
   * Publishes for so long, waits for the last delivery.
   * @param {number} seconds
   * @returns {Promise<{ published: number, delivered: number, seconds: number }>}
   */
  async run(seconds) {
    this.#expected = this.#published = this.#stopped = 0;
    for (const subscriber of this.#subscribers) {
      subscriber.reset();
      subscriber.onChunk = () => this.#onDelivery();
    }
    const began = performance.now();
    this.#deadline = began + seconds * 1000;
    /** @type {Promise<void>} */
    const finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#publishers.forEach((_, i) => this.#pump(i));
    await finished;
    // Without subscribers the work is done when each publisher's PING has been reached.
    if (this.#subscribers.length === 0) {
      await Promise.all(this.#publishers.map((publisher) => publisher.exchange("")));
    }
    const took = (performance.now() - began) / 1000;
    await this.#checkSurplus();
    const copies = this.#subscribers.length;
    return { published: this.#published, delivered: this.#published * copies, seconds: took };
  }

  /** @param {number} i */
  #pump(i) {
    this.#waiting[i] = false;
    const publisher = /** @type {RawClient} */ (this.#publishers[i]);
    const { socket } = publisher;
    for (let burst = 0; burst < BURST_BYTES;) {
      if (performance.now() >= this.#deadline) return this.#stop();
      if (this.#ahead() > this.#windowBytes) {
        this.#waiting[i] = true;
        return undefined;
      }
      const block = /** @type {Block} */ (this.#blocks[Number(this.#next[i])]);
      this.#next[i] = (Number(this.#next[i]) + 1) % this.#blocks.length;
      this.#expected += block.deliveredBytes;
      this.#published += block.messages;
      burst += block.bytes.length;
      if (!socket.write(block.bytes)) {
        socket.once("drain", () => this.#pump(i));
        return undefined;
      }
    }
    setImmediate(() => this.#pump(i));
    return undefined;
  }

  #stop() {
    this.#stopped++;
    if (this.#stopped === this.#publishers.length) this.#finishIfDelivered();
  }

  /** @returns {number} bytes that the slowest subscriber has yet to read */
  #ahead() {
    let least = this.#expected;
    for (const subscriber of this.#subscribers) least = Math.min(least, subscriber.received);
    return this.#expected - least;
  }

  #onDelivery() {
    if (this.#stopped === this.#publishers.length) return this.#finishIfDelivered();
    if (this.#ahead() < this.#windowBytes / 2) {
      for (let i = 0; i < this.#waiting.length; i++) if (this.#waiting[i] === true) this.#pump(i);
    }
    return undefined;
  }

  #finishIfDelivered() {
    if (this.#subscribers.every((subscriber) => subscriber.received >= this.#expected)) {
      this.#finish();
    }
  }

  async #checkSurplus() {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    for (const subscriber of this.#subscribers) {
      const surplus = subscriber.received - this.#expected;
      if (surplus < 0 || !arePings(surplus)) {
        throw new Error(
          `a subscriber read ${subscriber.received} bytes, expected ${this.#expected}`,
        );
      }
    }
  }
}
