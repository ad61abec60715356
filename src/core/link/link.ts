/**
 * One connection of any kind, and a subscription it holds. `Link` is plain state with all fields set in one
 * order, so that the hot path stays monomorphic; what a link does is in `client.ts`, `leaf.ts` and `routing/`.
 */
import type { Account } from "../account/account.ts";
import type { LinkPermissions, SubjectFilter } from "../account/permissions.ts";
import type {
  AcceptedUser,
  ConnectionType,
  Credentials,
  LinkId,
  Millis,
  TlsState,
} from "../contract.ts";
import type { Engine } from "../engine.ts";
import type { Message } from "../protocol/message.ts";
import { ParseState } from "../protocol/parse-state.ts";
import type { ClosedState } from "./closed-state.ts";
import type { Cookies } from "./credentials.ts";
import type { LeafOutput } from "./leaf-output.ts";
import type { LeafState } from "./leaf-state.ts";
import type { BufferPool } from "../bytes/pool.ts";
import { Outbox } from "./outbound.ts";

export const KIND_CLIENT = 0;
export const KIND_LEAF = 1;
/** Held by the server itself: services, shadow subscriptions of imports. */
export const KIND_INTERNAL = 2;
export type LinkKind = typeof KIND_CLIENT | typeof KIND_LEAF | typeof KIND_INTERNAL;

/**
 * The life of a link. `authenticating` waits for a verdict with reading paused; `closing` has been told to
 * close and takes no more input.
 */
export type LinkState =
  | "awaitingInfo"
  | "awaitingConnect"
  | "authenticating"
  | "active"
  | "closing"
  | "closed";

/** Called for each message that reaches an internal subscription. */
export type InternalHandler = (message: InternalMessage) => void;

/** A message as internal subscribers see it; strings are latin1, the arrays are copies. */
export interface InternalMessage {
  readonly subject: string;
  readonly reply: string;
  readonly header: Uint8Array | null;
  readonly payload: Uint8Array;
  /** The link it came from, or null for one that the server sent itself. */
  readonly source: Link | null;
  readonly account: Account;
}

/** What works on messages in place instead of being handed copies: imports and their responses. */
export interface Receiver {
  /** Takes the engine's message; returns how many it was delivered to. */
  receive(engine: Engine, source: Link | null, m: Message, queue: string): number;
}

export class Subscription {
  readonly id: number;
  readonly link: Link;
  readonly subject: string;
  /** "" for a plain subscription. */
  readonly queue: string;
  readonly sid: string;
  /** ` <sid> `: what stands between the subject and the rest of a MSG line. */
  readonly sidPart: Uint8Array;
  /** Members behind a leaf link for a queue group, else 1. */
  weight: number;
  /** Auto-unsubscribe limit, counted since SUB; 0 = none. */
  max = 0;
  delivered = 0;
  closed = false;
  readonly handler: InternalHandler | null;
  readonly receiver: Receiver | null;

  constructor(
    id: number,
    link: Link,
    names: { subject: string; queue: string; sid: string },
    handler: InternalHandler | null = null,
    receiver: Receiver | null = null,
  ) {
    this.id = id;
    this.link = link;
    this.subject = names.subject;
    this.queue = names.queue;
    this.sid = names.sid;
    this.sidPart = new Uint8Array(names.sid.length + 2);
    this.sidPart[0] = 32;
    for (let i = 0; i < names.sid.length; i++) this.sidPart[i + 1] = names.sid.charCodeAt(i);
    this.sidPart[names.sid.length + 1] = 32;
    this.weight = 1;
    this.handler = handler;
    this.receiver = receiver;
  }
}

/** What CONNECT said, for monitoring and events. */
export interface PeerNames {
  name: string;
  lang: string;
  version: string;
}

