/**
 * What the servers of a run are set up to do, and what may be delivered in them: users and their rules, subjects, what
 * becomes of a subject on its way, and messages that say of themselves who published them, where, and in which order.
 *
 * Account A has mappings (`m.*`) and a service; account B imports the service as `ask` and the stream `ev.*`, on the
 * hub only. Leaf links join both accounts of each spoke with those of the hub.
 */
import {
  type AccountSpec,
  emptySpec,
  type ImportSpec,
  type Permissions,
} from "../../src/core/index.ts";
import type { TestUser } from "../../src/testing/fixtures.ts";
import { Random } from "../../src/testing/random.ts";

export const HUB = "HUB";

/** What a run has drawn for all its servers. */
export interface Rules {
  /** Leaf links of account A have rules of their own. */
  readonly leafRules: boolean;
  /** The imported stream has other subjects in account B. */
  readonly renamed: boolean;
}

export type User = "full" | "some" | "most" | "b";

interface UserRules {
  readonly publish: { readonly allow: readonly string[] | null; readonly deny: readonly string[] };
  /** Of deliveries; no user is refused a subscription. */
  readonly denied: readonly string[];
}

export const USERS: Readonly<Record<User, UserRules>> = {
  full: { publish: { allow: null, deny: [] }, denied: [] },
  some: {
    publish: { allow: ["ok.>", "ev.>", "mm.>"], deny: ["ok.no.>", "ev.2"] },
    denied: [],
  },
  most: { publish: { allow: null, deny: ["ok.1", "ok.2", "ev.1"] }, denied: ["ok.5"] },
  b: { publish: { allow: null, deny: [] }, denied: [] },
};
const UP_DENIED = ["up.no.>"];
const DOWN_DENIED = ["down.no.>", "ok.7"];

export const PUBLISHED = {
  A: words("ok.1 ok.2 ok.3 ok.5 ok.7 ok.no.1 ev.1 ev.2 ev.3 m.1 m.2 other.1").concat(
    words("up.1 up.no.1 down.1 down.no.1"),
  ),
  B: words("ask bx.1 ev.1"),
};

export const SUBSCRIBED = {
  A: words("> ok.> ok.* ok.1 ok.2 ok.no.1 ev.* ev.1 mm.* mm.> svc.x int.>").concat(
    words("up.> up.no.1 down.> down.no.1 lat.> _INBOX.>"),
  ),
  B: words("> ev.> ev.1 ev.* bev.> bev.1 _INBOX.>"),
};

function words(text: string): readonly string[] {
  return text.split(" ");
}

export function accountOf(user: User): "A" | "B" {
  return user === "b" ? "B" : "A";
}

export function testUsers(rules: Rules): Readonly<Record<string, TestUser>> {
  const permissions = (user: User): Permissions | null => {
    if (user === "full" || user === "b") return null;
    const { publish, denied } = USERS[user];
    return { publish, subscribe: { allow: null, deny: denied }, responses: null };
  };
  const leaf: Permissions = {
    publish: { allow: null, deny: UP_DENIED },
    subscribe: { allow: null, deny: DOWN_DENIED },
    responses: null,
  };
  return {
    full: { account: "A" },
    some: { account: "A", permissions: permissions("some") },
    most: { account: "A", permissions: permissions("most") },
    b: { account: "B" },
    leafA: { account: "A", permissions: rules.leafRules ? leaf : null },
    leafB: { account: "B" },
  };
}

export function accounts(random: Random, host: string, rules: Rules): readonly AccountSpec[] {
  const stream: ImportSpec = {
    kind: "stream",
    account: "A",
    subject: "ev.*",
    to: rules.renamed ? "bev.*" : "ev.*",
    allowTrace: false,
  };
  const service: ImportSpec = {
    kind: "service",
    account: "A",
    subject: "svc.x",
    to: "ask",
    share: random.chance(0.5),
  };
  return [
    {
      ...emptySpec("A"),
      exports: [
        {
          subject: "svc.>",
          responseType: random.pick(["singleton", "stream"]),
          threshold: 120_000,
          latency: random.chance(0.3) ? { subject: "lat.x", sampling: 100 } : null,
          allowTrace: false,
        },
      ],
      mappings: [
        {
          source: "m.*",
          destinations: [
            { subject: "mm.{{wildcard(1)}}", weight: 60, cluster: "" },
            { subject: "ev.{{wildcard(1)}}", weight: 40, cluster: "" },
          ],
        },
      ],
    },
    {
      ...emptySpec("B"),
      imports: host === HUB ? [stream, service] : [],
    },
  ];
}

