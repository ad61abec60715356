/**
 * The tables of `authorization` and of user entries, which `accounts` share.
 *
 * Users of `authorization` belong to `$G`. Whether names are unique over the whole file is looked at when all
 * blocks are read.
 */
import type { ConnectionType } from "../core/index.ts";
import { flag, strictTextList, text, textList, timeout } from "./kinds.ts";
import { isPublicNkey } from "./nkey-format.ts";
import type {
  AuthCalloutOptions,
  AuthorizationOptions,
  NkeyUserOptions,
  UserOptions,
} from "./options.ts";
import { permissions } from "./permissions.ts";
import { type Kind, type Reading, block, defineSchema, readBlock } from "./rows.ts";
import { type ConfigNode, display, quote } from "./value.ts";

export const GLOBAL_ACCOUNT = "$G";

const CONNECTION_TYPES: readonly ConnectionType[] = [
  "STANDARD",
  "WEBSOCKET",
  "LEAFNODE",
  "LEAFNODE_WS",
  "MQTT",
  "MQTT_WS",
  "IN_PROCESS",
];

const connectionTypes: Kind<readonly ConnectionType[]> = {
  label: "list of connection types",
  read(node, reading, key) {
    const words = textList("allowed connection types").read(node, reading, key);
    if (words === undefined) return undefined;
    const types: ConnectionType[] = [];
    const unknown: string[] = [];
    for (const word of words) {
      const type = CONNECTION_TYPES.find((known) => known === word.toUpperCase());
      if (type === undefined) unknown.push(quote(word.toUpperCase()));
      else types.push(type);
    }
    if (unknown.length > 0) {
      return reading.error(node, `invalid connection types [${unknown.join(" ")}]`);
    }
    return types;
  },
};

/** A user entry before it is known whether it is one of a name or of a key. */
type UserEntry = Omit<UserOptions, "account"> & { readonly nkey: string };

export const USER = defineSchema<UserEntry>({
  name: "user",
  computed: {},
  rows: {
    user: {
      aliases: ["username"],
      kind: text,
      fallback: "",
      reload: "hot",
      doc: "The name; with `verify_and_map` also an e-mail address, DNS name or subject of a certificate.",
    },
    password: {
      aliases: ["pass"],
      kind: text,
      fallback: "",
      reload: "hot",
      doc: "Plain, or a bcrypt hash.",
    },
    nkey: {
      aliases: [],
      kind: text,
      fallback: "",
      reload: "hot",
      doc: "The public key of a user who signs a nonce; instead of user and password.",
    },
    permissions: {
      aliases: ["permission", "authorization"],
      kind: permissions,
      fallback: null,
      reload: "hot",
      doc: "What the user may publish and subscribe to.",
    },
    allowed_connection_types: {
      aliases: ["connection_types", "clients"],
      kind: connectionTypes,
      fallback: [],
      reload: "hot",
      doc: "The ways the user may connect; all when empty.",
    },
    proxy_required: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "hot",
      doc: "Only by way of a trusted proxy.",
    },
  },
});

/** Users by name and by key, as one list of a configuration. */
export interface Users {
  readonly users: readonly UserOptions[];
  readonly nkeys: readonly NkeyUserOptions[];
}

/** Reads a `users` array; `account` is where they belong. */
export function readUsers(node: ConfigNode, reading: Reading, account: string): Users | undefined {
  if (node.value.kind !== "array") {
    const got = display(node);
    // An account's list has no place for nats-server.
    const place = account === GLOBAL_ACCOUNT || node.path !== null ? node : null;
    return reading.error(place, `Expected users field to be an array, got ${got}`);
  }
  const users: UserOptions[] = [];
  const nkeys: NkeyUserOptions[] = [];
  for (const item of node.value.items) {
    if (item.value.kind !== "map") {
      reading.error(item, `Expected user entry to be a map/struct, got ${display(item)}`);
      continue;
    }
    const entry = readBlock(USER, item, reading);
    if (entry === undefined) continue;
    const { nkey, ...user } = entry;
    const fault = userFault(entry);
    if (fault !== null) reading.error(lastOf(item), fault);
    else if (nkey === "") users.push({ ...user, account });
    else {
      const { permissions, allowedConnectionTypes, proxyRequired } = user;
      nkeys.push({ nkey, account, permissions, allowedConnectionTypes, proxyRequired });
    }
  }
  return { users, nkeys };
}

function userFault({ nkey, user, password }: UserEntry): string | null {
  if (nkey === "") return user === "" ? "User entry requires a user" : null;
  if (!isPublicNkey(nkey, "U")) return "Not a valid public nkey for a user";
  const named = user !== "" || password !== "";
  return named ? "Nkey users do not take usernames or passwords" : null;
}

/** Where a fault of a whole map is reported: at the value read last. */
function lastOf(node: ConfigNode): ConfigNode {
  return node.value.kind === "map" ? ([...node.value.entries.values()].at(-1) ?? node) : node;
}

