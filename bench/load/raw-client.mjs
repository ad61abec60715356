/**
 * A NATS connection reduced to what a load needs: it shakes hands, then only counts the bytes it reads.
 * Reads land in one buffer per client (`onread`), so counting allocates nothing. A loss of the connection
 * fails the load with the server's last words.
 */
import { connect } from "node:net";

const READ_BUFFER_BYTES = 256 * 1024;
/** The server's own PING, to measure the round trip, may come at any time: bytes that are not messages. */
const PING_BYTES = 6;

export class RawClient {
  /** Bytes read since the last `reset()`. */
  received = 0;
  /** @type {(chunk: Buffer) => void} called after counting; the chunk is borrowed. */
  onChunk = () => {};
  /** @type {(error: Error) => void} */
  onLost = (error) => {
    throw error;
  };
  #closing = false;

  /**
   * @param {number} port
   * @param {Buffer} buffer shared by clients whose chunks nobody keeps
   */
  constructor(port, buffer) {
    this.lastWords = "";
    /** Answer PINGs, as every leaf node does; clients of the other loads live too short to be asked twice. */
    this.answersPings = false;
    this.pings = 0;
    let rest = "";
    this.socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer,
        callback: (length, chunk) => {
          this.received += length;
          if (this.answersPings) {
            const text = rest + buffer.toString("latin1", 0, length);
            const found = text.split("PING\r\n").length - 1;
            rest = found > 0 && text.endsWith("PING\r\n") ? "" : text.slice(-5);
            this.pings += found;
            if (found > 0) this.socket.write("PONG\r\n".repeat(found));
          }
          this.onChunk(/** @type {Buffer} */ (chunk).subarray(0, length));
          return true;
        },
      },
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      if (!this.#closing) this.onLost(new Error(`connection lost; last read: ${this.lastWords}`));
    });
  }

  /** Forgets the bytes counted so far. */
  reset() {
    this.received = 0;
    this.pings = 0;
  }

  close() {
    this.#closing = true;
    this.socket.resetAndDestroy();
  }

  /**
   * Writes, then waits until everything before the answer to a PING has been processed by the server.
   * @param {string | Buffer} data
   * @returns {Promise<void>}
   */
  exchange(data) {
    return new Promise((resolve, reject) => {
      const { onLost } = this;
      this.onLost = reject;
      this.lastWords = "";
      this.onChunk = (chunk) => {
        // Only the tail is kept: a hub may tell a leaf of ten thousand subscriptions before it answers.
        const text = this.lastWords + chunk.toString("latin1");
        this.lastWords = text.slice(-300);
        const failed = text.includes("-ERR");
        if (!failed && !text.includes("PONG\r\n")) return;
        this.onChunk = () => {};
        this.onLost = onLost;
        if (failed) reject(new Error(`the server said: ${this.lastWords}`));
        else resolve();
      };
      this.socket.write(data);
      this.socket.write("PING\r\n");
    });
  }

  /** @returns {Promise<Record<string, any>>} the server's INFO */
  info() {
    return new Promise((resolve, reject) => {
      let text = "";
      this.onLost = reject;
      this.onChunk = (chunk) => {
        text += chunk.toString("latin1");
        const end = text.indexOf("\r\n");
        if (end < 0) return;
        this.onChunk = () => {};
        try {
          resolve(JSON.parse(text.slice("INFO ".length, end)));
        } catch {
          reject(new Error(`no INFO but: ${text.slice(0, 300)}`));
        }
      };
    });
  }

  /**
   * Fails the whole load, from here on, when the connection is lost.
   * @param {(error: Error) => void} fail
   */
  guard(fail) {
    this.onLost = fail;
  }
}

/**
 * @param {number} length
 * @returns {boolean} whether so many surplus bytes can be the server's PINGs and nothing else.
 */
export function arePings(length) {
  return length % PING_BYTES === 0 && length <= 4 * PING_BYTES;
}

/**
 * Connects a client and completes the handshake.
 * @param {number} port
 * @param {object} [options] fields of CONNECT, over the defaults
 * @param {Buffer} [buffer]
 * @returns {Promise<RawClient>}
 */
export async function openClient(port, options = {}, buffer = Buffer.alloc(READ_BUFFER_BYTES)) {
  const client = new RawClient(port, buffer);
  await client.info();
  const fields = { verbose: false, pedantic: false, lang: "bench", version: "1", protocol: 1 };
  const connect = { ...fields, headers: true, no_responders: true, ...options };
  await client.exchange(`CONNECT ${JSON.stringify(connect)}\r\n`);
  return client;
}
