import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine, type ClosedState, type Link } from "../../src/core/index.ts";
import {
  engineOptions,
  type EngineOptionsInput,
  nullOutlet,
  TableAuthenticator,
  testWorld,
} from "../../src/testing/fixtures.ts";
import { Random } from "../../src/testing/random.ts";

const START = 1_000_000;
const PLACE = { host: "127.0.0.1", port: 5000, connectionType: "STANDARD" } as const;

/** One engine whose transports hold back everything from `stuck` on. */
class Bench {
  readonly log: string[] = [];
  readonly engine: Engine;
  /** What the kernel has not taken of the stuck link. */
  unsent = 0;
  stuck: Link | null = null;
  closed: ClosedState | null = null;

  constructor(options: EngineOptionsInput = {}) {
    const write = (link: number, frame: Uint8Array): number =>
      link === this.stuck?.id ? (this.unsent = frame.length) : 0;
    const outlet = nullOutlet({
      write,
      writev: (link, frames) =>
        link === this.stuck?.id ? (this.unsent = frames.reduce((sum, f) => sum + f.length, 0)) : 0,
      progress: () => this.unsent,
    });
    const world = testWorld(new Random(1), ({ level, text }) => this.log.push(`${level} ${text}`));
    this.engine = new Engine(
      engineOptions({ writeDeadline: 300, ...options }),
      world,
      outlet,
      new TableAuthenticator({ "": { account: "$G" } }, true),
      { closed: (link, reason) => link === this.stuck && (this.closed = reason) },
    );
  }

  client(text: string): Link {
    const link = this.engine.openClient(PLACE, START);
    this.send(link, text, START);
    return link;
  }

  send(link: Link, text: string, at: number): void {
    this.engine.receive(link.id, new TextEncoder().encode(text), at);
  }

  notices(): string[] {
    return this.log.filter((line) => line.startsWith("notice Slow"));
  }
}

/** A subscriber that stops reading, and what it is sent at START. */
function stall(bench: Bench): void {
  bench.stuck = bench.client('CONNECT {"verbose":false}\r\nSUB a 1\r\n');
  const publisher = bench.client('CONNECT {"verbose":false}\r\n');
  bench.send(publisher, "PUB a 5\r\nhello\r\n", START);
}

test("a client whose socket takes nothing for the deadline is a slow consumer", () => {
  const bench = new Bench();
  stall(bench);
  bench.engine.advance(START + 299);
  assert.equal(bench.closed, null);
  bench.engine.advance(START + 300);
  assert.equal(bench.closed, "Slow Consumer (Write Deadline)");
  assert.equal(bench.engine.slowConsumers.clients, 1);
  assert.deepEqual(bench.notices(), [
    "notice Slow Consumer Detected: WriteDeadline of 300ms exceeded with 1 chunks of 18 total bytes.",
  ]);
});

test("the deadline counts from the last bytes that went out", () => {
  const bench = new Bench();
  stall(bench);
  bench.unsent -= 4;
  bench.engine.advance(START + 300);
  assert.equal(bench.closed, null);
  bench.engine.advance(START + 600);
  assert.equal(bench.closed, "Slow Consumer (Write Deadline)");
});

test("what is taken in time leaves no deadline behind", () => {
  const bench = new Bench();
  stall(bench);
  const link = bench.stuck;
  assert.ok(link !== null);
  bench.unsent = 0;
  bench.engine.drained(link.id, 0, START + 200);
  bench.engine.advance(START + 10_000);
  assert.equal(bench.closed, null);
  assert.deepEqual(bench.notices(), []);
});

test("a deadline that a reload takes away ends nobody", () => {
  const bench = new Bench();
  stall(bench);
  Object.assign(bench.engine.options, { writeDeadline: 0 });
  bench.engine.advance(START + 300);
  bench.engine.advance(START + 10_000);
  assert.equal(bench.closed, null);
  assert.equal(bench.stuck?.writeAt, 0);
});

test("with write_timeout close a client must take all of it by the deadline", () => {
  const bench = new Bench({ writeTimeout: "close" });
  stall(bench);
  bench.unsent -= 4;
  bench.engine.advance(START + 300);
  assert.equal(bench.closed, "Slow Consumer (Write Deadline)");
});

test("with write_timeout retry a link stays while some of it goes, and recovers", () => {
  const bench = new Bench({ writeTimeout: "retry" });
  stall(bench);
  const link = bench.stuck;
  assert.ok(link !== null);
  bench.unsent -= 4;
  bench.engine.advance(START + 300);
  bench.unsent -= 4;
  bench.engine.advance(START + 600);
  bench.unsent = 0;
  bench.engine.drained(link.id, 0, START + 700);
  assert.equal(bench.closed, null);
  assert.match(
    bench.notices().join("\n"),
    /Detected.*\n.*State.*\n.*Recovered: Flush took 0\.700s/,
  );
});

test("a client that has not authenticated is closed without being counted", () => {
  const bench = new Bench();
  bench.engine.authenticator = new TableAuthenticator();
  const stranger = bench.engine.openClient(PLACE, START);
  bench.stuck = stranger;
  bench.engine.send(stranger, "PING\r\n");
  bench.engine.flush();
  bench.engine.advance(START + 300);
  assert.equal(bench.closed, "Slow Consumer (Write Deadline)");
  assert.equal(bench.engine.slowConsumers.clients, 0);
  assert.deepEqual(bench.notices(), []);
});

test("a leaf link is kept while some of it goes, and closed when none does", () => {
  const bench = new Bench({ leaf: { writeDeadline: 500 } });
  const link = bench.engine.openLeaf({ ...PLACE, connectionType: "LEAFNODE" }, START);
  bench.stuck = link;
  bench.engine.send(link, "PING\r\n");
  bench.engine.flush();
  bench.unsent -= 1;
  bench.engine.advance(START + 500);
  assert.equal(bench.closed, null);
  assert.deepEqual(bench.notices(), []);
  bench.engine.advance(START + 1000);
  assert.equal(bench.closed, null);
  bench.engine.advance(START + 1500);
  assert.equal(bench.closed, "Slow Consumer (Write Deadline)");
  assert.match(bench.notices().join("\n"), /Detected: WriteDeadline of 500ms.*\n.*State/);
  assert.equal(bench.engine.slowConsumers.leafs, 2);
});
