/**
 * Looks at the first bytes of a wire that was not started yet and leaves them unread, for what must be known
 * before a protocol is chosen: TLS or not, a PROXY header.
 */
import type { SocketWire } from "./socket-wire.ts";

/** No first bytes that anyone peeks for are longer. */
const MAX_PEEK_BYTES = 64 * 1024;

/** What to do with the bytes seen: `answer` ends the peek, and `skip` of the bytes are taken away. */
export interface PeekResult<T> {
  readonly answer: T;
  readonly skip: number;
}

/**
 * Calls `decide` with all bytes received so far until it answers something but null. Resolves with the answer,
 * or `"timeout"`, or `"closed"` if the stream ended or grew too long without one.
 */
export function peek<T>(
  wire: SocketWire,
  timeoutMs: number,
  decide: (bytes: Uint8Array) => PeekResult<T> | null,
): Promise<T | "timeout" | "closed"> {
  const socket = wire.lend();
  return new Promise((resolve) => {
    let seen: Buffer = Buffer.alloc(0);
    const finish = (answer: T | "timeout" | "closed", skip: number): void => {
      clearTimeout(timer);
      socket.removeListener("readable", onReadable);
      socket.removeListener("end", onClosed);
      socket.removeListener("close", onClosed);
      if (seen.length > skip && !socket.destroyed && !socket.readableEnded) {
        socket.unshift(seen.subarray(skip));
      }
      wire.giveBack(socket);
      resolve(answer);
    };
    const onClosed = (): void => finish("closed", 0);
    const onReadable = (): void => {
      const read: unknown = socket.read();
      if (!(read instanceof Uint8Array)) return;
      seen = Buffer.concat([seen, read]);
      const result = decide(seen);
      if (result !== null) finish(result.answer, result.skip);
      else if (seen.length > MAX_PEEK_BYTES) finish("closed", 0);
    };
    const timer = setTimeout(() => finish("timeout", 0), timeoutMs);
    socket.on("readable", onReadable);
    socket.on("end", onClosed);
    socket.on("close", onClosed);
  });
}
