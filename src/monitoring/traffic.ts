/** Sums over links, open and closed. */
import { type Account, type Engine, KIND_CLIENT, type Link } from "../core/index.ts";
import { addTraffic, NO_TRAFFIC, type Traffic } from "./connection-snapshot.ts";
import type { MonitorState } from "./state.ts";

/** All traffic of the server, and the clients' part of it. */
export function serverTraffic(state: MonitorState): { all: Traffic; clients: Traffic } {
  const { engine } = state;
  const clients = [...engine.links.values()].filter((link) => link.kind === KIND_CLIENT);
  return {
    all: addTraffic(sum(engine.links.values()), engine.closedTotals),
    clients: addTraffic(sum(clients), state.closed.totals.clients),
  };
}

/** All traffic of one account, and the leaf links' part of it. */
export function accountTraffic(
  state: MonitorState,
  account: Account,
): { all: Traffic; leafs: Traffic } {
  const closed = state.closed.totals.account(account.name);
  const leafs = sum(account.leaves);
  return {
    all: addTraffic(addTraffic(sum(account.clients), leafs), closed.all),
    leafs: addTraffic(leafs, closed.leafs),
  };
}

/** Leaf links that are past their handshake. */
export function leafLinks(engine: Engine): Link[] {
  return [...engine.links.values()].filter((link) => link.leaf?.registered === true);
}

export function subscriptionCount(engine: Engine): number {
  let count = 0;
  for (const account of engine.accounts.values()) count += account.sublist.count;
  return count;
}

function sum(links: Iterable<Traffic>): Traffic {
  let total = NO_TRAFFIC;
  for (const link of links) total = addTraffic(total, link);
  return total;
}
