/**
 * HOT PATH (every bench row that uses a socket). A TCP or TLS socket as a `Wire`.
 *
 * Reading: accepted and dialled TCP sockets are read into ONE buffer shared by all wires of the thread (node's
 * `onread`), which doubles to triples the bytes read per CPU second against `'data'` events, as no buffer is
 * allocated per chunk. For an accepted socket that means moving its handle to a new `net.Socket`; where a
 * handle does not look as expected, and for TLS, the wire falls back to `'data'`.
 *
 * Per connection there is one closure (the write callback); event listeners are shared functions.
 */
import type { Socket } from "node:net";
import { Socket as NetSocket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ClosedState, CompressionMode, TlsState } from "../../core/index.ts";
import { stayAwake } from "./spin.ts";
import { S2Reader, S2Writer } from "./s2-stream.ts";
import type { Wire, WireHandler } from "./wire.ts";

/** Larger reads save system calls; beyond this the chunk leaves the L2 cache before it is processed. */
const READ_BUFFER_BYTES = 256 * 1024;
/** How long a flushed, half-closed socket may wait for the peer's FIN, so that a last -ERR is not reset away. */
const LINGER_MS = 100;
/** How long replies may still be flushed to a peer that has closed its sending side. */
const FLUSH_AFTER_EOF_MS = 2000;

const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
const WIRE = Symbol("wire");
/** Set on sockets that read into the shared buffer. */
const SHARED = Symbol("shared");

type OwnedSocket = Socket & { [WIRE]?: SocketWire | undefined; [SHARED]?: boolean };

/** The part of node's internal TCP handle that moving it needs. */
interface TcpHandle {
  useUserBuffer(buffer: Uint8Array): void;
  readStop(): number;
  reading: boolean;
}

function isTcpHandle(value: unknown): value is TcpHandle {
  if (typeof value !== "object" || value === null) return false;
  const has = (name: string): boolean => typeof Reflect.get(value, name) === "function";
  return has("useUserBuffer") && has("readStop");
}

/** `idle`: not reading yet; `lent`: an upgrade owns the socket; `ending`: no more input is delivered. */
type SocketWireState = "idle" | "open" | "lent" | "ending" | "closed";

export class SocketWire implements Wire {
  handler: WireHandler;
  tls: TlsState | null = null;
  remoteHost: string;
  remotePort: number;
  #socket: OwnedSocket;
  #state: SocketWireState = "idle";
  #queued = 0;
  #paused = true;
  #early: Uint8Array | null = null;
  #error: Error | null = null;
  #writer: S2Writer | null = null;
  #reader: S2Reader | null = null;
  readonly #written: () => void;

  constructor(socket: Socket, handler: WireHandler) {
    this.handler = handler;
    this.#socket = socket;
    this.remoteHost = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.#written = (): void => this.#afterWrite();
    this.#own(socket);
  }

