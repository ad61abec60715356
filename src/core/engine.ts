/**
 * The façade of the core: one NATS server's data plane as a deterministic machine. Bytes and time come in as
 * arguments, output leaves through the `Outlet`, and `nextDeadline` says when `advance` must be called.
 *
 * Invariants: nothing is written to a transport in the middle of a chunk but what must precede a change of
 * framing; every outbox touched is flushed once after the whole chunk; the outlet never calls back in.
 */
import { Account } from "./account/account.ts";
import { copyOf, nuidOf, utf8ToLatin1 } from "./bytes/ascii.ts";
import { BufferPool } from "./bytes/pool.ts";
import type {
  AcceptedUser,
  AuthVerdict,
  Authenticator,
  LinkId,
  LogLevel,
  Millis,
  Outlet,
  World,
} from "./contract.ts";
import { ClientProtocol } from "./link/client.ts";
import type { ClosedState } from "./link/closed-state.ts";
import { LeafProtocol } from "./link/leaf.ts";
import { flushLeaf, handOverAll } from "./link/leaf-output.ts";
import { releaseProducers } from "./link/leaf-pressure.ts";
import { LeafState } from "./link/leaf-state.ts";
import {
  KIND_CLIENT,
  KIND_LEAF,
  type InternalHandler,
  Link,
  type LinkOrigin,
  Subscription,
} from "./link/link.ts";
import { applyLimits, endOverfull } from "./link/link-limits.ts";
import type { Batch } from "./link/outbound.ts";
import type { RemoteSpec } from "./link/remote-spec.ts";
import { fireTimers } from "./link/deadlines.ts";
import { InternalLinks } from "./link/internal-links.ts";
import type { EngineObserver } from "./engine-observer.ts";
import { failed } from "./link/failure.ts";
import { HeldInput } from "./link/held-input.ts";
import { Stalls } from "./link/stalls.ts";
import { writeBegan, writeEnded } from "./link/write-deadline.ts";
import { type LinkPlace, labelOf, originOf } from "./link/place.ts";
import { TimerQueue } from "./link/timers.ts";
import { traceRemoval } from "./link/trace.ts";
import type { EngineOptions } from "./options.ts";
import { Message } from "./protocol/message.ts";
import { Alarms } from "./alarms.ts";
import { parseChunk } from "./protocol/parser.ts";
import { hashText } from "./subject/match-cache.ts";
import { Announcer } from "./routing/announcer.ts";
import { InterestTable } from "./routing/interest.ts";
import type { MessageTrace } from "./routing/message-trace.ts";
import { Rewriter } from "./routing/rewrite.ts";
import { Run } from "./routing/run.ts";
import { PublishQueue, type ServerMessage } from "./routing/publish-queue.ts";

/** Buffers of an outbox: a read chunk of 256 KiB with its added sids fits. */
const POOL_BUFFER = 384 * 1024;

