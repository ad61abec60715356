/**
 * The table of all options at the top level of a configuration. Blocks have tables of their own, in the
 * `schema-*.ts` beside this file; nothing else knows an option's name.
 */
import {
  duration,
  flag,
  integer,
  readListen,
  record,
  size,
  smallSize,
  strictDuration,
  text,
} from "./kinds.ts";
import { formatDuration } from "./duration.ts";
import { mappings } from "./mappings.ts";
import type { Options, ProxiesOptions } from "./options.ts";
import { isPublicNkey } from "./nkey-format.ts";
import { type Directive, type Kind, type Row, block, defaultsOf, defineSchema } from "./rows.ts";
import { accounts } from "./schema-accounts.ts";
import { AUTHORIZATION } from "./schema-authorization.ts";
import { ANY_HOST, LEAFNODES, listenDirective, writeTimeout } from "./schema-leafnodes.ts";
import { cluster } from "./schema-cluster.ts";
import { keyList, operators, preload, resolver, trustedKeys } from "./schema-resolver.ts";
import { tlsRow } from "./schema-tls.ts";
import { gateway, onlyFalse, refused } from "./schema-unsupported.ts";
import { WEBSOCKET } from "./schema-websocket.ts";
import { type ConfigNode, quote, typeName } from "./value.ts";

const serverName: Kind<string> = {
  label: "text",
  read(node, reading, key) {
    const name = text.read(node, reading, key);
    if (!name?.includes(" ")) return name;
    return reading.error(node, "server name cannot contain spaces");
  },
};

/** Nobody may connect when the file says 0. */
const maxConnections: Kind<number> = {
  ...integer,
  read: (node, reading, key) => integer.read(node, reading, key) || -1,
};

const maxSubTokens: Kind<number> = {
  label: "number up to 255",
  read(node, reading, key) {
    const value = integer.read(node, reading, key);
    if (value === undefined) return undefined;
    if (value > 255) return reading.error(node, `${key} value is too big`);
    return value > 0 ? value : reading.error(node, `${key} value can not be negative`);
  },
};

const lameDuckDuration: Kind<number> = {
  label: "duration",
  read(node, reading, key) {
    const kind = strictDuration((fault) => `error parsing lame_duck_duration: ${fault}`);
    const millis = kind.read(node, reading, key);
    if (millis === undefined || millis >= 30_000) return millis;
    const given = formatDuration(millis);
    return reading.error(node, `invalid lame_duck_duration of ${given}, minimum is 30 seconds`);
  },
};

const lameDuckGrace: Kind<number> = {
  label: "duration",
  read(node, reading, key) {
    const kind = strictDuration((fault) => `error parsing lame_duck_grace_period: ${fault}`);
    const millis = kind.read(node, reading, key);
    if (millis === undefined || millis >= 0) return millis;
    return reading.error(node, "invalid lame_duck_grace_period, needs to be positive");
  },
};

const systemAccount: Kind<string> = {
  label: "text",
  read: (node, reading) =>
    node.value.kind === "string"
      ? node.value.text
      : reading.error(node, "system account name must be a string"),
};

const tags: Kind<readonly string[]> = {
  label: "list of text",
  read(node, reading) {
    const { value } = node;
    // Tags are lower case and trimmed, each once.
    const clean = (given: readonly string[]): readonly string[] => [
      ...new Set(given.map((tag) => tag.trim().toLowerCase()).filter((tag) => tag !== "")),
    ];
    if (value.kind === "string") return clean([value.text]);
    if (value.kind !== "array") {
      return reading.error(node, `error parsing tags: unsupported type ${typeName(node)}`);
    }
    const words: string[] = [];
    for (const item of value.items) {
      if (item.value.kind !== "string") {
        const problem = "unsupported type *conf.token where string is expected";
        return reading.error(node, `error parsing tags: ${problem}`);
      }
      words.push(item.value.text);
    }
    return clean(words);
  },
};

const featureFlag: Kind<boolean> = {
  label: "boolean",
  read: (node, reading, key) =>
    node.value.kind === "boolean"
      ? node.value.value
      : reading.error(
          node,
          `error parsing feature flag ${quote(key)}: expected bool, got ${typeName(node)}`,
        ),
};

const unsupportedType = (what: string) => (node: ConfigNode) =>
  `error parsing ${what}: unsupported type ${typeName(node)}`;

const trustedProxies: Kind<readonly string[]> = {
  label: "list of `{key}`",
  read(node, reading) {
    if (node.value.kind !== "array") {
      const expected = "expected proxies' trusted field to be an array";
      return reading.error(node, `${expected}, got ${typeName(node)}`);
    }
    const keys: string[] = [];
    for (const item of node.value.items) {
      if (item.value.kind === "string" && item.path !== null) keys.push(item.value.text);
      else if (item.value.kind !== "map") {
        const expected = "expected proxies' trusted entry to be a map/struct";
        reading.error(item, `${expected}, got ${typeName(item)}`);
      } else {
        for (const [name, child] of item.value.entries) {
          if (!["key", "public_key", "publickey"].includes(name.toLowerCase())) {
            if (!child.usedVariable) reading.error(child, `unknown field ${quote(name)}`);
            continue;
          }
          const key = text.read(child, reading, name);
          if (key === undefined) continue;
          if (isPublicNkey(key)) keys.push(key);
          else reading.error(child, `invalid proxy key ${quote(key)}`);
        }
      }
    }
    return keys;
  },
};

