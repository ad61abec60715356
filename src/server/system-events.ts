/**
 * What this server publishes of its own accord on the system account: connections that come and go, logins
 * that fail, how many connections an account has, how the server fares, that it ends.
 */
import {
  KIND_LEAF,
  type Account,
  type ClosedState,
  type Engine,
  type Link,
  type Millis,
  type RefusedUser,
} from "../core/index.ts";
import { accountStat, omit, statsz, timestamp, type JsonObject } from "../monitoring/index.ts";
import { now } from "./clock.ts";
import type { SystemBus } from "./system-bus.ts";

const CONNECT = "io.nats.server.advisory.v1.client_connect";
const DISCONNECT = "io.nats.server.advisory.v1.client_disconnect";
const CONNECTIONS = "io.nats.server.advisory.v1.account_connections";
const GLOBAL = "$G";
const STATSZ_FIRST: Millis = 250;
const STATSZ_MOST: Millis = 10_000;
const CONNECTIONS_EVERY: Millis = 30_000;

export class SystemEvents {
  readonly #bus: SystemBus;
  readonly #engine: Engine;
  /** Links that were announced, under the account they were announced for. */
  readonly #announced = new Map<Link, Account>();
  readonly #refused = new WeakSet<Link>();
  #statszTimer: NodeJS.Timeout | null = null;
  #connectionsTimer: NodeJS.Timeout | null = null;
  #interval = STATSZ_FIRST;
  #isRunning = false;

  constructor(bus: SystemBus) {
    this.#bus = bus;
    this.#engine = bus.engine;
  }

  start(): void {
    if (this.#bus.account === null) return;
    this.#isRunning = true;
    this.#scheduleStatsz();
    this.#connectionsTimer = setInterval(() => {
      for (const account of this.#engine.accounts.values()) {
        if (account.clients.size + account.leaves.size > 0) this.#connections(account);
      }
    }, CONNECTIONS_EVERY).unref();
  }

  /** Says that the server ends; nothing is published afterwards. */
  stop(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    if (this.#statszTimer !== null) clearTimeout(this.#statszTimer);
    if (this.#connectionsTimer !== null) clearInterval(this.#connectionsTimer);
    this.#statszTimer = this.#connectionsTimer = null;
    this.#bus.publish(`$SYS.SERVER.${this.#id}.SHUTDOWN`, () => this.#bus.info());
  }

  lameDuck(): void {
    this.#bus.publish(`$SYS.SERVER.${this.#id}.LAMEDUCK`, () => this.#bus.info());
  }

  publishStatsz(): void {
    this.#bus.publish(`$SYS.SERVER.${this.#id}.STATSZ`, () => {
      const state = this.#bus.state();
      return { server: this.#bus.info(state), statsz: statsz(state) };
    });
  }

  /** A client or leaf link is ready, or has another account after a reload. */
  connected(link: Link): void {
    if (!this.#isRunning) return;
    const { account } = link;
    const before = this.#announced.get(link);
    this.#announced.set(link, account);
    if (before !== undefined && before !== account) this.#connections(before);
    if (before !== account) this.#connections(account);
    this.#bus.publish(`$SYS.ACCOUNT.${account.name}.CONNECT`, () => ({
      ...this.#bus.head(this.#bus.state(), CONNECT),
      client: clientJson(link, null),
    }));
  }

  refused(link: Link, verdict: RefusedUser): void {
    if (!this.#isRunning) return;
    this.#refused.add(link);
    const body = (): JsonObject => this.#farewell(link, verdict.reason);
    this.#bus.publish(`$SYS.SERVER.${this.#id}.CLIENT.AUTH.ERR`, body);
    this.#bus.publish("$SYS.ACCOUNT.CLIENT.AUTH.ERR", body, link.account);
  }

  closed(link: Link, reason: ClosedState): void {
    if (!this.#isRunning) return;
    const account = this.#announced.get(link);
    const solicited = link.leaf?.solicited === true;
    if (account === undefined && !this.#refused.has(link) && !solicited) return;
    this.#announced.delete(link);
    if (account !== undefined) this.#connections(account);
    this.#bus.publish(`$SYS.ACCOUNT.${link.account.name}.DISCONNECT`, () =>
      this.#farewell(link, reason),
    );
  }

  get #id(): string {
    return this.#engine.options.serverId;
  }

  #connections(account: Account): void {
    if (account.name === GLOBAL) return;
    let head: JsonObject | null = null;
    const body = (): JsonObject => {
      const state = this.#bus.state();
      // The same event twice, each message with a number of its own.
      if (head === null) head = this.#bus.head(state, CONNECTIONS);
      else head = { ...head, server: this.#bus.info(state) };
      return { ...head, ...accountStat(state, account) };
    };
    this.#bus.publish(`$SYS.SERVER.ACCOUNT.${account.name}.CONNS`, body);
    this.#bus.publish(`$SYS.ACCOUNT.${account.name}.SERVER.CONNS`, body);
  }

  #farewell(link: Link, reason: ClosedState): JsonObject {
    const state = this.#bus.state();
    return {
      ...this.#bus.head(state, DISCONNECT),
      client: clientJson(link, now()),
      sent: { msgs: link.inMsgs, bytes: link.inBytes },
      received: { msgs: link.outMsgs, bytes: link.outBytes },
      reason,
    };
  }

  /** The interval doubles up to its most. */
  #scheduleStatsz(): void {
    this.#statszTimer = setTimeout(() => {
      this.#interval = Math.min(this.#interval * 2, STATSZ_MOST);
      this.publishStatsz();
      this.#scheduleStatsz();
    }, this.#interval).unref();
  }
}

/** A connection in an advisory; `stop` null while it is open. */
function clientJson(link: Link, stop: Millis | null): JsonObject {
  const { user, account, peer, leaf } = link;
  const isLeaf = link.kind === KIND_LEAF;
  const slash = account.label.indexOf("/");
  const type = link.connectionType === "WEBSOCKET" ? "websocket" : "nats";
  return {
    start: timestamp(link.opened),
    host: link.host,
    id: link.id,
    acc: account.name,
    user: omit(user?.authorizedUser || link.credentials?.user || ""),
    name: omit(
      isLeaf && leaf?.solicited !== true ? (leaf?.remoteServer ?? "") : (peer?.name ?? ""),
    ),
    lang: omit(peer?.lang),
    ver: omit(peer?.version),
    rtt: stop === null || isLeaf ? undefined : omit(Math.round(link.rtt * 1e6)),
    stop: stop === null ? undefined : timestamp(stop),
    jwt: omit(user?.jwt || link.credentials?.jwt || ""),
    issuer_key: omit(user?.issuerKey),
    name_tag: user?.nameTag || (slash < 0 ? account.name : account.label.slice(slash + 1)),
    tags: omit(user?.tags),
    kind: isLeaf ? "Leafnode" : "Client",
    client_type: isLeaf ? undefined : type,
  };
}