/** Users without permissions of their own get the default ones. */
export function withDefaultPermissions<T extends Users>(
  list: T,
  defaults: UserOptions["permissions"],
): T {
  if (defaults === null) return list;
  const fill = <U extends UserOptions | NkeyUserOptions>(user: U): U =>
    user.permissions === null ? { ...user, permissions: defaults } : user;
  return { ...list, users: list.users.map(fill), nkeys: list.nkeys.map(fill) };
}

const publicKey = (letter: "A" | "X", fault: string): Kind<string> => ({
  label: "public nkey",
  read(node, reading, key) {
    const value = text.read(node, reading, key);
    if (value === undefined || isPublicNkey(value, letter)) return value;
    return reading.error(node, `${fault}, got ${quote(value)}`);
  },
});

const listOf = (what: string): Kind<readonly string[]> =>
  strictTextList(() => `Expected ${what} field to be an array, got *conf.token`);

export const AUTH_CALLOUT = defineSchema<AuthCalloutOptions>({
  name: "auth_callout",
  computed: {},
  rows: {
    issuer: {
      aliases: [],
      kind: publicKey("A", "Expected callout user to be a valid public account nkey"),
      fallback: "",
      reload: "restart",
      doc: "The account key that signs the answers of the service. Required.",
    },
    account: {
      aliases: ["acc"],
      kind: text,
      fallback: GLOBAL_ACCOUNT,
      reload: "restart",
      doc: "The account the service listens in.",
    },
    auth_users: {
      aliases: ["users"],
      kind: listOf("auth_users"),
      fallback: [],
      reload: "restart",
      doc: "Users the service is not asked about: its own, and administrators. Required.",
    },
    xkey: {
      aliases: ["key"],
      kind: publicKey("X", "Expected callout xkey to be a valid public xkey"),
      fallback: null,
      reload: "restart",
      doc: "The service's curve key; with it requests are encrypted.",
    },
    allowed_accounts: {
      aliases: [],
      kind: listOf("allowed accounts"),
      fallback: [],
      reload: "restart",
      doc: "Ask the service only about users of these accounts and about unknown ones; of all when empty.",
    },
  },
  unknownField: (key) => `Unknown field ${quote(key)} parsing authorization callout`,
  notMap: (node) => `Expected authorization callout to be a map/struct, got ${display(node)}`,
  finish(draft, node, reading) {
    if (reading.errors.some((e) => e.line === node.line && e.path === node.path && e.line > 0))
      return;
    if (draft.issuer === "") {
      reading.error(lastOf(node), "Authorization callouts require an issuer to be specified");
    } else if (draft.authUsers.length === 0) {
      const fault = "Authorization callouts require authorized users to be specified";
      reading.error(lastOf(node), fault);
    }
  },
});

export const AUTHORIZATION = defineSchema<AuthorizationOptions, "users" | "nkeys">({
  name: "authorization",
  rows: {
    user: {
      aliases: ["username"],
      kind: text,
      fallback: "",
      reload: "hot",
      doc: "The one user.",
    },
    password: {
      aliases: ["pass"],
      kind: text,
      fallback: "",
      reload: "hot",
      doc: "The one user's password; plain, or a bcrypt hash.",
    },
    token: {
      aliases: [],
      kind: text,
      fallback: "",
      reload: "hot",
      doc: "A shared secret instead of users; plain, or a bcrypt hash.",
    },
    timeout: {
      aliases: [],
      kind: timeout("authorization config", 60_000),
      fallback: null,
      reload: "hot",
      doc: "How long a client may take to send CONNECT; 2 s when absent, the TLS timeout and 1 s with TLS.",
    },
    default_permissions: {
      aliases: ["default_permission", "permissions"],
      kind: permissions,
      fallback: null,
      reload: "hot",
      doc: "Permissions of users that have none of their own.",
    },
    auth_callout: {
      aliases: ["auth_hook"],
      kind: block(AUTH_CALLOUT),
      fallback: null,
      reload: "restart",
      doc: "Leave the decision to a service.",
    },
    proxy_required: {
      aliases: [],
      kind: flag,
      fallback: false,
      reload: "restart",
      doc: "Clients may come only by way of a trusted proxy.",
    },
  },
  computed: { users: [], nkeys: [] },
  directives: {
    users: {
      aliases: [],
      label: "list of users",
      schema: USER,
      reload: "hot",
      doc: "Users of the account `$G`: by name and password, or by nkey.",
      apply(draft, node, reading) {
        const list = readUsers(node, reading, GLOBAL_ACCOUNT);
        if (list !== undefined) Object.assign(draft, list);
        reading.given("users");
      },
    },
  },
  finish(draft) {
    const filled = withDefaultPermissions(draft, draft.defaultPermissions);
    draft.users = filled.users;
    draft.nkeys = filled.nkeys;
  },
});
