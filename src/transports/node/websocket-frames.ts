/**
 * WebSocket framing (RFC 6455) with permessage-deflate without context takeover (RFC 7692), pure over bytes.
 *
 * Why not the `ws` package's Receiver and Sender: they collect whole messages before anything is delivered,
 * while NATS puts no bound on a message's length and a message may hold thousands of operations; they keep
 * references to chunks that are borrowed here; they inflate asynchronously; and they cannot take unmasked
 * frames from a client (`Nats-No-Masking`). Here payload bytes are unmasked in place and handed on at once;
 * only compressed messages are collected, within a limit.
 */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";

export const OP_CONTINUATION = 0;
export const OP_TEXT = 1;
export const OP_BINARY = 2;
export const OP_CLOSE = 8;
export const OP_PING = 9;
export const OP_PONG = 10;

/** Control frames carry at most this many bytes. */
const MAX_CONTROL_BYTES = 125;
/** A compressed message may be at most this many times longer than it may inflate to. */
const COMPRESSED_FACTOR = 8;
const MAX_COMPRESSED_BYTES = 64 * 1024 * 1024;
/** Beyond what a JavaScript number counts exactly, and beyond sense. */
const MAX_FRAME_HIGH_WORD = 0x1fffff;
const MAX_HEADER_BYTES = 14;
/** What permessage-deflate strips from each message, and an empty last block that ends the stream. */
const DEFLATE_TAIL = new Uint8Array([0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]);

/** What ends the connection: the status of the Close frame and the text. */
export interface FrameError {
  readonly status: number;
  readonly text: string;
}

/** Where decoded frames go. A sink may say that it wants no more (`false`). */
export interface FrameSink {
  /** A piece of a message; borrowed for the call. */
  payload(bytes: Uint8Array): void;
  /** A whole control frame; the bytes are a copy. */
  control(opcode: number, bytes: Uint8Array): void;
}

export interface FrameReaderOptions {
  /** The peer must mask its frames. */
  readonly masked: boolean;
  /** permessage-deflate was negotiated. */
  readonly compression: boolean;
}

const NOTHING = new Uint8Array(0);

const tooLarge: FrameError = { status: 1009, text: "maximum payload exceeded" };

function protocolError(text: string): FrameError {
  return { status: 1002, text };
}

/** Decodes the frames of one direction. Never throws on a peer's bytes; after an error it is spent. */
export class FrameReader {
  /** A compressed message may inflate to at most this; the link's max_payload. */
  maxInflated: number;
  readonly #options: FrameReaderOptions;
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #headerBytes = 0;
  #headerNeeds = 2;
  #left = 0;
  #opcode = 0;
  #final = false;
  #inPayload = false;
  /** A data message was begun and its final frame not seen. */
  #inMessage = false;
  #compressed = false;
  #collected: Uint8Array[] = [];
  #collectedBytes = 0;
  #control: Uint8Array = NOTHING;
  /** The mask, rotated so that its low byte applies to the next payload byte; 0 for none. */
  #mask = 0;

  constructor(options: FrameReaderOptions, maxInflated: number) {
    this.#options = options;
    this.maxInflated = maxInflated;
  }

