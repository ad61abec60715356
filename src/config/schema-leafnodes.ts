/**
 * The tables of `leafnodes` and its `authorization`. Remotes have a file of their own.
 */
import { compression } from "./compression.ts";
import { duration, flag, integer, oneOf, readListen, size, text, timeout } from "./kinds.ts";
import { isPublicNkey } from "./nkey-format.ts";
import type {
  LeafAuthorizationOptions,
  LeafNodesOptions,
  LeafUserOptions,
  WriteTimeoutPolicy,
} from "./options.ts";
import { type Directive, type Kind, block, defineSchema, readBlock } from "./rows.ts";
import { GLOBAL_ACCOUNT } from "./schema-authorization.ts";
import { pendingPolicy, remotes } from "./schema-remotes.ts";
import { tlsRow } from "./schema-tls.ts";
import { display, quote, typeName } from "./value.ts";

export const ANY_HOST = "0.0.0.0";

export const writeTimeout: Kind<WriteTimeoutPolicy> = oneOf(
  ["default", "close", "retry"],
  "write_timeout must be 'default', 'close' or 'retry'",
);

/** `listen`, for any block with host and port. */
export function listenDirective<B extends { host: string; port: number }>(): Directive<B> {
  return {
    aliases: [],
    label: "`host:port` or port",
    reload: "restart",
    doc: "Host and port at once.",
    apply(draft, node, reading) {
      const address = readListen(node, reading);
      if (address === undefined) return;
      draft.host = address.host || ANY_HOST;
      draft.port = address.port;
      reading.given("host");
      reading.given("port");
    },
  };
}

const LEAF_USER = defineSchema<LeafUserOptions>({
  name: "user",
  computed: {},
  rows: {
    user: { aliases: ["username"], kind: text, fallback: "", reload: "restart", doc: "The name." },
    password: {
      aliases: ["pass"],
      kind: text,
      fallback: "",
      reload: "restart",
      doc: "Plain, or a bcrypt hash.",
    },
    account: {
      aliases: [],
      kind: text,
      fallback: GLOBAL_ACCOUNT,
      reload: "restart",
      doc: "The account the link is bound to.",
    },
    proxy_required: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "restart",
      doc: "Only by way of a trusted proxy.",
    },
  },
});

const leafUsers: Kind<readonly LeafUserOptions[]> = {
  label: "list of `{user, password, account, proxy_required}`",
  schema: LEAF_USER,
  read(node, reading) {
    if (node.value.kind !== "array") {
      const got = display(node);
      return reading.error(node, `Expected users field to be an array, got ${got}`);
    }
    const users: LeafUserOptions[] = [];
    for (const item of node.value.items) {
      if (item.value.kind !== "map") {
        reading.error(item, `Expected user entry to be a map/struct, got ${display(item)}`);
        continue;
      }
      const user = readBlock(LEAF_USER, item, reading);
      if (user !== undefined) users.push(user);
    }
    return users;
  },
};

const leafNkey: Kind<string> = {
  label: "public nkey",
  read(node, reading, key) {
    const value = text.read(node, reading, key);
    if (value === undefined || isPublicNkey(value, "U")) return value;
    return reading.error(node, "Not a valid public nkey for leafnode authorization");
  },
};

export const LEAF_AUTHORIZATION = defineSchema<LeafAuthorizationOptions>({
  name: "leafnodes.authorization",
  computed: {},
  rows: {
    user: {
      aliases: ["username"],
      kind: text,
      fallback: "",
      reload: "restart",
      doc: "The one user.",
    },
    password: {
      aliases: ["pass"],
      kind: text,
      fallback: "",
      reload: "restart",
      doc: "Plain, or a bcrypt hash.",
    },
    nkey: {
      aliases: [],
      kind: leafNkey,
      fallback: null,
      reload: "restart",
      doc: "The one public user key.",
    },
    account: {
      aliases: [],
      kind: text,
      fallback: GLOBAL_ACCOUNT,
      reload: "restart",
      doc: "The account of the one user, of the nkey, or of links that need not authenticate.",
    },
    timeout: {
      aliases: [],
      kind: timeout("leafnode authorization config", 60_000),
      fallback: null,
      reload: "restart",
      doc: "How long a leaf may take to send CONNECT; 2 s when absent, the TLS timeout and 1 s with TLS.",
    },
    users: {
      aliases: [],
      kind: leafUsers,
      fallback: [],
      reload: "restart",
      doc: "Several users, each bound to an account.",
    },
    proxy_required: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "restart",
      doc: "Leaves may come only by way of a trusted proxy.",
    },
  },
  finish(draft, node, reading) {
    const fault = leafAuthorizationFault(draft);
    if (fault !== null) reading.error(node, fault);
  },
});

