/**
 * `/explainz`, Frond's own: whether a message published here on a subject would cross each leaf link, in each
 * direction, and if not everything that stops it, by name and place in the configuration.
 */
import {
  explain,
  isValidLiteral,
  latin1ToUtf8,
  remoteRule,
  utf8ToLatin1,
  type Link,
  type Reason,
  type Verdict,
} from "../core/index.ts";
import { timestamp } from "./formats.ts";
import { type JsonObject, omit } from "./json.ts";
import { remoteAddress } from "./linkz.ts";
import { MonitorError, type Query, queryText } from "./query.ts";
import type { MonitorState, RemoteView } from "./state.ts";

export interface ExplainOptions {
  /** `$G` by default. */
  readonly account?: string;
  readonly subject: string;
}

/** What one link, up or down, does to a message. */
export interface ExplainedLink {
  /** The configured remote's number; null for a link that was accepted. */
  readonly remoteId: number | null;
  /** `nats://hub:7422` of a remote, the peer's address of an accepted link. */
  readonly url: string;
  readonly state: RemoteView["state"];
  readonly since: string;
  readonly lastError: string;
  /** The number of the link, null while there is none. */
  readonly linkId: number | null;
  readonly role: "hub" | "spoke";
  readonly remoteServer: string;
  readonly remoteAccount: string;
  /** Published here: does it reach the other end? */
  readonly out: ExplainedVerdict;
  /** Published there: does it reach us? */
  readonly in: ExplainedVerdict;
}

export interface ExplainedVerdict {
  readonly crosses: boolean;
  readonly reasons: readonly ExplainedReason[];
  readonly note: string;
}

export interface ExplainedReason {
  /** The option, the permission (`export`, `publish`, …) or the cause (`no-interest`, `link-state`, …). */
  readonly rule: Reason["rule"];
  readonly entry: string;
  readonly list: "allow" | "deny" | null;
  readonly text: string;
  /** `file:line:column`, an option's path, or "" where the rule is not in this server's configuration. */
  readonly where: string;
}

export interface Explanation {
  readonly account: string;
  readonly subject: string;
  readonly serverName: string;
  /** False: no such account is in use here, nor configured for a remote. */
  readonly accountKnown: boolean;
  readonly links: readonly ExplainedLink[];
  readonly notes: readonly string[];
}

export function explainOptions(query: Query): ExplainOptions {
  return { account: queryText(query, "acc"), subject: queryText(query, "subject") };
}

/** Throws a `MonitorError` for what nobody can publish to. */
export function explainSubject(state: MonitorState, options: ExplainOptions): Explanation {
  const { engine } = state;
  const name = options.account || engine.global.name;
  const subject = utf8ToLatin1(options.subject);
  if (!isValidLiteral(subject)) {
    const what = options.subject === "" ? "no subject given" : `"${options.subject}" is no subject`;
    throw new MonitorError(400, `${what} that can be published to`);
  }
  const account = engine.accounts.get(name);
  const remotes = state.remotes.filter((remote) => remote.account === name);
  const links: ExplainedLink[] = [];
  const up = account === undefined ? [] : explain(account, subject);
  for (const remote of remotes) {
    const live = up.find(({ link }) => link === remote.link);
    links.push(
      live === undefined
        ? downEntry(state, remote, subject)
        : { ...linkEntry(state, live.link, live), ...remoteFacts(remote) },
    );
  }
  for (const live of up) {
    if (remotes.some((remote) => remote.link === live.link)) continue;
    links.push(linkEntry(state, live.link, live));
  }
  return {
    account: name,
    subject: options.subject,
    serverName: engine.options.serverName,
    accountKnown: account !== undefined || remotes.length > 0,
    links,
    notes: notes(state, name, links),
  };
}