  /** Decodes a chunk, unmasking it in place. Returns null or why the connection must end. */
  read(chunk: Uint8Array, sink: FrameSink): FrameError | null {
    let at = 0;
    while (at < chunk.length) {
      if (!this.#inPayload) {
        this.#header[this.#headerBytes++] = chunk[at++] ?? 0;
        if (this.#headerBytes < this.#headerNeeds) continue;
        const error = this.#headerComplete();
        if (error !== null) return error;
        if (!this.#inPayload || this.#left > 0) continue;
      }
      const take = Math.min(this.#left, chunk.length - at);
      const piece = chunk.subarray(at, at + take);
      if (this.#mask !== 0) this.#mask = applyMask(piece, this.#mask);
      at += take;
      this.#left -= take;
      const error = this.#piece(piece, sink);
      if (error !== null) return error;
    }
    return null;
  }

  /** Either asks for more header bytes or begins the payload. */
  #headerComplete(): FrameError | null {
    const header = this.#header;
    const first = header[0] ?? 0;
    const second = header[1] ?? 0;
    const masked = (second & 0x80) !== 0;
    const short = second & 0x7f;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    if (this.#headerBytes === 2) {
      const error = this.#checkStart(first, short, masked);
      if (error !== null) return error;
      this.#headerNeeds = 2 + lengthBytes + (masked ? 4 : 0);
      if (this.#headerNeeds > 2) return null;
    }
    const view = new DataView(header.buffer);
    if (lengthBytes === 8) {
      const high = view.getUint32(2);
      if (high > MAX_FRAME_HIGH_WORD) return protocolError("invalid 64-bit payload length");
      this.#left = high * 0x1_0000_0000 + view.getUint32(6);
    } else {
      this.#left = lengthBytes === 2 ? view.getUint16(2) : short;
    }
    this.#mask = masked ? view.getUint32(2 + lengthBytes, true) : 0;
    this.#inPayload = true;
    this.#headerBytes = 0;
    this.#headerNeeds = 2;
    return null;
  }

  #checkStart(first: number, short: number, masked: boolean): FrameError | null {
    this.#opcode = first & 0x0f;
    this.#final = (first & 0x80) !== 0;
    const rsv1 = (first & 0x40) !== 0;
    if ((first & 0x30) !== 0) return protocolError("RSV2 and RSV3 must be clear");
    if (rsv1 && !this.#options.compression) {
      return protocolError("compressed frame received without negotiated permessage-deflate");
    }
    if (this.#options.masked && !masked) return protocolError("mask bit missing");
    switch (this.#opcode) {
      case OP_CLOSE:
      case OP_PING:
      case OP_PONG:
        if (short > MAX_CONTROL_BYTES) {
          return protocolError("control frame length bigger than maximum allowed of 125 bytes");
        }
        if (!this.#final) return protocolError("control frame does not have final bit set");
        if (rsv1) return protocolError("control frame must not be compressed");
        return null;
      case OP_TEXT:
      case OP_BINARY:
        if (this.#inMessage) {
          return protocolError(
            "new message started before final frame for previous message was received",
          );
        }
        this.#inMessage = true;
        this.#compressed = rsv1;
        return null;
      case OP_CONTINUATION:
        if (!this.#inMessage || rsv1) return protocolError("invalid continuation frame");
        return null;
      default:
        return protocolError(`unknown opcode ${this.#opcode}`);
    }
  }

  #piece(piece: Uint8Array, sink: FrameSink): FrameError | null {
    const ends = this.#left === 0;
    if (ends) this.#inPayload = false;
    if (this.#opcode >= OP_CLOSE) return this.#controlPiece(piece, ends, sink);
    if (ends && this.#final) this.#inMessage = false;
    if (!this.#compressed) {
      if (piece.length > 0) sink.payload(piece);
      return null;
    }
    this.#collectedBytes += piece.length;
    if (this.#collectedBytes > this.#maxCompressed()) return tooLarge;
    // Not `slice`: a Buffer's would still be a view of the borrowed memory.
    this.#collected.push(new Uint8Array(piece));
    return ends && this.#final ? this.#inflate(sink) : null;
  }

  #maxCompressed(): number {
    return Math.min(COMPRESSED_FACTOR * this.maxInflated, MAX_COMPRESSED_BYTES);
  }

  #controlPiece(piece: Uint8Array, ends: boolean, sink: FrameSink): FrameError | null {
    // A control frame may stand between the frames of a compressed message: its bytes are kept apart.
    this.#control = concat([this.#control, piece]);
    if (!ends) return null;
    const body = this.#control;
    this.#control = NOTHING;
    if (this.#opcode === OP_CLOSE) {
      const error = checkClose(body);
      if (error !== null) return error;
    }
    sink.control(this.#opcode, body);
    return null;
  }

  #inflate(sink: FrameSink): FrameError | null {
    const input = concat([...this.#collected, DEFLATE_TAIL]);
    this.#collected = [];
    this.#collectedBytes = 0;
    let output: Uint8Array;
    try {
      output = inflateRawSync(input, { maxOutputLength: Math.max(1, this.maxInflated) });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : "";
      if (code === "ERR_BUFFER_TOO_LARGE") return tooLarge;
      return protocolError("invalid compressed message");
    }
    if (output.length > 0) sink.payload(output);
    return null;
  }
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function checkClose(body: Uint8Array): FrameError | null {
  if (body.length === 0) return null;
  if (body.length === 1) return protocolError("close frame payload cannot be 1 byte");
  const status = ((body[0] ?? 0) << 8) | (body[1] ?? 0);
  const assigned = status >= 1000 && status <= 1014 && ![1004, 1005, 1006].includes(status);
  if (!assigned && !(status >= 3000 && status <= 4999)) {
    return protocolError(`invalid close status code ${status}`);
  }
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(body.subarray(2));
  } catch {
    return { status: 1007, text: "invalid utf8 body in close frame" };
  }
  return null;
}

/** Applies a mask in place, a word at a time where it can; returns it rotated for the byte that follows. */
export function applyMask(bytes: Uint8Array, mask: number): number {
  const length = bytes.length;
  let at = 0;
  if (length >= 32) {
    while (((bytes.byteOffset + at) & 3) !== 0) {
      bytes[at] = (bytes[at] ?? 0) ^ (mask & 0xff);
      mask = (mask >>> 8) | (mask << 24);
      at++;
    }
    const words = (length - at) >> 2;
    const view = new Int32Array(bytes.buffer, bytes.byteOffset + at, words);
    const key = littleEndian ? mask | 0 : swapBytes(mask);
    for (let i = 0; i < words; i++) view[i] = (view[i] ?? 0) ^ key;
    at += words << 2;
  }
  for (; at < length; at++) {
    bytes[at] = (bytes[at] ?? 0) ^ (mask & 0xff);
    mask = (mask >>> 8) | (mask << 24);
  }
  return mask >>> 0;
}

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function swapBytes(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/** The most bytes that `writeFrameHeader` writes. */
export const MAX_FRAME_HEADER_BYTES = MAX_HEADER_BYTES;

/** The bits of a frame's first byte besides the opcode. */
export const FRAME_FINAL = 0x80;
export const FRAME_COMPRESSED = 0x40;

/** Writes a header (with `mask` other than null: and the mask) and returns the index after it. */
export function writeFrameHeader(
  target: Uint8Array,
  firstByte: number,
  payloadBytes: number,
  mask: number | null,
): number {
  const view = new DataView(target.buffer, target.byteOffset);
  const maskBit = mask === null ? 0 : 0x80;
  target[0] = firstByte;
  let at = 2;
  if (payloadBytes <= 125) {
    target[1] = maskBit | payloadBytes;
  } else if (payloadBytes <= 0xffff) {
    target[1] = maskBit | 126;
    view.setUint16(2, payloadBytes);
    at = 4;
  } else {
    target[1] = maskBit | 127;
    view.setUint32(2, Math.floor(payloadBytes / 0x1_0000_0000));
    view.setUint32(6, payloadBytes >>> 0);
    at = 10;
  }
  if (mask !== null) {
    view.setUint32(at, mask, true);
    at += 4;
  }
  return at;
}

/** One message deflated on its own, as permessage-deflate without context takeover wants it. */
export function deflateMessage(frames: readonly Uint8Array[]): Uint8Array {
  const input = frames.length === 1 ? (frames[0] ?? NOTHING) : concat(frames);
  const output = deflateRawSync(input, {
    level: constants.Z_BEST_SPEED,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  return output.subarray(0, output.length - 4);
}
