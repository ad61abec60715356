/** A handler that remembers what a wire reported, and pairs of wires over real sockets. */
import type { Socket } from "node:net";
import {
  dialTcp,
  listenTcp,
  wireFromSocket,
  type SocketWire,
  type WireHandler,
} from "../../src/transports/node/index.ts";

export class Recorder implements WireHandler {
  text = "";
  bytes = 0;
  drains: number[] = [];
  closes: (Error | null)[] = [];
  #waiting: { ready: () => boolean; resolve: () => void }[] = [];

  data(chunk: Uint8Array): void {
    this.text += Buffer.from(chunk).toString("latin1");
    this.bytes += chunk.length;
    this.#check();
  }

  drained(queued: number): void {
    this.drains.push(queued);
    this.#check();
  }

  closed(error: Error | null): void {
    this.closes.push(error);
    this.#check();
  }

  until(ready: (recorder: Recorder) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ ready: () => ready(this), resolve });
      this.#check();
    });
  }

  #check(): void {
    this.#waiting = this.#waiting.filter((one) => {
      if (!one.ready()) return true;
      one.resolve();
      return false;
    });
  }
}

export interface WirePair {
  readonly server: SocketWire;
  readonly serverSaw: Recorder;
  readonly client: SocketWire;
  readonly clientSaw: Recorder;
}

/** An accepted and a dialled wire over loopback, neither started; closed after the test. */
export async function socketPair(t: { after(fn: () => void): void }): Promise<WirePair> {
  const { socket, client, clientSaw } = await rawPair(t);
  const serverSaw = new Recorder();
  const server = wireFromSocket(socket, serverSaw);
  t.after(() => server.destroy());
  return { server, serverSaw, client, clientSaw };
}

/** As `socketPair`, with the accepted socket as it came. */
export async function rawPair(t: {
  after(fn: () => void): void;
}): Promise<{ socket: Socket; client: SocketWire; clientSaw: Recorder }> {
  let accept: (socket: Socket) => void = () => {};
  const accepted = new Promise<Socket>((resolve) => {
    accept = resolve;
  });
  const listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (socket) => accept(socket));
  const clientSaw = new Recorder();
  const client = await dialTcp(
    { host: "127.0.0.1", port: listener.port, timeoutMs: 2000 },
    clientSaw,
  );
  t.after(() => client.destroy());
  const socket = await accepted;
  await listener.close();
  return { socket, client, clientSaw };
}
