/**
 * The client protocol: what each verb of a client does. `publish` is on the hot path; everything else is
 * control traffic.
 */
import { goQuote, latin1, latin1ToUtf8, parseSize, utf8ToLatin1 } from "../bytes/ascii.ts";
import { LinkPermissions } from "../account/permissions.ts";
import type { AcceptedUser, AuthRequest, AuthVerdict } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { WIRE_ERRORS } from "../protocol/errors.ts";
import { CLIENT_CONNECT, type Fields, parseFields } from "../protocol/connect.ts";
import { type Message, Tokens } from "../protocol/message.ts";
import type { Protocol } from "../protocol/parser.ts";
import { CLIENT_VERBS, type Verb } from "../protocol/verbs.ts";
import { hashBytes } from "../subject/match-cache.ts";
import { isValidInterest, isValidLiteral } from "../subject/subject.ts";
import { route } from "../routing/publish.ts";
import type { Run } from "../routing/run.ts";
import { mayAskForTrace, publishTraced, traceOversized } from "../routing/trace-request.ts";
import { anyone } from "./anyone.ts";
import { credentialsOf } from "./credentials.ts";
import { clientInfo } from "./client-info.ts";
import { firstPing, gotPong, pingInterval, schedule } from "./deadlines.ts";
import type { Link } from "./link.ts";
import { applyLimits, endOverfull, hasAllSubscriptions } from "./link-limits.ts";
import { redactConnect, sendOk, traceMessage, traceText } from "./trace.ts";

const FIRST_PING_MOST = 2000;

export class ClientProtocol implements Protocol {
  readonly verbs = CLIENT_VERBS;
  readonly fastVerb = new Uint8Array([80, 85, 66, 32]); // "PUB "
  readonly seed: number;
  readonly message: Message;
  readonly run: Run;
  readonly #engine: Engine;
  readonly #tokens = new Tokens(5);

  constructor(engine: Engine) {
    this.#engine = engine;
    this.seed = engine.seed;
    this.message = engine.message;
    this.run = engine.run;
  }

  /** Sends the first INFO, checks the limit on connections, starts the timers. */
  opened(
    link: Link,
    place: { readonly tlsOptional?: boolean; readonly addressPending?: boolean },
  ): void {
    const engine = this.#engine;
    const { authenticator, options } = engine;
    const required = authenticator.required(link.connectionType);
    if (authenticator.needsNonce()) link.nonce = makeNonce(engine);
    engine.log("debug", link, "Client connection created");
    const { tlsOptional = false, addressPending = false } = place;
    const occasion = { tlsOptional, addressPending, first: true, ldm: false };
    engine.sendUtf8(link, clientInfo(engine, link, occasion));
    if (options.maxConnections < 0 || engine.clientCount > options.maxConnections) {
      engine.log("error", link, WIRE_ERRORS.maxConnections);
      engine.fail(link, WIRE_ERRORS.maxConnections, "Maximum Connections Exceeded");
      return;
    }
    link.state = required ? "awaitingConnect" : "active";
    if (required) {
      const websocket = link.connectionType === "WEBSOCKET" ? options.websocket : null;
      link.authAt = engine.now + (websocket?.authTimeout ?? options.authTimeout);
    }
    link.pingAt = engine.now + pingInterval(engine, link);
    schedule(engine, link);
  }

  admits(link: Link, firstByte: number): boolean {
    if (link.state !== "awaitingConnect" || firstByte === 67 || firstByte === 99) return true;
    const engine = this.#engine;
    if (engine.authenticator.admitsWithoutConnect(link.connectionType)) {
      this.#begin(link);
      this.#authenticate(link, null);
      // A verdict that waits leaves the bytes where they are.
      return this.#isActive(link);
    }
    engine.log("error", link, "authentication error");
    engine.fail(link, WIRE_ERRORS.authorization, "Authentication Failure");
    return false;
  }

  maxControlLine(_link: Link): number {
    return this.#engine.options.maxControlLine;
  }

  checkSize(link: Link, size: number, end: number): boolean {
    if (link.maxPayload < 0 || size <= link.maxPayload) return true;
    const engine = this.#engine;
    traceOversized(engine, link, this.message, end);
    engine.log("error", link, `maximum payload exceeded: ${size} vs ${link.maxPayload}`);
    engine.fail(link, WIRE_ERRORS.maxPayload, "Maximum Message Payload Exceeded");
    return false;
  }

