/**
 * Random runs: a topology, clients that come, go, subscribe and publish, and faults, all drawn from one seed.
 * Some kinds of faults and features are switched off per run, so that the others get further.
 *
 * A run has three parts: unrest (faults and traffic at once), a quiet part in which every delivery is known
 * exactly, and the end, after which nothing may be left.
 */
import type { Permissions, SubjectRules } from "../core/index.ts";
import type { TestUser } from "./fixtures.ts";
import { Ledger } from "./ledger.ts";
import type { LineOptions } from "./network.ts";
import { Random } from "./random.ts";
import type { SimClient, SimSubscription } from "./sim-client.ts";
import type { RemoteInput } from "./sim-remote.ts";
import type { SimServer } from "./sim-server.ts";
import { Simulation } from "./simulation.ts";

export type Shape = "star" | "chain" | "twoHubs" | "tree";

export interface SwarmInput {
  readonly seed: number;
  readonly shape?: Shape;
  /** Servers of a tree. */
  readonly servers?: number;
  /** Virtual milliseconds of unrest. */
  readonly unrest?: number;
  /** Forgets a delivery now and then: the run must fail. */
  readonly canary?: boolean;
  readonly log?: (line: string) => void;
}

export interface SwarmReport {
  readonly seed: number;
  readonly servers: number;
  readonly published: number;
  readonly delivered: number;
  readonly certain: number;
  readonly faults: Readonly<Record<string, number>>;
}

const FAULTS = [
  "cut",
  "stall",
  "half-open",
  "crash",
  "power-loss",
  "client-cut",
  "partition",
] as const;
type FaultKind = (typeof FAULTS)[number];

const SUBJECTS = ["a", "b", "a.a", "a.b", "b.a", "b.b", "a.a.a", "a.b.a", "b.a.b", "c", "c.a"];
const PATTERNS = [
  ...SUBJECTS,
  "*",
  ">",
  "a.*",
  "a.>",
  "*.a",
  "b.>",
  "*.*",
  "a.*.a",
  "*.b.>",
  "c.>",
];
const DENIES = ["a.>", "b", "c.>", "b.>", "a.a", "*.b"];
const ALLOWS = [["a.>", "a"], ["b.>", "b", "c"], ["*"], ["a.>", "b.>"]];
const QUEUES = ["q1", "q2"];

export function runSwarm(input: SwarmInput): SwarmReport {
  return new Swarm(input).run();
}

class Swarm {
  readonly #input: SwarmInput;
  readonly #random: Random;
  readonly #sim: Simulation;
  readonly #ledger: Ledger;
  readonly #kinds: readonly FaultKind[];
  readonly #counts: Record<string, number> = {};
  readonly #usesQueues: boolean;
  readonly #usesPermissions: boolean;
  readonly #usesAccounts: boolean;

