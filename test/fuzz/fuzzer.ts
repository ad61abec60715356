/**
 * Invariant: whatever bytes a stranger sends, on a client connection, to a leaf listener, or as the hub that we
 * dialled, cut anywhere, at any time: the answer is one of the reference's -ERR texts, silence or a close. Never
 * an exception ("Internal error" in the log counts as one), never a malformed byte to anyone, never memory
 * beyond the limits, and nothing is left of a connection once it is gone.
 *
 * Conversations run in batches over one engine each, beside a well-behaved client and leaf node that hear
 * everything. A batch is replayed from its seed alone.
 */
import { Engine, type Link, type LinkId, type LinkPlace } from "../../src/core/index.ts";
import {
  engineOptions,
  nullOutlet,
  remoteSpec,
  TableAuthenticator,
  testWorld,
} from "../../src/testing/fixtures.ts";
import { Random } from "../../src/testing/random.ts";
import { conversation, garbage, mutate, type Role } from "./grammar.ts";
import { wrongOutput } from "./output.ts";

export const BATCH = 100;

const MAX_PAYLOAD = 1024;
const MAX_CONTROL_LINE = 512;
const MAX_PENDING = 256 * 1024;
const PERMISSIONS = {
  publish: { allow: null, deny: ["b.>"] },
  subscribe: { allow: null, deny: ["bar"] },
  responses: { max: 1, expires: 1000 },
};

export interface Failure {
  /** Index of the conversation in its batch. */
  readonly index: number;
  readonly role: Role;
  readonly problem: string;
  readonly sent: string;
}

/** What a link's transport holds: frames with the copies that show whether somebody wrote to them. */
interface Wire {
  text: string;
  isClosed: boolean;
  isPaused: boolean;
  held: { frame: Uint8Array; copy: Uint8Array }[];
  heldBytes: number;
}

export class Batch {
  readonly random: Random;
  readonly engine: Engine;
  readonly #wires = new Map<LinkId, Wire>();
  readonly #verdicts: (() => void)[] = [];
  #opening: Wire | null = null;
  #problem: string | null = null;
  #now = 1_000_000;
  #slow = false;
  readonly #good: readonly [Link, Role][];

