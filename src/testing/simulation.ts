/**
 * A whole NATS system in one process on a virtual clock and one seed: servers, the leaf links between them, and
 * clients. Everything that happens is decided by the seed and by the calls made, so a run is replayed by
 * making it again.
 *
 * Faults found while running (an "Internal error", a malformed frame) are kept and thrown by `check`.
 */
import { VirtualClock } from "./clock.ts";
import { type EngineOptionsInput, TableAuthenticator, type TestUser } from "./fixtures.ts";
import { checkConvergence, checkNothingLeaks } from "./invariants.ts";
import { FAST_LINE, type LineOptions, SimConnection } from "./network.ts";
import { Random } from "./random.ts";
import { type ClientInput, type Received, SimClient, type SimSubscription } from "./sim-client.ts";
import { type RemoteInput, SimRemote } from "./sim-remote.ts";
import { SimServer } from "./sim-server.ts";

export interface SimulationInput {
  readonly seed?: number;
  /** Every line of every server's log, for a failing run. */
  readonly log?: (line: string) => void;
}

export interface ServerInput extends EngineOptionsInput {
  /** Clients and leaf nodes by user name; by default everyone without a name is in `$G`. */
  readonly users?: Readonly<Record<string, TestUser>>;
}

/** A run with so many faults is given up. */
const FAULTS_MAX = 50;

export class Simulation {
  readonly seed: number;
  readonly random: Random;
  readonly clock = new VirtualClock();
  readonly servers = new Map<string, SimServer>();
  readonly remotes: SimRemote[] = [];
  readonly clients: SimClient[] = [];
  readonly log: ((line: string) => void) | null;
  /** Told of every message that reaches a client. */
  onDelivery: ((sub: SimSubscription, message: Received) => void) | null = null;
  readonly #faults: string[] = [];
  #port = 20_000;

  constructor(input: SimulationInput = {}) {
    this.seed = input.seed ?? 1;
    this.random = new Random(this.seed);
    const { log } = input;
    this.log = log === undefined ? null : (line) => log(`${this.clock.now.toFixed(1)} ${line}`);
  }

  server(name: string, input: ServerInput = {}): SimServer {
    const { users, ...options } = input;
    const server = new SimServer(this, name, options, new TableAuthenticator(users));
    this.servers.set(name, server);
    return server;
  }

  /** A leaf link that `leaf` dials to `hub`. */
  remote(leaf: SimServer, hub: SimServer, input: RemoteInput = {}): SimRemote {
    const remote = new SimRemote(leaf, hub, { id: `${leaf.name}->${hub.name}`, ...input });
    this.remotes.push(remote);
    leaf.addRemote(remote);
    return remote;
  }

  client(server: SimServer, input: ClientInput = {}): SimClient {
    const client = new SimClient(server, `client${this.clients.length + 1}`, input);
    this.clients.push(client);
    return client;
  }

  connect(line: LineOptions = FAST_LINE): SimConnection {
    return new SimConnection(this.clock, this.random, line);
  }

  nextPort(): number {
    return this.#port++;
  }

  /** Lets `duration` milliseconds of virtual time pass. */
  run(duration: number): void {
    this.clock.run(duration);
    if (this.#faults.length >= FAULTS_MAX) this.check();
  }

  /** Runs until every remote is up, at most `limit` milliseconds, and then a little longer. */
  settle(limit = 60_000): void {
    const end = this.clock.now + limit;
    while (this.clock.now < end && !this.remotes.every((remote) => remote.isUp)) this.run(100);
    const down = this.remotes.filter((remote) => !remote.isUp).map((remote) => remote.spec.id);
    if (down.length > 0) this.fault(`not up after ${limit} ms: ${down.join(", ")}`);
    this.run(500);
  }

  /** A fault of the system under test; `check` throws them. */
  fault(text: string): void {
    if (this.#faults.length < FAULTS_MAX)
      this.#faults.push(`${this.clock.now.toFixed(1)}: ${text}`);
    if (this.#faults.length >= FAULTS_MAX) this.clock.stop();
  }

  delivered(sub: SimSubscription, message: Received): void {
    this.onDelivery?.(sub, message);
  }

  /** Throws if a fault was seen, with the seed that shows it again. */
  check(): void {
    const faults = this.#faults;
    if (faults.length === 0) return;
    throw new SimulationError(this.seed, faults);
  }

  /** Interest is the same on both ends of every link, and what a fresh link would be told. Call when quiet. */
  checkConverged(): void {
    for (const fault of checkConvergence(this)) this.fault(fault);
    this.check();
  }

  /** Closes all clients and then all links, and checks after each that what they held is given back. */
  checkTeardown(): void {
    for (const client of this.clients) client.close();
    this.run(2000);
    for (const fault of checkNothingLeaks(this, "clients gone")) this.fault(fault);
    this.check();
    for (const remote of this.remotes) remote.stop();
    for (const server of this.servers.values()) server.shutdown();
    this.run(2000);
    for (const fault of checkNothingLeaks(this, "links gone")) this.fault(fault);
    this.check();
  }
}

/** A run that broke a rule; its message names the seed. */
export class SimulationError extends Error {
  readonly seed: number;
  readonly faults: readonly string[];

  constructor(seed: number, faults: readonly string[]) {
    super(`simulation with seed ${seed} failed:\n  ${faults.join("\n  ")}`);
    this.name = "SimulationError";
    this.seed = seed;
    this.faults = faults;
  }
}