  publish(link: Link): void {
    const m = this.message;
    if (m.headerEnd !== 0 && mayAskForTrace(m)) this.#publishTraced(link, m);
    else publish(this.#engine, link, m);
  }

  #publishTraced(link: Link, m: Message): void {
    const engine = this.#engine;
    publishTraced(engine, link, m, (from, view) => publish(engine, from, view));
  }

  line(link: Link, verb: Verb, bytes: Uint8Array, start: number, end: number): boolean {
    switch (verb) {
      case "PUB":
        return this.#pub(link, bytes, start, end, false);
      case "HPUB":
        return this.#pub(link, bytes, start, end, true);
      case "SUB":
        this.#sub(link, bytes, start, end);
        return false;
      case "UNSUB":
        this.#unsub(link, bytes, start, end);
        return false;
      case "CONNECT":
        this.#connect(link, latin1ToUtf8(latin1(bytes, start, end)));
        return false;
      case "INFO":
        if (typeof parseFields(latin1ToUtf8(latin1(bytes, start, end)), {}) === "string") {
          this.#violation(link, "invalid character in INFO");
        }
        return false;
      default:
        this.#engine.log("error", link, `Client Error ${latin1(bytes, start, end)}`);
        this.#engine.close(link, "Parse Error");
        return false;
    }
  }

  bare(link: Link, verb: Verb): void {
    const engine = this.#engine;
    if (engine.options.trace) engine.trace(link, "<<-", verb);
    if (verb === "PONG") gotPong(engine, link);
    else if (verb === "PING") this.#ping(link);
  }

  unknownOperation(link: Link, bytes: Uint8Array, at: number, end: number): void {
    const engine = this.#engine;
    const snippet = goQuote(latin1(bytes, at, Math.min(at + 32, end)));
    engine.log("error", link, `Client parser ERROR, state=0, i=${at}: proto='${snippet}...'`);
    engine.fail(link, WIRE_ERRORS.unknownOperation, "Protocol Violation");
  }

  controlLineExceeded(link: Link): void {
    const engine = this.#engine;
    engine.log("error", link, WIRE_ERRORS.maxControlLine);
    engine.fail(link, WIRE_ERRORS.maxControlLine, "Maximum Control Line Exceeded");
  }

  /** Applies a verdict; also called later, for one that had to wait. */
  decided(link: Link, verdict: AuthVerdict): void {
    const engine = this.#engine;
    if (!verdict.ok) {
      engine.log("error", link, `authentication error${verdict.who}`);
      engine.sendError(link, verdict.error);
      engine.observer.refused?.(link, verdict);
      engine.close(link, verdict.reason);
      return;
    }
    link.state = "active";
    const account = engine.account(verdict.account);
    const limit = account.limits.maxConnections;
    if (limit >= 0 && countOthers(account.clients, link) >= limit) {
      engine.log("error", link, WIRE_ERRORS.maxAccountConnections);
      engine.fail(link, WIRE_ERRORS.maxAccountConnections, "Maximum Account Connections Exceeded");
      return;
    }
    engine.bind(link, account);
    this.applyUser(link, verdict);
    this.#relabel(link);
    if (link.protocol !== 0 && link.protocol !== 1) {
      engine.log("error", link, WIRE_ERRORS.invalidClientProtocol);
      engine.fail(link, WIRE_ERRORS.invalidClientProtocol, "Bad Client Protocol Version");
      return;
    }
    if (link.noResponders && !link.headers) {
      engine.log("error", link, WIRE_ERRORS.noRespondersNeedsHeaders);
      engine.fail(link, WIRE_ERRORS.noRespondersNeedsHeaders, "No Responders Requires Headers");
      return;
    }
    if (link.verbose) sendOk(engine, link);
    endOverfull(engine, link);
    engine.observer.ready?.(link);
  }

