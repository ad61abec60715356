/** The doctor on leaf remotes: addresses, accounts, deny and allow lists, compression, duplicates. */
import type { LeafRemoteOptions, ServerUrl } from "../../config/index.ts";
import { collide } from "../../core/index.ts";
import { checkCredentials } from "./doctor-files.ts";
import type { Examination } from "./doctor-finding.ts";

const SCHEMES = ["nats", "nats-leaf", "leaf", "tls", "ws", "wss"];
/** What Go's URL parser takes before the `@`. */
const USERINFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;
const JETSTREAM = ["$JS.API.>", "$JS.ACK.>", "$JS.FC.>", "$KV.>", "$O.>"];

export function checkRemotes(exam: Examination): void {
  const { remotes } = exam.loaded.options.leafnodes;
  for (const [i, remote] of remotes.entries()) {
    const at = ["leafnodes", "remotes", i] as const;
    if (remote.disabled) {
      exam.add(
        "note",
        [...at, "disabled"],
        [
          "this remote is disabled",
          "it is not dialled until a reload says otherwise",
          "remove the line when the link is wanted",
        ],
      );
    }
    if (remote.urls.length === 0) {
      exam.add(
        "error",
        [...at, "urls"],
        [
          "this remote has no URL",
          "an empty remote is accepted and never connects",
          "give it the leaf URL of its hub",
        ],
      );
    }
    for (const [k, url] of remote.urls.entries()) checkUrl(exam, i, k, url);
    checkUrlsTogether(exam, i, remote);
    checkTransport(exam, i, remote);
    checkAccount(exam, i, remote);
    checkSubjects(exam, i, remote);
    checkCredentials(exam, i, remote);
  }
  checkDuplicates(exam, remotes);
  checkDomain(exam, remotes);
}

/** The path of a URL: `url` may be a single text. */
function urlPath(exam: Examination, i: number, k: number): (string | number)[] {
  const list = exam.loaded.origin.places.node("leafnodes", "remotes", i, "urls");
  const path = ["leafnodes", "remotes", i, "urls"];
  return list?.value.kind === "array" ? [...path, k] : path;
}

