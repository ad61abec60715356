/** A server of a run: an engine over a poisoned pool, its transports, and a service of its own that hears some subjects. */
import { defineAccounts, Engine, type InternalMessage } from "../../src/core/index.ts";
import { engineOptions, TableAuthenticator, testWorld } from "../../src/testing/fixtures.ts";
import type { Random } from "../../src/testing/random.ts";
import {
  accounts,
  bodyOf,
  type Origin,
  randomSize,
  readBody,
  type Rules,
  testUsers,
} from "./delivery-model.ts";
import { asBuffer } from "./input.ts";
import { poisonPool } from "./poisoned-pool.ts";
import { Wires } from "./wires.ts";

const ON_PURPOSE = "on purpose";
/** A transport that held no more was lent no more buffers than an outbox keeps account of. */
const HELD_MOST = 3_000_000;
const NEVER = 10_000_000;

/** What a server asks of its run. */
export interface HostRun {
  readonly random: Random;
  readonly rules: Rules;
  /** No connection ends, no verdict is late, and no limit is in reach. */
  readonly calm: boolean;
  readonly handlerThrows: boolean;
  readonly handlerCloses: boolean;
  fault(text: string): void;
  nextSeq(): number;
  /** What is wrong with a message that came to `account` on `host`; null = nothing. */
  problemOf(origin: Origin, subject: string, host: string, account: "A" | "B"): string | null;
}

export class DeliveryHost {
  readonly name: string;
  readonly engine: Engine;
  readonly wires: Wires;
  readonly #run: HostRun;
  /** How many buffers somebody holds. */
  readonly #taken: () => number;
  readonly #authenticator: TableAuthenticator;
  #verdicts: (() => void)[] = [];

  constructor(run: HostRun, name: string, now: number) {
    this.#run = run;
    this.name = name;
    const { random, calm } = run;
    this.wires = new Wires(random, (text) => this.fault(text));
    this.#authenticator = new TableAuthenticator(testUsers(run.rules));
    const world = testWorld(random.fork(), ({ text }) => {
      if (text.startsWith("Internal error") && !text.includes(ON_PURPOSE)) this.fault(text);
    });
    const options = engineOptions({
      serverId: `N${name}`,
      serverName: name,
      maxPayload: 4_000_000,
      maxPending: calm ? 256_000_000 : random.pick([1_500_000, 8_000_000, 64_000_000]),
      noStall: random.chance(0.3),
      pingInterval: NEVER,
      authTimeout: NEVER,
      writeDeadline: 0,
      leaf: {
        authTimeout: NEVER,
        maxPending: calm ? 256_000_000 : random.pick([500_000, 3_000_000, 64_000_000]),
        pendingPolicy: random.pick(["close", "drop", "pause"]),
        writeDeadline: 0,
      },
    });
    this.engine = new Engine(options, world, this.wires.outlet, this.#authenticator);
    this.engine.now = now;
    this.#taken = poisonPool(this.engine.pool, (text) => this.fault(text));
    defineAccounts(this.engine, accounts(random, name, run.rules));
    this.engine.flush();
    const account = this.engine.account("A");
    for (const subject of ["ok.>", "mm.*"]) {
      this.engine.subscribeInternal(account, subject, "", (message) => this.#heard(message));
    }
  }

  fault(text: string): void {
    this.#run.fault(`${this.name}: ${text}`);
  }

  get delaysVerdicts(): boolean {
    return this.#authenticator.delay !== null;
  }

  /** Verdicts wait until they are given. */
  delayVerdicts(): void {
    this.#authenticator.delay = (decide) => void this.#verdicts.push(decide);
  }

  giveVerdicts(): void {
    this.#authenticator.delay = null;
    for (const decide of this.#verdicts.splice(0)) decide();
  }

  /** At rest nobody holds a buffer, unless a transport held so much that some were given up for good. */
  checkBuffers(): void {
    if (this.wires.heldMost > HELD_MOST) return;
    const taken = this.#taken() - (this.engine.message.slab === null ? 0 : 1);
    if (taken !== 0) this.fault(`${taken} buffers are held at rest`);
  }

  /** The origin of a body that came to `account`; null if it is not what it should be. */
  check(body: Buffer, subject: string, account: "A" | "B", where: string): Origin | null {
    const origin = readBody(body);
    if (typeof origin === "string") {
      this.fault(`${where} got ${subject}: ${origin}`);
      return null;
    }
    const problem = this.#run.problemOf(origin, subject, this.name, account);
    if (problem !== null) this.fault(`${where} got ${subject}: ${problem}`);
    return origin;
  }

  /** Publishes, closes links or throws while a message is being delivered. */
  #heard(message: InternalMessage): void {
    const run = this.#run;
    const { random } = run;
    this.check(asBuffer(message.payload), message.subject, "A", "the service");
    if (run.handlerThrows && random.chance(0.02)) throw new Error(ON_PURPOSE);
    if (random.chance(0.1)) {
      const seq = run.nextSeq();
      const source = random.chance(0.5) ? message.source : null;
      const link = source?.id ?? 0;
      const origin = { user: "full", host: this.name, subject: "int.echo", link, seq } as const;
      this.engine.publish(
        {
          account: message.account,
          subject: origin.subject,
          reply: "",
          header: null,
          payload: bodyOf(origin, randomSize(random)),
          source,
          queues: null,
        },
        this.engine.now,
      );
    }
    if (run.handlerCloses && random.chance(0.02)) {
      const link = random.pick([...this.engine.links.values()]);
      this.engine.close(link, "Client Closed", random.chance(0.5));
    }
  }
}