  /** Permissions and limits of a user; also after a reload. */
  applyUser(link: Link, user: AcceptedUser): void {
    link.user = user;
    link.permissions = user.permissions === null ? null : new LinkPermissions(user.permissions);
    link.publishFilter = link.permissions?.publish ?? null;
    link.checksDelivery =
      user.permissions !== null &&
      (user.permissions.subscribe.deny.length > 0 || user.permissions.responses !== null);
    applyLimits(this.#engine, link);
    link.expireAt = user.expires ?? 0;
    if (link.expireAt > 0) schedule(this.#engine, link);
  }

  #isActive(link: Link): boolean {
    return link.state === "active";
  }

  /**
   * After a reload: a client that would not be let in any more is told and closed; another gets the rules of
   * its user as it is now, and loses the subscriptions that these forbid.
   */
  reauthorize(link: Link): void {
    const engine = this.#engine;
    if (!engine.authenticator.required(link.connectionType)) {
      this.rebind(link, anyone(link.credentials));
      return;
    }
    const later = (verdict: AuthVerdict): void => {
      if (!engine.isOpen(link)) return;
      this.#reauthorized(link, verdict);
      engine.flush();
    };
    const verdict = engine.authenticator.authenticate(this.#request(link), later);
    if (verdict !== null) this.#reauthorized(link, verdict);
  }

  #reauthorized(link: Link, verdict: AuthVerdict): void {
    if (verdict.ok) this.rebind(link, verdict);
    else this.decided(link, verdict);
  }

  /** Another account, other rules or limits for a live client. */
  rebind(link: Link, user: AcceptedUser): void {
    const engine = this.#engine;
    const account = engine.account(user.account);
    if (account !== link.account) {
      const subs = [...(link.subs?.values() ?? [])];
      engine.dropSubscriptions(link);
      engine.bind(link, account);
      for (const old of subs) {
        const sub = engine.newSubscription(link, old);
        sub.max = old.max;
        link.subs ??= new Map();
        link.subs.set(sub.sid, sub);
        engine.addSubscription(sub);
      }
    }
    this.applyUser(link, user);
    for (const sub of link.subs?.values() ?? []) {
      if (link.permissions?.subscribe.allowsSubscription(sub.subject, sub.queue) ?? true) continue;
      const byQueue = sub.queue === "" ? "" : ` using queue ${goQuote(sub.queue)}`;
      engine.sendError(
        link,
        `Permissions Violation for Subscription to ${goQuote(sub.subject)}${byQueue} (sid ${goQuote(sub.sid)})`,
      );
      engine.log("notice", link, `Removed sub ${goQuote(sub.subject)}${byQueue} - not authorized`);
      link.subs?.delete(sub.sid);
      engine.removeSubscription(sub);
    }
    account.forgetResults();
  }

  #connect(link: Link, json: string): void {
    const engine = this.#engine;
    if (engine.options.trace) engine.trace(link, "<<-", `CONNECT ${redactConnect(json)}`);
    const fields = parseFields(json, CLIENT_CONNECT);
    if (typeof fields === "string") {
      this.#violation(link, fields);
      return;
    }
    if (link.connected) {
      engine.dropSubscriptions(link);
      engine.bind(link, engine.global);
      link.permissions = link.publishFilter = null;
      link.checksDelivery = false;
    }
    this.#begin(link);
    this.#merge(link, fields);
    this.#authenticate(link, fields);
  }

  /** CONNECT (or what stands in for it) has come. */
  #begin(link: Link): void {
    link.connected = true;
    link.authAt = 0;
    if (link.rtt !== 0) return;
    // The first estimate, as the reference: from accept to CONNECT; the first PONG replaces it.
    link.rtt = Math.max(this.#engine.now - link.opened, 0.001);
    firstPing(this.#engine, link, FIRST_PING_MOST);
  }

  #merge(link: Link, fields: Fields): void {
    link.verbose = fields.bool("verbose") ?? link.verbose;
    link.pedantic = fields.bool("pedantic") ?? link.pedantic;
    link.echo = fields.bool("echo") ?? link.echo;
    const headers = fields.bool("headers");
    if (headers !== undefined) link.headers = headers && this.#engine.options.headers;
    link.noResponders = fields.bool("no_responders") ?? link.noResponders;
    if (fields.values.has("protocol")) link.protocol = fields.int("protocol");
    const peer = (link.peer ??= { name: "", lang: "", version: "" });
    for (const key of ["name", "lang", "version"] as const) {
      if (fields.values.has(key)) peer[key] = fields.string(key);
    }
  }

