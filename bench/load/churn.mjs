/**
 * A client that subscribes and unsubscribes so many times a second while others work: each tick adds
 * subscriptions and drops those of the tick before. The subjects share their first token with the load's;
 * one in ten is a wildcard, none matches what is published.
 */
import { performance } from "node:perf_hooks";
import { openClient } from "./raw-client.mjs";

const TICK_MS = 4;
const WILDCARD_EVERY = 10;

export class Churn {
  /** Subscribe-and-unsubscribe pairs begun so far. */
  done = 0;
  #dropped = 0;
  #began = performance.now();
  /** @type {NodeJS.Timeout} */ #timer;

  /**
   * @param {import("./raw-client.mjs").RawClient} client
   * @param {number} perSecond
   */
  constructor(client, perSecond) {
    this.client = client;
    this.#timer = setInterval(() => this.#tick(perSecond), TICK_MS);
  }

  /**
   * @param {{ subscribePort: number, subscribeAs: object, churnPerSecond: number }} job
   * @param {(error: Error) => void} fail
   * @returns {Promise<Churn>}
   */
  static async open(job, fail) {
    const client = await openClient(job.subscribePort, job.subscribeAs);
    client.guard(fail);
    return new Churn(client, job.churnPerSecond);
  }

  /** Stops, and waits until the server has worked off what it was sent. */
  async settle() {
    clearInterval(this.#timer);
    await this.client.exchange("");
  }

  /** @param {number} perSecond */
  #tick(perSecond) {
    const due = Math.floor(((performance.now() - this.#began) / 1000) * perSecond);
    // A server that does not read shows up in the rate, not in a queue here.
    if (this.client.socket.writableNeedDrain) return;
    let text = "";
    const fresh = this.done;
    for (; this.done < due; this.done++) {
      const subject = this.done % WILDCARD_EVERY === 0 ? "orders.*.churn" : "orders.churn";
      text += `SUB ${subject}.${this.done} ${this.done + 10}\r\n`;
    }
    for (; this.#dropped < fresh; this.#dropped++) text += `UNSUB ${this.#dropped + 10}\r\n`;
    if (text !== "") this.client.socket.write(text);
  }
}
