/**
 * Requests that this server answers on the system account: monitoring by server and by account, orders to
 * close or warn a connection or to reload, and what any user may ask about himself.
 */
import {
  asyncInfo,
  KIND_CLIENT,
  KIND_LEAF,
  latin1,
  type InternalMessage,
  type Link,
} from "../core/index.ts";
import {
  accountDetail,
  accountStat,
  accstatz,
  MonitorError,
  serviceData,
  statsz,
  type Json,
  type JsonObject,
  type MonitorState,
} from "../monitoring/index.ts";
import { now } from "./clock.ts";
import type { SystemBus } from "./system-bus.ts";
import { type BadBody, isBad, isMeant, type Members, readBody } from "./system-request.ts";
import { userInfo } from "./user-info.ts";

export interface SystemServicesHost {
  /** As a signal would; rejects with what is wrong. */
  requestReload(): Promise<void>;
  log(level: "error", label: string, text: string): void;
  /** STATSZ is published at once. */
  publishStatsz(): void;
}

/** Endpoints that exist for one server and for all of them. */
const SERVER_NAMES = [
  "VARZ",
  "CONNZ",
  "ROUTEZ",
  "GATEWAYZ",
  "LEAFZ",
  "LINKZ",
  "SUBSZ",
  "ACCOUNTZ",
  "JSZ",
  "HEALTHZ",
  "IPQUEUESZ",
  "RAFTZ",
  "EXPVARZ",
] as const;

const ACCOUNT_NAMES = ["SUBSZ", "CONNZ", "LEAFZ", "JSZ", "INFO", "STATZ", "CONNS"] as const;
const ACCOUNT_TOKENS = 5;

export class SystemServices {
  readonly #bus: SystemBus;
  readonly #host: SystemServicesHost;

  constructor(bus: SystemBus, host: SystemServicesHost) {
    this.#bus = bus;
    this.#host = host;
  }

  start(): void {
    const bus = this.#bus;
    const id = bus.engine.options.serverId;
    for (const scope of [id, "PING"]) {
      const prefix = `$SYS.REQ.SERVER.${scope}`;
      bus.subscribe(`${prefix}.IDZ`, (request) => this.#identify(request));
      bus.subscribe(`${prefix}.STATSZ`, (request) => this.#statsz(request));
      bus.subscribe(`${prefix}.PROFILEZ`, (request) => this.#answer(request, noProfile));
      for (const name of SERVER_NAMES) {
        bus.subscribe(`${prefix}.${name}`, (request) =>
          this.#answer(request, (state, members) => serviceData(state, name, members)),
        );
      }
    }
    bus.subscribe("$SYS.REQ.SERVER.PING", (request) => this.#statsz(request));
    bus.subscribe(`$SYS.REQ.SERVER.${id}.KICK`, (request) => this.#kick(request));
    bus.subscribe(`$SYS.REQ.SERVER.${id}.LDM`, (request) => this.#warn(request));
    bus.subscribe(`$SYS.REQ.SERVER.${id}.RELOAD`, (request) => this.#reload(request));
    for (const name of ACCOUNT_NAMES) {
      bus.subscribe(`$SYS.REQ.ACCOUNT.*.${name}`, (request) => this.#account(request, name));
    }
    bus.subscribe("$SYS.REQ.ACCOUNT.PING.STATZ", (request) =>
      this.#answer(request, (state, members) => statzOrSilence(state, members, textsOf(members))),
    );
    bus.subscribe("$SYS.REQ.USER.*.INFO", (request) => this.#user(request));
    bus.subscribe("$SYS.DEBUG.SUBSCRIBERS", (request) => this.#countSubscribers(request));
  }

  /** The usual way: options, filters, data or an error in the envelope. `undefined` data means silence. */
  #answer(
    request: InternalMessage,
    work: (state: MonitorState, members: Members) => Json | undefined,
  ): void {
    if (request.reply === "") return;
    const state = this.#bus.state();
    const members = readBody(request);
    if (isBad(members)) {
      this.#refuse(request, members);
      return;
    }
    if (!isMeant(state, members)) return;
    let data: Json | undefined;
    try {
      data = work(state, members);
    } catch (error) {
      if (!(error instanceof MonitorError)) throw error;
      const server = this.#bus.info(state);
      const fault = { code: 500, description: error.message };
      this.#bus.reply(request, { server, data: null, error: fault }, false);
      return;
    }
    if (data !== undefined) this.#bus.reply(request, { server: this.#bus.info(state), data });
  }

  #refuse(request: InternalMessage, { fault }: BadBody): void {
    const error = { code: 400, description: fault };
    this.#bus.reply(request, { server: this.#bus.info(), error }, false);
  }

  #identify(request: InternalMessage): void {
    const { serverName: name, host, serverId: id } = this.#bus.engine.options;
    this.#bus.reply(request, { name, host, id });
  }

  #statsz(request: InternalMessage): void {
    if (request.reply === "") {
      this.#host.publishStatsz();
      return;
    }
    const state = this.#bus.state();
    const members = readBody(request);
    if (isBad(members)) this.#refuse(request, members);
    else if (isMeant(state, members)) {
      this.#bus.reply(request, { server: this.#bus.info(state), statsz: statsz(state) });
    }
  }

  #account(request: InternalMessage, name: (typeof ACCOUNT_NAMES)[number]): void {
    const account = request.subject.split(".")[ACCOUNT_TOKENS - 2] ?? "";
    if (name === "CONNS") {
      this.#connections(request, account);
      return;
    }
    // `PING` is another service's, which answers for all accounts.
    if (account === "PING" && name === "STATZ") return;
    this.#answer(request, (state, members) => {
      switch (name) {
        case "SUBSZ":
          return serviceData(state, name, { ...members, subscriptions: true, account });
        case "CONNZ":
          return serviceData(state, name, { ...members, acc: account });
        case "LEAFZ":
          return serviceData(state, name, { ...members, account });
        case "INFO": {
          const found = state.engine.accounts.get(account);
          if (found === undefined) throw new MonitorError(400, `Account ${account} does not exist`);
          return accountDetail(state, found);
        }
        case "STATZ":
          return statzOrSilence(state, members, [account]);
        case "JSZ":
          break;
      }
      throw new MonitorError(400, "jetstream not enabled");
    });
  }

  #connections(request: InternalMessage, name: string): void {
    const account = this.#bus.engine.accounts.get(name);
    if (account === undefined || account.clients.size + account.leaves.size === 0) return;
    const body = readBody(request);
    if (!isBad(body) && typeof body["acc"] === "string" && body["acc"] !== name) return;
    const state = this.#bus.state();
    const head = this.#bus.head(state, "io.nats.server.advisory.v1.account_connections");
    this.#bus.reply(request, { ...head, ...accountStat(state, account) });
  }

  #user(request: InternalMessage): void {
    const { source } = request;
    const isOwn =
      source !== null && request.subject === `$SYS.REQ.USER.${source.account.name}.INFO`;
    if (!isOwn || source.kind !== KIND_CLIENT) return;
    this.#answer(request, () => userInfo(source, now()));
  }

  #countSubscribers(request: InternalMessage): void {
    const text = latin1(request.payload, 0, request.payload.length).trim();
    const [subject = "", queue = ""] = text.split(/\s+/);
    const account = request.source?.account ?? request.account;
    const matching = subject === "" ? [] : account.sublist.match(subject, []);
    const counted = matching.filter(
      (sub) => sub.link.kind === KIND_CLIENT && (queue === "" || sub.queue === queue),
    );
    this.#bus.reply(request, String(counted.length));
  }