export const PROXIES = defineSchema<ProxiesOptions>({
  name: "proxies",
  computed: {},
  notMap: (node) => `expected proxies to be a map/struct, got ${typeName(node)}`,
  rows: {
    trusted: {
      aliases: [],
      kind: trustedProxies,
      fallback: [],
      reload: "hot",
      doc: "Public keys of the proxies whose signatures are believed.",
    },
  },
});

function row<T>(
  kind: Kind<T>,
  fallback: T,
  reload: "hot" | "restart",
  doc: string,
  ...aliases: readonly string[]
): Row<T, Options> {
  return { aliases, kind, fallback, reload, doc };
}

/** A switch that also switches tracing. */
const traceSwitch = (doc: string): Row<boolean, Options> => ({
  ...row(flag, false, "hot", doc),
  also(draft, value) {
    draft.trace = value;
  },
});

const monitorListen = (port: "httpPort" | "httpsPort", doc: string): Directive<Options> => ({
  aliases: [],
  label: "`host:port` or port",
  reload: "restart",
  doc,
  apply(draft, node, reading) {
    const address = readListen(node, reading);
    if (address === undefined) return;
    draft.httpHost = address.host || null;
    draft[port] = address.port;
    reading.given("httpHost");
    reading.given(port);
  },
});

export const OPTIONS = defineSchema<Options, "httpHost">({
  name: "options",
  computed: { httpHost: null },
  directives: {
    listen: listenDirective(),
    http: monitorListen("httpPort", "Host and port of the monitoring server."),
    https: monitorListen("httpsPort", "Host and port of the monitoring server with TLS."),
  },
  rows: {
    host: row(text, ANY_HOST, "restart", "The interface to accept clients on.", "net"),
    port: row(integer, 4222, "restart", "The port to accept clients on; -1 any free one."),
    client_advertise: row(text, null, "hot", "The `host[:port]` clients and servers are told."),
    server_name: row(serverName, null, "restart", "The server's name; its id when absent."),
    server_tags: row(tags, [], "hot", "Tags of the server; `key:value` by convention."),
    server_metadata: row(
      record(text, unsupportedType("metadata")),
      {},
      "hot",
      "Names and values shown by monitoring.",
    ),
    feature_flags: row(
      record(featureFlag, unsupportedType("feature flags")),
      {},
      "restart",
      "Switches of nats-server features; shown at start.",
    ),

    debug: row(flag, false, "hot", "Log debug messages."),
    trace: row(flag, false, "hot", "Log every protocol message."),
    trace_verbose: traceSwitch("Trace the system account too; also sets `trace`."),
    trace_headers: traceSwitch("Trace only the headers of messages; also sets `trace`."),
    logtime: row(flag, true, "hot", "Begin log lines with date and time."),
    logtime_utc: row(flag, false, "hot", "Log times in UTC."),
    log_file: row(text, null, "hot", "Log to this file instead of stderr.", "logfile"),
    log_size_limit: row(
      size,
      0,
      "restart",
      "Start a new log file above this size; 0 never.",
      "logfile_size_limit",
    ),
    log_max_num: row(
      integer,
      0,
      "restart",
      "How many log files to keep; 0 all.",
      "logfile_max_num",
    ),
    syslog: row(flag, false, "hot", "Log to the system log."),
    remote_syslog: row(text, null, "hot", "Log to the system log at this URL."),
    max_traced_msg_len: row(
      integer,
      0,
      "hot",
      "Cut traced payloads after this many bytes; 0 never.",
    ),
    pid_file: row(text, null, "hot", "Write the process id to this file.", "pidfile"),
    ports_file_dir: row(text, null, "hot", "Write a file with the ports in use to this directory."),

    http_port: row(
      integer,
      0,
      "restart",
      "The port of the monitoring server; 0 none.",
      "monitor_port",
    ),
    https_port: row(integer, 0, "restart", "The port of the monitoring server with TLS; 0 none."),
    http_base_path: row(text, "", "restart", "What the paths of the monitoring server begin with."),

    authorization: row(block(AUTHORIZATION), null, "hot", "Who may connect, and what they may do."),
    accounts: row(accounts, null, "hot", "Separate subject spaces, with their users."),
    mappings: row(mappings, [], "hot", "Subject mappings of the account `$G`.", "maps"),
    no_auth_user: row(text, null, "restart", "The user of clients that name none."),
    system_account: row(
      systemAccount,
      null,
      "restart",
      "The account of system messages.",
      "system",
    ),
    no_system_account: row(
      flag,
      false,
      "restart",
      "Have no system account.",
      "no_system",
      "no_sys_acc",
    ),
    operator: row(
      operators,
      [],
      "restart",
      "Operator JWTs, or files that hold them: accounts and users come from JWTs.",
      "operators",
      "roots",
      "root",
      "root_operators",
      "root_operator",
    ),
    trusted_keys: row(trustedKeys, [], "restart", "Public keys of operators.", "trusted"),
    resolver: row(
      resolver,
      null,
      "hot",
      "Where account JWTs come from.",
      "account_resolver",
      "accounts_resolver",
    ),
    resolver_tls: tlsRow("TLS towards an HTTPS resolver."),
    resolver_preload: row(preload, null, "hot", "Account JWTs known from the start."),
    resolver_pinned_accounts: row(
      keyList("resolver_pinned_accounts"),
      [],
      "hot",
      "Only users of these accounts may connect.",
    ),
    default_sentinel: row(text, null, "hot", "The user JWT of clients that send none."),
    proxies: row(block(PROXIES), null, "hot", "Proxies that vouch for their clients."),

    tls: tlsRow("TLS for clients."),
    allow_non_tls: row(flag, false, "restart", "Also accept clients without TLS."),
    proxy_protocol: row(flag, false, "restart", "Clients come through a PROXY protocol balancer."),
    leafnodes: row(
      block(LEAFNODES),
      defaultsOf(LEAFNODES),
      "hot",
      "Leaves that connect here, and servers to join as a leaf.",
      "leaf",
    ),
    websocket: row(block(WEBSOCKET), null, "restart", "Clients and leaves over WebSocket.", "ws"),
    cluster: {
      ...row(cluster, null, "restart", "Only its name is supported yet."),
      unsupported: true,
    },
    gateway: { ...row(gateway, null, "restart", "Not supported yet."), unsupported: true },
    jetstream: {
      ...row(onlyFalse("jetstream"), false, "restart", "Not supported yet; may be `false`."),
      unsupported: true,
    },
    mqtt: { ...row(refused("mqtt"), null, "restart", "Not supported yet."), unsupported: true },
    ocsp: {
      ...row(onlyFalse("ocsp"), false, "restart", "Not supported yet; may be `false`."),
      unsupported: true,
    },
    ocsp_cache: {
      ...row(onlyFalse("ocsp_cache"), false, "restart", "Not supported yet; may be `false`."),
      unsupported: true,
    },
    store_dir: row(text, null, "restart", "The directory of JetStream; unused as yet.", "storedir"),
    default_js_domain: row(
      record(text, (node) => `error default_js_domain config: unsupported type ${typeName(node)}`),
      {},
      "restart",
      "JetStream domains of accounts; unused as yet.",
    ),
    prof_port: {
      ...row<number>(refused("prof_port"), 0, "restart", "Not supported yet."),
      unsupported: true,
    },
    prof_block_rate: {
      ...row<number>(refused("prof_block_rate"), 0, "restart", "Not supported yet."),
      unsupported: true,
    },

    max_connections: row(maxConnections, 65_536, "hot", "Clients at once; 0 nobody.", "max_conn"),
    max_subscriptions: row(
      integer,
      0,
      "restart",
      "Subscriptions of one client; 0 is unlimited.",
      "max_subs",
    ),
    max_sub_tokens: row(
      maxSubTokens,
      0,
      "restart",
      "Tokens of a subscription's subject; 0 is unlimited.",
      "max_subscription_tokens",
    ),
    max_control_line: row(smallSize, 4096, "hot", "Longest protocol line."),
    max_payload: row(smallSize, 1_048_576, "hot", "Largest message, headers included."),
    max_pending: row(size, 67_108_864, "restart", "Bytes that may wait for one client."),
    max_closed_clients: row(integer, 10_000, "restart", "Closed connections monitoring remembers."),
    max_unauthenticated: row(
      integer,
      8192,
      "hot",
      "Connections that have not authenticated yet; beyond, the oldest is closed. 0 is unlimited.",
    ),
    ping_interval: row(
      duration("ping_interval"),
      120_000,
      "hot",
      "How often idle clients are pinged.",
    ),
    ping_max: row(integer, 2, "hot", "Unanswered pings after which a connection is stale."),
    write_deadline: row(duration("write_deadline"), 10_000, "hot", "How long a write may take."),
    write_timeout: row(
      writeTimeout,
      "default",
      "restart",
      "What a write that takes too long does.",
    ),
    no_fast_producer_stall: row(flag, false, "hot", "Never slow fast producers down."),
    lame_duck_duration: row(
      lameDuckDuration,
      120_000,
      "restart",
      "How long closing clients takes before a planned exit; at least 30 s.",
    ),
    lame_duck_grace_period: row(
      lameDuckGrace,
      10_000,
      "restart",
      "How long clients have to leave by themselves before.",
    ),
    disable_sublist_cache: row(
      flag,
      false,
      "restart",
      "Do not cache which subscriptions match a subject.",
      "no_sublist_cache",
    ),
    no_header_support: row(flag, false, "restart", "Refuse messages with headers."),
    connect_error_reports: row(
      integer,
      3600,
      "hot",
      "Log each n-th failed attempt at a first connection.",
    ),
    reconnect_error_reports: row(integer, 1, "hot", "Log each n-th failed attempt to reconnect."),
  },
});
