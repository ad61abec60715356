/**
 * A WebSocket after its handshake as a `Wire` over a `SocketWire`: binary frames carry the byte stream, and
 * frame boundaries mean nothing. S2 compression of a leaf link lies below the frames, as in nats-server:
 * `compress` goes to the socket.
 */
import { randomFillSync } from "node:crypto";
import type { ClosedState, CompressionMode, TlsState } from "../../core/index.ts";
import type { SocketWire } from "./socket-wire.ts";
import {
  applyMask,
  deflateMessage,
  FRAME_COMPRESSED,
  FRAME_FINAL,
  FrameReader,
  MAX_FRAME_HEADER_BYTES,
  OP_BINARY,
  OP_CLOSE,
  OP_CONTINUATION,
  OP_PING,
  OP_PONG,
  writeFrameHeader,
  type FrameSink,
} from "./websocket-frames.ts";
import type { Wire, WireHandler } from "./wire.ts";

/** Up to here header and payload are copied together; beyond, two buffers in one system call are cheaper. */
const COPY_MAX_BYTES = 4096;
/** Messages up to this length are sent uncompressed. */
const COMPRESS_MIN_BYTES = 64;
/** Browsers (Safari) get frames of at most this length. */
const BROWSER_FRAME_BYTES = 4096;
/** A Close frame's text, without the status. */
const MAX_CLOSE_TEXT_BYTES = 123;
/** How long a Close frame that answers the peer may take to leave. */
const CLOSE_FLUSH_MS = 1000;

export interface WebSocketWireOptions {
  /** `server`: the peer masks and we do not; `client`: the reverse. */
  readonly role: "server" | "client";
  /** `Nats-No-Masking` was agreed: nobody masks. */
  readonly noMasking: boolean;
  /** permessage-deflate was agreed. */
  readonly compression: boolean;
  readonly browser: boolean;
  /** What a compressed message may inflate to; see `setMaxPayload`. */
  readonly maxPayload: number;
}

export class WebSocketWire implements Wire, FrameSink {
  handler: WireHandler;
  readonly inner: SocketWire;
  readonly compression: boolean;
  /** We mask what we send. */
  readonly masks: boolean;
  readonly #browser: boolean;
  readonly #reader: FrameReader;
  #closing = false;
  #error: Error | null = null;