  #kick(request: InternalMessage): void {
    const link = this.#linkOf(request, "kick");
    if (link === undefined) return;
    if (link === null) this.#fail(request, "no such client or leafnode id");
    else {
      this.#bus.engine.close(link, "Kicked");
      this.#succeed(request);
    }
  }

  #warn(request: InternalMessage): void {
    const link = this.#linkOf(request, "ldm");
    if (link === undefined) return;
    if (link === null || link.kind !== KIND_CLIENT) this.#fail(request, "no such client id");
    else if (link.protocol < 1 || !link.firstPongSent) {
      const why =
        "client does not support Lame Duck Mode or is not ready to receive the notification";
      this.#fail(request, why);
    } else {
      const { engine } = this.#bus;
      engine.sendUtf8(link, asyncInfo(engine, link, true));
      this.#succeed(request);
    }
  }

  /** The connection that an order is about; null = none, undefined = the order makes no sense or is not ours. */
  #linkOf(request: InternalMessage, what: string): Link | null | undefined {
    const body = readBody(request);
    if (isBad(body)) {
      this.#host.log("error", "", `Error unmarshalling ${what} client request: ${body.fault}`);
      return undefined;
    }
    if (!isMeant(this.#bus.state(), body)) return undefined;
    const { cid } = body;
    const link = typeof cid === "number" ? this.#bus.engine.links.get(cid) : undefined;
    const fits = link !== undefined && (link.kind === KIND_CLIENT || link.kind === KIND_LEAF);
    return fits ? link : null;
  }

  #reload(request: InternalMessage): void {
    const body = readBody(request);
    if (isBad(body)) {
      this.#refuse(request, body);
      return;
    }
    if (!isMeant(this.#bus.state(), body)) return;
    this.#host.requestReload().then(
      () => this.#succeed(request),
      (error: unknown) =>
        this.#fail(request, error instanceof Error ? error.message : String(error)),
    );
  }

  #succeed(request: InternalMessage): void {
    this.#bus.reply(request, { server: this.#bus.info() });
  }

  #fail(request: InternalMessage, description: string): void {
    const error = { code: 500, description };
    this.#bus.reply(request, { server: this.#bus.info(), error }, false);
  }
}

function statzOrSilence(
  state: MonitorState,
  members: Members,
  accounts: readonly string[],
): JsonObject | undefined {
  const data = accstatz(state, { accounts, includeUnused: members["include_unused"] === true });
  const list = data["account_statz"];
  return Array.isArray(list) && list.length === 0 ? undefined : data;
}

function textsOf(members: Members): readonly string[] {
  const { accounts } = members;
  return Array.isArray(accounts) ? accounts.filter((one) => typeof one === "string") : [];
}

function noProfile(_state: MonitorState, members: Members): Json {
  const { name } = members;
  const error =
    typeof name === "string" && name !== ""
      ? `Profile "${name}" not found`
      : "Profile name not specified";
  return { profile: null, error };
}
