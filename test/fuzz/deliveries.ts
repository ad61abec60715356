/**
 * Invariant: whoever shares a buffer with whom, however slow a transport is and whenever a link ends: what a
 * subscription gets is what was published, whole, once, in order, and only what rules, mappings and imports let pass;
 * what the transport holds stays as it is, and nobody reads, writes, holds or drops a buffer that is free.
 *
 * Runs drive a hub with one or two spokes and random clients from a seed alone. Unless handlers throw or close links
 * in the middle of a delivery, plain subscriptions on the publisher's server get all that they must; if the run is
 * calm, so do those of the sinks on every other server.
 */
import type { LinkPlace } from "../../src/core/index.ts";
import { remoteSpec } from "../../src/testing/fixtures.ts";
import { Random } from "../../src/testing/random.ts";
import { type ClientRun, DeliveryClient } from "./delivery-client.ts";
import { DeliveryHost, type HostRun } from "./delivery-host.ts";
import {
  accountOf,
  HUB,
  isSureOf,
  mayCross,
  type Origin,
  type Rules,
  seenAs,
  USERS,
  type User,
} from "./delivery-model.ts";
import { asBuffer, Input } from "./input.ts";
import type { Wire } from "./wires.ts";

/** What servers and clients choose for replies. */
const REPLY = "_R_.";
const INBOX = "_INBOX.";
const STEPS = 100;
const CLIENTS = 12;
/** All has come to rest after so many rounds in which nothing moved. */
const IDLE_ROUNDS = 5;
const SETTLE_MOST = 1000;
const LEAF_PLACE: LinkPlace = { host: "127.0.0.1", port: 7422, connectionType: "LEAFNODE" };

export interface RunInput {
  readonly seed: number;
  readonly steps?: number;
  /** Buffers that transports hold are used again at once, which must be found. */
  readonly canary?: boolean;
}

export interface RunReport {
  /** The first faults; none = all is well. */
  readonly faults: readonly string[];
  readonly received: number;
  /** How many deliveries were not only allowed but due. */
  readonly due: number;
}

/** One end of a leaf link. */
interface LeafEnd {
  readonly host: DeliveryHost;
  readonly wire: Wire;
  /** What the other end sent. */
  readonly input: Input;
}

interface LeafLink {
  readonly spoke: string;
  readonly user: string;
  readonly ends: readonly [LeafEnd, LeafEnd];
}

class DeliveryRun implements ClientRun, HostRun {
  readonly random: Random;
  readonly rules: Rules;
  readonly calm: boolean;
  readonly handlerThrows: boolean;
  readonly handlerCloses: boolean;
  readonly faults: string[] = [];
  due = 0;
  received = 0;
  readonly #hosts: readonly [DeliveryHost, ...DeliveryHost[]];
  #clients: DeliveryClient[] = [];
  #leafLinks: LeafLink[] = [];
  #now = 1_000_000;
  #seq = 0;
  #clientId = 0;

