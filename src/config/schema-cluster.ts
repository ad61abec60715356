/**
 * The table of the `cluster` block. Its options are checked, but clusters are not supported yet: a block that
 * would listen or connect is refused, one that merely names the cluster accepted.
 */
import type { Millis, Permissions } from "../core/index.ts";
import { compression } from "./compression.ts";
import { duration, flag, integer, text, textList } from "./kinds.ts";
import type {
  AuthorizationOptions,
  ClusterOptions,
  CompressionOptions,
  ServerUrl,
  TlsOptions,
  WriteTimeoutPolicy,
} from "./options.ts";
import { permissions } from "./permissions.ts";
import { type Kind, type Row, block, defineSchema, readBlock } from "./rows.ts";
import { AUTHORIZATION } from "./schema-authorization.ts";
import { ANY_HOST, listenDirective, writeTimeout } from "./schema-leafnodes.ts";
import { TLS_BETWEEN_SERVERS } from "./schema-tls.ts";
import { serverUrls } from "./url-list.ts";
import { type ConfigNode, typeName } from "./value.ts";

interface ClusterBlock extends ClusterOptions {
  readonly host: string;
  readonly port: number;
  readonly authorization: AuthorizationOptions | null;
  readonly permissions: Permissions | null;
  readonly tls: TlsOptions | null;
  readonly routes: readonly ServerUrl[];
  readonly advertise: string | null;
  readonly noAdvertise: boolean;
  readonly connectRetries: number;
  readonly connectBackoff: boolean;
  readonly poolSize: number;
  readonly accounts: readonly string[];
  readonly compression: CompressionOptions;
  readonly pingInterval: Millis | null;
  readonly pingMax: number | null;
  readonly writeDeadline: Millis | null;
  readonly writeTimeout: WriteTimeoutPolicy;
}

const MAX_PING_INTERVAL_MILLIS = 30_000;

const clusterName: Kind<string> = {
  label: "text",
  read(node, reading, key) {
    const name = text.read(node, reading, key);
    if (!name?.includes(" ")) return name;
    return reading.error(node, "cluster name cannot contain spaces");
  },
};

const clusterAuthorization: Kind<AuthorizationOptions> = {
  ...block(AUTHORIZATION),
  read(node, reading) {
    const auth = readBlock(AUTHORIZATION, node, reading);
    if (auth === undefined) return undefined;
    const refuse = (text: string): undefined =>
      reading.error(node, `Cluster authorization does not ${text}`);
    if (hasKey(node, "users")) return refuse("allow multiple users");
    if (auth.token !== "") return refuse("support tokens");
    if (auth.authCallout !== null) return refuse("support callouts");
    if (auth.defaultPermissions !== null) {
      const deprecated = `setting "permissions" within cluster authorization block is deprecated`;
      reading.warn(node, "authorization", deprecated);
    }
    return auth;
  },
};

function hasKey(node: ConfigNode, name: string): boolean {
  if (node.value.kind !== "map") return false;
  return [...node.value.entries.keys()].some((key) => key.toLowerCase() === name);
}

const clusterPermissions: Kind<Permissions> = {
  ...permissions,
  read(node, reading, key) {
    const value = permissions.read(node, reading, key);
    if (value?.responses == null) return value;
    return reading.error(node, "Cluster permissions do not support dynamic responses");
  },
};

const pingInterval: Kind<Millis> = {
  ...duration("ping_interval"),
  read(node, reading, key) {
    const millis = duration("ping_interval").read(node, reading, key);
    if (millis !== undefined && millis > MAX_PING_INTERVAL_MILLIS) {
      const most = "30s which is the max for routes";
      reading.plainWarning(node, `Cluster 'ping_interval' will reset to ${most}`);
    }
    return millis;
  },
};

const row = <T>(
  kind: Kind<T>,
  fallback: T,
  doc: string,
  ...aliases: readonly string[]
): Row<T, ClusterBlock> => ({
  aliases,
  kind,
  fallback,
  reload: "restart",
  doc,
  unsupported: true,
});

export const CLUSTER = defineSchema<ClusterBlock>({
  name: "cluster",
  computed: {},
  directives: { listen: { ...listenDirective<ClusterDraft>(), unsupported: true } },
  notMap: (node) => `Expected map to define cluster, got ${typeName(node)}`,
  rows: {
    name: {
      aliases: [],
      kind: clusterName,
      fallback: null,
      reload: "restart",
      doc: "The name of the cluster this server counts itself to.",
    },
    host: row(text, ANY_HOST, "The interface to accept routes on.", "net"),
    port: row(integer, 0, "The port to accept routes on; 0 none."),
    authorization: row(clusterAuthorization, null, "The user of routes."),
    permissions: row(clusterPermissions, null, "What may cross routes."),
    tls: row(block(TLS_BETWEEN_SERVERS), null, "TLS between the servers."),
    routes: row(
      serverUrls("route", 0, "Expected routes to be an array or string"),
      [],
      "Servers to connect to.",
    ),
    advertise: row(text, null, "The `host[:port]` other servers are told.", "cluster_advertise"),
    no_advertise: row(flag, false, "Do not tell clients of the other servers."),
    connect_retries: row(integer, 0, "Extra attempts to reach discovered servers."),
    connect_backoff: row(flag, false, "Lengthen the pauses between attempts."),
    pool_size: row(integer, 3, "Connections between two servers."),
    accounts: row(textList("accounts"), [], "Accounts with a connection of their own."),
    compression: row(compression, { mode: "accept", rttThresholds: [] }, "Compression of routes."),
    ping_interval: row(pingInterval, null, "How often routes are pinged."),
    ping_max: row(integer, null, "Unanswered pings after which a route is stale."),
    write_deadline: row(duration("write_deadline"), null, "How long a write may take."),
    write_timeout: row(writeTimeout, "default", "What a write that takes too long does."),
  },
});

interface ClusterDraft {
  host: string;
  port: number;
}

export const cluster: Kind<ClusterOptions> = {
  label: "block",
  schema: CLUSTER,
  read(node, reading) {
    const before = reading.errors.length;
    const options = readBlock(CLUSTER, node, reading);
    if (options === undefined || reading.errors.length > before) return undefined;
    if (options.port !== 0 || options.routes.length > 0) {
      return reading.error(node, "cluster is not supported yet");
    }
    return { name: options.name };
  },
};
