/**
 * Subscribers that stop reading at once: a new one every so often, each taking the place of the last, so that
 * at any time one is stalled while the others work. Each connects by a bare socket: nobody waits for it.
 */
import { connect } from "node:net";

export class Stallers {
  #opened = 0;
  /** @type {import("node:net").Socket | null} */ #current = null;
  /** @type {NodeJS.Timeout} */ #timer;
  #port;
  #filter;

  /**
   * @param {{ subscribePort: number, stalledEveryMs: number }} job
   * @param {string} filter
   */
  constructor(job, filter) {
    this.#port = job.subscribePort;
    this.#filter = filter;
    this.#open();
    this.#timer = setInterval(() => this.#open(), job.stalledEveryMs);
  }

  /** @returns {number} how many stalled meanwhile */
  close() {
    clearInterval(this.#timer);
    this.#current?.destroy();
    return this.#opened;
  }

  #open() {
    this.#current?.destroy();
    const socket = connect(this.#port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(`CONNECT {"verbose":false}\r\nSUB ${this.#filter} 1\r\n`);
    socket.pause();
    this.#current = socket;
    this.#opened++;
  }
}