  /** Takes the place of the socket wire's handler, which it reports to from now on. */
  constructor(inner: SocketWire, options: WebSocketWireOptions) {
    this.inner = inner;
    this.handler = inner.handler;
    this.compression = options.compression;
    this.masks = options.role === "client" && !options.noMasking;
    this.#browser = options.browser;
    const masked = options.role === "server" && !options.noMasking;
    const { compression } = options;
    this.#reader = new FrameReader({ masked, compression }, options.maxPayload);
    inner.handler = {
      data: (chunk) => this.#received(chunk),
      drained: (queued) => this.handler.drained(queued),
      closed: (error) => this.handler.closed(this.#error ?? error),
    };
  }

  get remoteHost(): string {
    return this.inner.remoteHost;
  }

  get remotePort(): number {
    return this.inner.remotePort;
  }

  get queued(): number {
    return this.inner.queued;
  }

  get progress(): number {
    return this.inner.progress;
  }

  get tls(): TlsState | null {
    return this.inner.tls;
  }

  /** The link's max_payload, once its account or user decided it. */
  setMaxPayload(bytes: number): void {
    this.#reader.maxInflated = bytes;
  }

  write(frame: Uint8Array): number {
    return this.writev([frame]);
  }

  writev(frames: readonly Uint8Array[]): number {
    if (this.#closing) return 0;
    let length = 0;
    for (const frame of frames) length += frame.length;
    if (length === 0) return this.inner.queued;
    if (this.compression && length > COMPRESS_MIN_BYTES) {
      const message = deflateMessage(frames);
      return this.#frame(OP_BINARY | FRAME_FINAL | FRAME_COMPRESSED, [message], message.length);
    }
    if (this.#browser && length > BROWSER_FRAME_BYTES) return this.#fragments(frames);
    return this.#frame(OP_BINARY | FRAME_FINAL, frames, length);
  }

  pause(): void {
    this.inner.pause();
  }

  resume(): void {
    this.inner.resume();
  }

  end(timeoutMs: number, reason: ClosedState = "Client Closed"): void {
    if (!this.#closing) this.#sendClose(closeStatus(reason), reason);
    this.#closing = true;
    this.inner.end(timeoutMs);
  }

  destroy(): void {
    this.#closing = true;
    this.inner.destroy();
  }

  compress(direction: "write" | "read", mode: CompressionMode): void {
    this.inner.compress(direction, mode);
  }

  payload(bytes: Uint8Array): void {
    if (!this.#closing) this.handler.data(bytes);
  }

  control(opcode: number, bytes: Uint8Array): void {
    if (this.#closing) return;
    if (opcode === OP_PING) this.#frame(OP_PONG | FRAME_FINAL, [bytes], bytes.length);
    if (opcode !== OP_CLOSE) return;
    this.#frame(OP_CLOSE | FRAME_FINAL, [bytes], bytes.length);
    this.#closing = true;
    this.inner.end(CLOSE_FLUSH_MS);
  }

  #received(chunk: Uint8Array): void {
    if (this.#closing) return;
    const error = this.#reader.read(chunk, this);
    if (error === null || this.#closing) return;
    this.#error = new Error(error.text);
    this.#sendClose(error.status, error.text);
    this.#closing = true;
    this.inner.end(CLOSE_FLUSH_MS);
  }

  #fragments(frames: readonly Uint8Array[]): number {
    const all = Buffer.concat(frames);
    let queued = 0;
    for (let at = 0; at < all.length; at += BROWSER_FRAME_BYTES) {
      const piece = all.subarray(at, at + BROWSER_FRAME_BYTES);
      const opcode = at === 0 ? OP_BINARY : OP_CONTINUATION;
      const final = at + piece.length === all.length ? FRAME_FINAL : 0;
      queued = this.#frame(opcode | final, [piece], piece.length);
    }
    return queued;
  }

  #frame(firstByte: number, payload: readonly Uint8Array[], length: number): number {
    const mask = this.masks ? randomMask() : null;
    if (mask === null && length > COPY_MAX_BYTES) {
      const header = new Uint8Array(MAX_FRAME_HEADER_BYTES);
      const end = writeFrameHeader(header, firstByte, length, null);
      return this.inner.writev([header.subarray(0, end), ...payload]);
    }
    // Payloads may be shared with other links, so masking needs a copy in any case.
    const frame = Buffer.allocUnsafe(MAX_FRAME_HEADER_BYTES + length);
    const start = writeFrameHeader(frame, firstByte, length, mask);
    let at = start;
    for (const piece of payload) {
      frame.set(piece, at);
      at += piece.length;
    }
    if (mask !== null) applyMask(frame.subarray(start, at), mask);
    return this.inner.write(frame.subarray(0, at));
  }

  #sendClose(status: number, text: string): void {
    const body = Buffer.concat([Buffer.from([status >> 8, status & 0xff]), closeText(text)]);
    this.#frame(OP_CLOSE | FRAME_FINAL, [body], body.length);
  }
}

function closeText(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_CLOSE_TEXT_BYTES) return bytes;
  let end = MAX_CLOSE_TEXT_BYTES - 3;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return Buffer.concat([bytes.subarray(0, end), Buffer.from("...")]);
}

const maskPool = new Uint32Array(1024);
let nextMask = maskPool.length;

function randomMask(): number {
  if (nextMask === maskPool.length) {
    randomFillSync(maskPool);
    nextMask = 0;
  }
  return maskPool[nextMask++] ?? 0;
}

/** The status of the Close frame that tells why a server closes a link. */
export function closeStatus(reason: ClosedState): number {
  return CLOSE_STATUS[reason] ?? 1011;
}

const CLOSE_STATUS: Readonly<Partial<Record<ClosedState, number>>> = {
  "Client Closed": 1000,
  "Write Error": 1001,
  "Read Error": 1001,
  "Stale Connection": 1001,
  "Server Shutdown": 1001,
  "Parse Error": 1002,
  "Protocol Violation": 1002,
  "Bad Client Protocol Version": 1002,
  "Authentication Timeout": 1008,
  "Authentication Failure": 1008,
  "Authentication Expired": 1008,
  "Credentials Revoked": 1008,
  "Slow Consumer (Pending Bytes)": 1008,
  "Slow Consumer (Write Deadline)": 1008,
  "Maximum Account Connections Exceeded": 1008,
  "Maximum Connections Exceeded": 1008,
  "Maximum Control Line Exceeded": 1008,
  "Maximum Subscriptions Exceeded": 1008,
  "Missing Account": 1008,
  "Maximum Message Payload Exceeded": 1009,
  "TLS Handshake Failure": 1015,
};