export class Link {
  readonly id: LinkId;
  readonly kind: LinkKind;
  state: LinkState;
  account: Account;
  readonly out: Outbox;
  readonly parse: ParseState;
  /** Bytes that the transport holds for this link. */
  queued = 0;
  /** On the engine's list of links to flush. */
  dirty = false;
  echo = true;
  verbose = true;
  pedantic = true;
  headers = false;
  noResponders = false;
  /** Publishing is restricted: the filter is part of the match cache's answer. */
  publishFilter: SubjectFilter | null = null;
  /** Deliveries need a look: deny lists that overlap a subscription, tracked replies, a leaf's send filter. */
  checksDelivery = false;
  permissions: LinkPermissions | null = null;
  subs: Map<string, Subscription> | null = null;
  leaf: LeafState | null = null;
  maxPayload: number;
  maxSubscriptions: number;
  inMsgs = 0;
  inBytes = 0;
  outMsgs = 0;
  outBytes = 0;
  stalls = 0;
  /** Replies that `allow_responses` lets this link publish to: reply -> count and time. */
  replies: Map<string, { count: number; at: Millis }> | null = null;
  /** The peer's address; a PROXY header may correct it. */
  host: string;
  port: number;
  readonly connectionType: ConnectionType;
  readonly cookies: Cookies | null;
  /** permessage-deflate was agreed on the WebSocket: S2 on top would gain nothing. */
  deflate: boolean;
  readonly opened: Millis;
  label: string;
  nonce = "";
  tls: TlsState | null;
  user: AcceptedUser | null = null;
  peer: PeerNames | null = null;
  /** What CONNECT proved its user with, to be asked again at a reload. */
  credentials: Credentials | null = null;
  protocol = 0;
  /** CONNECT was processed (or `no_auth_user` stood in for it). */
  connected = false;
  sentConnectInfo = false;
  firstPongSent = false;
  lastActivity: Millis;
  pingsOut = 0;
  pingSent: Millis = 0;
  /** Milliseconds; 0 = not measured yet. */
  rtt = 0;
  rttAt: Millis = 0;
  closedReason: ClosedState | null = null;
  /** Reading is paused since a receiver's outbox fills faster than it empties. */
  stalled = false;
  /** The leaf link whose held output must shrink first. */
  waitsFor: LeafOutput | null = null;
  /** Chunks that arrived while `authenticating`; bounded. */
  held: Uint8Array[] | null = null;
  heldBytes = 0;
  /** Deadlines by kind, in engine time; 0 = none. The engine's timer queue checks them. */
  pingAt: Millis = 0;
  /** The earliest slot in the timer queue; 0 = none. */
  timerAt: Millis = 0;
  /** When bytes of any kind last came, and when the transport last took bytes of ours. */
  lastByte: Millis;
  lastDrain: Millis;
  authAt: Millis = 0;
  resumeAt: Millis = 0;
  expireAt: Millis = 0;
  /** Holds as many subscriptions as its limit allows, since the limit fell: to be closed then. */
  overfullAt: Millis = 0;
  /** When the write that is under way began, when it must have moved, and how far it was. */
  writeSince: Millis = 0;
  writeAt: Millis = 0;
  progress = 0;
  /** A write took too long, and the link was kept. */
  slow = false;

  constructor(
    id: LinkId,
    kind: LinkKind,
    account: Account,
    pool: BufferPool,
    where: LinkOrigin,
    now: Millis,
  ) {
    this.id = id;
    this.kind = kind;
    this.state = "awaitingConnect";
    this.account = account;
    this.out = new Outbox(pool);
    this.parse = new ParseState();
    this.maxPayload = where.maxPayload;
    this.maxSubscriptions = where.maxSubscriptions;
    this.host = where.host;
    this.port = where.port;
    this.connectionType = where.connectionType;
    this.cookies = where.cookies;
    this.deflate = where.deflate;
    this.label = where.label;
    this.tls = where.tls;
    this.opened = now;
    this.lastActivity = now;
    this.lastByte = now;
    this.lastDrain = now;
  }
}

export interface LinkOrigin {
  readonly host: string;
  readonly port: number;
  readonly connectionType: ConnectionType;
  readonly label: string;
  readonly tls: TlsState | null;
  readonly cookies: Cookies | null;
  readonly deflate: boolean;
  readonly maxPayload: number;
  readonly maxSubscriptions: number;
}
