/** placeholder until the codec lands */
import type { Socket } from "node:net";
import type { CompressionMode } from "../../core/index.ts";
import type { WireHandler } from "./wire.ts";
export class S2Writer {
  mode: CompressionMode;
  constructor(mode: CompressionMode) {
    this.mode = mode;
  }
  write(_socket: Socket, _frames: readonly Uint8Array[], _written: () => void): number {
    throw new Error("S2 is not available yet");
  }
}
export class S2Reader {
  read(_chunk: Uint8Array, _handler: WireHandler): string | null {
    return "S2 is not available yet";
  }
}
