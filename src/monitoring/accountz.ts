/** `/accountz` and `/accstatz`: the accounts, one in detail, and what moved in them. */
import type { Account } from "../core/index.ts";
import { timestamp } from "./formats.ts";
import { type JsonObject, omit, sortedObject } from "./json.ts";
import { MonitorError, type Query, queryBool, queryText } from "./query.ts";
import type { AccountFacts, ExportFacts, ImportFacts, MonitorState } from "./state.ts";
import { sublistStats } from "./subsz.ts";
import { accountTraffic } from "./traffic.ts";

export interface AccountzOptions {
  readonly account?: string;
}

export function accountzOptions(query: Query): AccountzOptions {
  return { account: queryText(query, "acc") };
}

export function accountz(state: MonitorState, options: AccountzOptions = {}): JsonObject {
  const { engine } = state;
  const name = options.account ?? "";
  const head = {
    server_id: engine.options.serverId,
    now: timestamp(state.now),
    system_account: omit(engine.options.systemAccount),
  };
  if (name === "") return { ...head, accounts: omit([...engine.accounts.keys()]) };
  const account = engine.accounts.get(name);
  if (account === undefined) throw new MonitorError(400, `Account ${name} does not exist`);
  return { ...head, account_detail: accountDetail(state, account) };
}

/** Also the answer of the account information service. */
export function accountDetail(state: MonitorState, account: Account): JsonObject {
  const facts = state.account(account.name);
  return {
    account_name: account.name,
    update_time: timestamp(facts?.updateTime ?? state.configLoadTime),
    is_system: omit(account.name === state.engine.options.systemAccount),
    expired: facts?.expired ?? false,
    complete: facts?.complete ?? true,
    jetstream_enabled: false,
    leafnode_connections: account.leaves.size,
    client_connections: account.clients.size,
    subscriptions: account.sublist.count,
    ...(facts === null ? {} : sharing(facts)),
    jwt: omit(facts?.jwt),
    issuer_key: omit(facts?.issuerKey),
    name_tag: facts?.nameTag || account.name,
    tags: omit(facts?.tags),
    decoded_jwt: omit(facts?.decodedJwt),
    revoked_user:
      facts === null
        ? undefined
        : omit(
            sortedObject([...facts.revokedUsers].map(([key, at]) => [key, timestamp(at)] as const)),
          ),
    sublist_stats: sublistStats(state, [account]),
  };
}

function sharing({ mappings, exports, imports }: AccountFacts): JsonObject {
  const table = [...mappings].map(([source, destinations]) => {
    const list = destinations.map(({ subject, weight, cluster }) => ({
      subject,
      weight,
      cluster: omit(cluster),
    }));
    return [source, list] as const;
  });
  return {
    mappings: omit(sortedObject(table)),
    exports: omit(exports.map(exported)),
    imports: omit(imports.map(imported)),
  };
}

function exported(one: ExportFacts): JsonObject {
  return {
    name: omit(one.name),
    subject: one.subject,
    type: one.type,
    token_req: omit(one.tokenRequired),
    response_type: omit(one.responseType),
    account_token_position: omit(one.accountTokenPosition),
    approved_accounts: omit(one.approvedAccounts),
  };
}

function imported(one: ImportFacts): JsonObject {
  return {
    subject: one.subject,
    account: one.account,
    to: omit(one.to),
    local_subject: omit(one.localSubject),
    type: one.type,
    invalid: one.invalid,
    share: one.share,
    tracking: false,
  };
}

export interface AccstatzOptions {
  /** Only these; empty or absent = all. */
  readonly accounts?: readonly string[];
  /** Accounts without connections too. */
  readonly includeUnused?: boolean;
}

export function accstatzOptions(query: Query): AccstatzOptions {
  return { includeUnused: queryBool(query, "unused") };
}

export function accstatz(state: MonitorState, options: AccstatzOptions = {}): JsonObject {
  const { accounts = [], includeUnused = false } = options;
  const shown = [...state.engine.accounts.values()].filter(
    (account) =>
      (accounts.length === 0 || accounts.includes(account.name)) &&
      (includeUnused || account.clients.size + account.leaves.size > 0),
  );
  return {
    server_id: state.engine.options.serverId,
    now: timestamp(state.now),
    account_statz: shown.map((account) => accountStat(state, account)),
  };
}

/** Also the body of account connection advisories. */
export function accountStat(state: MonitorState, account: Account): JsonObject {
  const { all, leafs } = accountTraffic(state, account);
  const conns = account.clients.size;
  const leafnodes = account.leaves.size;
  return {
    acc: account.name,
    name: state.account(account.name)?.nameTag || account.name,
    conns,
    leafnodes,
    total_conns: conns + leafnodes,
    num_subscriptions: account.sublist.count,
    sent: {
      msgs: all.outMsgs,
      bytes: all.outBytes,
      ...byKind({ msgs: leafs.outMsgs, bytes: leafs.outBytes }),
    },
    received: {
      msgs: all.inMsgs,
      bytes: all.inBytes,
      ...byKind({ msgs: leafs.inMsgs, bytes: leafs.inBytes }),
    },
    slow_consumers: state.closed.totals.account(account.name).slowConsumers,
  };
}

function byKind(leafs: { msgs: number; bytes: number }): JsonObject {
  return { gateways: { msgs: 0, bytes: 0 }, routes: { msgs: 0, bytes: 0 }, leafs };
}
