/**
 * The book of a simulation: what was published and what arrived, held against what must hold at all times.
 *
 * - Nobody gets a message twice, nor one that its subscription does not match, nor one that accounts or
 *   permissions keep away; a queue group gets it once at most, a local member first.
 * - Messages of one publisher reach one subscription in order.
 * - A message must arrive if, when it was published, a subscription's interest was in place on the whole path to
 *   it, and no link of that path broke until all was quiet.
 * - On a system that is quiet and whole, exactly the model's receivers get it (`Ideal`).
 */
import type { Received, SimClient, SimSubscription } from "./sim-client.ts";
import type { SimRemote } from "./sim-remote.ts";
import type { Simulation } from "./simulation.ts";
import { clientNode, type Hop, Ideal, matches, mayFlow, Topology } from "./topology.ts";

interface Must {
  readonly sub: SimSubscription;
  readonly clientEpoch: number;
  readonly path: readonly { readonly remote: SimRemote; readonly epoch: number }[];
}

interface Published {
  readonly id: number;
  readonly publisher: SimClient;
  readonly epoch: number;
  readonly node: string;
  readonly subject: string;
  readonly musts: readonly Must[];
  /** Names of groups whose local member must get it. */
  readonly receivers: Set<SimSubscription>;
  readonly groups: Map<string, SimSubscription>;
  isExact: boolean;
}

export class Ledger {
  readonly sim: Simulation;
  readonly topology: Topology;
  readonly #messages: Published[] = [];
  readonly #last = new Map<SimSubscription, Map<SimClient, number>>();
  delivered = 0;
  /** Deliveries that were certain to come. */
  certain = 0;
  /** Every so many deliveries one is forgotten: what a canary run breaks. */
  forgetEvery = 0;

  constructor(sim: Simulation) {
    this.sim = sim;
    this.topology = new Topology(sim);
    sim.onDelivery = (sub, message) => this.#delivered(sub, message);
  }

  get published(): number {
    return this.#messages.length;
  }

