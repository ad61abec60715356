/**
 * `server.remotes`: every leaf link this server wants, up or down, with its history; and changes to one of them
 * that leave the others alone. What a program adds, a reload of the configuration leaves in place.
 */
import {
  optionsFromObject,
  validateOptions,
  type InputValue,
  type LeafRemoteOptions,
  type ServerUrl,
} from "../config/index.ts";
import type { Millis } from "../core/index.ts";
import { announcedKeys, roundTripStats } from "../monitoring/index.ts";
import { nodeHost } from "./node-host.ts";
import type { Remote, RemoteState } from "./remote.ts";
import type { FrondServer } from "./server.ts";
import { StartError } from "./start-error.ts";

/** Options of a remote as in `leafnodes.remotes`, in camelCase; durations in milliseconds. */
export type RemoteOptionsInput = {
  readonly [K in keyof LeafRemoteOptions | "url"]?: InputValue;
};

/** Who we are at the hub: a credentials file, an nkey seed (`SU…`), a user, or a token. */
export type RemoteCredentials =
  | { readonly credentials: string }
  | { readonly nkey: string }
  | { readonly user: string; readonly password: string }
  | { readonly token: string };

/** A remote at one moment. Numbers of a link are null while there is none. */
export interface RemoteSnapshot {
  readonly id: number;
  readonly account: string;
  readonly state: RemoteState;
  /** When `state` was entered, in milliseconds since the epoch. */
  readonly since: Millis;
  readonly required: boolean;
  /** The URL that is in use, or was last tried, without credentials. */
  readonly url: string;
  readonly urls: readonly string[];
  readonly credentials: Remote["credentials"];
  /** Why the last attempt failed or the last link ended, "" for never. */
  readonly lastError: string;
  readonly lastErrorAt: Millis | null;
  /** Failed attempts since the link was last up. */
  readonly attempts: number;
  readonly nextRetry: Millis | null;
  /** How often the link went down after it had been up. */
  readonly flaps: number;
  readonly rtt: {
    readonly last: Millis | null;
    readonly p50: Millis | null;
    readonly p99: Millis | null;
  };
  readonly link: RemoteLink | null;
}

export interface RemoteLink {
  readonly id: number;
  readonly remoteServer: string;
  readonly remoteAccount: string;
  readonly isSpoke: boolean;
  readonly compression: string;
  readonly tls: { readonly version: string; readonly cipher: string } | null;
  readonly interest: { readonly received: number; readonly announced: number };
  readonly in: { readonly msgs: number; readonly bytes: number; readonly refused: number };
  readonly out: {
    readonly msgs: number;
    readonly bytes: number;
    readonly refused: number;
    readonly dropped: number;
  };
}

export class Remotes implements Iterable<RemoteSnapshot> {
  readonly #server: FrondServer;

  constructor(server: FrondServer) {
    this.#server = server;
  }

  *[Symbol.iterator](): Iterator<RemoteSnapshot> {
    for (const remote of this.#server.remotes) yield snapshot(remote);
  }

  list(): RemoteSnapshot[] {
    return [...this];
  }

  get(id: number): RemoteSnapshot | null {
    const remote = this.#server.remotes.find((one) => one.id === id);
    return remote === undefined ? null : snapshot(remote);
  }

  /** Joins another server. Throws a `ConfigError`, or a `StartError` for what cannot be here. */
  add(input: RemoteOptionsInput): RemoteSnapshot {
    const server = this.#server;
    const entry = Object.fromEntries(Object.entries(input));
    const loaded = optionsFromObject({ leafnodes: { remotes: [entry] } }, nodeHost());
    const [options] = loaded.options.leafnodes.remotes;
    if (options === undefined || options.urls.length === 0) {
      throw new StartError("BAD_OPTIONS", "a remote needs urls");
    }
    const { leafnodes } = server.options;
    const faults = validateOptions({
      ...server.options,
      leafnodes: { ...leafnodes, remotes: [options] },
    });
    if (faults.length > 0) throw new StartError("BAD_OPTIONS", faults.join("\n"));
    return snapshot(server.addRemoteByProgram(options));
  }

  /** Ends a link for good. One of the configuration is back after the next reload that still names it. */
  remove(id: number): void {
    this.#server.removeRemote(this.#find(id));
  }

  /** Uses other credentials from now on: the link is closed and dialled anew at once, no other is touched. */
  rotate(id: number, credentials: RemoteCredentials): void {
    const remote = this.#find(id);
    remote.rotate(checkedRotation(remote.options, credentials));
    remote.redial();
  }

  /** Ends the link and its attempts until `enable`. */
  disable(id: number): void {
    const remote = this.#find(id);
    if (remote.state === "disabled") return;
    remote.replaceOptions({ ...remote.options, disabled: true });
    remote.stop("Client Closed", false);
  }

  enable(id: number): void {
    const remote = this.#find(id);
    if (remote.state !== "disabled") return;
    remote.replaceOptions({ ...remote.options, disabled: false });
    remote.start();
  }

  #find(id: number): Remote {
    const remote = this.#server.remotes.find((one) => one.id === id);
    if (remote === undefined) throw new StartError("BAD_OPTIONS", `no remote has the id ${id}`);
    return remote;
  }
}