  constructor(seed: number) {
    const random = (this.random = new Random(seed));
    const world = testWorld(random, ({ text }) => {
      if (text.startsWith("Internal error")) this.#problem ??= text;
    });
    const options = engineOptions({
      maxPayload: MAX_PAYLOAD,
      maxControlLine: MAX_CONTROL_LINE,
      maxPending: MAX_PENDING,
      maxSubscriptions: random.pick([0, 3]),
      maxSubTokens: random.pick([0, 8]),
      clusterName: random.pick(["", "C"]),
      trace: random.chance(0.2),
      noStall: random.chance(0.3),
      leaf: {
        compression: random.pick(["off", "off", "s2_auto", "accept"]),
        maxPending: MAX_PENDING,
        minVersion: random.pick(["", "", "2.10.0"]),
        isolated: random.chance(0.2),
      },
    });
    const users = {
      "": { account: "$G" },
      u: {
        account: random.pick(["$G", "$G", "A"]),
        pass: "p",
        permissions: random.chance(0.4) ? PERMISSIONS : null,
      },
      good: { account: "$G" },
    };
    const authenticator = new TableAuthenticator(users, random.chance(0.3));
    if (random.chance(0.3)) authenticator.delay = (decide) => void this.#verdicts.push(decide);
    const delays = authenticator.delay;
    authenticator.delay = null;
    this.engine = new Engine(options, world, this.#outlet(), authenticator);
    this.#good = [
      [
        this.#openGood(
          "client",
          'CONNECT {"verbose":false,"headers":true}\r\nSUB > 1\r\nSUB > q 2\r\nSUB foo 3\r\n',
        ),
        "client",
      ],
      [
        this.#openGood(
          "leaf",
          'CONNECT {"version":"2.15.2","user":"good","name":"good1","headers":true}\r\nLS+ >\r\nLS+ foo q 2\r\n',
        ),
        "leaf",
      ],
      [
        this.#openGood(
          "leaf",
          'CONNECT {"version":"2.15.2","user":"good","name":"good2"}\r\nLS+ foo.*\r\nLS+ bar w 1\r\n',
        ),
        "leaf",
      ],
    ];
    authenticator.delay = delays;
  }

  /** Runs one conversation; what went wrong, or null. */
  run(index: number): Failure | null {
    const random = this.random;
    const role = random.pick<Role>(["client", "client", "leaf", "hub"]);
    const kind = random.below(10);
    let sent = kind === 0 ? garbage(random) : conversation(random, role);
    if (kind > 4) sent = mutate(random, sent);
    this.#slow = random.chance(0.1);
    const baseline = this.#counts();
    try {
      const link = this.#open(role);
      this.#feed(link, sent);
      this.#finish(link, role);
    } catch (error) {
      this.#problem ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    this.#pass(0.1);
    const after = this.#counts();
    if (after !== baseline) this.#problem ??= `left behind: ${baseline} became ${after}`;
    const problem = this.#problem;
    this.#problem = null;
    return problem === null ? null : { index, role, problem, sent };
  }

  #counts(): string {
    const { engine } = this;
    let text = `${engine.links.size} links, ${engine.clientCount} clients`;
    for (const account of engine.accounts.values()) {
      // An account that comes into being holds nothing but its loop detection subject.
      const { clients, leaves, sublist } = account;
      if (clients.size + leaves.size + sublist.count > 0) {
        text += `; ${account.name}: ${clients.size}, ${leaves.size}, ${sublist.count} subscriptions`;
      }
    }
    return text;
  }

  #openGood(role: Role, text: string): Link {
    const link = this.#open(role);
    this.engine.receive(link.id, latin1Bytes(text), this.#now);
    return link;
  }

  #open(role: Role): Link {
    const { engine, random } = this;
    const wire: Wire = { text: "", isClosed: false, isPaused: false, held: [], heldBytes: 0 };
    this.#opening = wire;
    const place: LinkPlace = {
      host: "127.0.0.1",
      port: 1,
      connectionType: role === "client" ? "STANDARD" : "LEAFNODE",
    };
    let link: Link;
    if (role === "client") link = engine.openClient(place, this.#now);
    else if (role === "leaf") link = engine.openLeaf(place, this.#now);
    else link = engine.openRemote(place, this.#remote(random), this.#now);
    this.#opening = null;
    this.#wires.set(link.id, wire);
    return link;
  }

  #remote(random: Random): ReturnType<typeof remoteSpec> {
    const way = random.below(20);
    return remoteSpec({
      account: random.pick(["$G", "$G", "B"]),
      hub: random.chance(0.2),
      denyImports: random.pick([[], [], ["foo.>"]]),
      denyExports: random.pick([[], [], ["a"]]),
      allowImports: random.pick([null, null, ["foo.>"]]),
      compression: random.pick(["off", "accept", "s2_auto"]),
      credentials: () => {
        if (way === 0) throw new Error("no such file");
        return way === 1 ? null : {};
      },
    });
  }

  /** Sends the text cut anywhere, with time passing between. */
  #feed(link: Link, text: string): void {
    const { engine, random } = this;
    const bytes = latin1Bytes(text);
    const most = random.pick([1, 3, 30, 400, 100_000, 100_000]);
    let at = 0;
    while (at < bytes.length && engine.isOpen(link) && this.#problem === null) {
      const length = Math.min(bytes.length - at, random.between(1, most));
      const chunk = bytes.slice(at, at + length);
      const owned = random.chance(0.3);
      engine.receive(link.id, chunk, this.#now, owned);
      if (!owned) chunk.fill(0x7e);
      at += length;
      this.#checkMemory(link);
      if (random.chance(most === 1 ? 0.01 : 0.1)) this.#pass(random.pick([0.5, 5, 100, 3000]));
    }
  }

  /** Time passes: verdicts come, transports take what they hold, timers fire. */
  #pass(duration: number): void {
    // In small steps: the good peers are never silent for long.
    const end = this.#now + duration;
    while (this.#now < end) {
      this.#now = Math.min(end, this.#now + 1000);
      for (const decide of this.#verdicts.splice(0)) decide();
      for (const id of this.#wires.keys()) this.#drain(id);
      this.engine.advance(this.#now);
      this.#serveGood();
    }
  }

  #drain(id: LinkId): void {
    const wire = this.#wires.get(id);
    if (wire === undefined || wire.held.length === 0) return;
    for (const { frame, copy } of wire.held) {
      wire.text += latin1Text(copy);
      if (!frame.every((byte, i) => byte === copy[i]))
        this.#problem ??= "a frame was written to while it was held";
    }
    wire.held = [];
    wire.heldBytes = 0;
    this.engine.drained(id, 0, this.#now);
  }

  /** The connection ends, and nothing may be left of it. */
  #finish(link: Link, role: Role): void {
    const { engine, random } = this;
    this.#pass(random.pick([0.1, 1, 10_000]));
    if (engine.isOpen(link)) engine.closed(link.id, "Client Closed", this.#now);
    this.#verdicts.length = 0;
    const wire = this.#wires.get(link.id);
    this.#wires.delete(link.id);
    if (wire === undefined) return;
    for (const { copy } of wire.held) wire.text += latin1Text(copy);
    const wrong = wrongOutput(wire.text, role);
    if (wrong !== null) this.#problem ??= `to the ${role} link: ${wrong}`;
    if (link.parse.carry !== null || link.held !== null)
      this.#problem ??= "a closed link holds input";
    if (link.out.bytes > 0) this.#problem ??= "a closed link holds output";
  }

  #checkMemory(link: Link): void {
    const carry = link.parse.carry?.bytes.length ?? 0;
    const limit = 2 * (MAX_PAYLOAD + 16 * MAX_CONTROL_LINE) + 65_536;
    if (carry > limit) this.#problem ??= `carries ${carry} bytes of a unit`;
    if (link.heldBytes > 1024 * 1024) this.#problem ??= `holds ${link.heldBytes} bytes of input`;
    const pending = link.out.bytes + link.queued;
    if (pending > 2 * MAX_PENDING) this.#problem ??= `${pending} bytes wait`;
  }

  /** The good peers hear nothing that they must not, answer, and are there to stay. */
  #serveGood(): void {
    for (const [link, role] of this.#good) {
      const wire = this.#wires.get(link.id);
      if (wire === undefined || !this.engine.isOpen(link)) {
        this.#problem ??= `a good ${role} was closed: ${link.closedReason}`;
        return;
      }
      // A PONG for each PING: they keep it from being stale, and pace what a leaf link is sent.
      const pings = wire.text.split("PING\r\n").length - 1;
      if (pings > 0) this.engine.receive(link.id, latin1Bytes("PONG\r\n".repeat(pings)), this.#now);
      const wrong = wrongOutput(wire.text, role);
      if (wrong !== null) this.#problem ??= `to a good ${role}: ${wrong}`;
      wire.text = "";
    }
  }

  #outlet(): ReturnType<typeof nullOutlet> {
    const find = (id: LinkId): Wire | null => this.#wires.get(id) ?? this.#opening;
    const write = (id: LinkId, frame: Uint8Array): number => {
      const wire = find(id);
      if (wire === null || wire.isClosed) {
        if (wire !== null) this.#problem ??= "a write after the close";
        return 0;
      }
      if (!this.#slow && wire.heldBytes === 0) {
        wire.text += latin1Text(frame);
        return 0;
      }
      wire.held.push({ frame, copy: frame.slice() });
      wire.heldBytes += frame.length;
      return wire.heldBytes;
    };
    return nullOutlet({
      write,
      writev(id, frames) {
        let queued = 0;
        for (const frame of frames) queued = write(id, frame);
        return queued;
      },
      close: (id) => {
        const wire = find(id);
        if (wire !== null) wire.isClosed = true;
      },
    });
  }
}

/** Runs one batch from its seed; the first failure, or null. */
export function runBatch(seed: number): Failure | null {
  const batch = new Batch(seed);
  for (let i = 0; i < BATCH; i++) {
    const failure = batch.run(i);
    if (failure !== null) return failure;
  }
  return null;
}

function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function latin1Text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
