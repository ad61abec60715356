/**
 * S2 framing between a wire and its socket, one object per direction. The matchers' tables are shared by all
 * wires of the thread.
 */
import type { Socket } from "node:net";
import { S2Workspace } from "../../core/bytes/s2-block.ts";
import { S2Decoder } from "../../core/bytes/s2-decode.ts";
import { S2Encoder } from "../../core/bytes/s2-encode.ts";
import type { CompressionMode } from "../../core/index.ts";
import type { WireHandler } from "./wire.ts";

const workspace = new S2Workspace();

export class S2Writer {
  readonly #encoder: S2Encoder;

  constructor(mode: CompressionMode) {
    this.#encoder = new S2Encoder(mode, workspace);
  }

  /** The level changed (another round-trip time); readers need not be told. */
  set mode(mode: CompressionMode) {
    this.#encoder.mode = mode;
  }

  /** Writes frames through the encoder; returns what the socket still holds. */
  write(socket: Socket, frames: readonly Uint8Array[], written: () => void): number {
    const pieces: Uint8Array[] = [];
    this.#encoder.encode(frames, pieces);
    const last = pieces.pop();
    if (last === undefined) return socket.writableLength;
    if (pieces.length === 0) {
      socket.write(last, written);
      return socket.writableLength;
    }
    socket.cork();
    for (const piece of pieces) socket.write(piece);
    socket.write(last, written);
    socket.uncork();
    return socket.writableLength;
  }
}

export class S2Reader {
  readonly #decoder = new S2Decoder();

  /** Hands decoded bytes on; null, or why the stream is broken. */
  read(chunk: Uint8Array, handler: WireHandler): string | null {
    return this.#decoder.read(chunk, handler);
  }
}
