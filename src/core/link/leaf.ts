/**
 * The leaf node protocol in both roles once bytes are parsed: LS+ LS- LMSG HMSG, permissions on both ends,
 * loop detection. The handshake is in `leaf-handshake.ts`. `publish` is on the hot path.
 */
import { trackReply } from "./tracked-replies.ts";
import type { Match, QueueGroup } from "../account/match-result.ts";
import { goQuote, latin1, latin1ToUtf8, parseSize } from "../bytes/ascii.ts";
import type { AuthVerdict } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { WIRE_ERRORS } from "../protocol/errors.ts";
import { type Message, Tokens } from "../protocol/message.ts";
import type { Protocol } from "../protocol/parser.ts";
import { LEAF_VERBS, type Verb } from "../protocol/verbs.ts";
import { hasWildcard, isValidInterest } from "../subject/subject.ts";
import type { Run } from "../routing/run.ts";
import { mayBeReserved } from "../routing/deliver-one.ts";
import { hashBytes } from "../subject/match-cache.ts";
import { dispatch, mayAnswer } from "../routing/publish.ts";
import { mayAskForTrace, publishTraced } from "../routing/trace-request.ts";
import { gotPong } from "./deadlines.ts";
import { isCanonical } from "./client.ts";
import { deliverAcked } from "./leaf-ack.ts";
import { LeafHandshake } from "./leaf-handshake.ts";
import { loopText, reactToError } from "./leaf-errors.ts";
import { hasAllSubscriptions } from "./link-limits.ts";
import type { Link, Subscription } from "./link.ts";
import { Refusals } from "./refusals.ts";
import { traceMessage, traceText } from "./trace.ts";

const NO_QUEUES: readonly string[] = [];
const LOOP_DELAY = 30_000;
const DOLLAR = 36;
const PONG_BYTES = 6;

