/** What both sides of a leaf link's handshake do: failing, gossip, JetStream's border, joining in. */
import { SubjectFilter } from "../account/permissions.ts";
import type { Engine } from "../engine.ts";
import type { Fields } from "../protocol/connect.ts";
import type { ClosedState } from "./closed-state.ts";
import { firstPing } from "./deadlines.ts";
import type { Link } from "./link.ts";

/** Inter-server protocol: 3 = knows message tracing. */
export const LEAF_PROTO = 3;
const FIRST_PING_MOST = 1000;

/** Logs, sends `-ERR` and closes. */
export function failHandshake(engine: Engine, link: Link, text: string, reason: ClosedState): void {
  engine.log("error", link, text);
  if (link.leaf !== null) link.leaf.lastError = text;
  engine.fail(link, text, reason);
}

/** Closes without -ERR. */
export function endHandshake(engine: Engine, link: Link, text: string): void {
  engine.log("error", link, text);
  engine.close(link, "Protocol Violation");
}

export function gossip(engine: Engine, link: Link, fields: Fields): void {
  const urls = fields.strings("leafnode_urls") ?? [];
  const websocket = fields.strings("ws_connect_urls") ?? [];
  if (urls.length > 0 || websocket.length > 0) engine.observer.gossip?.(link, urls, websocket);
}

/** Handshake done: the link takes part in interest, pings start. */
export function register(engine: Engine, link: Link): void {
  const leaf = link.leaf;
  if (leaf === null) return;
  leaf.registered = true;
  engine.announceInterest();
  link.account.interest.open(link, engine.announcer.tell);
  firstPing(engine, link, FIRST_PING_MOST);
  engine.observer.ready?.(link);
}

/** JetStream's API stays on its side of a link between domains; this server has no JetStream of its own. */
export function jetStreamDenies(engine: Engine, link: Link): void {
  const leaf = link.leaf;
  if (leaf === null) return;
  const { systemAccount, defaultJsDomain, domain } = engine.options;
  const account = link.account.name;
  const deny = ["$JS.API.>", "$KV.>", "$OBJ.>"];
  if (account === systemAccount) {
    deny.push("$JSC.>", "$NRG.>");
    const cluster = leaf.remoteCluster === "" ? "" : `/${leaf.remoteCluster}`;
    engine.log("notice", link, `System account connected from ${leaf.remoteServer}${cluster}`);
    engine.log("notice", link, "JetStream not extended, domains differ");
  } else {
    if (defaultJsDomain.get(account) === "") return;
    const domains = `local "${domain}", remote "${leaf.remoteDomain}"`;
    engine.log("notice", link, `JetStream using domains: ${domains}`);
  }
  leaf.quietSend = leaf.quietReceive = new SubjectFilter({ allow: null, deny });
}
