/**
 * Who can reach whom in a simulated system, and what should reach whom: a model of interest and permissions on
 * leaf links, written from the rules alone and independent of the core. Expects links that form no loops.
 *
 * A node is one account on one server; an edge is a remote, which joins an account of the leaf's server to one
 * of the hub's.
 */
import type { SubjectRules } from "../core/index.ts";
import { covers } from "./invariants.ts";
import type { SimClient, SimSubscription } from "./sim-client.ts";
import type { SimRemote } from "./sim-remote.ts";
import type { SimServer } from "./sim-server.ts";
import type { Simulation } from "./simulation.ts";

export interface Hop {
  readonly remote: SimRemote;
  /** From the side that dialled to the side that accepted. */
  readonly up: boolean;
  readonly from: string;
  readonly to: string;
}

export interface Interest {
  readonly subject: string;
  readonly queue: string;
}

export function nodeOf(server: SimServer, account: string): string {
  return `${server.name}/${account}`;
}

export function accountOf(client: SimClient): string {
  return client.server.authenticator.users.get(client.input.user ?? "")?.account ?? "";
}

export function clientNode(client: SimClient): string {
  return nodeOf(client.server, accountOf(client));
}

/** Whether a literal subject matches a pattern. */
export function matches(pattern: string, subject: string): boolean {
  return covers(pattern, subject);
}

export class Topology {
  readonly sim: Simulation;
  readonly #hops = new Map<string, Hop[]>();
  readonly #paths = new Map<string, readonly Hop[] | null>();

  constructor(sim: Simulation) {
    this.sim = sim;
    for (const remote of sim.remotes) {
      const account = remote.hub.authenticator.users.get(remote.user)?.account ?? "";
      const leaf = nodeOf(remote.server, remote.spec.account);
      const hub = nodeOf(remote.hub, account);
      this.#add({ remote, up: true, from: leaf, to: hub });
      this.#add({ remote, up: false, from: hub, to: leaf });
    }
  }

  #add(hop: Hop): void {
    const list = this.#hops.get(hop.from);
    if (list === undefined) this.#hops.set(hop.from, [hop]);
    else list.push(hop);
  }

  hopsFrom(node: string): readonly Hop[] {
    return this.#hops.get(node) ?? [];
  }

  /** The only path between two nodes, or null. */
  path(from: string, to: string): readonly Hop[] | null {
    const key = `${from} ${to}`;
    let path = this.#paths.get(key);
    if (path === undefined) this.#paths.set(key, (path = this.#search(from, to, null)));
    return path;
  }

  /** Depth is bounded by the number of nodes, as there are no loops. */
  #search(from: string, to: string, came: SimRemote | null): readonly Hop[] | null {
    if (from === to) return [];
    for (const hop of this.hopsFrom(from)) {
      if (hop.remote === came) continue;
      const rest = this.#search(hop.to, to, hop.remote);
      if (rest !== null) return [hop, ...rest];
    }
    return null;
  }

  /** Whether interest travels back along a path: no server on it is the spoke of both neighbours. */
  carriesInterest(path: readonly Hop[]): boolean {
    return path.every((hop, i) => {
      const next = path[i + 1];
      return next === undefined || !(this.isSpoke(hop, hop.to) && this.isSpoke(next, hop.to));
    });
  }

  /** Whether a node is the spoke on this link. */
  isSpoke(hop: Hop, node: string): boolean {
    const dialled = hop.up ? hop.from === node : hop.to === node;
    return dialled !== hop.remote.spec.hub;
  }
}

const NO_RULES: SubjectRules = { allow: null, deny: [] };

/** The rules for what crosses a link in one direction: each list must agree. */
function rulesOf(hop: Hop): readonly SubjectRules[] {
  const { spec, hub, user } = hop.remote;
  const permissions = hub.authenticator.users.get(user)?.permissions ?? null;
  const given = (hop.up ? permissions?.publish : permissions?.subscribe) ?? NO_RULES;
  const own: SubjectRules = hop.up
    ? { allow: spec.allowExports, deny: spec.denyExports }
    : { allow: spec.allowImports, deny: spec.denyImports };
  return [given, own];
}

/** Whether a message on this subject may cross. */
export function mayFlow(hop: Hop, subject: string): boolean {
  return rulesOf(hop).every(({ allow, deny }) => {
    if (deny.some((entry) => matches(entry, subject))) return false;
    return allow === null || allow.some((entry) => matches(entry, subject));
  });
}

/** Whether interest in messages along `hop` is announced by its receiver. */
function mayAnnounce(hop: Hop, subject: string): boolean {
  const [given = NO_RULES, own = NO_RULES] = rulesOf(hop);
  // The side that accepted knows nothing of the other's own lists for what it sends.
  return (hop.up ? [given] : [given, own]).every(({ allow, deny }) => {
    if (deny.some((entry) => covers(entry, subject))) return false;
    if (allow === null) return true;
    const wild = subject.split(".").some((token) => token === "*" || token === ">");
    return allow.some((entry) => covers(entry, subject) || (wild && covers(subject, entry)));
  });
}

/** What a quiet system's links hold, and who gets what, worked out from its live subscriptions. */
export class Ideal {
  readonly #topology: Topology;
  readonly #local = new Map<string, SimSubscription[]>();
  readonly #announced = new Map<Hop, readonly Interest[]>();

  constructor(topology: Topology) {
    this.#topology = topology;
    for (const client of topology.sim.clients) {
      if (!client.isConnected) continue;
      for (const sub of client.subs.values()) {
        if (sub.ended) continue;
        const node = clientNode(client);
        const list = this.#local.get(node);
        if (list === undefined) this.#local.set(node, [sub]);
        else list.push(sub);
      }
    }
  }

  local(node: string, subject: string): readonly SimSubscription[] {
    return (this.#local.get(node) ?? []).filter((sub) => matches(sub.subject, subject));
  }

  /** The interest that the receiver of `hop` announced to its sender. */
  announced(hop: Hop): readonly Interest[] {
    let list = this.#announced.get(hop);
    if (list === undefined) this.#announced.set(hop, (list = this.#collect(hop)));
    return list;
  }

  #collect(hop: Hop): readonly Interest[] {
    const keys = new Map<string, Interest>();
    const add = (interest: Interest): void => {
      if (mayAnnounce(hop, interest.subject))
        keys.set(`${interest.subject} ${interest.queue}`, interest);
    };
    const node = hop.to;
    for (const { subject, queue } of this.#local.get(node) ?? []) add({ subject, queue });
    const spoke = this.#topology.isSpoke(hop, node);
    for (const next of this.#topology.hopsFrom(node)) {
      if (next.remote === hop.remote) continue;
      if (spoke && this.#topology.isSpoke(next, node)) continue;
      for (const interest of this.announced(next)) add(interest);
    }
    return [...keys.values()];
  }

  /**
   * The nodes that a message on `subject` from `node` reaches along plain interest; with `any` also along the
   * interest of queue groups, whose messages bring plain subscribers a copy on their way.
   */
  reached(node: string, subject: string, any = false): readonly string[] {
    const nodes = [node];
    const walk = (at: string, came: SimRemote | null): void => {
      for (const hop of this.#topology.hopsFrom(at)) {
        if (hop.remote === came || !mayFlow(hop, subject)) continue;
        const wanted = this.announced(hop).some(
          (interest) => (any || interest.queue === "") && matches(interest.subject, subject),
        );
        if (!wanted) continue;
        nodes.push(hop.to);
        walk(hop.to, hop.remote);
      }
    };
    walk(node, null);
    return nodes;
  }
}
