/**
 * The table of `leafnodes.remotes`: each server, or list of servers, this one joins as a leaf.
 */
import type { Millis } from "../core/index.ts";
import { compression } from "./compression.ts";
import { duration, flag, oneOf, size, text } from "./kinds.ts";
import { isUserSeed } from "./nkey-format.ts";
import type { HttpProxyOptions, LeafRemoteOptions, PendingPolicy } from "./options.ts";
import { subjectList } from "./permissions.ts";
import { type Kind, block, defineSchema, readBlock, snakeCase } from "./rows.ts";
import { GLOBAL_ACCOUNT } from "./schema-authorization.ts";
import { tlsBlock, tlsRow } from "./schema-tls.ts";
import { parseServerUrl, redactedUrl } from "./server-url.ts";
import { serverUrls } from "./url-list.ts";
import { type ConfigNode, display, quote, typeName } from "./value.ts";

export const DEFAULT_LEAF_PORT = 7422;

const PROXY_TLS_OPTIONS = new Set([
  "cert_file",
  "key_file",
  "ca_file",
  "insecure",
  "cipher_suites",
  "allow_insecure_cipher_suites",
  "curve_preferences",
  "min_version",
  "timeout",
  "certs",
  "certificates",
]);

const credentials: Kind<string> = {
  label: "file",
  read(node, reading, key) {
    const path = text.read(node, reading, key);
    if (path === undefined) return undefined;
    const home = reading.host?.env("HOME");
    const expanded = path.startsWith("~") && home !== undefined ? home + path.slice(1) : path;
    return expanded.replace(
      /\$(?:\{([^}]*)\}|([A-Za-z0-9_]+))/g,
      (_, braced?: string, bare?: string) => reading.host?.env(braced ?? bare ?? "") ?? "",
    );
  },
};

const seed: Kind<string> = {
  label: "nkey seed",
  read(node, reading, key) {
    const value = text.read(node, reading, key);
    if (value === undefined || isUserSeed(value)) return value;
    return reading.error(node, `Remote leafnode nkey is not a valid seed: ${quote(value)}`);
  },
};

const clusterMigrate: Kind<{ readonly leaderMigrateDelay: Millis } | null> = {
  label: "boolean or `{leader_migrate_delay}`",
  read(node, reading) {
    const { value } = node;
    if (value.kind === "boolean") return value.value ? { leaderMigrateDelay: 0 } : null;
    if (value.kind !== "map") {
      const expected = "Expected boolean or map for jetstream_cluster_migrate";
      // Its place is unknown to nats-server.
      const place = node.path === null ? null : node;
      return reading.error(place, `${expected}, got ${typeName(node)}`);
    }
    const name = "leader_migrate_delay";
    const given = value.entries.get(name) ?? value.entries.get("leaderMigrateDelay");
    const leaderMigrateDelay = given && duration(name).read(given, reading, name);
    return { leaderMigrateDelay: leaderMigrateDelay ?? 0 };
  },
};

const proxyTls: Kind<HttpProxyOptions["tls"]> = {
  label: "block",
  read(node, reading, key) {
    const entries = node.value.kind === "map" ? node.value.entries : new Map();
    let known = true;
    for (const [option, child] of entries) {
      if (PROXY_TLS_OPTIONS.has(child.path === null ? option.toLowerCase() : snakeCase(option))) {
        continue;
      }
      known = false;
      reading.error(child, `${quote(option)} is not supported for proxy TLS`);
    }
    return known ? tlsBlock.read(node, reading, key) : undefined;
  },
};

export const PROXY = defineSchema<HttpProxyOptions>({
  name: "proxy",
  computed: {},
  notMap: (node) => `Expected proxy to be a map, got ${typeName(node)}`,
  rows: {
    url: {
      aliases: [],
      kind: text,
      fallback: "",
      reload: "restart",
      doc: "`http://` or `https://` URL of the proxy.",
    },
    username: {
      aliases: [],
      kind: text,
      fallback: "",
      reload: "restart",
      doc: "For the proxy; with `password`.",
    },
    password: {
      aliases: [],
      kind: text,
      fallback: "",
      reload: "restart",
      doc: "For the proxy; with `username`.",
    },
    timeout: {
      aliases: [],
      kind: duration("proxy timeout"),
      fallback: 0,
      reload: "restart",
      doc: "How long the proxy may take to connect.",
    },
    tls: {
      aliases: [],
      kind: proxyTls,
      fallback: null,
      reload: "restart",
      doc: "TLS towards an `https` proxy.",
    },
  },
  finish(draft, node, reading) {
    const fault = proxyFault(draft);
    if (fault !== null) reading.error(node, fault);
  },
});

