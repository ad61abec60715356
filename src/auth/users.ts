/**
 * The configured facts that authentication reads: users, the single credentials, the overrides of the
 * websocket and leafnodes blocks, trusted proxies. Plain values, shaped like the configuration; "" stands for
 * an absent text.
 */
import type { ConnectionType, Permissions } from "../core/index.ts";

/** The account of everyone who is given no other. */
export const GLOBAL_ACCOUNT = "$G";

/** One entry of a `users` list: a name with a password, or an nkey. */
export interface UserEntry {
  readonly user: string;
  readonly pass: string;
  readonly nkey: string;
  /** null: the defaults of its block apply. */
  readonly permissions: Permissions | null;
  /** Upper-case names; empty = every type. */
  readonly connectionTypes: readonly ConnectionType[];
  readonly proxyRequired: boolean;
}

export interface AccountUsers {
  readonly name: string;
  readonly users: readonly UserEntry[];
  readonly defaultPermissions: Permissions | null;
}

/** The single credentials of a block. */
export interface SingleCredentials {
  readonly user: string;
  readonly pass: string;
  readonly token: string;
}

/** `authorization {}`. */
export interface AuthorizationOptions extends SingleCredentials {
  /** Whether the block stands in the configuration at all. */
  readonly defined: boolean;
  readonly users: readonly UserEntry[];
  readonly defaultPermissions: Permissions | null;
  readonly proxyRequired: boolean;
}

/** What the websocket block overrides; it takes effect if it names a user, a token or a no_auth_user. */
export interface WebsocketAuthOptions extends SingleCredentials {
  readonly noAuthUser: string;
  readonly listening: boolean;
  /** `verify_and_map` of its TLS block. */
  readonly tlsMap: boolean;
  /** Its TLS block asks for client certificates. */
  readonly asksCertificates: boolean;
}

export interface LeafUserEntry {
  readonly user: string;
  readonly pass: string;
  /** "" binds to `$G`. */
  readonly account: string;
  readonly proxyRequired: boolean;
}

/** `leafnodes { authorization {} }`. */
export interface LeafAuthOptions {
  readonly user: string;
  readonly pass: string;
  readonly nkey: string;
  readonly account: string;
  readonly users: readonly LeafUserEntry[];
  readonly proxyRequired: boolean;
  readonly listening: boolean;
  readonly tlsMap: boolean;
}

export interface ConfigAuthOptions {
  readonly authorization: AuthorizationOptions;
  readonly accounts: readonly AccountUsers[];
  /** The effective system account's name if the configuration names one or defines `$SYS`, else "". */
  readonly systemAccount: string;
  readonly noAuthUser: string;
  /** `verify_and_map` of the client listener's TLS block. */
  readonly tlsMap: boolean;
  /** The client port is open. */
  readonly listening: boolean;
  readonly websocket: WebsocketAuthOptions;
  readonly leafnodes: LeafAuthOptions;
  /** `proxies.trusted`: public nkeys. */
  readonly trustedProxies: readonly string[];
  /** The user invented by the authenticator that this one replaces at a reload; "" at start. */
  readonly inventedUser: string;
}

/** No users, no credentials, nothing overridden: the base that callers spread their facts over. */
export const OPEN_SERVER: ConfigAuthOptions = {
  authorization: {
    defined: false,
    user: "",
    pass: "",
    token: "",
    users: [],
    defaultPermissions: null,
    proxyRequired: false,
  },
  accounts: [],
  systemAccount: "",
  noAuthUser: "",
  tlsMap: false,
  listening: true,
  websocket: {
    user: "",
    pass: "",
    token: "",
    noAuthUser: "",
    listening: false,
    tlsMap: false,
    asksCertificates: false,
  },
  leafnodes: {
    user: "",
    pass: "",
    nkey: "",
    account: "",
    users: [],
    proxyRequired: false,
    listening: false,
    tlsMap: false,
  },
  trustedProxies: [],
  inventedUser: "",
};

/** A user as the authenticator keeps it: with its account, and the defaults applied. */
export interface BoundUser extends UserEntry {
  readonly account: string;
}

/** All users by name and all nkey users by key. */
export interface UserTable {
  readonly users: ReadonlyMap<string, BoundUser>;
  readonly nkeys: ReadonlyMap<string, BoundUser>;
}

/** Collects the users of `authorization` (bound to `$G`) and of the accounts. */
export function collectUsers(options: ConfigAuthOptions): UserTable {
  const users = new Map<string, BoundUser>();
  const nkeys = new Map<string, BoundUser>();
  const add = (entry: UserEntry, account: string, defaults: Permissions | null): void => {
    const bound = { ...entry, account, permissions: settle(entry.permissions ?? defaults) };
    if (entry.nkey === "") users.set(entry.user, bound);
    else nkeys.set(entry.nkey, bound);
  };
  const { authorization } = options;
  for (const entry of authorization.users) {
    add(entry, GLOBAL_ACCOUNT, authorization.defaultPermissions);
  }
  for (const account of options.accounts) {
    for (const entry of account.users) add(entry, account.name, account.defaultPermissions);
  }
  return { users, nkeys };
}

/**
 * `allow_responses` as the core wants it: zeros replaced by the defaults (one response within two minutes), and
 * an allow list that is empty left out, so that nothing but responses may be published.
 */
export function settle(permissions: Permissions | null): Permissions | null {
  const responses = permissions?.responses ?? null;
  if (permissions === null || responses === null) return permissions;
  const { allow, deny } = permissions.publish;
  return {
    ...permissions,
    publish: { allow: allow === null || allow.length === 0 ? null : allow, deny },
    responses: {
      max: responses.max === 0 ? 1 : responses.max,
      expires: responses.expires === 0 ? 120_000 : responses.expires,
    },
  };
}

/** Whether a list of connection types admits this one. */
export function admits(types: readonly ConnectionType[], type: ConnectionType): boolean {
  return types.length === 0 || types.includes(type);
}

/** What is wrong with a `no_auth_user` of a configured server, checked at start and reload; null if nothing. */
export function noAuthUserFault(options: ConfigAuthOptions, name: string): string | null {
  if (name === "") return null;
  const { users, nkeys } = collectUsers(options);
  if (users.size + nkeys.size === 0) {
    return `no_auth_user: "${name}" present, but users/nkeys are not defined`;
  }
  if (users.has(name) || nkeys.has(name)) return null;
  return `no_auth_user: "${name}" not present as user or nkey in authorization block or account configuration`;
}