export function explainz(state: MonitorState, options: ExplainOptions): JsonObject {
  const found = explainSubject(state, options);
  return {
    server_id: state.engine.options.serverId,
    server_name: found.serverName,
    now: timestamp(state.now),
    account: found.account,
    account_known: found.accountKnown,
    subject: found.subject,
    links: found.links.map((link) => ({
      remote_id: link.remoteId,
      url: link.url,
      state: link.state,
      since: link.since,
      last_error: omit(link.lastError),
      link_id: link.linkId,
      role: link.role,
      remote_server: omit(link.remoteServer),
      remote_account: omit(link.remoteAccount),
      out: verdictJson(link.out),
      in: verdictJson(link.in),
    })),
    notes: omit(found.notes),
  };
}

function verdictJson(verdict: ExplainedVerdict): JsonObject {
  return {
    crosses: verdict.crosses,
    reasons: omit(
      verdict.reasons.map(({ rule, entry, list, text, where }) => ({
        rule,
        list: list ?? undefined,
        entry: omit(entry),
        text,
        where: omit(where),
      })),
    ),
    note: omit(verdict.note),
  };
}

function linkEntry(
  state: MonitorState,
  link: Link,
  verdicts: { readonly out: Verdict; readonly in: Verdict },
): ExplainedLink {
  const { leaf } = link;
  return {
    remoteId: null,
    url: `${link.host}:${link.port}`,
    state: leaf?.registered === true ? "up" : "handshake",
    since: timestamp(link.opened),
    lastError: leaf?.lastError ?? "",
    linkId: link.id,
    role: leaf?.isSpoke === true ? "spoke" : "hub",
    remoteServer: leaf?.remoteServer ?? "",
    remoteAccount: leaf?.remoteAccount ?? "",
    out: verdict(state, verdicts.out),
    in: verdict(state, verdicts.in),
  };
}

type RemoteFacts = Pick<ExplainedLink, "remoteId" | "url" | "state" | "since" | "lastError">;

function remoteFacts(remote: RemoteView): RemoteFacts {
  return {
    remoteId: remote.id,
    url: `${remote.currentUrl.scheme}://${remoteAddress(remote)}`,
    state: remote.state,
    since: timestamp(remote.since),
    lastError: remote.lastError,
  };
}

/** A remote without a link: its state stops everything, and so may its own options once it is up. */
function downEntry(state: MonitorState, remote: RemoteView, subject: string): ExplainedLink {
  const verdictOf = (direction: "out" | "in"): ExplainedVerdict => {
    const rule = remoteRule({ ...remote.rules, id: String(remote.id) }, direction, subject);
    const why = remote.lastError === "" ? "" : `: ${remote.lastError}`;
    const text = `the link is not up (${remote.state})${why}`;
    const down: Reason = {
      rule: "link-state",
      entry: "",
      list: null,
      source: { kind: "remote", id: String(remote.id) },
      text,
    };
    return verdict(state, {
      crosses: false,
      reasons: rule === null ? [down] : [down, rule],
      note: "",
    });
  };
  return {
    ...remoteFacts(remote),
    linkId: null,
    role: remote.rules.hub ? "hub" : "spoke",
    remoteServer: "",
    remoteAccount: "",
    out: verdictOf("out"),
    in: verdictOf("in"),
  };
}

function verdict(state: MonitorState, { crosses, reasons, note }: Verdict): ExplainedVerdict {
  return {
    crosses,
    reasons: reasons.map((reason) => ({
      rule: reason.rule,
      entry: latin1ToUtf8(reason.entry),
      list: reason.list,
      text: reason.text,
      where: state.place(reason),
    })),
    note,
  };
}

function notes(state: MonitorState, name: string, links: readonly ExplainedLink[]): string[] {
  const found: string[] = [];
  const account = state.engine.accounts.get(name);
  if (account !== undefined && account.ingress !== null) {
    found.push(
      "the account has mappings or service imports: they may change the subject before it is looked up",
    );
  }
  if (links.some((link) => link.remoteId === null)) {
    found.push(
      "a leaf does not tell its hub what its own deny_exports and allow_exports hold back: explain it there",
    );
  }
  return found;
}
