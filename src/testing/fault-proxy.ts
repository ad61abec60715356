/**
 * A TCP proxy whose line can be slow, stalled or cut, to put between two real processes. Each direction forwards
 * at most so many bytes a second and reads no further ahead than a little: what is too fast for the line piles
 * up in the sender's kernel, as on a real one.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export interface FaultProxyOptions {
  /** Where connections go. */
  readonly port: number;
  readonly host?: string;
  /** Bytes a second towards the target and back; without, as fast as it goes. */
  readonly up?: number;
  readonly down?: number;
  /** Milliseconds that everything takes longer, each way. */
  readonly delay?: number;
}

const TICK_MS = 20;
/** What a direction holds of its own. */
const AHEAD_BYTES = 16 * 1024;

/** One direction of one connection. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #count: (bytes: number) => void;
  bytesPerSecond: number;
  isStalled = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #credit = 0;

  constructor(
    from: Socket,
    to: Socket,
    { bytesPerSecond, delay }: { bytesPerSecond: number; delay: number },
    count: (bytes: number) => void,
  ) {
    this.#from = from;
    this.#to = to;
    this.bytesPerSecond = bytesPerSecond;
    this.#count = count;
    from.on("data", (chunk: Buffer) => {
      // Timers of one delay keep their order.
      if (delay > 0) setTimeout(() => this.#read(chunk), delay);
      else this.#read(chunk);
    });
  }

  #read(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    this.#forward();
    if (this.#heldBytes > AHEAD_BYTES) this.#from.pause();
  }

  tick(): void {
    const most = Math.max(this.bytesPerSecond / 5, 1);
    this.#credit = Math.min(this.#credit + (this.bytesPerSecond * TICK_MS) / 1000, most);
    this.#forward();
  }

  #forward(): void {
    if (this.isStalled || this.#to.destroyed) return;
    const isFree = this.bytesPerSecond === Number.POSITIVE_INFINITY;
    let left = isFree ? this.#heldBytes : Math.min(Math.floor(this.#credit), this.#heldBytes);
    while (left > 0) {
      const [chunk = Buffer.alloc(0)] = this.#held;
      const part = chunk.subarray(0, left);
      if (part.length === chunk.length) this.#held.shift();
      else this.#held[0] = chunk.subarray(part.length);
      left -= part.length;
      this.#heldBytes -= part.length;
      if (!isFree) this.#credit -= part.length;
      this.#count(part.length);
      this.#to.write(part);
    }
    if (this.#heldBytes <= AHEAD_BYTES && this.#to.writableLength <= AHEAD_BYTES) {
      this.#from.resume();
    } else this.#from.pause();
  }
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  readonly up: Lane;
  readonly down: Lane;
}

export class FaultProxy {
  /** Connections accepted in all. */
  connections = 0;
  /** Bytes forwarded towards the target, and back. */
  bytesUp = 0;
  bytesDown = 0;
  readonly #options: FaultProxyOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #timer: NodeJS.Timeout;
  #up: number;
  #down: number;

  /** Listens on a free port of 127.0.0.1. */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", resolve);
    });
    return proxy;
  }

  private constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#up = options.up ?? Number.POSITIVE_INFINITY;
    this.#down = options.down ?? Number.POSITIVE_INFINITY;
    this.#server = createServer((near) => this.#accept(near));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Changes the line under open connections, in bytes a second. */
  throttle(up: number, down: number): void {
    this.#up = up;
    this.#down = down;
    for (const pair of this.#pairs) {
      pair.up.bytesPerSecond = up;
      pair.down.bytesPerSecond = down;
    }
  }

  /** Nothing is forwarded any more, and nobody is told; or again. */
  stall(isStalled = true): void {
    for (const pair of this.#pairs) {
      pair.up.isStalled = pair.down.isStalled = isStalled;
    }
  }

  /** Resets all connections; new ones are accepted. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
    await closed;
  }

  #tick(): void {
    for (const pair of this.#pairs) {
      pair.up.tick();
      pair.down.tick();
    }
  }

  #accept(near: Socket): void {
    this.connections++;
    const { host = "127.0.0.1", port, delay = 0 } = this.#options;
    const far = connect({ host, port, noDelay: true });
    near.setNoDelay(true);
    const pair: Pair = {
      near,
      far,
      up: new Lane(
        near,
        far,
        { bytesPerSecond: this.#up, delay },
        (bytes) => (this.bytesUp += bytes),
      ),
      down: new Lane(
        far,
        near,
        { bytesPerSecond: this.#down, delay },
        (bytes) => (this.bytesDown += bytes),
      ),
    };
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      // What broke a connection is the other end's business; here it is over.
      socket.on("error", end);
      socket.on("close", end);
    }
  }
}