function checkUrl(exam: Examination, i: number, k: number, url: ServerUrl): void {
  const { options } = exam.loaded;
  const at = urlPath(exam, i, k);
  const raw = exam.raw(...at) ?? url.text;
  const authority = raw.replace(/^[a-z0-9+.-]+:\/\//i, "").replace(/[/?].*$/, "");
  const [, userinfo = ""] = /^(.*)@/.exec(authority) ?? [];
  const address = authority.slice(userinfo === "" ? 0 : userinfo.length + 1);
  if (!SCHEMES.includes(url.scheme)) {
    exam.add("warning", at, [
      `the scheme ${url.scheme}:// is taken for plain TCP`,
      "schemes are not judged, a typing error connects without TLS or WebSocket",
      "use nats-leaf://, tls://, ws:// or wss://",
    ]);
  }
  if (url.scheme.startsWith("ws") && !/:\d+$/.test(address)) {
    exam.add("error", at, [
      `${url.scheme}:// without a port means port 7422 here`,
      "for a leaf remote the default is the leaf port, not 80 or 443",
      `write the port: ${url.scheme}://${address}:${url.scheme === "ws" ? 80 : 443}`,
    ]);
  }
  const isOwn = LOCAL.test(url.host);
  const tcp = !url.scheme.startsWith("ws");
  if (isOwn && tcp && options.leafnodes.port > 0 && url.port === options.leafnodes.port) {
    exam.add("error", at, [
      "this remote is the server's own leaf listener",
      "the server would join itself: a loop, closed and retried every 30 s",
      "give the hub's address, or another port to the listener",
    ]);
  } else if (tcp && (url.port === 4222 || (isOwn && url.port === options.port))) {
    exam.add(isOwn && url.port === options.port ? "error" : "warning", at, [
      `port ${url.port} is a client port`,
      'a leaf link needs the leaf port of the hub: else "attempted to connect to wrong port"',
      "use the port of the hub's leafnodes block, usually 7422",
    ]);
  }
  if (userinfo !== "" && !USERINFO.test(userinfo)) {
    exam.add("warning", at, [
      "user or password in the URL holds characters that nats-server refuses there",
      "the file would work here and not there",
      "percent-encode them (encodeURIComponent), or use credentials or nkey",
    ]);
  }
  if (url.user !== null && url.password === null) {
    exam.add("warning", at, [
      "a name without a password is sent as a token",
      `the hub sees the user ${JSON.stringify(url.user)} with the token of the same text`,
      "write user:password@, or a token that the hub knows",
    ]);
  }
  const clear = url.scheme !== "tls" && url.scheme !== "wss";
  const tls = options.leafnodes.remotes[i]?.tls ?? null;
  if (url.password !== null && clear && tls === null && !isOwn) {
    exam.add("warning", at, [
      "the password may cross the network in clear",
      "nothing here demands TLS: it is used only if the hub insists",
      "use tls:// (or a tls block), credentials or nkey",
    ]);
  }
}

function checkUrlsTogether(exam: Examination, i: number, remote: LeafRemoteOptions): void {
  const websocket = remote.urls.filter((url) => url.scheme.startsWith("ws")).length;
  if (websocket > 0 && websocket < remote.urls.length) {
    exam.add(
      "warning",
      ["leafnodes", "remotes", i, "urls"],
      [
        "WebSocket and TCP URLs stand in one remote",
        "nats-server refuses such a file",
        "put them into separate files if nats-server must read this one too",
      ],
    );
  }
}

function checkTransport(exam: Examination, i: number, remote: LeafRemoteOptions): void {
  const at = ["leafnodes", "remotes", i] as const;
  const secured = remote.urls.find((url) => url.scheme === "tls" || url.scheme === "wss");
  if (secured !== undefined && remote.tls === null) {
    exam.add(
      "note",
      [...at, "urls"],
      [
        `${secured.scheme}:// without a tls block trusts the system's authorities alone`,
        "a hub with a private CA is refused; nats-server goes by the tls block, not by the scheme",
        "add tls { ca_file: … } to the remote",
      ],
    );
  }
  if (remote.tls?.insecure === true) {
    exam.add(
      "warning",
      [...at, "tls", "insecure"],
      [
        "certificates of the hub are not verified",
        "anyone on the way can pose as the hub and read everything",
        "give ca_file instead",
      ],
    );
  }
  if (!remote.urls.some((url) => url.scheme.startsWith("ws"))) return;
  const { mode } = remote.compression;
  if (remote.wsCompression && mode !== "off") {
    exam.add(
      "warning",
      [...at, "wsCompression"],
      [
        "the link would be compressed twice, by WebSocket and by S2",
        "nats-server before 2.12.9 negotiates both: processor time for nothing",
        "set compression: off for this remote, or drop ws_compression",
      ],
    );
  } else if (mode !== "off" && exam.has(...at, "compression")) {
    exam.add(
      "note",
      [...at, "compression"],
      [
        "S2 runs inside the WebSocket",
        "a proxy that compresses or inspects frames sees S2 blocks only",
        "use compression: off with ws_compression: true where a proxy wants to look",
      ],
    );
  }
}

function checkAccount(exam: Examination, i: number, remote: LeafRemoteOptions): void {
  const { accounts, authorization, noAuthUser } = exam.loaded.options;
  const others = (accounts ?? []).filter((account) => !account.name.startsWith("$"));
  if (others.length === 0 || exam.has("leafnodes", "remotes", i, "account")) return;
  if (remote.account !== "$G") return;
  const inGlobal = (authorization?.users.length ?? 0) + (authorization?.nkeys.length ?? 0) > 0;
  const named = noAuthUser === null || noAuthUser === "";
  exam.add(
    !inGlobal && named ? "error" : "warning",
    ["leafnodes", "remotes", i, "urls"],
    [
      "this remote names no account, so it joins $G",
      `clients of ${others.map(({ name }) => name).join(", ")} see nothing of it, without any error`,
      `add account: ${others[0]?.name ?? ""} (each account needs a remote of its own)`,
    ],
  );
}

function checkSubjects(exam: Examination, i: number, remote: LeafRemoteOptions): void {
  const lists = { denyImports: remote.denyImports, denyExports: remote.denyExports };
  for (const [member, entries] of Object.entries(lists)) {
    for (const [k, entry] of entries.entries()) {
      const at = ["leafnodes", "remotes", i, member, k];
      const touched = JETSTREAM.filter((prefix) => collide(prefix, entry));
      if (touched.length > 0) {
        exam.add("warning", at, [
          `${JSON.stringify(entry)} overlaps JetStream's ${touched.join(", ")}`,
          "streams, key-value and object stores over this link stall without an error",
          "deny the application's subjects by name",
        ]);
      }
      if (collide("_INBOX.>", entry) || collide("_R_.>", entry)) {
        exam.add("warning", at, [
          `${JSON.stringify(entry)} overlaps replies (_INBOX.>)`,
          "requests over this link get no answer",
          "deny the application's subjects by name",
        ]);
      }
    }
  }
  const allows = { allowImports: remote.allowImports, allowExports: remote.allowExports };
  for (const [member, entries] of Object.entries(allows)) {
    if (entries === null || entries.some((entry) => collide("_INBOX.>", entry))) continue;
    const option = member === "allowImports" ? "allow_imports" : "allow_exports";
    exam.add(
      "warning",
      ["leafnodes", "remotes", i, member],
      [
        `${option} has no entry for replies`,
        "requests over this link get no answer in that direction",
        'add "_INBOX.>" (or your clients\' inbox prefix) if requests cross the link',
      ],
    );
  }
}

/** Two links between the same accounts of the same servers are a loop. */
function checkDuplicates(exam: Examination, remotes: readonly LeafRemoteOptions[]): void {
  const seen = new Map<string, number>();
  for (const [i, remote] of remotes.entries()) {
    if (remote.disabled) continue;
    for (const url of remote.urls) {
      const key = `${remote.account} ${url.host}:${url.port}`;
      const before = seen.get(key);
      seen.set(key, i);
      if (before === undefined || before === i) continue;
      exam.add(
        "error",
        ["leafnodes", "remotes", i, "urls"],
        [
          `account ${remote.account} joins ${url.host}:${url.port} twice`,
          "unless the two users are of different accounts there, the hub closes one link for the other, again and again",
          "keep one of the two remotes, or give them different local accounts",
        ],
      );
      break;
    }
  }
}

function checkDomain(exam: Examination, remotes: readonly LeafRemoteOptions[]): void {
  const { defaultJsDomain } = exam.loaded.options;
  const i = remotes.findIndex((remote) => defaultJsDomain[remote.account] === undefined);
  if (i < 0) return;
  const account = remotes[i]?.account ?? "$G";
  exam.add(
    "note",
    ["leafnodes", "remotes", i, "urls"],
    [
      `default_js_domain has no entry for account ${account}`,
      "$JS.API.> stays on this side: clients here do not reach the hub's JetStream without its domain",
      `use the hub's domain in the clients, or default_js_domain { ${account}: "" } to let the API cross`,
    ],
  );
}