export function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split(".");
  const tokens = subject.split(".");
  for (const [i, token] of wanted.entries()) {
    if (token === ">") return tokens.length > i;
    if (i >= tokens.length || (token !== "*" && token !== tokens[i])) return false;
  }
  return wanted.length === tokens.length;
}

function matchesSome(patterns: readonly string[], subject: string): boolean {
  return patterns.some((pattern) => matches(pattern, subject));
}

function mayPublish(user: User, subject: string): boolean {
  const { allow, deny } = USERS[user].publish;
  return (allow === null || matchesSome(allow, subject)) && !matchesSome(deny, subject);
}

/** Whether the leaf links let a message of account A pass from one server to another. */
export function mayCross(rules: Rules, subject: string, from: string, to: string): boolean {
  if (!rules.leafRules || from === to) return true;
  return (
    (from === HUB || !matchesSome(UP_DENIED, subject)) &&
    (to === HUB || !matchesSome(DOWN_DENIED, subject))
  );
}

/** What account A's mapping makes of a subject: one of these. */
function mapped(user: User, subject: string): readonly string[] {
  const isMapped = accountOf(user) === "A" && /^m\.[^.]+$/.test(subject);
  return isMapped ? [`m${subject}`, subject.replace("m.", "ev.")] : [subject];
}

/** As which subjects subscribers in `account` may see what was published, on the hub if it is another account. */
export function seenAs(
  rules: Rules,
  user: User,
  subject: string,
  account: "A" | "B",
): readonly string[] {
  // Permissions are asked about the mapped subject alone.
  const names = mapped(user, subject).filter((name) => mayPublish(user, name));
  if (accountOf(user) === account) return names;
  if (account === "A") return subject === "ask" ? ["svc.x"] : [];
  const streamed = names.filter((name) => /^ev\.[^.]+$/.test(name));
  return rules.renamed ? streamed.map((name) => `b${name}`) : streamed;
}

/** Whether a subscription to `pattern` in the account gets a message whatever is drawn for it. */
export function isSureOf(
  rules: Rules,
  user: User,
  subject: string,
  account: "A" | "B",
  pattern: string,
): boolean {
  // Who answers a request, if anybody, is not known.
  if (subject === "ask" && account === "A") return false;
  const seen = seenAs(rules, user, subject, account);
  return (
    seen.length === mapped(user, subject).length && seen.every((name) => matches(pattern, name))
  );
}

/** What a message says of itself. */
export interface Origin {
  readonly user: User;
  readonly host: string;
  /** As it was published. */
  readonly subject: string;
  /** The link it was published on; 0 for the server. */
  readonly link: number;
  readonly seq: number;
}

/** No part of it is like another, so that bytes of another place or message show. */
const NOISE = Buffer.from(new Random(1).bytes(256 * 1024));
const LONG_NOISE = Buffer.concat([NOISE, NOISE, NOISE]);

const BODY_MOST = 512 * 1024;

export function bodyOf({ user, host, subject, link, seq }: Origin, size: number): Buffer {
  const head = `${user} ${host} ${subject} ${link} ${seq} ${size}|`;
  const at = seq % NOISE.length;
  return Buffer.concat([Buffer.from(head), LONG_NOISE.subarray(at, at + size)]);
}

/** The origin of a body; a text says what is wrong with it. */
export function readBody(body: Buffer): Origin | string {
  const bar = body.indexOf("|");
  const head = body.toString("latin1", 0, Math.min(bar < 0 ? 100 : bar, 100));
  const [user = "", host = "", subject = "", link = "", seq = "", size = ""] = head.split(" ");
  if (bar < 0 || !(user in USERS)) return `no body of ours: ${JSON.stringify(head)}`;
  const length = body.length - bar - 1;
  if (Number(size) !== length) return `${length} bytes of ${JSON.stringify(head)}`;
  const at = Number(seq) % NOISE.length;
  if (LONG_NOISE.compare(body, bar + 1, body.length, at, at + length) !== 0) {
    let wrong = 0;
    while (LONG_NOISE[at + wrong] === body[bar + 1 + wrong]) wrong++;
    return `byte ${wrong} of ${JSON.stringify(head)} is wrong`;
  }
  return { user: user as User, host, subject, link: Number(link), seq: Number(seq) };
}

/** Mostly small; some around the size from which receivers keep slices, some above it. */
export function randomSize(random: Random): number {
  const kind = random.below(24);
  if (kind < 12) return random.below(200);
  if (kind < 17) return random.below(5000);
  if (kind < 19) return 32 * 1024 - 60 + random.below(120);
  if (kind < 21) return 30_000 + random.below(20_000);
  if (kind < 23) return 60_000 + random.below(80_000);
  return random.below(BODY_MOST);
}
