/**
 * What differs between two configurations, for a reload: the changes that can take effect with the lines to
 * log, and the differences that forbid the reload, in nats-server's words.
 *
 * Whether an option may change is said by its row in the table of options.
 */
import { formatDuration } from "./duration.ts";
import type { Options, TlsOptions } from "./options.ts";
import { type OptionChange, type OptionsDiff, diffLeafNodes } from "./reload-leafnodes.ts";
import { showMillis, showOption } from "./reload-show.ts";
import { snakeCase } from "./rows.ts";
import { OPTIONS } from "./schema.ts";
import { allNkeys } from "./validate.ts";
import { quote } from "./value.ts";

type Member = keyof Options;

/** Names in refusals where they are not the member's with capitals. */
const REFUSAL_NAMES: Partial<Record<Member, string>> = {
  httpPort: "HTTPPort",
  httpHost: "HTTPHost",
  httpsPort: "HTTPSPort",
  httpBasePath: "HTTPBasePath",
  maxSubscriptions: "MaxSubs",
  allowNonTls: "AllowNonTLS",
  disableSublistCache: "NoSublistCache",
  logMaxNum: "LogMaxFiles",
  operator: "TrustedOperators",
  defaultJsDomain: "JsAccDefaultDomain",
};

/** Values in refusals that are shown in another form than they are kept in. */
const SHOWN: Partial<Record<Member, (options: Options) => string>> = {
  lameDuckDuration: (o) => showMillis(o.lameDuckDuration),
  lameDuckGracePeriod: (o) => showMillis(o.lameDuckGracePeriod),
  writeTimeout: (o) => (o.writeTimeout === "default" ? "" : o.writeTimeout),
};

/** Options whose line is `Reloaded: <text>`; the rest of the hot ones show `<name> = <value>`. */
const LINES: Partial<Record<Member, (options: Options) => readonly string[]>> = {
  clientAdvertise: (o) => [`Reload: client_advertise = ${o.clientAdvertise ?? ""}`],
  serverTags: () => ["Reloaded: tags"],
  serverMetadata: () => ["Reloaded: metadata"],
  pingInterval: (o) => [`Reloaded: ping_interval = ${formatDuration(o.pingInterval)}`],
  writeDeadline: (o) => [`Reloaded: write_deadline = ${formatDuration(o.writeDeadline)}`],
  noFastProducerStall: (o) => [
    `Reloaded: fast producers will ${o.noFastProducerStall ? "not " : ""}be stalled`,
  ],
  // Applied with the accounts.
  mappings: () => [],
  resolver: () => ["Reloaded: accounts"],
  resolverTls: () => ["Reloaded: accounts"],
  resolverPreload: () => [],
  resolverPinnedAccounts: () => [],
};

/** Options compared in a way of their own. */
const SPECIAL = new Set<Member>([
  "authorization",
  "accounts",
  "tls",
  "leafnodes",
  "websocket",
  "proxies",
  "noAuthUser",
  "systemAccount",
]);

/** Compares all options of two configurations. */
export function diffOptions(before: Options, after: Options): OptionsDiff {
  const diff = { changes: new Array<OptionChange>(), refusals: new Array<string>() };
  for (const name of OPTIONS.members.keys()) {
    if (!SPECIAL.has(name) && !same(before[name], after[name])) {
      diffMember(name, before, after, diff);
    }
  }
  diffTls(before.tls, after.tls, diff);
  diffAuthorization(before, after, diff);
  diffProxies(before, after, diff);
  diffNames(before, after, diff);
  const leafnodes = diffLeafNodes(before.leafnodes, after.leafnodes);
  diff.changes.push(...leafnodes.changes);
  for (const refusal of leafnodes.refusals) {
    diff.refusals.push(`config reload not supported for LeafNode: ${refusal}`);
  }
  const plain = (o: Options): unknown => o.websocket && { ...o.websocket, tls: null };
  if (!same(plain(before), plain(after))) {
    refuse("Websocket", before.websocket?.port ?? "", after.websocket?.port ?? "", diff);
  } else if (after.websocket?.tls) {
    diff.changes.push({ name: "websocket.tls", log: [] });
  }
  return diff;
}

interface Draft {
  readonly changes: OptionChange[];
  readonly refusals: string[];
}

function refuse(name: string, old: unknown, next: unknown, diff: Draft): void {
  diff.refusals.push(
    `config reload not supported for ${name}: old=${showOption(old)}, new=${showOption(next)}`,
  );
}

function diffMember(name: Member, before: Options, after: Options, diff: Draft): void {
  // A port that resolves to 0 keeps what it was.
  if (name === "port" && after.port === 0) return;
  if (name === "resolver" && (before.resolver === null) !== (after.resolver === null)) {
    diff.refusals.push("config reload does not support moving to or from an account resolver");
    return;
  }
  if (OPTIONS.members.get(name)?.reload !== "hot") {
    const title = REFUSAL_NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
    const show = SHOWN[name] ?? ((options: Options): unknown => options[name]);
    refuse(title, show(before), show(after), diff);
    return;
  }
  const log = LINES[name]?.(after) ?? [`Reloaded: ${snakeCase(name)} = ${showOption(after[name])}`];
  diff.changes.push({ name, log });
}