function leafAuthorizationFault(auth: LeafAuthorizationOptions): string | null {
  if (auth.users.length === 0) return null;
  if (auth.user !== "") return "can not have a single user/pass and a users array";
  if (auth.nkey !== null) return "can not have a single nkey and a users array";
  const names = new Set<string>();
  for (const { user } of auth.users) {
    if (names.has(user)) {
      return `duplicate user ${quote(user)} detected in leafnode authorization`;
    }
    names.add(user);
  }
  return null;
}

/** At least 2.8.0, the first version whose leaves say their version. */
const minVersion: Kind<string> = {
  label: "version",
  read(node, reading, key) {
    const version = text.read(node, reading, key);
    if (version === undefined) return undefined;
    const match = /^(\d+)\.(\d+)\.(\d+)/.exec(version);
    if (match === null) {
      return reading.error(node, "invalid leafnode's minimum version: invalid semver");
    }
    const [major, minor] = [Number(match[1]), Number(match[2])];
    if (major > 2 || (major === 2 && minor >= 8)) return version;
    return reading.error(node, "the minimum version should be at least 2.8.0");
  },
};

export const LEAFNODES = defineSchema<LeafNodesOptions>({
  name: "leafnodes",
  computed: {},
  directives: { listen: listenDirective() },
  notMap: (node) => `Expected map to define a leafnode, got ${typeName(node)}`,
  rows: {
    host: {
      aliases: ["net"],
      kind: text,
      fallback: ANY_HOST,
      reload: "restart",
      doc: "The interface to accept leaves on.",
    },
    port: {
      aliases: [],
      kind: integer,
      fallback: 0,
      reload: "restart",
      doc: "The port to accept leaves on, usually 7422; -1 any free one, 0 none.",
    },
    authorization: {
      aliases: [],
      kind: block(LEAF_AUTHORIZATION),
      fallback: null,
      reload: "restart",
      doc: "Who may connect as a leaf; when absent, the users of the server.",
    },
    remotes: {
      aliases: [],
      kind: remotes,
      fallback: [],
      reload: "hot",
      doc: "The servers this one joins as a leaf.",
    },
    reconnect: {
      aliases: ["reconnect_delay", "reconnect_interval"],
      kind: duration("reconnect"),
      fallback: 1000,
      reload: "restart",
      doc: "The first pause between attempts to reach a remote.",
    },
    dial_timeout: {
      aliases: [],
      kind: duration("dial_timeout"),
      fallback: 1000,
      reload: "restart",
      doc: "How long connecting to a remote may take.",
    },
    tls: tlsRow("TLS for the leaves that connect here."),
    advertise: {
      aliases: ["leafnode_advertise"],
      kind: text,
      fallback: null,
      reload: "restart",
      doc: "The `host[:port]` leaves are told to use.",
    },
    no_advertise: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "restart",
      doc: "Do not tell other servers where leaves may connect here.",
    },
    min_version: {
      aliases: ["minimum_version"],
      kind: minVersion,
      fallback: null,
      reload: "restart",
      doc: "Refuse leaves older than this.",
    },
    compression: {
      aliases: [],
      kind: compression,
      fallback: { mode: "s2_auto", rttThresholds: [] },
      reload: "hot",
      doc: "Compression of accepted links.",
    },
    isolate_leafnode_interest: {
      aliases: ["isolate"],
      kind: flag,
      fallback: false,
      reload: "restart",
      doc: "Do not tell leaves of each other's interest.",
    },
    write_deadline: {
      aliases: [],
      kind: duration("write_deadline"),
      fallback: null,
      reload: "restart",
      doc: "How long a write to a leaf may take; the server's when absent.",
    },
    write_timeout: {
      aliases: [],
      kind: writeTimeout,
      fallback: "default",
      reload: "restart",
      doc: "What a write that takes too long does to a leaf link.",
    },
    max_pending: {
      aliases: [],
      kind: size,
      fallback: null,
      reload: "restart",
      doc: "Bytes that may wait for one leaf; the server's when absent. Only Frond.",
    },
    pending_policy: {
      aliases: [],
      kind: pendingPolicy,
      fallback: "drop",
      reload: "restart",
      doc: "What happens when more waits: lose messages, hold producers back, or close the link. Only Frond.",
    },
  },
});
