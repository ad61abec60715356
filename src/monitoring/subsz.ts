/** `/subsz`: the tables of subscriptions, and on request what stands in them. */
import {
  type Account,
  isSubset,
  isValidLiteral,
  KIND_LEAF,
  latin1ToUtf8,
  type Subscription,
  utf8ToLatin1,
} from "../core/index.ts";
import { timestamp } from "./formats.ts";
import { type JsonObject, omit } from "./json.ts";
import { MonitorError, type Query, paging, queryBool, queryInt, queryText } from "./query.ts";
import type { MonitorState } from "./state.ts";
import { accountTraffic } from "./traffic.ts";

export interface SubszOptions {
  readonly subscriptions?: boolean;
  readonly offset?: number;
  readonly limit?: number;
  readonly account?: string;
  /** A literal subject: only subscriptions that match it. */
  readonly test?: string;
}

export function subszOptions(query: Query): SubszOptions {
  return {
    subscriptions: queryBool(query, "subs"),
    offset: queryInt(query, "offset"),
    limit: queryInt(query, "limit"),
    test: queryText(query, "test"),
    account: queryText(query, "acc"),
  };
}

export function subsz(state: MonitorState, options: SubszOptions = {}): JsonObject {
  const { account: only = "", test = "" } = options;
  const subject = utf8ToLatin1(test);
  if (test !== "" && !isValidLiteral(subject)) {
    throw new MonitorError(400, `invalid test subject, must be valid publish subject: ${test}`);
  }
  const accounts = [...state.engine.accounts.values()].filter(
    (one) => only === "" || one.name === only,
  );
  const { offset, limit } = paging(options);
  const found = options.subscriptions === true ? subscriptions(state, accounts, subject) : [];
  return {
    server_id: state.engine.options.serverId,
    now: timestamp(state.now),
    ...sublistStats(state, accounts),
    total: found.length,
    offset,
    limit,
    subscriptions_list: omit(found.slice(offset, offset + limit).map((make) => make())),
  };
}

/** The statistics of some accounts' tables together. Each message received is one lookup. */
export function sublistStats(state: MonitorState, accounts: readonly Account[]): JsonObject {
  const stats = { count: 0, cached: 0, inserts: 0, removes: 0, lookups: 0, misses: 0 };
  for (const account of accounts) {
    stats.count += account.sublist.count;
    stats.cached += account.cachedSubjects;
    stats.inserts += account.sublist.inserts;
    stats.removes += account.sublist.removes;
    stats.lookups += accountTraffic(state, account).all.inMsgs;
    stats.misses += account.cacheMisses;
  }
  const hits = Math.max(0, stats.lookups - stats.misses);
  return {
    num_subscriptions: stats.count,
    num_cache: stats.cached,
    num_inserts: stats.inserts,
    num_removes: stats.removes,
    num_matches: stats.lookups,
    cache_hit_rate: stats.lookups === 0 ? 0 : hits / stats.lookups,
    max_fanout: 0,
    avg_fanout: 0,
  };
}

/** Entries are made only for the page that is shown. */
function subscriptions(
  state: MonitorState,
  accounts: readonly Account[],
  test: string,
): (() => JsonObject)[] {
  const found: (() => JsonObject)[] = [];
  for (const account of accounts) {
    const tag = state.account(account.name)?.nameTag || account.name;
    for (const sub of account.sublist) {
      // As in nats-server: what leaf links announced is counted above, but not listed.
      if (sub.link.kind === KIND_LEAF) continue;
      if (test !== "" && !isSubset(test, sub.subject)) continue;
      found.push(() => entry(sub, account.name, tag));
    }
  }
  return found;
}

function entry(sub: Subscription, account: string, tag: string): JsonObject {
  return {
    account: omit(account),
    account_tag: omit(tag),
    subject: latin1ToUtf8(sub.subject),
    qgroup: omit(latin1ToUtf8(sub.queue)),
    sid: latin1ToUtf8(sub.sid),
    msgs: sub.delivered,
    max: omit(sub.max),
    cid: sub.link.id,
  };
}