/** Certificates may have changed though their names have not: TLS is always set up anew. */
function diffTls(before: TlsOptions | null, after: TlsOptions | null, diff: Draft): void {
  if (before === null && after === null) return;
  const refused = [
    ["TLSMap", before?.verifyAndMap ?? false, after?.verifyAndMap ?? false],
    ["TLSRateLimit", before?.connectionRateLimit ?? 0, after?.connectionRateLimit ?? 0],
  ] as const;
  for (const [name, old, next] of refused) if (old !== next) refuse(name, old, next, diff);
  const state = `Reloaded: tls = ${after === null ? "disabled" : "enabled"}`;
  const log = same(handshakeRules(before), handshakeRules(after)) ? [] : [state];
  const seconds = (after?.timeout ?? 2000) / 1000;
  if (seconds !== (before?.timeout ?? 2000) / 1000) log.push(`Reloaded: tls timeout = ${seconds}`);
  const pins = after?.pinnedCerts ?? [];
  if (!same(before?.pinnedCerts ?? [], pins)) log.push(`Reloaded: ${pins.length} pinned_certs`);
  const first = after?.handshakeFirst;
  const old = before?.handshakeFirst;
  if ((first?.enabled ?? false) !== (old?.enabled ?? false)) {
    log.push(`Reloaded: Client TLS handshake first: ${first?.enabled ?? false}`);
  }
  if ((first?.fallback ?? 0) !== (old?.fallback ?? 0)) {
    const delay = formatDuration(first?.fallback ?? 0);
    log.push(`Reloaded: Client TLS handshake first fallback delay: ${delay}`);
  }
  diff.changes.push({ name: "tls", log });
}

/** What of a TLS block the line on TLS itself is about; the rest has lines of its own. */
function handshakeRules(tls: TlsOptions | null): unknown {
  return tls && { ...tls, timeout: null, pinnedCerts: null, handshakeFirst: null };
}

/** Users and accounts are always set up anew: connections are judged again at every reload. */
function diffAuthorization(before: Options, after: Options, diff: Draft): void {
  const [old, next] = [before.authorization, after.authorization];
  if (!same(old?.authCallout ?? null, next?.authCallout ?? null)) {
    refuse("AuthCallout", old?.authCallout?.issuer ?? "", next?.authCallout?.issuer ?? "", diff);
  }
  const required = [old?.proxyRequired ?? false, next?.proxyRequired ?? false] as const;
  if (required[0] !== required[1]) refuse("ProxyRequired", ...required, diff);
  const log: string[] = [];
  const words = [
    ["user", "username"],
    ["password", "password"],
    ["token", "token"],
  ] as const;
  for (const [member, word] of words) {
    const isChanged = (old?.[member] ?? "") !== (next?.[member] ?? "");
    if (isChanged) log.push(`Reloaded: authorization ${word}`);
  }
  const timeout = loginTimeout(after);
  if (timeout !== loginTimeout(before)) {
    log.push(`Reloaded: authorization timeout = ${timeout / 1000}`);
  }
  log.push("Reloaded: authorization users");
  if (!same(allNkeys(before), allNkeys(after))) log.push("Reloaded: authorization nkey users");
  diff.changes.push({ name: "authorization", log });
  diff.changes.push({ name: "accounts", log: ["Reloaded: accounts"] });
}

/** The time for a login, as it is where nothing is said of it. */
function loginTimeout({ authorization, tls }: Options): number {
  return authorization?.timeout ?? (tls === null ? 2000 : (tls.timeout ?? 2000) + 1000);
}

function diffProxies(before: Options, after: Options, diff: Draft): void {
  const old = before.proxies?.trusted ?? [];
  const next = after.proxies?.trusted ?? [];
  const removed = old.filter((key) => !next.includes(key));
  const added = next.filter((key) => !old.includes(key));
  const line = (keys: readonly string[], verb: string): string[] =>
    keys.length === 0
      ? []
      : [`Reloaded: proxies trusted keys [${keys.map(quote).join(" ")}] were ${verb}`];
  const log = [...line(removed, "removed"), ...line(added, "added")];
  if (log.length > 0) diff.changes.push({ name: "proxies", log });
}

/** Names of a user and an account that may only be removed, and that not always. */
function diffNames(before: Options, after: Options, diff: Draft): void {
  const [oldUser, newUser] = [before.noAuthUser ?? "", after.noAuthUser ?? ""];
  if (oldUser !== newUser) {
    const users = [
      ...(after.authorization?.users ?? []),
      ...(after.accounts ?? []).flatMap((account) => account.users),
    ];
    const remains = users.some(({ user }) => user === oldUser);
    if (oldUser === "" || newUser !== "" || remains) refuse("NoAuthUser", oldUser, newUser, diff);
    else diff.changes.push({ name: "noAuthUser", log: [] });
  }
  const [oldSystem, newSystem] = [before.systemAccount ?? "", after.systemAccount ?? ""];
  if (oldSystem !== newSystem && (oldSystem !== "$SYS" || newSystem !== "")) {
    refuse("SystemAccount", oldSystem, newSystem, diff);
  }
}

/** Options are plain data in one order of members. */
function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