  /** Publishes a message with an identity. `exact`: the system is quiet and whole. */
  publish(
    publisher: SimClient,
    subject: string,
    options: { size?: number; exact?: boolean } = {},
  ): void {
    if (!publisher.isConnected) return;
    const { size = 0, exact = false } = options;
    const node = clientNode(publisher);
    this.#messages.push({
      id: this.#messages.length,
      publisher,
      epoch: publisher.epoch,
      node,
      subject,
      musts: exact ? [] : this.#certain(node, subject),
      receivers: new Set(),
      groups: new Map(),
      isExact: exact,
    });
    publisher.publish(subject, `${this.#messages.length - 1};${"x".repeat(size)}`);
  }

  /** The plain subscriptions to which interest is in place all along the path. */
  #certain(node: string, subject: string): Must[] {
    const musts: Must[] = [];
    for (const client of this.sim.clients) {
      if (!client.isConnected) continue;
      for (const sub of client.subs.values()) {
        if (sub.ended || sub.queue !== "" || !matches(sub.subject, subject)) continue;
        if (client.link?.subs?.has(sub.sid) !== true) continue;
        const path = this.topology.path(node, clientNode(client));
        if (path === null || !this.topology.carriesInterest(path)) continue;
        if (!path.every((hop) => isInPlace(hop, sub.subject, subject))) continue;
        musts.push({
          sub,
          clientEpoch: client.epoch,
          path: path.map(({ remote }) => ({ remote, epoch: remote.epoch })),
        });
      }
    }
    return musts;
  }

  #delivered(sub: SimSubscription, message: Received): void {
    const id = Number.parseInt(message.body, 10);
    const published = this.#messages[id];
    const who = `${sub.client.name} on ${sub.client.server.name}, "${sub.subject}" ${sub.queue}`;
    if (published === undefined || !message.body.startsWith(`${id};`)) {
      this.sim.fault(`${who}: a message nobody published: ${message.body.slice(0, 40)}`);
      return;
    }
    this.delivered++;
    if (this.forgetEvery > 0 && this.delivered % this.forgetEvery === 0) return;
    const what = `message ${id} on "${published.subject}" from ${published.node}`;
    if (message.subject !== published.subject)
      this.sim.fault(`${who}: ${what} came as "${message.subject}"`);
    if (!matches(sub.subject, published.subject)) this.sim.fault(`${who}: got ${what}`);
    if (published.receivers.has(sub)) this.sim.fault(`${who}: got ${what} twice`);
    published.receivers.add(sub);
    const path = this.topology.path(published.node, clientNode(sub.client));
    if (path === null) this.sim.fault(`${who}: ${what} crossed accounts`);
    else if (!path.every((hop) => mayFlow(hop, published.subject))) {
      this.sim.fault(`${who}: ${what} is not permitted to get there`);
    }
    if (sub.queue !== "") {
      const other = published.groups.get(sub.queue);
      if (other !== undefined) {
        const first = `${other.client.name} on ${other.client.server.name}`;
        this.sim.fault(`${who}: ${what} went to two members, first to ${first}`);
      }
      published.groups.set(sub.queue, sub);
    }
    this.#checkOrder(sub, published, who);
  }

  #checkOrder(sub: SimSubscription, { id, publisher }: Published, who: string): void {
    let last = this.#last.get(sub);
    if (last === undefined) this.#last.set(sub, (last = new Map()));
    const before = last.get(publisher) ?? -1;
    if (id < before)
      this.sim.fault(`${who}: message ${id} of ${publisher.name} came after ${before}`);
    last.set(publisher, Math.max(before, id));
  }

  /** Call when all is quiet: what was certain to arrive must be there. Forgets the messages. */
  settleAccounts(): void {
    const ideal = new Ideal(this.topology);
    for (const message of this.#messages) {
      if (message.epoch !== message.publisher.epoch) continue;
      if (message.isExact) this.#checkExact(message, ideal);
      for (const must of message.musts) this.#checkMust(message, must);
    }
    for (const message of this.#messages) {
      message.isExact = false;
      (message.musts as Must[]).length = 0;
    }
  }

  #checkMust(message: Published, must: Must): void {
    const { sub, clientEpoch, path } = must;
    if (sub.ended || sub.client.epoch !== clientEpoch) return;
    if (path.some(({ remote, epoch }) => remote.epoch !== epoch)) return;
    this.certain++;
    if (message.receivers.has(sub)) return;
    this.sim.fault(
      `message ${message.id} on "${message.subject}" from ${message.node} never reached ` +
        `${sub.client.name} on ${sub.client.server.name}, "${sub.subject}", over ${path.length} links`,
    );
  }

  #checkExact(message: Published, ideal: Ideal): void {
    const { node, subject } = message;
    const what = `message ${message.id} on "${subject}" from ${node}`;
    const plain = (nodes: readonly string[]): Set<SimSubscription> =>
      new Set(nodes.flatMap((at) => ideal.local(at, subject).filter((sub) => sub.queue === "")));
    const want = plain(ideal.reached(node, subject));
    const may = plain(ideal.reached(node, subject, true));
    this.certain += want.size;
    for (const sub of want) {
      if (message.receivers.has(sub)) continue;
      this.sim.fault(`${what} is missing at ${sub.client.name} on ${sub.client.server.name}`);
    }
    for (const sub of message.receivers) {
      if (sub.queue !== "" || may.has(sub)) continue;
      this.sim.fault(`${what} was not to reach ${sub.client.name} on ${sub.client.server.name}`);
    }
    this.#checkGroups(message, ideal, what);
  }

  #checkGroups(message: Published, ideal: Ideal, what: string): void {
    const { node, subject } = message;
    const local = ideal.local(node, subject).filter((sub) => sub.queue !== "");
    const names = new Set(local.map((sub) => sub.queue));
    for (const hop of this.topology.hopsFrom(node)) {
      if (!mayFlow(hop, subject)) continue;
      for (const { subject: pattern, queue } of ideal.announced(hop)) {
        if (queue !== "" && matches(pattern, subject)) names.add(queue);
      }
    }
    for (const name of names) {
      const got = message.groups.get(name);
      const mustBeLocal = local.some((sub) => sub.queue === name);
      if (got === undefined) {
        // Behind the first link, permissions unknown to the chooser may still hold it back.
        if (mustBeLocal || !this.#isRestricted())
          this.sim.fault(`${what} reached nobody of group ${name}`);
        else continue;
      } else if (mustBeLocal && clientNode(got.client) !== node) {
        this.sim.fault(`${what} left its server although group ${name} has a member there`);
      }
      this.certain++;
    }
  }

  #isRestricted(): boolean {
    return this.sim.remotes.some(({ spec, hub, user }) => {
      const lists = [
        spec.denyExports,
        spec.denyImports,
        spec.allowExports ?? [],
        spec.allowImports ?? [],
      ];
      return (
        lists.some((list) => list.length > 0) ||
        (hub.authenticator.users.get(user)?.permissions ?? null) !== null
      );
    });
  }
}

/**
 * Whether the sender of a hop knows of this very interest, and the receiver keeps it up with nothing under way
 * that could take it back for a while (an LS- followed by an LS+).
 */
function isInPlace(hop: Hop, key: string, subject: string): boolean {
  const { remote } = hop;
  const { connection } = remote;
  const [sender, receiver] = hop.up ? [remote.link, remote.hubLink] : [remote.hubLink, remote.link];
  const back = hop.up ? connection?.b : connection?.a;
  if (!remote.isUp || sender === null || receiver === null || back === undefined) return false;
  if (sender.state !== "active" || sender.subs?.has(key) !== true) return false;
  return mayFlow(hop, subject) && back.unreadBytes === 0 && receiver.out.bytes === 0;
}
