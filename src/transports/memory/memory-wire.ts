/**
 * Two wires joined inside the process: what one writes the other receives in a later task, which the given
 * scheduler decides (a microtask in a server, virtual time in a simulation). Nothing here names a platform.
 *
 * A write copies its bytes, so the writer's buffer is free at once; what the reader has not taken yet is
 * reported as `queued` to the writer, so that back-pressure works as on a socket. `compress` does nothing:
 * both ends are in one process, and both skip it alike.
 */
import type { ClosedState, CompressionMode, TlsState } from "../../core/index.ts";

export interface MemoryWireHandler {
  /** The chunk is borrowed for the call. */
  data(chunk: Uint8Array): void;
  drained(queued: number): void;
  closed(error: Error | null): void;
}

export interface MemoryWireOptions {
  /** Runs a task soon, never from inside this call, in the order given. */
  readonly schedule: (task: () => void) => void;
  /** What each end is told of the other; defaults to `pipe` and 0. */
  readonly host?: string;
  /** Chunks delivered are at most this long. */
  readonly maxChunkBytes?: number;
}

const DEFAULT_MAX_CHUNK_BYTES = 64 * 1024;

/** Also a `Wire` of the node transports: the shapes are equal. */
export class MemoryWire {
  readonly remoteHost: string;
  readonly remotePort = 0;
  readonly tls: TlsState | null = null;
  handler: MemoryWireHandler;
  readonly #schedule: (task: () => void) => void;
  readonly #maxChunkBytes: number;
  #peer: MemoryWire | null = null;
  /** Written by the peer and not delivered yet. */
  #incoming: Uint8Array[] = [];
  #incomingBytes = 0;
  #paused = true;
  #scheduled = false;
  #peerEnded = false;
  #state: "open" | "ending" | "closed" = "open";

  constructor(options: MemoryWireOptions, handler: MemoryWireHandler) {
    this.remoteHost = options.host ?? "pipe";
    this.handler = handler;
    this.#schedule = options.schedule;
    this.#maxChunkBytes = options.maxChunkBytes ?? DEFAULT_MAX_CHUNK_BYTES;
  }

  /** @internal */
  static join(a: MemoryWire, b: MemoryWire): void {
    a.#peer = b;
    b.#peer = a;
  }

  get progress(): number {
    return this.queued;
  }

  /** Bytes the peer has not taken yet. Their buffers are copies: the caller's are free in any case. */
  get queued(): number {
    return this.#peer === null ? 0 : this.#peer.#incomingBytes;
  }

  write(frame: Uint8Array): number {
    const peer = this.#peer;
    if (this.#state !== "open" || peer === null) return 0;
    peer.#accept(frame);
    return this.queued;
  }

  writev(frames: readonly Uint8Array[]): number {
    for (const frame of frames) this.write(frame);
    return this.queued;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#incoming.length > 0 || this.#peerEnded) this.#wake();
  }

  /** What was written reaches the peer first, however long it takes to read: it is memory, not a network. */
  end(_timeoutMs: number, _reason?: ClosedState): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    const peer = this.#peer;
    if (peer !== null) peer.#endOfPeer();
    this.#schedule(() => this.#close());
  }

  destroy(): void {
    if (this.#state === "closed") return;
    const peer = this.#peer;
    if (peer !== null && this.#state === "open") {
      peer.#incoming = [];
      peer.#incomingBytes = 0;
      peer.#endOfPeer();
    }
    this.#state = "ending";
    this.#incoming = [];
    this.#incomingBytes = 0;
    this.#schedule(() => this.#close());
  }

  compress(_direction: "write" | "read", _mode: CompressionMode): void {}

  #accept(frame: Uint8Array): void {
    if (this.#state !== "open") return;
    for (let at = 0; at < frame.length; at += this.#maxChunkBytes) {
      // Not `slice`: a Buffer's would still be a view of the writer's memory.
      this.#incoming.push(new Uint8Array(frame.subarray(at, at + this.#maxChunkBytes)));
    }
    this.#incomingBytes += frame.length;
    this.#wake();
  }

  #endOfPeer(): void {
    this.#peerEnded = true;
    this.#wake();
  }

  #wake(): void {
    if (this.#scheduled || this.#paused || this.#state === "closed") return;
    this.#scheduled = true;
    this.#schedule(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    const chunks = this.#incoming;
    let next = 0;
    let taken = 0;
    while (next < chunks.length && !this.#paused && this.#state === "open") {
      const chunk = chunks[next++];
      if (chunk === undefined) break;
      taken += chunk.length;
      this.#incomingBytes -= chunk.length;
      this.handler.data(chunk);
    }
    // `destroy` inside `data` may have replaced the queue.
    if (chunks === this.#incoming) this.#incoming = chunks.slice(next);
    const peer = this.#peer;
    if (taken > 0 && peer !== null && peer.#state === "open") {
      peer.handler.drained(this.#incomingBytes);
    }
    if (this.#incoming.length > 0) this.#wake();
    else if (this.#peerEnded && !this.#paused) this.#close();
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#incoming = [];
    this.#incomingBytes = 0;
    const peer = this.#peer;
    this.#peer = null;
    if (peer !== null && !peer.#peerEnded) peer.#endOfPeer();
    this.handler.closed(null);
  }
}

export interface MemoryPair {
  readonly a: MemoryWire;
  readonly b: MemoryWire;
}

/** Two joined wires; neither delivers anything before its `resume()`. */
export function memoryPair(
  options: MemoryWireOptions,
  aHandler: MemoryWireHandler,
  bHandler: MemoryWireHandler,
): MemoryPair {
  const a = new MemoryWire(options, aHandler);
  const b = new MemoryWire(options, bHandler);
  MemoryWire.join(a, b);
  return { a, b };
}
