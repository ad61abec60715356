/** The table of the `websocket` block. */
import { parseDuration } from "./duration.ts";
import { duration, flag, integer, record, text, textList } from "./kinds.ts";
import type { SimpleAuthorizationOptions, WebSocketOptions } from "./options.ts";
import { type Kind, block, defineSchema } from "./rows.ts";
import { ANY_HOST, listenDirective } from "./schema-leafnodes.ts";
import { tlsRow } from "./schema-tls.ts";
import { typeName } from "./value.ts";

const handshakeTimeout: Kind<number> = {
  label: "seconds or duration",
  read(node, reading) {
    const { value } = node;
    if (value.kind === "integer") return Number(value.value) * (node.path === null ? 1000 : 1);
    if (value.kind !== "string") {
      const got = typeName(node);
      return reading.error(node, `error parsing handshake timeout: unsupported type ${got}`);
    }
    const millis = parseDuration(value.text);
    return typeof millis === "number" ? millis : reading.error(node, millis.fault);
  },
};

/** Seconds; anything else but a number counts as one second. */
const simpleTimeout: Kind<number> = {
  label: "seconds",
  read(node) {
    const { value } = node;
    const scale = node.path === null ? 1000 : 1;
    return value.kind === "integer" || value.kind === "float" ? Number(value.value) * scale : 1000;
  },
};

const headerValue: Kind<string> = {
  label: "text",
  read: (node, reading, key) =>
    node.value.kind === "string"
      ? node.value.text
      : reading.error(node, `error parsing header key ${key}: unsupported type ${typeName(node)}`),
};

const cookie = (what: string) =>
  ({
    aliases: [],
    kind: text,
    fallback: null,
    reload: "restart",
    doc: `The cookie that holds the ${what}.`,
  }) as const;

export const WEBSOCKET_AUTHORIZATION = defineSchema<SimpleAuthorizationOptions>({
  name: "websocket.authorization",
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
    token: {
      aliases: [],
      kind: text,
      fallback: "",
      reload: "restart",
      doc: "A shared secret instead of a user.",
    },
    timeout: {
      aliases: [],
      kind: simpleTimeout,
      fallback: null,
      reload: "restart",
      doc: "How long a client may take to send CONNECT.",
    },
  },
});

export const WEBSOCKET = defineSchema<WebSocketOptions>({
  name: "websocket",
  computed: {},
  directives: { listen: listenDirective() },
  notMap: (node) => `Expected websocket to be a map, got ${typeName(node)}`,
  rows: {
    host: {
      aliases: ["net"],
      kind: text,
      fallback: ANY_HOST,
      reload: "restart",
      doc: "The interface to accept WebSocket clients on.",
    },
    port: {
      aliases: [],
      kind: integer,
      fallback: 0,
      reload: "restart",
      doc: "The port; -1 any free one, 0 none.",
    },
    advertise: {
      aliases: [],
      kind: text,
      fallback: null,
      reload: "restart",
      doc: "The `host[:port]` clients are told.",
    },
    no_tls: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "restart",
      doc: "Allow WebSocket without TLS.",
    },
    tls: tlsRow("TLS for WebSocket clients; required unless `no_tls`."),
    same_origin: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "restart",
      doc: "The Origin header must name this server.",
    },
    allowed_origins: {
      aliases: ["allowed_origin", "allow_origins", "allow_origin", "origins", "origin"],
      kind: textList("allowed origins"),
      fallback: [],
      reload: "restart",
      doc: "The only origins accepted.",
    },
    handshake_timeout: {
      aliases: [],
      kind: handshakeTimeout,
      fallback: 0,
      reload: "restart",
      doc: "How long the HTTP request may take; 0 is unlimited.",
    },
    compression: {
      aliases: ["compress"],
      kind: flag,
      fallback: false,
      reload: "restart",
      doc: "Allow per-message compression.",
    },
    authorization: {
      aliases: ["authentication"],
      kind: block(WEBSOCKET_AUTHORIZATION),
      fallback: null,
      reload: "restart",
      doc: "Other credentials for WebSocket clients.",
    },
    jwt_cookie: cookie("user JWT"),
    user_cookie: cookie("user name"),
    pass_cookie: cookie("password"),
    token_cookie: cookie("token"),
    no_auth_user: {
      aliases: [],
      kind: text,
      fallback: null,
      reload: "restart",
      doc: "The user of WebSocket clients that name none.",
    },
    headers: {
      aliases: [],
      kind: record(
        headerValue,
        (node) => `error parsing headers: unsupported type ${typeName(node)}`,
      ),
      fallback: {},
      reload: "restart",
      doc: "Headers added to the answer to the upgrade request.",
    },
    ping_interval: {
      aliases: [],
      kind: duration("ping_interval"),
      fallback: null,
      reload: "restart",
      doc: "How often WebSocket clients are pinged; as the server's when absent.",
    },
  },
});
