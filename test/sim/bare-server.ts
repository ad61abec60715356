/** An engine and raw peers without time or network, for properties: bytes in, the text of each link out. */
import { Engine, type Link, type LinkId } from "../../src/core/index.ts";
import {
  engineOptions,
  type EngineOptionsInput,
  nullOutlet,
  TableAuthenticator,
  type TestUser,
  testWorld,
} from "../../src/testing/fixtures.ts";
import { Random } from "../../src/testing/random.ts";
import { bytesOf, textOf } from "./wire-engine.ts";

export class BareServer {
  readonly engine: Engine;
  readonly #output = new Map<LinkId, string>();
  #opening = "";
  /** Lines of the log that a defect leaves behind. */
  readonly internalErrors: string[] = [];
  now = 1_000_000;

  constructor(input: EngineOptionsInput = {}, users?: Readonly<Record<string, TestUser>>) {
    const write = (id: LinkId, frame: Uint8Array): number => {
      const before = this.#output.get(id);
      if (before === undefined) this.#opening += textOf(frame);
      else this.#output.set(id, before + textOf(frame));
      return 0;
    };
    const outlet = nullOutlet({
      write,
      writev(id, frames) {
        for (const frame of frames) write(id, frame);
        return 0;
      },
    });
    const world = testWorld(new Random(11), ({ text }) => {
      if (text.startsWith("Internal error")) this.internalErrors.push(text);
    });
    this.engine = new Engine(
      engineOptions(input),
      world,
      outlet,
      new TableAuthenticator(users, users === undefined),
    );
  }

  client(text = 'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n'): Link {
    return this.#opened(
      this.engine.openClient({ host: "h", port: 1, connectionType: "STANDARD" }, this.now),
      text,
    );
  }

  leaf(text = 'CONNECT {"name":"leaf","headers":true}\r\n'): Link {
    return this.#opened(
      this.engine.openLeaf({ host: "h", port: 1, connectionType: "LEAFNODE" }, this.now),
      text,
    );
  }

  #opened(link: Link, text: string): Link {
    this.#output.set(link.id, this.#opening);
    this.#opening = "";
    if (text !== "") this.send(link, text);
    return link;
  }

  send(link: Link, text: string): void {
    const chunk = bytesOf(text);
    this.engine.receive(link.id, chunk, this.now);
    chunk.fill(0x7e);
  }

  /** What the link was sent since this was last asked. */
  take(link: Link): string {
    const text = this.#output.get(link.id) ?? "";
    this.#output.set(link.id, "");
    return text;
  }
}