  get localHost(): string {
    return plainAddress(this.#socket.localAddress);
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  get queued(): number {
    return this.#socket.writableLength;
  }

  get progress(): number {
    const handle = Reflect.get(this.#socket, "_handle");
    // Under TLS the handle below is the one whose bytes go to the kernel.
    return kernelTook(memberOf(handle, "_parent") ?? handle);
  }

  write(frame: Uint8Array): number {
    if (this.#state === "ending" || this.#state === "closed") return 0;
    if (this.#writer !== null) {
      return (this.#queued = this.#writer.write(this.#socket, [frame], this.#written));
    }
    this.#socket.write(frame, this.#written);
    return (this.#queued = this.#socket.writableLength);
  }

  writev(frames: readonly Uint8Array[]): number {
    if (this.#state === "ending" || this.#state === "closed") return 0;
    const socket = this.#socket;
    if (this.#writer !== null) {
      return (this.#queued = this.#writer.write(socket, frames, this.#written));
    }
    socket.cork();
    for (const frame of frames) socket.write(frame, this.#written);
    socket.uncork();
    return (this.#queued = socket.writableLength);
  }

  pause(): void {
    this.#paused = true;
    if (this.#state === "open") this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#state === "idle") this.#open();
    if (this.#state !== "open") return;
    if (this.#early === null) this.#socket.resume();
    else process.nextTick(deliverEarly, this);
  }

  end(timeoutMs: number, _reason?: ClosedState): void {
    if (this.#state === "ending" || this.#state === "closed") return;
    this.#state = "ending";
    const socket = this.#socket;
    setTimeout(destroySocket, timeoutMs, socket).unref();
    socket.once("finish", () => setTimeout(destroySocket, LINGER_MS, socket).unref());
    socket.end();
    // Input is read on and dropped: closing with unread input would reset what was just sent.
    socket.resume();
  }

  destroy(): void {
    if (this.#state === "closed") return;
    this.#state = "ending";
    this.#socket.destroy();
  }

  compress(direction: "write" | "read", mode: CompressionMode): void {
    const framed = mode !== "off" && mode !== "not supported";
    if (direction === "read") {
      this.#reader = framed ? new S2Reader() : null;
    } else if (!framed) {
      this.#writer = null;
    } else if (this.#writer === null) {
      this.#writer = new S2Writer(mode);
    } else {
      this.#writer.mode = mode;
    }
  }

  /** A PROXY header or an HTTP proxy named the true peer. */
  setRemote(host: string, port: number): void {
    this.remoteHost = host;
    this.remotePort = port;
  }

  /** The socket's TLS belongs to a proxy on the way, not to the peer. */
  tunnelled(): void {
    this.tls = null;
  }

  /**
   * Hands the socket to an upgrade (peeking, TLS, HTTP); nothing is delivered until `giveBack`. Errors and
   * the end of the socket are still reported by this wire.
   */
  lend(): Socket {
    if (this.#state === "open") {
      this.#socket.pause();
      this.#socket.removeListener("data", onData);
    }
    if (this.#state === "idle" || this.#state === "open") this.#state = "lent";
    return this.#socket;
  }

  /** Ends a `lend`: the same socket or the one that now wraps it. Reading starts with the next `resume`. */
  giveBack(socket: Socket, tls: TlsState | null = this.tls): void {
    this.tls = tls;
    if (socket !== this.#socket) {
      this.#release(this.#socket);
      this.#socket = socket;
      this.#own(socket);
    }
    if (this.#state === "lent") this.#state = "idle";
    this.#paused = true;
  }

  #own(socket: OwnedSocket): void {
    socket[WIRE] = this;
    socket.on("error", onError);
    socket.on("end", onEnd);
    socket.on("close", onClose);
  }

  #release(socket: OwnedSocket): void {
    socket[WIRE] = undefined;
    socket.removeListener("end", onEnd);
    socket.removeListener("close", onClose);
    // `onError` stays: an error of a socket nobody listens to would be thrown.
  }

  #open(): void {
    this.#state = "open";
    const socket = this.#socket;
    // What a peek or the HTTP parser read too far.
    const early: unknown = socket.readableLength > 0 ? socket.read() : null;
    if (early instanceof Uint8Array) this.#early = early;
    if (!(socket instanceof TLSSocket) && this.#moveHandle(socket)) return;
    socket.on("data", onData);
    socket.pause();
  }

  /** Moves the socket's handle to a new one that reads into the shared buffer; false = not possible. */
  #moveHandle(old: OwnedSocket): boolean {
    if (old[SHARED] === true) return true;
    // `_handle` is not in node's types; each assumption about it is checked before anything is changed.
    const handle: unknown = Reflect.get(old, "_handle");
    if (!isTcpHandle(handle)) return false;
    if (old.destroyed || old.readableEnded || !old.writable || old.connecting) return false;
    if (old.writableLength > 0) return false;
    handle.readStop();
    handle.reading = false;
    this.#release(old);
    Reflect.set(old, "_handle", null);
    const options = {
      handle,
      readable: true,
      writable: true,
      onread: { buffer: readBuffer, callback: onRead },
    };
    const socket: OwnedSocket = new NetSocket(options);
    socket[SHARED] = true;
    this.#socket = socket;
    this.#own(socket);
    return true;
  }

  #afterWrite(): void {
    if (this.#queued === 0) return;
    this.#queued = this.#socket.writableLength;
    if (this.#state !== "closed") this.handler.drained(this.#queued);
  }

  /** @internal Shared listeners call these; they are not for owners of a wire. */
  received(chunk: Uint8Array): void {
    if (this.#state !== "open") return;
    // Of a full buffer the rest is read at once.
    if (chunk.length < READ_BUFFER_BYTES) stayAwake();
    if (this.#reader === null) {
      this.handler.data(chunk);
      return;
    }
    const error = this.#reader.read(chunk, this.handler);
    if (error === null) return;
    this.#error = new Error(error);
    this.destroy();
  }

  /** @internal */
  deliverEarly(): void {
    if (this.#state !== "open" || this.#early === null || this.#paused) return;
    const early = this.#early;
    this.#early = null;
    this.received(early);
    if (!this.#paused && this.#state === "open") this.#socket.resume();
  }

  /** @internal */
  failed(error: Error): void {
    this.#error ??= error;
  }

  /** @internal */
  ended(): void {
    if (this.#state === "closed" || this.#state === "ending") return;
    const socket = this.#socket;
    setTimeout(destroySocket, FLUSH_AFTER_EOF_MS, socket).unref();
    this.#close();
  }

  /** @internal */
  gone(socket: Socket): void {
    if (socket === this.#socket) this.#close();
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#early = null;
    this.handler.closed(this.#error);
  }
}

/** Wraps an accepted or connected socket; nothing is delivered before `resume()`. */
export function wireFromSocket(socket: Socket, handler: WireHandler): SocketWire {
  return new SocketWire(socket, handler);
}

function onRead(this: OwnedSocket, length: number, buffer: Uint8Array): boolean {
  this[WIRE]?.received(buffer.subarray(0, length));
  return true;
}

function onData(this: OwnedSocket, chunk: Uint8Array): void {
  this[WIRE]?.received(chunk);
}

function onError(this: OwnedSocket, error: Error): void {
  this[WIRE]?.failed(error);
}

function onEnd(this: OwnedSocket): void {
  this[WIRE]?.ended();
}

function onClose(this: OwnedSocket): void {
  this[WIRE]?.gone(this);
}

function deliverEarly(wire: SocketWire): void {
  wire.deliverEarly();
}

function destroySocket(socket: Socket): void {
  socket.destroy();
}

/** An address as logs show it: without the prefix of IPv4 addresses on a dual-stack socket. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

// Handles are not in node's types: `bytesWritten` counts what libuv was given, `writeQueueSize` what it still holds.

function kernelTook(handle: unknown): number {
  return (
    Number(memberOf(handle, "bytesWritten") ?? 0) - Number(memberOf(handle, "writeQueueSize") ?? 0)
  );
}

function memberOf(handle: unknown, name: string): unknown {
  return typeof handle === "object" && handle !== null ? Reflect.get(handle, name) : undefined;
}