  constructor(input: SwarmInput) {
    this.#input = input;
    const random = (this.#random = new Random(input.seed ^ 0x5eed));
    this.#sim = new Simulation({
      seed: input.seed,
      ...(input.log === undefined ? {} : { log: input.log }),
    });
    this.#kinds = FAULTS.filter(() => random.chance(0.5));
    this.#usesQueues = random.chance(0.7);
    this.#usesPermissions = random.chance(0.4);
    this.#usesAccounts = random.chance(0.4);
    this.#build();
    this.#ledger = new Ledger(this.#sim);
    if (input.canary === true) this.#ledger.forgetEvery = 7;
  }

  run(): SwarmReport {
    const sim = this.#sim;
    const ledger = this.#ledger;
    this.#unrest(this.#input.unrest ?? 20_000);
    this.#heal();
    ledger.settleAccounts();
    sim.checkConverged();
    this.#quiet();
    ledger.settleAccounts();
    sim.checkConverged();
    sim.checkTeardown();
    return {
      seed: this.#input.seed,
      servers: sim.servers.size,
      published: ledger.published,
      delivered: ledger.delivered,
      certain: ledger.certain,
      faults: this.#counts,
    };
  }

  #build(): void {
    const shape = this.#input.shape ?? "tree";
    const sizes = {
      star: 3,
      chain: 4,
      twoHubs: 3,
      tree: this.#input.servers ?? this.#random.between(2, 12),
    };
    const servers: SimServer[] = [];
    for (let i = 0; i < sizes[shape]; i++) servers.push(this.#server(`s${i}`));
    const at = (i: number): SimServer => servers[i] as SimServer;
    for (let i = 1; i < servers.length; i++) {
      if (shape === "star") this.#join(at(i), at(0));
      else if (shape === "chain") this.#join(at(i), at(i - 1));
      else if (shape === "twoHubs") this.#join(at(2), at(i - 1));
      else if (this.#random.chance(0.2)) this.#join(at(this.#random.below(i)), at(i));
      else this.#join(at(i), at(this.#random.below(i)));
    }
    for (const server of servers) {
      const clients = this.#random.between(servers.length > 12 ? 0 : 1, 3);
      for (let i = 0; i < clients; i++) this.#client(server);
    }
  }

  #server(name: string): SimServer {
    const restricted = this.#usesPermissions && this.#random.chance(0.5);
    const users: Record<string, TestUser> = {
      "": { account: "$G" },
      b: { account: "B" },
      leaf: { account: "$G", permissions: restricted ? this.#permissions() : null },
      leafb: { account: "B" },
    };
    const server = this.#sim.server(name, { users });
    if (this.#random.chance(0.3)) {
      server.authenticator.delay = (decide) =>
        void this.#sim.clock.after(this.#random.below(50), decide);
    }
    return server;
  }

  #permissions(): Permissions {
    const rules = (): SubjectRules => ({
      allow: this.#random.chance(0.4) ? this.#random.pick(ALLOWS) : null,
      deny: this.#random.chance(0.5) ? [this.#random.pick(DENIES)] : [],
    });
    return { publish: rules(), subscribe: rules(), responses: null };
  }

  #join(leaf: SimServer, hub: SimServer): void {
    const base = this.#remoteInput();
    this.#sim.remote(leaf, hub, { ...base, user: "leaf", account: "$G" });
    if (!this.#usesAccounts || !this.#random.chance(0.6)) return;
    this.#sim.remote(leaf, hub, {
      ...base,
      id: `${leaf.name}->${hub.name} B`,
      user: "leafb",
      account: "B",
    });
  }

  #remoteInput(): RemoteInput {
    const random = this.#random;
    const denies = this.#usesPermissions && random.chance(0.4);
    return {
      // What permissions mean on a link whose roles are swapped is tested on its own.
      hub: !this.#usesPermissions && random.chance(0.15),
      line: this.#line(),
      denyImports: denies && random.chance(0.5) ? [random.pick(DENIES)] : [],
      denyExports: denies && random.chance(0.5) ? [random.pick(DENIES)] : [],
      allowImports: denies && random.chance(0.2) ? random.pick(ALLOWS) : null,
      allowExports: denies && random.chance(0.2) ? random.pick(ALLOWS) : null,
    };
  }

  #line(): LineOptions {
    const random = this.#random;
    const latency = random.pick([0.1, 1, 5, 40]);
    return {
      latency,
      bytesPerSecond: random.pick([Number.POSITIVE_INFINITY, 10_000_000, 200_000]),
      // A small buffer on a long line moves next to nothing.
      bufferBytes: random.pick(latency > 1 ? [32_768, 262_144] : [512, 4096, 262_144]),
      splitChance: random.pick([0, 0.3, 0.9]),
    };
  }

  #client(server: SimServer): void {
    const random = this.#random;
    const client = this.#sim.client(server, {
      user: this.#usesAccounts && random.chance(0.4) ? "b" : "",
      line: { ...this.#line(), bytesPerSecond: Number.POSITIVE_INFINITY, bufferBytes: 262_144 },
      reconnect: 100,
    });
    for (let i = random.below(4); i > 0; i--) this.#subscribe(client);
  }

  #subscribe(client: SimClient): void {
    const queue = this.#usesQueues && this.#random.chance(0.3) ? this.#random.pick(QUEUES) : "";
    client.subscribe(this.#random.pick(PATTERNS), queue);
  }

  #unrest(duration: number): void {
    const { clock } = this.#sim;
    const end = clock.now + duration;
    const faultEvery = this.#random.pick([200, 1000, 5000]);
    let nextFault = clock.now + this.#random.below(faultEvery * 2);
    while (clock.now < end) {
      this.#sim.run(this.#random.next() * 60);
      this.#act();
      if (clock.now < nextFault || this.#kinds.length === 0) continue;
      this.#fail(this.#random.pick(this.#kinds));
      nextFault = clock.now + this.#random.below(faultEvery * 2);
    }
  }

  /** One thing that a client does. */
  #act(): void {
    const random = this.#random;
    const client = random.pick(this.#sim.clients);
    const live = [...client.subs.values()].filter((sub: SimSubscription) => !sub.ended);
    if (random.chance(0.15)) {
      if (live.length < 6) this.#subscribe(client);
    } else if (random.chance(0.12)) {
      if (live.length > 0) client.unsubscribe(random.pick(live));
    } else {
      const burst = random.chance(0.1) ? 20 : random.between(1, 3);
      for (let i = 0; i < burst; i++) this.#publish(client, false);
    }
  }

  #publish(client: SimClient, exact: boolean): void {
    const size = this.#random.chance(0.02) ? 40_000 : this.#random.below(60);
    this.#ledger.publish(client, this.#random.pick(SUBJECTS), { size, exact });
  }

  #fail(kind: FaultKind): void {
    const random = this.#random;
    const { clock, remotes, clients, servers } = this.#sim;
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    switch (kind) {
      case "cut":
        random.pick(remotes).connection?.cut();
        return;
      case "stall":
        random
          .pick(remotes)
          .connection?.stall(random.below(4000), random.pick(["both", "ab", "ba"]));
        return;
      case "half-open": {
        const remote = random.pick(remotes);
        remote.broke();
        remote.connection?.stall(Number.POSITIVE_INFINITY, random.pick(["both", "ab", "ba"]));
        return;
      }
      case "client-cut":
        random.pick(clients).connection?.cut();
        return;
      case "partition": {
        const remote = random.pick(remotes);
        remote.isPartitioned = true;
        remote.connection?.cut();
        clock.after(random.below(5000), () => (remote.isPartitioned = false));
        return;
      }
      case "crash":
      case "power-loss": {
        const server = random.pick([...servers.values()]);
        if (!server.isRunning) return;
        const silent = kind === "power-loss";
        server.crash(silent);
        // Clients have no pings of their own: they hear of it some other way.
        if (silent)
          for (const client of clients) if (client.server === server) client.connection?.cut();
        clock.after(random.below(3000), () => server.restart());
        return;
      }
      default:
        kind satisfies never;
    }
  }

  /** The last fault is over: every link comes back, every stale one is noticed. */
  #heal(): void {
    this.#sim.run(90_000);
    this.#sim.settle(60_000);
    this.#sim.run(3000);
    this.#sim.check();
  }

  #quiet(): void {
    const { clients } = this.#sim;
    for (const client of clients) {
      if (!client.isConnected) this.#sim.fault(`${client.name} is not connected`);
    }
    for (let i = 0; i < 60; i++) {
      this.#publish(this.#random.pick(clients), true);
      this.#sim.run(this.#random.below(20));
    }
    this.#sim.run(20_000);
  }
}