  constructor(seed: number) {
    const random = (this.random = new Random(seed));
    this.rules = { leafRules: random.chance(0.5), renamed: random.chance(0.5) };
    this.calm = random.chance(0.4);
    this.handlerThrows = !this.calm && random.chance(0.3);
    this.handlerCloses = !this.calm && random.chance(0.3);
    const hub = new DeliveryHost(this, HUB, this.#now);
    const spokes = random.pick([["SPOKE"], ["SPOKE", "SPOKE2"]]);
    this.#hosts = [hub, ...spokes.map((name) => new DeliveryHost(this, name, this.#now))];
  }

  run(steps: number, canary: boolean): void {
    for (const host of this.#hosts) {
      this.#join(host, "full", true);
      this.#join(host, "b", true);
    }
    this.#link();
    this.#settle();
    for (let i = 0; i < steps && this.faults.length === 0; i++) {
      this.#step();
      if (canary) this.#letGo();
    }
    this.#settle();
    for (const client of this.#clients) this.#part(client);
    if (this.calm) for (const host of this.#hosts) host.checkBuffers();
  }

  fault(text: string): void {
    if (this.faults.length < 3) this.faults.push(text.slice(0, 600));
  }

  nextSeq(): number {
    return ++this.#seq;
  }

  published(from: DeliveryClient, subject: string, seq: number): void {
    if (this.handlerThrows || this.handlerCloses || from.unsure) return;
    for (const client of this.#clients) {
      if (client.unsure || client.wire.ended || (client === from && !client.echo)) continue;
      if (!this.#reaches(from, subject, client)) continue;
      if (USERS[client.user].denied.includes(subject)) continue;
      const account = accountOf(client.user);
      for (const [sid, pattern] of client.plain) {
        if (!isSureOf(this.rules, from.user, subject, account, pattern)) continue;
        client.due.add(`${sid} ${seq}`);
        this.due++;
      }
    }
  }

  problemOf(origin: Origin, subject: string, host: string, account: "A" | "B"): string | null {
    const { user, subject: published } = origin;
    if (published.startsWith(REPLY)) {
      // Under the requester's own subject, where it is not on its way to the server that asked.
      const isReply = subject.startsWith(INBOX) || subject === published;
      return isReply ? null : `it answers to ${published}`;
    }
    if (!seenAs(this.rules, user, published, account).includes(subject)) {
      return `it was published as ${published} by ${user}`;
    }
    const crosses = mayCross(this.rules, subject, origin.host, host);
    return crosses ? null : `it must not cross from ${origin.host}`;
  }

  /** Whether what `from` publishes is sure to get to the server of `to`, and into its account. */
  #reaches(from: DeliveryClient, subject: string, to: DeliveryClient): boolean {
    const sameAccount = accountOf(from.user) === accountOf(to.user);
    if (from.host === to.host && (sameAccount || from.host.name === HUB)) return true;
    if (!this.calm || !to.isSink) return false;
    if (from.user === "b") return sameAccount;
    // The hub's account B imports it.
    return mayCross(this.rules, subject, from.host.name, sameAccount ? to.host.name : HUB);
  }

  #step(): void {
    const { random } = this;
    this.#now += random.below(8);
    for (const host of this.#hosts) {
      host.engine.now = this.#now;
      if (random.chance(0.2)) host.engine.advance(this.#now);
    }
    for (let i = 1 + random.below(4); i > 0; i--) {
      const client = random.pick(this.#clients);
      if (!client.isSink) client.act();
      client.push();
    }
    if (random.chance(0.3)) for (const client of this.#clients) client.push();
    this.#moveLeaves();
    for (const host of this.#hosts) {
      for (const wire of host.wires.open.values()) {
        if (random.chance(0.02)) wire.slow = !wire.slow;
      }
      host.wires.move(host.engine);
    }
    this.#change();
  }

  /** Clients and links come and go, verdicts come. */
  #change(): void {
    const { random } = this;
    if (!this.calm && random.chance(0.03)) {
      const { host, wire, isSink } = random.pick(this.#clients);
      if (!isSink) host.wires.hangUp(host.engine, wire);
    }
    for (const client of this.#clients) if (client.wire.ended) this.#part(client);
    this.#clients = this.#clients.filter((client) => !client.wire.ended);
    while (this.#clients.length < CLIENTS) {
      const host = random.pick(this.#hosts);
      if (!this.calm && random.chance(0.2)) host.delayVerdicts();
      this.#join(host, random.pick<User>(["full", "full", "some", "most", "b", "b"]), false);
    }
    for (const host of this.#hosts) if (random.chance(0.5)) host.giveVerdicts();
    if (!this.calm && random.chance(0.01) && this.#leafLinks.length > 0) {
      const [{ host, wire }] = random.pick(this.#leafLinks).ends;
      host.wires.hangUp(host.engine, wire);
    }
    this.#link();
  }

  #join(host: DeliveryHost, user: User, sink: boolean): void {
    this.#clients.push(new DeliveryClient(this, host, { id: ++this.#clientId, user, sink }));
  }

  /** The end of a client, by which all that was due has come if the connection was there to the end. */
  #part(client: DeliveryClient): void {
    this.received += client.received;
    const [first] = client.due;
    if (first === undefined || client.wire.ended) return;
    client.host.fault(
      `a ${client.user} client misses ${client.due.size}, first "sid seq": ${first}`,
    );
  }

  #moveLeaves(): void {
    for (const { ends } of this.#leafLinks) {
      for (const { host, wire, input } of ends) {
        if (wire.paused || wire.ended) continue;
        input.push((chunk) => {
          host.wires.feed(host.engine, wire, chunk);
          return wire.ended ? "ended" : wire.paused ? "paused" : "more";
        });
      }
    }
  }

  /** A leaf link for both accounts of each spoke, where there is none or it has ended. */
  #link(): void {
    this.#leafLinks = this.#leafLinks.filter(({ ends }) => {
      if (!ends.some(({ wire }) => wire.ended)) return true;
      const reasons = ends.map(({ wire }) => wire.link?.closedReason ?? "-").join(" / ");
      if (this.calm) this.fault(`a leaf link ended: ${reasons}`);
      for (const { host, wire } of ends) host.wires.hangUp(host.engine, wire);
      return false;
    });
    const [hub, ...spokes] = this.#hosts;
    for (const spoke of spokes) {
      for (const user of ["leafA", "leafB"]) {
        const isThere = this.#leafLinks.some((l) => l.spoke === spoke.name && l.user === user);
        if (!isThere) this.#leafLinks.push(this.#dial(hub, spoke, user));
      }
    }
  }

  #dial(hub: DeliveryHost, spoke: DeliveryHost, user: string): LeafLink {
    const toSpoke = new Input(this.random);
    const toHub = new Input(this.random);
    const accepted = hub.wires.connect(
      (bytes) => {
        // The spoke would not deliver it, but it must not be sent either.
        const isDenied = this.rules.leafRules && asBuffer(bytes).includes("MSG down.no.");
        if (isDenied) this.fault("what is denied was sent over a leaf link");
        toSpoke.add(bytes);
      },
      () => hub.engine.openLeaf(LEAF_PLACE, this.#now),
    );
    const account = user === "leafA" ? "A" : "B";
    const spec = remoteSpec({ id: user, account, credentials: () => ({ user }) });
    const dialled = spoke.wires.connect(
      (bytes) => toHub.add(bytes),
      () => spoke.engine.openRemote(LEAF_PLACE, spec, this.#now),
    );
    accepted.slow = this.random.chance(0.5);
    dialled.slow = this.random.chance(0.5);
    return {
      spoke: spoke.name,
      user,
      ends: [
        { host: hub, wire: accepted, input: toHub },
        { host: spoke, wire: dialled, input: toSpoke },
      ],
    };
  }

  /** All that is on its way arrives, and what is to be announced is. */
  #settle(): void {
    let rounds = 0;
    for (let idle = 0; idle < IDLE_ROUNDS && this.faults.length === 0; rounds++) {
      if (rounds === SETTLE_MOST) this.fault("it does not come to rest");
      this.#now += 5;
      for (const host of this.#hosts) {
        host.giveVerdicts();
        host.engine.advance(this.#now);
        for (const wire of host.wires.open.values()) wire.slow = false;
        host.wires.move(host.engine, true);
      }
      for (const client of this.#clients) client.push();
      this.#moveLeaves();
      this.#link();
      idle = this.#isIdle ? idle + 1 : 0;
    }
  }

  get #isIdle(): boolean {
    return (
      this.#hosts.every((host) => host.wires.isIdle) &&
      this.#clients.every((client) => client.isIdle) &&
      this.#leafLinks.every(({ ends }) => ends.every(({ input }) => input.isEmpty))
    );
  }

  #letGo(): void {
    for (const { engine } of this.#hosts)
      for (const link of engine.links.values()) link.out.returned();
  }
}

export function runDeliveries({ seed, steps = STEPS, canary = false }: RunInput): RunReport {
  const run = new DeliveryRun(seed);
  try {
    run.run(steps, canary);
  } catch (error) {
    run.fault(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return { faults: run.faults, received: run.received, due: run.due };
}
