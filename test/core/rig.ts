/** One engine under the hands of a test: raw bytes in, what was written per link as text out. */
import { Engine, type Link, type Outlet, type RemoteSpec } from "../../src/core/index.ts";
import {
  engineOptions,
  type EngineOptionsInput,
  nullOutlet,
  remoteSpec,
  TableAuthenticator,
  testWorld,
} from "../../src/testing/fixtures.ts";
import { Random } from "../../src/testing/random.ts";

export const START = 1_000_000;
export const PLACE = { host: "127.0.0.1", port: 5000, connectionType: "STANDARD" } as const;

export class Rig {
  readonly written = new Map<number, string>();
  readonly log: string[] = [];
  readonly engine: Engine;
  /** Bytes of all buffers that the engine asked for. */
  allocated = 0;
  now = START;

  constructor(
    options: EngineOptionsInput = {},
    outlet: Partial<Outlet> = {},
    users: Readonly<Record<string, { account: string }>> = { "": { account: "$G" } },
  ) {
    const world = testWorld(new Random(1), ({ level, text }) => this.log.push(`${level} ${text}`));
    const counting = {
      ...world,
      allocate: (length: number) => {
        this.allocated += length;
        return world.allocate(length);
      },
    };
    const write = (link: number, frame: Uint8Array): number => {
      this.written.set(link, this.textOf(link) + Buffer.from(frame).toString("latin1"));
      return 0;
    };
    const writev = (link: number, frames: readonly Uint8Array[]): number => {
      for (const frame of frames) write(link, frame);
      return 0;
    };
    this.engine = new Engine(
      engineOptions(options),
      counting,
      nullOutlet({ write, writev, ...outlet }),
      new TableAuthenticator(users, "" in users),
    );
  }

  textOf(link: number): string {
    return this.written.get(link) ?? "";
  }

  client(text = ""): Link {
    const link = this.engine.openClient(PLACE, this.now);
    this.send(link, `CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n${text}`);
    return link;
  }

  /** A leaf link that we dialled; nothing has come from the hub yet. */
  remote(spec: Partial<RemoteSpec> = {}): Link {
    return this.engine.openRemote(
      { ...PLACE, connectionType: "LEAFNODE" },
      remoteSpec(spec),
      this.now,
    );
  }

  send(link: Link, text: string): void {
    this.engine.receive(link.id, Buffer.from(text, "latin1"), this.now);
  }
}