function proxyFault(proxy: HttpProxyOptions): string | null {
  if (proxy.url === "") {
    const other = proxy.username || proxy.password || proxy.timeout !== 0 || proxy.tls !== null;
    return other ? "proxy URL must be specified when other proxy options are set" : null;
  }
  const url = parseServerUrl(proxy.url, 0);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(proxy.url)?.[1]?.toLowerCase() ?? "";
  if (scheme !== "http" && scheme !== "https") {
    return `proxy URL scheme must be http or https, got: ${scheme}`;
  }
  if (url === null) return `invalid proxy URL: ${proxy.url}`;
  if (url.host === "") return "proxy URL must specify a host";
  if (proxy.timeout < 0) return "proxy timeout must be >= 0";
  if ((proxy.username === "") !== (proxy.password === "")) {
    return "proxy username and password must both be specified or both be empty";
  }
  if (proxy.tls !== null && scheme !== "https") {
    return `proxy TLS configuration requires an https proxy URL, got: ${scheme}`;
  }
  return proxy.tls !== null && (proxy.tls.timeout ?? 0) < 0
    ? "proxy TLS timeout must be >= 0"
    : null;
}

export const pendingPolicy: Kind<PendingPolicy> = oneOf(
  ["drop", "pause", "close"],
  "pending_policy must be 'drop', 'pause' or 'close'",
);

export const REMOTE = defineSchema<LeafRemoteOptions>({
  name: "leafnodes.remotes",
  computed: {},
  rows: {
    urls: {
      aliases: ["url"],
      kind: serverUrls(
        "leafnode",
        DEFAULT_LEAF_PORT,
        "Expected remote leafnode url to be an array or string",
      ),
      fallback: [],
      reload: "hot",
      doc: "Where to connect: `nats-leaf`, `tls`, `ws` or `wss` URLs, tried in random order.",
    },
    account: {
      aliases: ["local"],
      kind: text,
      fallback: GLOBAL_ACCOUNT,
      reload: "hot",
      doc: "The local account that is joined.",
    },
    credentials: {
      aliases: ["creds"],
      kind: credentials,
      fallback: null,
      reload: "hot",
      doc: "A credentials file; `~` and `$NAME` are expanded.",
    },
    nkey: {
      aliases: ["seed"],
      kind: seed,
      fallback: null,
      reload: "hot",
      doc: "The seed of a user key; not together with `credentials`.",
    },
    tls: tlsRow("TLS towards the remote."),
    hub: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "hot",
      doc: "Be the hub of this link although it is this server that connects.",
    },
    deny_imports: {
      aliases: ["deny_import"],
      kind: subjectList,
      fallback: [],
      reload: "hot",
      doc: "Subjects that may not come in over this link.",
    },
    deny_exports: {
      aliases: ["deny_export"],
      kind: subjectList,
      fallback: [],
      reload: "hot",
      doc: "Subjects that may not go out over this link.",
    },
    allow_imports: {
      aliases: ["allow_import"],
      kind: subjectList,
      fallback: null,
      reload: "hot",
      doc: "The only subjects that may come in. Only Frond.",
    },
    allow_exports: {
      aliases: ["allow_export"],
      kind: subjectList,
      fallback: null,
      reload: "hot",
      doc: "The only subjects that may go out. Only Frond.",
    },
    no_randomize: {
      aliases: ["dont_randomize"],
      kind: flag,
      fallback: false,
      reload: "hot",
      doc: "Try the URLs in their order.",
    },
    ws_compression: {
      aliases: ["ws_compress", "websocket_compress", "websocket_compression"],
      kind: flag,
      fallback: false,
      reload: "hot",
      doc: "Offer per-message compression on WebSocket links.",
    },
    ws_no_masking: {
      aliases: ["websocket_no_masking"],
      kind: flag,
      fallback: false,
      reload: "hot",
      doc: "Ask for WebSocket frames without masks.",
    },
    jetstream_cluster_migrate: {
      aliases: ["js_cluster_migrate"],
      kind: clusterMigrate,
      fallback: null,
      reload: "hot",
      doc: "Accepted for files shared with nats-server; JetStream is not supported yet.",
    },
    isolate_leafnode_interest: {
      aliases: ["isolate"],
      kind: flag,
      fallback: false,
      reload: "hot",
      doc: "Do not tell this remote of other leaves' interest.",
    },
    request_isolation: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "hot",
      doc: "Ask the remote not to tell us of other leaves' interest.",
    },
    compression: {
      aliases: [],
      kind: compression,
      fallback: { mode: "s2_auto", rttThresholds: [] },
      reload: "hot",
      doc: "Compression of this link.",
    },
    first_info_timeout: {
      aliases: [],
      kind: duration("first_info_timeout"),
      fallback: 1000,
      reload: "hot",
      doc: "How long the remote may take to send its first INFO.",
    },
    dial_timeout: {
      aliases: [],
      kind: duration("dial_timeout"),
      fallback: null,
      reload: "hot",
      doc: "How long connecting may take; that of `leafnodes` when absent.",
    },
    disabled: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "hot",
      doc: "Do not connect.",
    },
    proxy: {
      aliases: [],
      kind: block(PROXY),
      fallback: null,
      reload: "hot",
      doc: "An HTTP proxy to reach a WebSocket remote through.",
    },
    ignore_discovered_servers: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "hot",
      doc: "Use the configured URLs only, not those the remote tells.",
    },
    required: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "hot",
      doc: "`/healthz?links=1` fails while this link is down. Only Frond.",
    },
    reconnect_max: {
      aliases: [],
      kind: duration("reconnect_max"),
      fallback: 30_000,
      reload: "hot",
      doc: "The longest pause between attempts; pauses double up to it. Only Frond.",
    },
    max_pending: {
      aliases: [],
      kind: size,
      fallback: null,
      reload: "hot",
      doc: "Bytes that may wait for this link; that of `leafnodes` when absent. Only Frond.",
    },
    pending_policy: {
      aliases: [],
      kind: pendingPolicy,
      fallback: null,
      reload: "hot",
      doc: "What happens when more waits; that of `leafnodes` when absent. Only Frond.",
    },
  },
  finish(draft, node, reading) {
    if (draft.credentials !== null && draft.nkey !== null) {
      const place = lastNamed(node, ["nkey", "seed", "creds", "credentials"]);
      reading.error(place, "Remote leafnode can not have both creds and nkey defined");
    }
    const secured = draft.urls.find((url) => url.scheme === "wss");
    if (draft.proxy?.url && secured !== undefined && draft.tls === null) {
      reading.error(
        lastNamed(node, ["proxy"]),
        `proxy is configured but remote URL ${redactedUrl(secured)} requires TLS and no TLS configuration ` +
          `is provided. When using proxy with TLS endpoints, ensure TLS is properly configured for the ` +
          `leafnode remote`,
      );
    }
  },
});