  #authenticate(link: Link, fields: Fields | null): void {
    const engine = this.#engine;
    const { authenticator } = engine;
    if (
      fields !== null &&
      (fields.string("account") !== "" || fields.bool("new_account") === true)
    ) {
      this.decided(link, {
        ok: false,
        error: WIRE_ERRORS.authorization,
        reason: "Authentication Failure",
        who: "",
      });
      return;
    }
    link.credentials = credentialsOf(fields, link.cookies);
    if (link.state === "active") link.state = "awaitingConnect";
    const verdict = authenticator.required(link.connectionType)
      ? authenticator.authenticate(this.#request(link), (later) =>
          engine.authenticated(link, later),
        )
      : anyone(link.credentials);
    if (verdict !== null) this.decided(link, verdict);
    else {
      link.state = "authenticating";
      this.#relabel(link);
    }
  }

  #request(link: Link): AuthRequest {
    return {
      link: link.id,
      kind: "client",
      connectionType: link.connectionType,
      credentials: link.credentials ?? credentialsOf(null),
      name: link.peer?.name ?? "",
      lang: link.peer?.lang ?? "",
      version: link.peer?.version ?? "",
      protocol: link.protocol,
      nonce: link.nonce,
      host: link.host,
      tls: link.tls,
      now: this.#engine.now,
    };
  }

  /** After CONNECT, log lines name the client's library and user. */
  #relabel(link: Link): void {
    const { peer, user } = link;
    const base = link.label.split(" - ").slice(0, 2).join(" - ");
    const names = [peer?.version ? `v${peer.version}` : "", peer?.lang ?? "", peer?.name ?? ""];
    const client = names.filter((part) => part !== "").join(":");
    const who =
      user !== null && user.label !== ""
        ? ` - ${quoted(`${link.account.label}/${user.label}`)}`
        : "";
    link.label = `${base}${client === "" ? "" : ` - ${quoted(client)}`}${who}`;
  }

  #ping(link: Link): void {
    const engine = this.#engine;
    link.lastActivity = engine.now;
    engine.send(link, "PONG\r\n");
    if (engine.options.trace) engine.trace(link, "->>", "PONG");
    link.firstPongSent = true;
    if (!link.connected || link.sentConnectInfo) return;
    link.sentConnectInfo = true;
    if (link.protocol >= 1) {
      engine.sendUtf8(
        link,
        clientInfo(engine, link, { tlsOptional: false, first: false, ldm: false }),
      );
    }
  }

  #pub(link: Link, bytes: Uint8Array, start: number, end: number, headers: boolean): boolean {
    const tokens = this.#tokens;
    const count = tokens.split(bytes, start, end);
    const least = headers ? 3 : 2;
    const name = headers ? "processHeaderPub" : "processPub";
    if (headers && !link.headers) return this.#violation(link, "message headers not supported");
    if (count < least || count > least + 1) {
      return this.#violation(link, `${name} Parse Error: ${goQuote(latin1(bytes, start, end))}`);
    }
    const { starts, ends } = tokens;
    const m = this.message;
    m.entry = null;
    m.queues = null;
    m.subjectStart = starts[0] as number;
    m.subjectEnd = ends[0] as number;
    m.hash = hashBytes(this.seed, bytes, m.subjectStart, m.subjectEnd);
    const reply = count > least;
    m.replyStart = reply ? (starts[1] as number) : 0;
    m.replyEnd = reply ? (ends[1] as number) : 0;
    m.sizeStart = starts[count - 1] as number;
    m.sizeEnd = ends[count - 1] as number;
    m.headerStart = headers ? (starts[count - 2] as number) : 0;
    m.headerEnd = headers ? (ends[count - 2] as number) : 0;
    m.size = parseSize(bytes, m.sizeStart, m.sizeEnd);
    m.headerLength = headers ? parseSize(bytes, m.headerStart, m.headerEnd) : 0;
    const shown = (): string => goQuote(latin1(bytes, start, end));
    if (headers && m.headerLength < 0) {
      return this.#violation(link, `${name} Bad or Missing Header Size: ${shown()}`);
    }
    if (m.size < 0) return this.#violation(link, `${name} Bad or Missing Size: ${shown()}`);
    if (m.headerLength > m.size) {
      return this.#violation(link, `${name} Header Size larger then TotalSize: ${shown()}`);
    }
    m.restStart = isCanonical(bytes, tokens, end) ? (starts[1] as number) : -1;
    if (headers && m.headerLength === 0) {
      // No header block: delivered as a plain message.
      m.headerStart = m.headerEnd = 0;
      m.restStart = -1;
    }
    return true;
  }

  #sub(link: Link, bytes: Uint8Array, start: number, end: number): void {
    const engine = this.#engine;
    const tokens = this.#tokens;
    const count = tokens.split(bytes, start, end);
    const text = latin1(bytes, start, end);
    if (engine.options.trace) engine.trace(link, "<<-", `SUB ${traceText(text)}`);
    if (count < 2 || count > 3) {
      this.#violation(link, `processSub Parse Error: ${goQuote(text)}`);
      return;
    }
    link.lastActivity = engine.now;
    const token = (k: number): string => latin1(bytes, tokens.starts[k] ?? 0, tokens.ends[k] ?? 0);
    const subject = token(0);
    const queue = count === 3 ? token(1) : "";
    const sid = token(count - 1);
    const refusal = this.#refusal(link, subject, queue, sid);
    if (refusal !== null) {
      engine.sendError(link, refusal);
      return;
    }
    link.subs ??= new Map();
    // A SID in use keeps its subscription, whatever the new subject.
    if (!link.subs.has(sid)) {
      if (!isValidInterest(subject)) {
        engine.sendError(link, WIRE_ERRORS.invalidSubject);
        return;
      }
      const sub = engine.newSubscription(link, { subject, queue, sid });
      link.subs.set(sid, sub);
      engine.addSubscription(sub);
    }
    if (link.verbose) sendOk(engine, link);
  }

  /** The -ERR text that refuses a SUB, or null. */
  #refusal(link: Link, subject: string, queue: string, sid: string): string | null {
    const engine = this.#engine;
    const quoted = goQuote(subject);
    const byQueue = queue === "" ? "" : ` using queue ${goQuote(queue)}`;
    const permitted = link.permissions?.subscribe.allowsSubscription(subject, queue) ?? true;
    if (!permitted || queue === "_sys_") {
      const inQueue = queue === "" ? "" : `, Queue: ${goQuote(queue)}`;
      engine.log("error", link, `Subscription Violation - Subject ${quoted}${inQueue}, SID ${sid}`);
      return `Permissions Violation for Subscription to ${quoted}${byQueue}`;
    }
    const maxTokens = engine.options.maxSubTokens;
    if (maxTokens > 0 && subject.split(".").length > maxTokens) {
      engine.log(
        "error",
        link,
        `Subscription Violation Too Many Tokens - Subject ${quoted}, SID ${sid}`,
      );
      return `Permissions Violation for Subscription to ${quoted}, too many tokens`;
    }
    if (hasAllSubscriptions(link)) {
      engine.log("error", link, WIRE_ERRORS.maxSubscriptions);
      return WIRE_ERRORS.maxSubscriptions;
    }
    return null;
  }

  #unsub(link: Link, bytes: Uint8Array, start: number, end: number): void {
    const engine = this.#engine;
    const tokens = this.#tokens;
    const count = tokens.split(bytes, start, end);
    const text = latin1(bytes, start, end);
    if (engine.options.trace) engine.trace(link, "<<-", `UNSUB ${traceText(text)}`);
    if (count < 1 || count > 2) {
      this.#violation(link, `processUnsub Parse Error: ${goQuote(text)}`);
      return;
    }
    link.lastActivity = engine.now;
    const sid = latin1(bytes, tokens.starts[0] ?? 0, tokens.ends[0] ?? 0);
    const max = count === 2 ? parseSize(bytes, tokens.starts[1] ?? 0, tokens.ends[1] ?? 0) : 0;
    const sub = link.subs?.get(sid);
    if (sub !== undefined) {
      if (max > sub.delivered) {
        sub.max = max;
        link.account.touch(sub);
      } else {
        link.subs?.delete(sid);
        engine.removeSubscription(sub);
      }
    }
    if (link.verbose) sendOk(engine, link);
  }

  /** An error that is only logged: the link closes without -ERR. Returns false for the parser. */
  #violation(link: Link, text: string): false {
    this.#engine.log("error", link, text);
    this.#engine.close(link, "Protocol Violation");
    return false;
  }
}

