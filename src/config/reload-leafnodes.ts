/**
 * What differs between two `leafnodes` blocks: TLS, compression and the list of remotes may change, and all of a
 * remote, whose link alone is then dialled anew.
 */
import { formatDuration } from "./duration.ts";
import type { CompressionOptions, LeafNodesOptions, LeafRemoteOptions } from "./options.ts";
import { authorizationDifference, showMillis, showOption } from "./reload-show.ts";
import { snakeCase } from "./rows.ts";
import { LEAFNODES } from "./schema-leafnodes.ts";
import { REMOTE, remoteIdentity, remoteName } from "./schema-remotes.ts";

export interface OptionChange {
  /** The member of `Options`, or a dotted name below one. */
  readonly name: string;
  /** Notices to log once it took effect. */
  readonly log: readonly string[];
}

export interface OptionsDiff {
  readonly changes: readonly OptionChange[];
  /** Why this cannot be reloaded; the first is what a user should read. Empty: it can. */
  readonly refusals: readonly string[];
}

/** Refusals lack the words that come before the block's name. */
export function diffLeafNodes(before: LeafNodesOptions, after: LeafNodesOptions): OptionsDiff {
  const changes: OptionChange[] = [];
  const log: string[] = [];
  const refusals = frozenDifferences(before, after);
  const [old, next] = [before.tls?.handshakeFirst, after.tls?.handshakeFirst];
  if (!same(old, next)) {
    log.push(`Reloaded: LeafNode TLS HandshakeFirst value is: ${next?.enabled ?? false}`);
    const delay = formatDuration(next?.fallback ?? 0);
    log.push(`Reloaded: LeafNode TLS HandshakeFirstFallback value is: ${delay}`);
  }
  if (!same(before.compression, after.compression)) {
    const value = showCompression(after.compression);
    log.push(`Reloaded: LeafNode Compression value is: ${value}`);
  }
  const remotes = diffRemotes(before.remotes, after.remotes);
  if (log.length > 0 || after.tls !== null) changes.push({ name: "leafnodes", log });
  return {
    changes: [...changes, ...remotes.changes],
    refusals: [...refusals, ...remotes.refusals],
  };
}

function diffRemotes(
  before: readonly LeafRemoteOptions[],
  after: readonly LeafRemoteOptions[],
): OptionsDiff {
  const changes: OptionChange[] = [];
  const log: string[] = [];
  const known = new Map(before.map((remote) => [remoteIdentity(remote), remote]));
  const kept = new Set(after.map(remoteIdentity));
  for (const remote of before) {
    if (!kept.has(remoteIdentity(remote))) {
      log.push(`Reloaded: LeafNode Remote ${remoteName(remote)} removed`);
    }
  }
  for (const remote of after) {
    const old = known.get(remoteIdentity(remote));
    if (old === undefined) continue;
    log.push(...remoteLines(old, remote, remoteName(remote)));
  }
  const ids = (list: readonly LeafRemoteOptions[]): string => list.map(remoteIdentity).join("\n");
  if (log.length > 0 || ids(before) !== ids(after) || after.some((remote) => remote.tls)) {
    changes.push({ name: "leafnodes.remotes", log });
  }
  return { changes, refusals: [] };
}

function remoteLines(old: LeafRemoteOptions, next: LeafRemoteOptions, name: string): string[] {
  const lines: string[] = [];
  const prefix = `Reloaded: LeafNode Remote ${name}`;
  const first = next.tls?.handshakeFirst.enabled ?? false;
  if ((old.tls?.handshakeFirst.enabled ?? false) !== first) {
    lines.push(`${prefix} TLS HandshakeFirst value is: ${first}`);
  }
  if (!same(old.compression, next.compression)) {
    lines.push(`${prefix} Compression value is: ${showCompression(next.compression)}`);
  }
  if (old.disabled !== next.disabled) lines.push(`${prefix} Disabled value is: ${next.disabled}`);
  for (const member of REMOTE.members.keys()) {
    if (SAID.has(member) || same(old[member], next[member])) continue;
    lines.push(`${prefix} ${goName(member)} value is: ${showOption(next[member])}`);
  }
  return lines;
}

/** Members with lines of nats-server's, and one whose passwords are not shown. */
const SAID = new Set<keyof LeafRemoteOptions>(["tls", "compression", "disabled", "proxy"]);

/** What is agreed on when a link is made: another value needs another link. */
const AGREED: readonly (keyof LeafRemoteOptions)[] = [
  "hub",
  "denyImports",
  "denyExports",
  "allowImports",
  "allowExports",
  "wsCompression",
  "wsNoMasking",
  "isolateLeafnodeInterest",
  "requestIsolation",
  "compression",
  "proxy",
  "maxPending",
  "pendingPolicy",
];

/** Whether a remote's link must be made anew for its new options. */
export function needsNewLink(old: LeafRemoteOptions, next: LeafRemoteOptions): boolean {
  return AGREED.some((member) => !same(old[member], next[member]));
}

/** `denyImports` as nats-server names it: `DenyImports`. */
const goName = (member: string): string =>
  snakeCase(member)
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");

/** The members that may not change but did. */
function frozenDifferences(before: LeafNodesOptions, after: LeafNodesOptions): string[] {
  const found: string[] = [];
  for (const [member, { reload }] of LEAFNODES.members) {
    if (reload === "hot" || same(before[member], after[member])) continue;
    if (member === "authorization") {
      found.push(authorizationDifference(before.authorization, after.authorization));
      continue;
    }
    const name = FIELDS[member] ?? goName(member);
    found.push(
      `field "${name}": old=${showMember(member, before)}, new=${showMember(member, after)}`,
    );
  }
  return found;
}

/** Fields of nats-server's that have another name. */
const FIELDS: Partial<Record<keyof LeafNodesOptions, string>> = { reconnect: "ReconnectInterval" };

function showMember(member: keyof LeafNodesOptions, options: LeafNodesOptions): string {
  switch (member) {
    case "host":
      // Without a listener there is no address either.
      return options.port === 0 ? "" : options.host;
    case "reconnect":
    case "dialTimeout":
    case "writeDeadline":
      return showMillis(options[member]);
    default:
      return showOption(options[member]);
  }
}

/** As nats-server prints its pair of mode and thresholds. */
function showCompression({ mode, rttThresholds }: CompressionOptions): string {
  const defaults = mode === "s2_auto" && rttThresholds.length === 0 ? [10, 50, 100] : rttThresholds;
  return `{${mode} [${defaults.map(formatDuration).join(" ")}]}`;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
