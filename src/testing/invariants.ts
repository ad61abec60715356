/**
 * What must hold whenever a simulated system is quiet: interest is equal on both ends of every link and to what
 * a recount from the subscriptions gives, nothing waits, nothing is left of links that are gone.
 *
 * The recount is written on its own, from the rules of the leaf protocol, and shares no code with the core.
 */
import { type Account, KIND_CLIENT, KIND_LEAF, type Link } from "../core/index.ts";
import type { SimServer } from "./sim-server.ts";
import type { Simulation } from "./simulation.ts";

/** Key (`subject` or `subject queue`) -> weight. */
export type Announced = Map<string, number>;

/** What the subscriptions of an account say must be announced to one of its leaf links. */
export function recount(account: Account, to: Link): Announced {
  const sums: Announced = new Map();
  const add = (key: string, n: number): void => void sums.set(key, (sums.get(key) ?? 0) + n);
  add(account.lds, 1);
  const target = to.leaf;
  if (target === null) return new Map();
  for (const sub of account.sublist) {
    const key = sub.queue === "" ? sub.subject : `${sub.subject} ${sub.queue}`;
    const from = sub.link.leaf;
    if (sub.link.kind !== KIND_LEAF || from === null) {
      add(key, 1);
      continue;
    }
    if (sub.link === to || target.isolated) continue;
    const isLds = sub.subject.startsWith("$LDS.");
    if (from.isSpoke && target.isSpoke && !isLds) continue;
    if (target.remoteCluster !== "" && from.remoteCluster === target.remoteCluster) continue;
    add(key, sub.queue === "" ? 1 : sub.weight);
  }
  for (const [key, n] of sums) {
    const [subject = "", queue] = key.split(" ");
    if (!mayBeAnnounced(to, subject)) sums.delete(key);
    else if (queue === undefined) sums.set(key, Math.min(n, 1));
  }
  return sums;
}

function mayBeAnnounced(to: Link, subject: string): boolean {
  if (/^(\$LDS\.|_GR_\.|\$GR\.)/.test(subject)) return true;
  const leaf = to.leaf;
  if (leaf === null) return false;
  const quiet = leaf.quietReceive?.rules.deny ?? [];
  if (quiet.some((entry) => covers(entry, subject))) return false;
  return leaf.receiveFilter?.allowsAnnouncement(subject) ?? true;
}

/** Whether `wide` covers every subject of `narrow`. */
export function covers(wide: string, narrow: string): boolean {
  const w = wide.split(".");
  const n = narrow.split(".");
  for (const [i, token] of w.entries()) {
    if (token === ">") return n.length > i;
    if (n[i] === undefined || n[i] === ">") return false;
    if (token !== "*" && token !== n[i]) return false;
  }
  return w.length === n.length;
}

/** Faults of a quiet system, each as a sentence. */
export function checkConvergence(sim: Simulation): string[] {
  const faults: string[] = [];
  for (const server of sim.servers.values()) {
    if (!server.isRunning) continue;
    for (const account of server.engine.accounts.values()) {
      for (const link of account.leaves) checkTable(server, account, link, faults);
    }
    checkQuiet(server, faults);
  }
  for (const remote of sim.remotes) {
    const { link, hub, server } = remote;
    if (link === null || !remote.isUp) continue;
    const theirs = [...hub.engine.links.values()].filter(
      (other) =>
        other.leaf !== null &&
        !other.leaf.solicited &&
        other.leaf.remoteServerId === server.engine.options.serverId &&
        other.leaf.remoteAccount === remote.spec.account,
    );
    const other = theirs[0];
    if (other === undefined || theirs.length !== 1) {
      faults.push(`${remote.spec.id}: the hub has ${theirs.length} links for it`);
      continue;
    }
    compareEnds(remote.spec.id, link, other, faults);
    compareEnds(`${remote.spec.id} (hub end)`, other, link, faults);
  }
  return faults;
}

/** The engine's table for a link against the recount, and against `wanted`. */
function checkTable(server: SimServer, account: Account, link: Link, faults: string[]): void {
  if (link.leaf === null || !link.leaf.registered) return;
  const where = `${server.name}/${account.name} ${link.label}`;
  const told = announcedTo(account, link);
  for (const entry of account.interest.entries()) {
    const wanted = account.interest.wanted(link, entry);
    const had = told.get(entry.key) ?? 0;
    if (wanted !== had) faults.push(`${where}: "${entry.key}" announced ${had}, wanted ${wanted}`);
  }
  compareMaps(`${where}: announced against recount`, told, recount(account, link), faults);
}

