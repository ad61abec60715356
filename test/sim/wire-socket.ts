/** Plays a wire script over TCP, step by step: each expectation is waited for before anything more is sent. */
import { connect, type Socket } from "node:net";
import {
  FENCE,
  FENCE_ANSWER,
  INFO_PATTERN,
  needsInfoSkipped,
  type Party,
  patternOf,
  type WireScript,
  withoutPings,
} from "./wire-script.ts";

export interface Ports {
  readonly client: number;
  readonly leaf: number;
}

const PATIENCE = 5000;

/** One connection: what came and was not yet expected. */
class Peer {
  readonly #socket: Socket;
  #text = "";
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(socket: Socket, isLeaf: boolean) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      if (isLeaf && this.#text.includes("PING\r\n")) {
        this.send("PONG\r\n");
        this.#text = withoutPings(`\r\n${this.#text}`).slice(2);
      }
      this.#wake?.();
    });
    const ended = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on("end", ended).on("close", ended).on("error", ended);
  }

  send(text: string): void {
    this.#socket.write(Buffer.from(text, "latin1"));
  }

  async expect(pattern: string, what: string): Promise<void> {
    const expression = new RegExp(`^${pattern}`, "s");
    await this.#until(() => expression.test(this.#text), what);
    this.#text = this.#text.replace(expression, "");
  }

  async expectClose(what: string): Promise<void> {
    await this.#until(() => this.#ended, what);
    if (this.#text !== "")
      throw new Error(`${what}: before the end came ${JSON.stringify(this.#text)}`);
  }

  /** Nothing but the answer to a PING comes. */
  async fence(what: string): Promise<void> {
    this.send(FENCE);
    await this.expect(FENCE_ANSWER, what);
    if (this.#text !== "") throw new Error(`${what}: behind it came ${JSON.stringify(this.#text)}`);
  }

  async #until(isTrue: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (!isTrue()) {
      const left = deadline - Date.now();
      if (left <= 0 || this.#ended) {
        const why = this.#ended ? "the stream ended" : "nothing more came";
        throw new Error(`${what}: ${why}; unexpected so far: ${JSON.stringify(this.#text)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** Resolves if the server at these ports answers as the script says; rejects with the line that failed. */
export async function playOverTcp(script: WireScript, ports: Ports): Promise<void> {
  const peers = new Map<Party, Peer>();
  const open = async (party: Party): Promise<Peer> => {
    const leaf = party === "main" && script.setup.get("port") === "leaf";
    const socket = connect({ host: "127.0.0.1", port: leaf ? ports.leaf : ports.client });
    const peer = new Peer(socket, leaf);
    peers.set(party, peer);
    if (needsInfoSkipped(script, party)) await peer.expect(INFO_PATTERN, `${script.name}: INFO`);
    return peer;
  };
  try {
    await open("main");
    const over = new Set<Party>();
    for (const { kind, party, text, line } of script.steps) {
      const peer = peers.get(party) ?? (await open(party));
      const what = `${script.name}:${line}`;
      if (kind === "send") peer.send(text);
      else if (kind === "expect") await peer.expect(patternOf(text), what);
      else {
        await peer.expectClose(what);
        over.add(party);
      }
    }
    for (const [party, peer] of peers)
      if (!over.has(party)) await peer.fence(`${script.name}: last PING`);
  } finally {
    for (const peer of peers.values()) peer.destroy();
  }
}