/** The change to a remote's options; tried once, so that bad credentials change nothing. */
function checkedRotation(
  options: LeafRemoteOptions,
  given: RemoteCredentials,
): (options: LeafRemoteOptions) => LeafRemoteOptions {
  const change = (before: LeafRemoteOptions): LeafRemoteOptions => ({
    ...before,
    credentials: "credentials" in given ? given.credentials : null,
    nkey: "nkey" in given ? given.nkey : null,
    urls: before.urls.map((url) => withUser(url, given)),
  });
  const { credentials, nkey } = change(options);
  const urls = options.urls.map(({ scheme, host, port }) => addressOf(scheme, host, port));
  // The tables of options judge seeds and file names.
  optionsFromObject({ leafnodes: { remotes: [{ urls, credentials, nkey }] } }, nodeHost());
  return change;
}

function withUser(url: ServerUrl, given: RemoteCredentials): ServerUrl {
  const [user, password] =
    "user" in given
      ? [given.user, given.password]
      : "token" in given
        ? [given.token, null]
        : [null, null];
  const parts = [user, password].filter((part) => part !== null).map(encodeURIComponent);
  const userinfo = parts.length === 0 ? "" : `${parts.join(":")}@`;
  const address = addressOf(url.scheme, userinfo + bracketed(url.host), url.port);
  return { ...url, user, password, text: `${address}${url.path}` };
}

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

const addressOf = (scheme: string, host: string, port: number): string =>
  `${scheme}://${host.includes(":") && !/[@\]]/.test(host) ? `[${host}]` : host}:${port}`;

function snapshot(remote: Remote): RemoteSnapshot {
  const { link, currentUrl } = remote;
  const { leaf = null, tls = null } = link ?? {};
  return {
    id: remote.id,
    account: remote.account,
    state: remote.state,
    since: remote.since,
    required: remote.required,
    url: addressOf(currentUrl.scheme, bracketed(currentUrl.host), currentUrl.port),
    urls: remote.urls,
    credentials: remote.credentials,
    lastError: remote.lastError,
    lastErrorAt: remote.lastErrorAt,
    attempts: remote.attempts,
    nextRetry: remote.nextRetry,
    flaps: remote.flaps,
    rtt: roundTripStats(link, remote.rtts),
    link:
      link === null || leaf === null
        ? null
        : {
            id: link.id,
            remoteServer: leaf.remoteServer,
            remoteAccount: leaf.remoteAccount,
            isSpoke: leaf.isSpoke,
            compression: leaf.compression,
            tls: tls && { version: tls.version, cipher: tls.cipher },
            interest: { received: link.subs?.size ?? 0, announced: announcedKeys(link) },
            in: { msgs: link.inMsgs, bytes: link.inBytes, refused: leaf.refusedIn },
            out: {
              msgs: link.outMsgs,
              bytes: link.outBytes,
              refused: leaf.refusedOut,
              dropped: remote.dropped,
            },
          },
  };
}