function publish(engine: Engine, link: Link, m: Message): void {
  link.inMsgs++;
  link.inBytes += m.size;
  link.lastActivity = engine.now;
  if (engine.options.trace) traceMessage(engine, link, m, m.headerEnd === 0 ? "PUB" : "HPUB");
  if (link.pedantic && !isValidLiteral(subjectText(m))) {
    engine.sendError(link, WIRE_ERRORS.invalidPublishSubject);
  }
  route(engine, link, m);
}

/** Single blanks between tokens and CRLF at the end: the rest of the frame can go out as it stands. */
export function isCanonical(bytes: Uint8Array, tokens: Tokens, end: number): boolean {
  for (let k = 1; k < tokens.count; k++) {
    const start = tokens.starts[k] as number;
    if (start !== (tokens.ends[k - 1] as number) + 1 || bytes[start - 1] !== 32) return false;
  }
  return tokens.ends[tokens.count - 1] === end && bytes[end] === 13 && bytes[end + 1] === 10;
}

export function makeNonce(engine: Engine): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  let text = "";
  for (const byte of engine.world.randomBytes(15)) text += alphabet.charAt(byte & 63);
  return text;
}

function countOthers(links: ReadonlySet<Link>, self: Link): number {
  return links.has(self) ? links.size - 1 : links.size;
}

function quoted(text: string): string {
  return goQuote(utf8ToLatin1(text));
}

function subjectText(m: Message): string {
  return latin1(m.bytes, m.subjectStart, m.subjectEnd);
}