function lastNamed(node: ConfigNode, names: readonly string[]): ConfigNode {
  if (node.value.kind !== "map") return node;
  const found = [...node.value.entries].findLast(([key]) => names.includes(key.toLowerCase()));
  return found?.[1] ?? node;
}

export const remotes: Kind<readonly LeafRemoteOptions[]> = {
  label: "list of remotes",
  schema: REMOTE,
  read(node, reading) {
    if (node.value.kind !== "array") {
      const got = typeName(node);
      return reading.error(node, `Expected remotes field to be an array, got ${got}`);
    }
    const identities = new Set<string>();
    const result: LeafRemoteOptions[] = [];
    for (const item of node.value.items) {
      if (item.value.kind !== "map") {
        const got = display(item);
        reading.error(item, `Expected remote leafnode entry to be a map/struct, got ${got}`);
        continue;
      }
      const remote = readBlock(REMOTE, item, reading);
      if (remote === undefined) continue;
      const identity = remoteIdentity(remote);
      if (identities.has(identity)) {
        const place = [...item.value.entries.values()].at(-1) ?? item;
        reading.error(place, `duplicate remote ${remoteName(remote)}`);
        continue;
      }
      identities.add(identity);
      result.push(remote);
    }
    return result;
  },
};

/** What tells remotes apart: URLs with their credentials, account, and who we are there. */
export function remoteIdentity(remote: LeafRemoteOptions): string {
  const urls = remote.urls.map((url) => url.text);
  return JSON.stringify([urls, remote.account, remote.credentials, remote.nkey]);
}

/** A remote as logs and errors name it: `urls=["nats://h:1"], account="$G"`. */
export function remoteName(remote: LeafRemoteOptions): string {
  const urls = remote.urls.map((url) => quote(redactedUrl(url))).join(" ");
  const credentials =
    remote.credentials === null ? "" : `, credentials=${quote(remote.credentials)}`;
  return `urls=[${urls}], account=${quote(remote.account)}${credentials}`;
}
