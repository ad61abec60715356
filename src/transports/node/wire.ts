/**
 * What every transport looks like from above: one open byte stream. TCP, TLS, WebSocket and the in-process
 * pair all implement `Wire`; the server layer joins it to an engine's link.
 *
 * A wire is born silent: nothing is delivered before the first `resume()`, so its owner can open the link,
 * write INFO and run a TLS or WebSocket handshake first. `closed` is reported in any case, exactly once.
 */
import type { ClosedState, CompressionMode, PeerCertificate, TlsState } from "../../core/index.ts";

export type { PeerCertificate, TlsState };

export interface Wire {
  readonly remoteHost: string;
  readonly remotePort: number;
  /** Who hears of this wire; may be replaced between events (a layer on top, a link that opened). */
  handler: WireHandler;
  /** Sends a frame; returns the bytes still held here (0: all taken by the kernel, the buffer is free again). */
  write(frame: Uint8Array): number;
  writev(frames: readonly Uint8Array[]): number;
  pause(): void;
  resume(): void;
  /**
   * Sends what is held, then closes; gives up and destroys after `timeoutMs`. A WebSocket tells its peer
   * `reason` in a Close frame.
   */
  end(timeoutMs: number, reason?: ClosedState): void;
  /** Closes at once, dropping what is held. */
  destroy(): void;
  /** From the next written (or received) chunk on, this direction is S2-framed. */
  compress(direction: "write" | "read", mode: CompressionMode): void;
  /** Bytes held here and not yet taken by the kernel. */
  readonly queued: number;
  /** Changes whenever the kernel takes bytes, be it a part of what was written. */
  readonly progress: number;
  readonly tls: TlsState | null;
}

/** How a wire reports. */
export interface WireHandler {
  /** The chunk is borrowed for the call: its memory is read into again afterwards. */
  data(chunk: Uint8Array): void;
  /** A write was taken late; `queued` bytes remain. Called at least when it reaches 0. */
  drained(queued: number): void;
  /** The stream is gone: null = the peer or we ended it, else the error. Called exactly once. */
  closed(error: Error | null): void;
}