export class LeafProtocol implements Protocol {
  readonly verbs = LEAF_VERBS;
  readonly fastVerb = new Uint8Array([76, 77, 83, 71, 32]); // "LMSG "
  readonly seed: number;
  readonly message: Message;
  readonly run: Run;
  readonly handshake: LeafHandshake;
  readonly #engine: Engine;
  readonly #tokens = new Tokens(4096);
  readonly #refusals: Refusals;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#refusals = new Refusals(engine);
    this.seed = engine.seed;
    this.message = engine.message;
    this.run = engine.run;
    this.handshake = new LeafHandshake(engine);
  }

  admits(link: Link, firstByte: number): boolean {
    if (link.state !== "awaitingConnect" || firstByte === 67 || firstByte === 99) return true;
    if ((firstByte === 73 || firstByte === 105) && this.handshake.awaitsNegotiation(link))
      return true;
    const engine = this.#engine;
    engine.log("error", link, "authentication error");
    engine.fail(link, WIRE_ERRORS.authorization, "Authentication Failure");
    return false;
  }

  maxControlLine(_link: Link): number {
    return this.#engine.options.maxControlLine * 16;
  }

  checkSize(link: Link, size: number): boolean {
    if (link.maxPayload <= 0 || size <= link.maxPayload) return true;
    const engine = this.#engine;
    engine.log("error", link, `maximum payload exceeded: ${size} vs ${link.maxPayload}`);
    engine.fail(link, WIRE_ERRORS.maxPayload, "Maximum Message Payload Exceeded");
    return false;
  }

  publish(link: Link): void {
    const m = this.message;
    m.queues ??= NO_QUEUES;
    if (m.headerEnd !== 0 && mayAskForTrace(m)) this.#publishTraced(link, m);
    else this.#publish(link, m);
  }

  #publishTraced(link: Link, m: Message): void {
    publishTraced(this.#engine, link, m, (from, view) => this.#publish(from, view));
  }

  #publish(link: Link, m: Message): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null) return;
    link.inMsgs++;
    link.inBytes += m.size;
    link.lastActivity = engine.now;
    if (engine.options.trace) traceMessage(engine, link, m, m.headerEnd === 0 ? "LMSG" : "HMSG");
    const account = link.account;
    const isFiltered =
      leaf.receiveFilter !== null || (leaf.quietReceive !== null && mayBeReserved(m));
    const match = isFiltered ? account.matchForFilters(m) : account.matchMessage(m);
    if (isFiltered) {
      if (!this.#mayReceive(link, m, match)) return;
    }
    if (account.ingress !== null && !account.ingress.admit(link)) return;
    if (
      m.replyEnd !== 0 &&
      m.bytes[m.replyStart] === DOLLAR &&
      deliverAcked(engine, link, m, match)
    )
      return;
    dispatch(engine, link, m, match);
  }

  line(link: Link, verb: Verb, bytes: Uint8Array, start: number, end: number): boolean {
    const engine = this.#engine;
    switch (verb) {
      case "LMSG":
        return this.#lmsg(link, bytes, start, end, false);
      case "HMSG":
        return this.#lmsg(link, bytes, start, end, true);
      case "LS+":
        this.#subscribe(link, bytes, start, end);
        return false;
      case "LS-":
        this.#unsubscribe(link, latin1(bytes, start, end));
        return false;
      case "CONNECT":
        this.handshake.connect(link, latin1ToUtf8(latin1(bytes, start, end)));
        return false;
      case "INFO":
        this.handshake.info(link, latin1ToUtf8(latin1(bytes, start, end)));
        return false;
      default: {
        const text = latin1ToUtf8(latin1(bytes, start, end));
        if (engine.options.trace) engine.trace(link, "<<-", `-ERR ${text}`);
        engine.log("error", link, `Leafnode Error ${text}`);
        reactToError(engine, link, text);
        return false;
      }
    }
  }

  bare(link: Link, verb: Verb): void {
    const engine = this.#engine;
    if (engine.options.trace) engine.trace(link, "<<-", verb);
    if (verb === "PONG") {
      gotPong(engine, link);
      this.handshake.rttChanged(link);
    } else if (verb === "PING") {
      link.lastActivity = engine.now;
      this.#pong(link);
      if (engine.options.trace) engine.trace(link, "->>", "PONG");
    }
  }

  /** In order with what flows freely, and in front of what is held. */
  #pong(link: Link): void {
    const engine = this.#engine;
    const output = link.leaf?.output;
    const room = output?.window.room(engine.now, link.inBytes) ?? 0;
    if (output === undefined || (!output.isHeld && room >= output.waiting(link) + PONG_BYTES)) {
      engine.send(link, "PONG\r\n");
      return;
    }
    output.pongs++;
    if (!link.dirty) engine.markDirty(link);
  }

  unknownOperation(link: Link, bytes: Uint8Array, at: number, end: number): void {
    const engine = this.#engine;
    const snippet = goQuote(latin1(bytes, at, Math.min(at + 32, end)));
    engine.log("error", link, `Leafnode parser ERROR, state=0, i=${at}: proto='${snippet}...'`);
    engine.fail(link, WIRE_ERRORS.unknownOperation, "Protocol Violation");
  }

  controlLineExceeded(link: Link): void {
    const engine = this.#engine;
    engine.log("error", link, WIRE_ERRORS.maxControlLine);
    engine.fail(link, WIRE_ERRORS.maxControlLine, "Maximum Control Line Exceeded");
  }

  decided(link: Link, verdict: AuthVerdict): void {
    this.handshake.decided(link, verdict);
  }

  /** Which of the chosen groups may cross; null if nothing may. An empty list stands for the plain part alone. */
  permits(
    link: Link,
    m: Message,
    match: Match,
    groups: readonly QueueGroup[] | null,
  ): readonly QueueGroup[] | null {
    const leaf = link.leaf;
    if (leaf === null) return null;
    const subject = (): string => latin1(m.bytes, m.subjectStart, m.subjectEnd);
    for (const filter of [leaf.sendFilter, leaf.quietSend]) {
      if (filter !== null && !match.allows(filter, subject)) {
        if (!this.#isResponse(subject())) {
          this.#engine.log("debug", link, `Not permitted to deliver to ${goQuote(subject())}`);
          leaf.refusedOut++;
          if (filter === leaf.quietSend) this.#refusals.noteBorder(link, "out", subject());
          else this.#refusals.note(link, "out", subject());
          return null;
        }
      }
    }
    const responses = link.permissions?.source.responses ?? null;
    if (responses !== null && m.replyEnd !== 0) {
      const reply = latin1(m.bytes, m.replyStart, m.replyEnd);
      if (leaf.sendFilter !== null && !leaf.sendFilter.allows(reply)) {
        trackReply(link, reply, this.#engine.now);
      }
    }
    if (groups === null) return [];
    const filter = leaf.sendFilter;
    const kept = groups.filter((group) => filter === null || !filter.denies(subject(), group.name));
    return kept.length === 0 && !hasPlain(match, link) ? null : kept;
  }

  permitsQueue(link: Link, m: Message, sub: Subscription): boolean {
    const leaf = link.leaf;
    if (leaf === null) return false;
    const subject = latin1(m.bytes, m.subjectStart, m.subjectEnd);
    for (const filter of [leaf.sendFilter, leaf.quietSend]) {
      if (filter === null) continue;
      if (filter.allows(subject) && !filter.denies(subject, sub.queue)) continue;
      if (filter === leaf.quietSend) this.#refusals.noteBorder(link, "out", subject);
      else this.#refusals.note(link, "out", subject);
      return false;
    }
    return true;
  }

  #isResponse(subject: string): boolean {
    return subject.startsWith("_R_.");
  }

  /** Inbound permission: a hub answers a violation with -ERR and closes; a spoke drops without a word. */
  #mayReceive(link: Link, m: Message, match: Match): boolean {
    const engine = this.#engine;
    const leaf = link.leaf;
    if (leaf === null) return false;
    const subject = (): string => latin1(m.bytes, m.subjectStart, m.subjectEnd);
    const quiet = leaf.isSpoke ? leaf.quietReceive : null;
    const filter = leaf.receiveFilter;
    const refused =
      (filter !== null && !match.allows(filter, subject)) ||
      (quiet !== null && !match.allows(quiet, subject));
    if (!refused) return true;
    const text = subject();
    if (text.startsWith("_R_.") || text.startsWith("$JS.ACK.") || text.startsWith("_GR_."))
      return true;
    if (!leaf.isSpoke && mayAnswer(engine, link, text)) return true;
    leaf.refusedIn++;
    if (filter === null || filter.allows(text)) this.#refusals.noteBorder(link, "in", text);
    else this.#refusals.note(link, "in", text);
    if (leaf.isSpoke) return false;
    const quoted = goQuote(text);
    engine.log("error", link, `Publish Violation on ${quoted} - Check other side configuration`);
    if (leaf.solicited) leaf.connectDelay = LOOP_DELAY;
    engine.fail(link, `Permissions Violation for Publish to ${quoted}`, "Protocol Violation");
    return false;
  }

  #lmsg(link: Link, bytes: Uint8Array, start: number, end: number, headers: boolean): boolean {
    const tokens = this.#tokens;
    const count = tokens.split(bytes, start, end);
    const numbers = headers ? 2 : 1;
    const name = headers ? "processLeafHeaderMsgArgs" : "processLeafMsgArgs";
    const text = (): string => `'${traceText(latin1(bytes, start, end))}'`;
    const list = (): string =>
      `'[${text()
        .slice(1, -1)
        .trim()
        .split(/[ \t]+/)
        .join(" ")}]'`;
    if (link.state === "awaitingConnect") return this.#violation(link, "message before CONNECT");
    // A hub that has not said who it is: no filter of the remote is in force yet, and TLS may be to come.
    if (link.state !== "active") return this.#violation(link, "message before INFO");
    if (count < 1 + numbers || count > tokens.max) {
      return this.#violation(link, `${name} Parse Error: ${list()}`);
    }
    const { starts, ends } = tokens;
    const m = this.message;
    m.entry = null;
    m.subjectStart = starts[0] as number;
    m.subjectEnd = ends[0] as number;
    m.hash = hashBytes(this.seed, bytes, m.subjectStart, m.subjectEnd);
    m.replyStart = m.replyEnd = 0;
    m.queues = NO_QUEUES;
    const names = count - numbers;
    if (names === 2) {
      m.replyStart = starts[1] as number;
      m.replyEnd = ends[1] as number;
    } else if (names > 2) {
      const indicator = latin1(bytes, starts[1] as number, ends[1] as number);
      if (indicator !== "+" && indicator !== "|") {
        return this.#violation(link, `${name} Bad or Missing Reply Indicator: '${indicator}'`);
      }
      const from = indicator === "+" ? 3 : 2;
      if (indicator === "+") {
        m.replyStart = starts[2] as number;
        m.replyEnd = ends[2] as number;
      }
      const queues: string[] = [];
      for (let k = from; k < names; k++) {
        queues.push(latin1(bytes, starts[k] as number, ends[k] as number));
      }
      m.queues = queues;
    }
    m.sizeStart = starts[count - 1] as number;
    m.sizeEnd = ends[count - 1] as number;
    m.headerStart = headers ? (starts[count - 2] as number) : 0;
    m.headerEnd = headers ? (ends[count - 2] as number) : 0;
    m.size = parseSize(bytes, m.sizeStart, m.sizeEnd);
    m.headerLength = headers ? parseSize(bytes, m.headerStart, m.headerEnd) : 0;
    if (m.headerLength < 0)
      return this.#violation(link, `${name} Bad or Missing Header Size: ${text()}`);
    if (m.size < 0) return this.#violation(link, `${name} Bad or Missing Size: ${list()}`);
    if (m.headerLength > m.size) {
      return this.#violation(link, `${name} Header Size larger then TotalSize: ${text()}`);
    }
    m.restStart = names <= 2 && isCanonical(bytes, tokens, end) ? (starts[1] as number) : -1;
    if (headers && m.headerLength === 0) {
      m.headerStart = m.headerEnd = 0;
      m.restStart = -1;
    }
    return true;
  }

  #subscribe(link: Link, bytes: Uint8Array, start: number, end: number): void {
    const engine = this.#engine;
    const leaf = link.leaf;
    const line = latin1(bytes, start, end);
    if (engine.options.trace) engine.trace(link, "<<-", `LS+ ${line}`);
    const tokens = this.#tokens;
    const count = tokens.split(bytes, start, end);
    if (leaf === null || link.state !== "active") {
      engine.fail(link, WIRE_ERRORS.authorization, "Authentication Failure");
      return;
    }
    if (count !== 1 && count !== 3) {
      this.#violation(link, `processLeafSub Parse Error: '${line}'`);
      return;
    }
    link.lastActivity = engine.now;
    const token = (k: number): string => latin1(bytes, tokens.starts[k] ?? 0, tokens.ends[k] ?? 0);
    const subject = token(0);
    const queue = count === 3 ? token(1) : "";
    // The key is the text as received, less the weight and the one separator before it.
    const key = count === 3 ? line.slice(0, (tokens.starts[2] ?? 0) - start - 1) : subject;
    const weight =
      count === 3 ? Math.max(1, parseSize(bytes, tokens.starts[2] ?? 0, tokens.ends[2] ?? 0)) : 1;
    if (subject === link.account.lds) {
      this.#loop(link);
      return;
    }
    if (!this.#mayAnnounce(link, subject)) return;
    link.subs ??= new Map();
    const known = link.subs.get(key);
    if (known !== undefined) {
      engine.setWeight(known, queue === "" ? 1 : weight);
      return;
    }
    if (hasAllSubscriptions(link)) {
      engine.log("error", link, WIRE_ERRORS.maxSubscriptions);
      engine.sendError(link, WIRE_ERRORS.maxSubscriptions);
      return;
    }
    if (!isValidInterest(subject)) {
      engine.log("error", link, "Could not insert subscription: sublist: invalid subject");
      engine.sendError(link, WIRE_ERRORS.invalidSubscription);
      return;
    }
    const sub = engine.newSubscription(link, { subject, queue, sid: key });
    sub.weight = weight;
    link.subs.set(key, sub);
    engine.addSubscription(sub);
  }

  #unsubscribe(link: Link, key: string): void {
    const engine = this.#engine;
    if (engine.options.trace) engine.trace(link, "<<-", `LS- ${key}`);
    if (link.state !== "active") {
      engine.fail(link, WIRE_ERRORS.authorization, "Authentication Failure");
      return;
    }
    link.lastActivity = engine.now;
    const sub = link.subs?.get(key.trimEnd());
    if (sub === undefined) return;
    link.subs?.delete(key.trimEnd());
    engine.removeSubscription(sub);
  }

  /** Literal interest must be allowed to be served; a hub calls the rest a violation, a spoke ignores it. */
  #mayAnnounce(link: Link, subject: string): boolean {
    const engine = this.#engine;
    const filter = link.leaf?.sendFilter ?? null;
    if (filter === null || hasWildcard(subject)) return true;
    if (/^(\$LDS\.|\$GR\.|_GR_\.)/.test(subject) || filter.allows(subject)) return true;
    const quoted = goQuote(subject);
    if (link.leaf?.isSpoke === true) {
      engine.log("debug", link, `Permissions Violation for Subscription to ${quoted}`);
      this.#refusals.note(link, "interest", subject);
      return false;
    }
    this.#refusals.note(link, "interest", subject);
    engine.log(
      "error",
      link,
      `Subscription Violation on ${quoted} - Check other side configuration`,
    );
    if (link.leaf?.solicited === true) link.leaf.connectDelay = LOOP_DELAY;
    engine.fail(link, `Permissions Violation for Subscription to ${quoted}`, "Protocol Violation");
    return false;
  }

  #loop(link: Link): void {
    const engine = this.#engine;
    const text = loopText(link.account.label);
    engine.log("error", link, text);
    if (link.leaf?.solicited === true) link.leaf.connectDelay = LOOP_DELAY;
    engine.fail(link, text, "Protocol Violation");
  }

  #violation(link: Link, text: string): false {
    this.#engine.log("error", link, text);
    this.#engine.close(link, "Protocol Violation");
    return false;
  }
}

function hasPlain(match: Match, link: Link): boolean {
  return match.result.leaves.some((sub) => sub.link === link);
}