export class Engine {
  readonly options: EngineOptions;
  readonly world: World;
  readonly outlet: Outlet;
  authenticator: Authenticator;
  observer: EngineObserver;
  now: Millis = 0;
  readonly links = new Map<LinkId, Link>();
  readonly accounts = new Map<string, Account>();
  readonly global: Account;
  /** What is being delivered; a rewritten message takes its place while that is delivered. */
  message = new Message();
  /** What is known of the message being routed, if it is traced. */
  tracing: MessageTrace | null = null;
  readonly rewriter = new Rewriter(this);
  readonly alarms = new Alarms((error) => failed(this, null, error));
  readonly run = new Run(this);
  readonly internal = new InternalLinks(this);
  readonly announcer = new Announcer(this);
  readonly stallsOf = new Stalls(this);
  /** Ends the reply subjects of requests whose latency is measured. */
  readonly latencySuffix: string;
  readonly seed: number;
  readonly timers = new TimerQueue();
  readonly pool: BufferPool;
  /** The link whose chunk is being parsed. */
  current: Link | null = null;
  clientCount = 0;
  totalConnections = 0;
  slowConsumers = { clients: 0, leafs: 0 };
  staleConnections = { clients: 0, leafs: 0 };
  /** Messages that were not sent to leaf nodes since their links were full, and bytes of their payloads. */
  readonly dropped = { msgs: 0, bytes: 0 };
  lameDuck = false;
  /** What closed links had moved. */
  readonly closedTotals = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0 };
  readonly publishQueue = new PublishQueue();
  readonly #client: ClientProtocol;
  readonly leafProtocol: LeafProtocol;
  readonly #dirtyLinks: Link[] = [];
  readonly #batches: Batch[] = [];
  readonly #held = new HeldInput();
  /** Server messages are being delivered; what they cause to be published waits behind them. */
  #publishing = false;
  #nextId = 1;
  #nextSubId = 1;

  constructor(
    options: EngineOptions,
    world: World,
    outlet: Outlet,
    authenticator: Authenticator,
    observer: EngineObserver = {},
  ) {
    this.options = options;
    this.world = world;
    this.outlet = outlet;
    this.authenticator = authenticator;
    this.observer = observer;
    const seed = world.randomBytes(4);
    this.seed =
      ((seed[0] ?? 0) | ((seed[1] ?? 0) << 8) | ((seed[2] ?? 0) << 16) | ((seed[3] ?? 0) << 24)) ^
      0x811c9dc5;
    this.latencySuffix = `.${this.nuid().slice(0, 8)}.T`;
    const trim = (inMs: Millis): void => this.alarms.set(this.pool, this.now + inMs);
    this.pool = new BufferPool(POOL_BUFFER, (length) => world.allocate(length), trim);
    this.#client = new ClientProtocol(this);
    this.leafProtocol = new LeafProtocol(this);
    this.global = this.account("$G");
  }

  /** The account of this name, made when it is first asked for. */
  account(name: string): Account {
    let account = this.accounts.get(name);
    if (account === undefined) {
      const table = new InterestTable();
      account = new Account(name, this.seed, this.pool, `$LDS.${this.nuid()}`, table);
      this.accounts.set(name, account);
      table.addLocal(account.lds, "", 1);
      this.observer.accountCreated?.(account);
    }
    return account;
  }

  /** Opens an accepted client connection and sends it INFO. Null: refused, its transport is told to close. */
  openClient(place: LinkPlace, now: Millis): Link {
    this.now = now;
    const link = this.#open(KIND_CLIENT, place, this.global, now);
    this.totalConnections++;
    this.#client.opened(link, place);
    this.flush();
    return link;
  }

  /** Opens an accepted leaf connection and sends it INFO. */
  openLeaf(place: LinkPlace, now: Millis): Link {
    this.now = now;
    const link = this.#open(KIND_LEAF, place, this.global, now);
    link.leaf = new LeafState(false, null, false);
    this.leafProtocol.handshake.opened(link);
    this.flush();
    return link;
  }

  /** Opens a leaf connection that we dialled; INFO is awaited. */
  openRemote(place: LinkPlace, remote: RemoteSpec, now: Millis): Link {
    this.now = now;
    const link = this.#open(KIND_LEAF, place, this.account(remote.account), now);
    link.leaf = new LeafState(true, remote, !remote.hub);
    this.leafProtocol.handshake.dialled(link, remote);
    this.flush();
    return link;
  }

  /** Feeds what a link's peer sent. With `owned`, the chunk's bytes stay as they are after the call. */
  receive(id: LinkId, chunk: Uint8Array, now: Millis, owned = false): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    this.now = now;
    this.#feed(link, chunk, owned);
    this.flush();
  }

  /** The transport took bytes it held for a link; `queued` are left. */
  drained(id: LinkId, queued: number, now: Millis): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    this.now = now;
    link.queued = queued;
    link.lastDrain = now;
    if (queued === 0) {
      link.out.returned();
      link.leaf?.output.lane?.returned();
      if (link.writeAt > 0 && link.leaf === null) writeEnded(this, link);
    }
    if (queued === 0 && (link.out.bytes > 0 || link.leaf !== null)) this.#flushSafely(link);
    this.stallsOf.relieved(link);
    if (this.announcer.isPending) this.flush();
  }

  /** The transport is gone. */
  closed(id: LinkId, reason: ClosedState, now: Millis): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    this.now = now;
    this.close(link, reason, false);
    this.flush();
  }

  /** The TLS handshake that `startTls` asked for is done. */
  tlsEstablished(id: LinkId, tls: LinkOrigin["tls"], now: Millis): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    this.now = now;
    link.tls = tls;
    if (link.leaf !== null) this.leafProtocol.handshake.tlsDone(link);
    this.flush();
  }

  /** When `advance` must next be called; null = never. */
  nextDeadline(): Millis | null {
    const link = this.timers.next;
    const other = this.alarms.next;
    const next = link === null || (other !== null && other < link) ? other : link;
    const announce = this.announcer.deadline;
    return announce > 0 && (next === null || announce < next) ? announce : next;
  }

  advance(now: Millis): void {
    this.now = now;
    const { deadline } = this.announcer;
    if (deadline > 0 && deadline <= now) this.announceInterest();
    fireTimers(this);
    this.alarms.fire(now);
    this.flush();
  }

  /** An internal subscription; the handler gets copies. */
  subscribeInternal(
    account: Account,
    subject: string,
    queue: string,
    handler: InternalHandler,
  ): Subscription {
    return this.internal.subscribe(this.internal.of(account), subject, queue, handler);
  }

  nextSubId(): number {
    return this.#nextSubId++;
  }

  nextLinkId(): LinkId {
    return this.#nextId++;
  }

  /** Publishes on behalf of the server; delivered at the end of the current call, or with `flush` at once. */
  publish(message: ServerMessage, now: Millis): void {
    this.now = now;
    this.publishQueue.add(message);
    if (this.current === null && !this.#publishing) this.flush();
  }

  /** Gives a paused authentication its verdict. */
  authenticated(link: Link, verdict: AuthVerdict): void {
    if (link.state !== "authenticating") return;
    const held = this.#held.release(link);
    const protocol = link.kind === KIND_LEAF ? this.leafProtocol : this.#client;
    try {
      protocol.decided(link, verdict);
    } catch (error) {
      failed(this, link, error);
    }
    if (this.isOpen(link)) this.outlet.resume(link.id);
    for (const chunk of held) this.#feed(link, chunk, true);
    this.flush();
  }

  /** Asks the authenticator again about a live client, after a reload. */
  reauthorize(link: Link): void {
    this.#client.reauthorize(link);
  }

  /** New rules for the user of a live link; subscriptions that they forbid are taken away. */
  updateUser(link: Link, user: AcceptedUser): void {
    if (link.kind === KIND_CLIENT) this.#client.rebind(link, user);
    else link.user = user;
  }

  /** The limits of a link's account changed. */
  refreshLimits(link: Link): void {
    applyLimits(this, link);
    endOverfull(this, link);
  }

  /** Ends a link; what is queued goes out first where `flush`. */
  close(link: Link, reason: ClosedState, flush = true): void {
    if (link.state === "closed" || link.state === "closing") return;
    link.state = "closing";
    link.closedReason = reason;
    this.stallsOf.forget(link);
    this.observer.closing?.(link);
    this.dropSubscriptions(link);
    if (flush) this.flushNow(link);
    this.#discard(link);
    this.links.delete(link.id);
    this.unbind(link);
    link.state = "closed";
    if (link.kind === KIND_CLIENT) this.clientCount--;
    const totals = this.closedTotals;
    totals.inMsgs += link.inMsgs;
    totals.inBytes += link.inBytes;
    totals.outMsgs += link.outMsgs;
    totals.outBytes += link.outBytes;
    link.parse.carry = null;
    this.#held.release(link);
    this.timers.forget();
    this.outlet.close(link.id, flush, reason);
    this.observer.closed?.(link, reason);
  }

  isOpen(link: Link): boolean {
    return link.state !== "closing" && link.state !== "closed";
  }

  /** Binds a link to an account; limits are the caller's care. */
  bind(link: Link, account: Account): void {
    this.unbind(link);
    link.account = account;
    (link.kind === KIND_LEAF ? account.leaves : account.clients).add(link);
  }

  unbind(link: Link): void {
    const account = link.account;
    if (link.kind === KIND_LEAF) {
      if (account.leaves.delete(link)) {
        account.interest.close(link);
        this.interestChanged(account);
      }
    } else account.clients.delete(link);
  }

  newSubscription(
    link: Link,
    names: { subject: string; queue: string; sid: string },
  ): Subscription {
    return new Subscription(this.#nextSubId++, link, names);
  }

  addSubscription(sub: Subscription): void {
    const account = sub.link.account;
    account.insert(sub);
    if (sub.link.kind === KIND_LEAF) {
      account.interest.addLeaf(sub.link, sub.subject, sub.queue, sub.weight);
    } else account.interest.addLocal(sub.subject, sub.queue, 1);
    this.interestChanged(account);
    account.observer?.added(sub);
  }

  removeSubscription(sub: Subscription): void {
    if (sub.closed) return;
    sub.closed = true;
    if (this.options.trace) traceRemoval(this, sub);
    const account = sub.link.account;
    account.remove(sub);
    if (sub.link.kind === KIND_LEAF) {
      account.interest.addLeaf(sub.link, sub.subject, sub.queue, -sub.weight);
    } else account.interest.addLocal(sub.subject, sub.queue, -1);
    this.interestChanged(account);
    account.observer?.removed(sub);
  }

  /** A leaf's queue group has another number of members. */
  setWeight(sub: Subscription, weight: number): void {
    const delta = weight - sub.weight;
    if (delta === 0) return;
    sub.weight = weight;
    sub.link.account.touch(sub);
    sub.link.account.interest.addLeaf(sub.link, sub.subject, sub.queue, delta);
    this.interestChanged(sub.link.account);
    sub.link.account.observer?.reweighed(sub, delta);
  }

  dropSubscriptions(link: Link): void {
    if (link.subs === null) return;
    for (const sub of link.subs.values()) this.removeSubscription(sub);
    link.subs = null;
  }

  autoUnsubscribe(sub: Subscription): void {
    const text = `Auto-unsubscribe limit of ${sub.max} reached for sid '${sub.sid}'`;
    this.log("debug", sub.link, text);
    sub.link.subs?.delete(sub.sid);
    this.removeSubscription(sub);
  }

  /** Interest may have changed: announced before the next message could overtake it. */
  interestChanged(account: Account): void {
    this.announcer.changed(account);
  }

  announceInterest(): void {
    this.announcer.announceNow();
  }

  /** What is left unsent of a closed link is given back. */
  #discard(link: Link): void {
    link.out.clear();
    link.waitsFor?.paused?.delete(link);
    link.waitsFor = null;
    const output = link.leaf?.output;
    if (output === undefined) return;
    output.lane?.clear();
    releaseProducers(this, output);
  }

  /** Appends a line (latin1 text) to a link's outbox. */
  send(link: Link, text: string): void {
    const output = link.leaf?.output;
    const out = output === undefined ? link.out : output.controlBox(link, this);
    const { bytes } = out.reserve(text.length);
    let at = out.position;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    out.advance(at);
    if (output !== undefined && out === link.out) output.controlEnds(link, text.length);
    if (!link.dirty) this.markDirty(link);
  }

  /** The same for text that may hold any Unicode. */
  sendUtf8(link: Link, text: string): void {
    this.send(link, utf8ToLatin1(text));
  }

  /** `-ERR`; the text may hold any Unicode. */
  sendError(link: Link, text: string): void {
    this.sendUtf8(link, `-ERR '${text}'\r\n`);
    if (this.options.trace) this.trace(link, "->>", `-ERR ${text}`);
  }

  fail(link: Link, text: string, reason: ClosedState): void {
    this.sendError(link, text);
    this.close(link, reason);
  }

  markDirty(link: Link): void {
    link.dirty = true;
    this.#dirtyLinks.push(link);
  }

  openBatch(batch: Batch): void {
    this.#batches.push(batch);
  }

  /** Sends out everything that this call produced. */
  flush(): void {
    // A handler that asks for it is inside the flush already.
    if (this.#publishing) return;
    this.#publishing = true;
    while (!this.publishQueue.isEmpty) {
      try {
        this.publishQueue.deliverNext(this);
      } catch (error) {
        failed(this, null, error);
      }
    }
    this.#publishing = false;
    this.announcer.announceSoon();
    const links = this.#dirtyLinks;
    for (let i = 0; i < links.length; i++) {
      const link = links[i] as Link;
      link.dirty = false;
      if (this.isOpen(link)) this.#flushSafely(link);
    }
    links.length = 0;
    const batches = this.#batches;
    for (let i = 0; i < batches.length; i++) (batches[i] as Batch).reset();
    batches.length = 0;
    // Closing a slow consumer takes its interest away, which others must be told.
    if (this.announcer.isPending || !this.publishQueue.isEmpty) this.flush();
  }

  /** One link's output goes to its transport now; before a change of framing. */
  flushNow(link: Link): void {
    if (link.leaf !== null) handOverAll(this, link, link.leaf.output);
    else if (link.out.bytes > 0) link.queued = link.out.flush(this.outlet, link.id);
    if (link.queued > 0 && link.writeAt === 0) writeBegan(this, link);
  }

  #flushSafely(link: Link): void {
    try {
      this.#flushLink(link);
    } catch (error) {
      failed(this, link, error);
    }
  }

  #flushLink(link: Link): void {
    const output = link.leaf?.output;
    if (output !== undefined) {
      flushLeaf(this, link, output);
      if (output.isHeld || link.queued > 0) this.checkPending(link);
      return;
    }
    if (link.queued > 0) {
      link.out.settle();
      this.checkPending(link);
      return;
    }
    link.queued = link.out.flush(this.outlet, link.id);
    if (link.queued > 0) {
      if (link.writeAt === 0) writeBegan(this, link);
      this.checkPending(link);
    } else link.lastDrain = this.now;
  }

  /** Enforces the bound on what waits for a link, and pauses a producer that fills it. */
  checkPending(link: Link): void {
    this.stallsOf.check(link);
  }

  /** Stops reading from a producer until `resume`. */
  pauseFor(source: Link): void {
    this.stallsOf.pause(source);
  }

  resume(link: Link): void {
    this.stallsOf.resume(link);
  }

  log(level: LogLevel, link: Link | null, text: string): void {
    this.world.log(level, link === null ? "" : link.label, text);
  }

  trace(link: Link, arrow: "<<-" | "->>" | "<->", text: string): void {
    this.world.log("trace", link.label, `${arrow} [${text}]`);
  }

  hash(text: string): number {
    return hashText(this.seed, text);
  }

  /** 22 characters of base 62, as NUIDs are. */
  nuid(): string {
    return nuidOf(this.world.randomBytes(22));
  }

  #open(
    kind: typeof KIND_CLIENT | typeof KIND_LEAF,
    place: LinkPlace,
    account: Account,
    now: Millis,
  ): Link {
    const id = this.#nextId++;
    const origin = originOf(place, labelOf(place, kind, id), this.options);
    const link = new Link(id, kind, account, this.pool, origin, now);
    this.links.set(id, link);
    if (kind === KIND_CLIENT) {
      this.clientCount++;
      account.clients.add(link);
    }
    return link;
  }

  #feed(link: Link, chunk: Uint8Array, owned: boolean): void {
    if (!this.isOpen(link)) return;
    link.lastByte = this.now;
    if (link.state === "authenticating") {
      this.#hold(link, owned ? chunk : copyOf(chunk, 0, chunk.length));
      return;
    }
    const protocol = link.kind === KIND_LEAF ? this.leafProtocol : this.#client;
    // What was received may open the link's window, or show that it tells nothing.
    if (link.leaf !== null && link.leaf.output.isHeld && !link.dirty) this.markDirty(link);
    this.current = link;
    this.message.owned = owned;
    let taken = chunk.length;
    try {
      taken = parseChunk(protocol, link, chunk, this.pool);
    } catch (error) {
      failed(this, link, error);
    }
    this.run.close();
    this.current = null;
    // Parsing may have put the link into this state, which the compiler cannot see.
    if (taken < chunk.length && (link.state as string) === "authenticating")
      this.#hold(link, copyOf(chunk, taken, chunk.length));
  }

  #hold(link: Link, rest: Uint8Array): void {
    if (this.#held.hold(link, rest)) this.outlet.pause(link.id);
    else this.close(link, "Slow Consumer (Pending Bytes)", false);
  }
}
