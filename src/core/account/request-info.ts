/**
 * Who asks: the JSON that a service import puts into the request's `Nats-Request-Info` header, and that
 * latency metrics and advisories name a connection with.
 */
import { latin1, utf8Bytes } from "../bytes/ascii.ts";
import { rfc3339 } from "../bytes/time.ts";
import type { Engine } from "../engine.ts";
import { KIND_LEAF, type Link } from "../link/link.ts";
import type { Message } from "../protocol/message.ts";

const HEADER = "Nats-Request-Info";
const VERSION_LINE = "NATS/1.0\r\n";

/** How much of a requester the exporter is shown. */
export interface InfoDetail {
  /** The account in between, for a chain of imports; "" = none. */
  readonly through: string;
  /** Everything (`share`), or only the account and the round-trip time. */
  readonly full: boolean;
  /** The server's name and cluster even so. */
  readonly server: boolean;
}

/** A connection as JSON members in nats-server's order; empty ones are left out. */
export function clientInfoJson(engine: Engine, link: Link, detail: InfoDetail): string {
  const { options } = engine;
  const { full } = detail;
  const user = link.user;
  const isLeaf = link.kind === KIND_LEAF;
  const server = full || detail.server;
  const members: readonly (readonly [string, string | number])[] = [
    ["start", full ? rfc3339(link.opened) : ""],
    ["host", full ? link.host : ""],
    ["id", full ? link.id : 0],
    ["acc", link.account.name],
    ["svc", detail.through],
    ["user", full ? (user?.authorizedUser ?? "") : ""],
    ["name", full ? (link.peer?.name ?? link.leaf?.remoteServer ?? "") : ""],
    ["lang", full ? (link.peer?.lang ?? "") : ""],
    ["ver", full ? (link.peer?.version ?? "") : ""],
    ["rtt", Math.round(link.rtt * 1e6)],
    ["server", server ? options.serverName : ""],
    ["cluster", server ? options.clusterName : ""],
    ["jwt", full ? (user?.jwt ?? "") : ""],
    ["issuer_key", full ? (user?.issuerKey ?? "") : ""],
    ["name_tag", full ? (user?.nameTag ?? "") : ""],
  ];
  const parts = members
    .filter(([, value]) => value !== "" && value !== 0)
    .map(([name, value]) => `"${name}":${JSON.stringify(value)}`);
  if (full && user !== null && user.tags.length > 0)
    parts.push(`"tags":${JSON.stringify(user.tags)}`);
  if (full) {
    parts.push(`"kind":"${isLeaf ? "Leafnode" : "Client"}"`);
    const type = link.connectionType === "WEBSOCKET" ? "websocket" : "nats";
    if (!isLeaf) parts.push(`"client_type":"${type}"`);
  }
  return `{${parts.join(",")}}`;
}

/** The header blocks of one import, remembered per link until its round-trip time changes. */
export class RequestInfo {
  readonly #engine: Engine;
  readonly #detail: InfoDetail;
  #known: WeakMap<Link, { readonly rtt: number; readonly block: Uint8Array }> | null = null;
  #link: Link | null = null;
  #rtt = 0;
  #block: Uint8Array = new Uint8Array(0);

  constructor(engine: Engine, detail: InfoDetail) {
    this.#engine = engine;
    this.#detail = detail;
  }

  /** The message's header block with the info of `link` in it, in place of what may stand there. */
  header(link: Link, m: Message): Uint8Array {
    const block = this.#blockOf(link);
    if (m.headerEnd === 0) return block;
    const old = latin1(m.bytes, m.payloadStart, m.payloadStart + m.headerLength);
    const kept = old.split("\r\n").filter((line) => line !== "" && !isInfo(line));
    const head = kept.length === 0 ? VERSION_LINE : `${kept.join("\r\n")}\r\n`;
    const added = latin1(block, VERSION_LINE.length, block.length);
    const bytes = new Uint8Array(head.length + added.length);
    for (let i = 0; i < head.length; i++) bytes[i] = head.charCodeAt(i);
    for (let i = 0; i < added.length; i++) bytes[head.length + i] = added.charCodeAt(i);
    return bytes;
  }

  #blockOf(link: Link): Uint8Array {
    if (link === this.#link && link.rtt === this.#rtt) return this.#block;
    this.#known ??= new WeakMap();
    let known = this.#known.get(link);
    if (known === undefined || known.rtt !== link.rtt) {
      const json = clientInfoJson(this.#engine, link, this.#detail);
      known = { rtt: link.rtt, block: utf8Bytes(`${VERSION_LINE}${HEADER}: ${json}\r\n\r\n`) };
      this.#known.set(link, known);
    }
    this.#link = link;
    this.#rtt = known.rtt;
    return (this.#block = known.block);
  }
}

function isInfo(line: string): boolean {
  return line.startsWith(`${HEADER}:`);
}
