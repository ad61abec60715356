/**
 * The handshake of a leaf link, from both sides:
 *
 *     accepting                                soliciting
 *     INFO #1 {nonce, leafnode_urls …}   ->
 *     [                                  <-    INFO {compression}        S2 from here on
 *     INFO #1' (the same, in S2)         ->  ]
 *                                        <-    CONNECT {…}
 *     INFO #2 {connect_info, import …}   ->
 *     LS+ …                              <->   LS+ …
 *
 * The two sides are in `leaf-acceptor.ts` and `leaf-solicitor.ts`.
 */
import type { AuthVerdict } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { LEAF_INFO, parseFields } from "../protocol/connect.ts";
import { levelForRtt, S2_MODES } from "./compression.ts";
import { LeafAcceptor } from "./leaf-acceptor.ts";
import { endHandshake } from "./leaf-handshake-common.ts";
import { LeafSolicitor } from "./leaf-solicitor.ts";
import type { Link } from "./link.ts";
import type { RemoteSpec } from "./remote-spec.ts";

export class LeafHandshake {
  readonly #engine: Engine;
  readonly #acceptor: LeafAcceptor;
  readonly #solicitor: LeafSolicitor;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#acceptor = new LeafAcceptor(engine);
    this.#solicitor = new LeafSolicitor(engine);
  }

  /** A leaf dialled us. */
  opened(link: Link): void {
    this.#acceptor.opened(link);
  }

  awaitsNegotiation(link: Link): boolean {
    return this.#acceptor.awaitsNegotiation(link);
  }

  connect(link: Link, json: string): void {
    this.#acceptor.connect(link, json);
  }

  decided(link: Link, verdict: AuthVerdict): void {
    this.#acceptor.decided(link, verdict);
  }

  /** We dialled a hub. */
  dialled(link: Link, remote: RemoteSpec): void {
    this.#solicitor.dialled(link, remote);
  }

  tlsDone(link: Link): void {
    this.#solicitor.tlsDone(link);
  }

  info(link: Link, json: string): void {
    const engine = this.#engine;
    if (engine.options.trace) engine.trace(link, "<<-", `INFO ${json}`);
    const fields = parseFields(json, LEAF_INFO, "Info");
    if (typeof fields === "string") endHandshake(engine, link, fields);
    else if (link.leaf?.solicited === true) this.#solicitor.info(link, fields);
    else this.#acceptor.info(link, fields);
  }

  /** A PONG came: with `s2_auto`, another RTT may call for another level. */
  rttChanged(link: Link): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null || !S2_MODES.includes(leaf.compression)) return;
    const own = leaf.remote?.compression ?? engine.options.leaf.compression;
    if (own !== "s2_auto") return;
    const thresholds = leaf.remote?.rttThresholds ?? engine.options.leaf.rttThresholds;
    const mode = levelForRtt(link.rtt, thresholds);
    if (mode === leaf.compression) return;
    leaf.compression = mode;
    engine.flushNow(link);
    engine.outlet.compress(link.id, "write", mode);
  }
}
