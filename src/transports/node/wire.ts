/**
 * What every transport looks like from above: one open byte stream. TCP, TLS, WebSocket and the in-process
 * pair all implement `Wire`; the server layer joins it to an engine's link.
 */
import type { PeerCertificate, TlsState } from "../../core/index.ts";

export type { PeerCertificate, TlsState };

export interface Wire {
  readonly remoteHost: string;
  readonly remotePort: number;
  /** Sends a frame; returns the bytes still held here (0: all taken by the kernel, the buffer is free again). */
  write(frame: Uint8Array): number;
  writev(frames: readonly Uint8Array[]): number;
  pause(): void;
  resume(): void;
  /** Sends what is held, then closes; gives up and destroys after `timeoutMs`. */
  end(timeoutMs: number): void;
  /** Closes at once, dropping what is held. */
  destroy(): void;
  /** Bytes held here and not yet taken by the kernel. */
  readonly queued: number;
  readonly tls: TlsState | null;
}

/** How a wire reports; set once by its owner before the first event can happen. */
export interface WireHandler {
  /** The chunk may be kept by the receiver (`owned`), or is borrowed for the call. */
  data(chunk: Uint8Array): void;
  /** The queue shrank; `queued` bytes remain. Called at least when it reaches 0. */
  drained(queued: number): void;
  /** The stream is gone: null = the peer ended it (EOF), else the error. Called exactly once. */
  closed(error: Error | null): void;
}