function announcedTo(account: Account, link: Link): Announced {
  const slot = link.leaf?.slot ?? -1;
  const told: Announced = new Map();
  for (const entry of account.interest.entries()) {
    const n = entry.announced[slot] ?? 0;
    if (n > 0) told.set(entry.key, n);
  }
  return told;
}

/** What `from` announced against what `to` holds. */
function compareEnds(where: string, from: Link, to: Link, faults: string[]): void {
  const held: Announced = new Map();
  for (const [key, sub] of to.subs ?? []) held.set(key, sub.weight);
  const told = announcedTo(from.account, from);
  // Literal interest in what the receiver may not send is not kept by it.
  for (const key of told.keys()) {
    const [subject = ""] = key.split(" ");
    const refused = to.leaf?.sendFilter?.allows(subject) === false;
    if (refused && !held.has(key)) told.delete(key);
  }
  compareMaps(`${where}: held against announced`, held, told, faults);
}

function compareMaps(where: string, got: Announced, want: Announced, faults: string[]): void {
  for (const [key, n] of want) {
    const had = got.get(key) ?? 0;
    if (had !== n) faults.push(`${where}: "${key}" is ${had}, must be ${n}`);
  }
  for (const [key, n] of got)
    if (!want.has(key)) faults.push(`${where}: "${key}" is ${n}, must be absent`);
}

/** Nothing waits anywhere on a server that is quiet. */
function checkQuiet(server: SimServer, faults: string[]): void {
  for (const link of server.engine.links.values()) {
    const where = `${server.name} ${link.label}`;
    if (link.out.bytes > 0 || link.queued > 0) {
      faults.push(`${where}: ${link.out.bytes} bytes unsent, ${link.queued} queued`);
    }
    if (link.held !== null || link.heldBytes > 0) faults.push(`${where}: holds input`);
    if (link.parse.carry !== null)
      faults.push(`${where}: holds ${link.parse.length} bytes of a unit`);
    if (link.stalled) faults.push(`${where}: is still paused`);
  }
}

/** What is left after all clients, or all links, are gone. */
export function checkNothingLeaks(sim: Simulation, stage: "clients gone" | "links gone"): string[] {
  const faults: string[] = [];
  for (const server of sim.servers.values()) {
    if (!server.isRunning) continue;
    const { engine } = server;
    const clients = [...engine.links.values()].filter((link) => link.kind === KIND_CLIENT);
    const where = `${server.name} (${stage})`;
    if (clients.length > 0 || engine.clientCount !== 0) {
      faults.push(`${where}: ${clients.length} client links, count ${engine.clientCount}`);
    }
    for (const account of engine.accounts.values()) {
      checkAccount(`${where} ${account.name}`, account, stage, faults);
    }
    if (stage === "links gone") {
      if (engine.links.size > 0) faults.push(`${where}: ${engine.links.size} links`);
      if (server.socketCount > 0) faults.push(`${where}: ${server.socketCount} sockets`);
      engine.advance(sim.clock.now + 10_000_000);
      if (engine.timers.size > 0) faults.push(`${where}: ${engine.timers.size} timers`);
    }
  }
  return faults;
}

function checkAccount(
  where: string,
  account: Account,
  stage: "clients gone" | "links gone",
  faults: string[],
): void {
  if (account.clients.size > 0) faults.push(`${where}: ${account.clients.size} clients bound`);
  const left = [...account.sublist].filter(
    (sub) => stage === "links gone" || !sub.subject.startsWith("$LDS."),
  );
  for (const sub of left) faults.push(`${where}: a subscription to "${sub.subject}" is left`);
  for (const entry of account.interest.entries()) {
    if (stage === "links gone" && entry.subject !== account.lds) {
      faults.push(`${where}: interest in "${entry.key}" is left`);
    }
    if (!entry.isLds && entry.local + entry.down + entry.up !== 0) {
      faults.push(
        `${where}: interest in "${entry.key}" counts ${entry.local + entry.down + entry.up}`,
      );
    }
  }
  if (stage === "links gone" && account.leaves.size > 0) {
    faults.push(`${where}: ${account.leaves.size} leaf links bound`);
  }
}
