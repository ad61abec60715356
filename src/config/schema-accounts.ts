/** The table of one account and the `accounts` block: names alone, or names with blocks. */
import { isValidLiteral } from "../core/index.ts";
import { exports, imports } from "./account-sharing.ts";
import { integer, parseInteger, text } from "./kinds.ts";
import { mappings } from "./mappings.ts";
import { isPublicNkey } from "./nkey-format.ts";
import type { AccountLimits, AccountOptions } from "./options.ts";
import { permissions } from "./permissions.ts";
import { type Kind, type Reading, block, defaultsOf, defineSchema, readInto } from "./rows.ts";
import { GLOBAL_ACCOUNT, USER, readUsers, withDefaultPermissions } from "./schema-authorization.ts";
import { type ConfigNode, display, quote, typeName } from "./value.ts";

const limit = <K extends string>(alias: K, doc: string) =>
  ({ aliases: [alias], kind: integer, fallback: -1, reload: "hot", doc }) as const;

export const ACCOUNT_LIMITS = defineSchema<AccountLimits>({
  name: "limits",
  computed: {},
  unknownField: (key) => `Unknown field ${quote(key)} parsing account limits`,
  notMap: (node) => `Expected account limits to be a map/struct, got ${display(node)}`,
  rows: {
    max_connections: limit("max_conn", "Clients of the account; -1 is unlimited."),
    max_subscriptions: limit("max_subs", "Subscriptions of the account; -1 is unlimited."),
    max_payload: limit("max_pay", "Largest message; -1 is unlimited."),
    max_leafnodes: limit("max_leafs", "Leaf links of the account; -1 is unlimited."),
  },
});

const accountKey: Kind<string> = {
  label: "public account nkey",
  read(node, reading) {
    const value = display(node);
    if (node.value.kind === "string" && isPublicNkey(value, "A")) return value;
    return reading.error(node, `Not a valid public nkey for an account: ${quote(value)}`);
  },
};

/** JetStream of an account: nothing here can switch it on. */
const jetstream: Kind<boolean> = {
  label: "`disabled`",
  read(node, reading) {
    const { value } = node;
    if (value.kind === "boolean") return value.value ? unsupported(node, reading) : false;
    if (value.kind === "string") {
      const word = value.text.toLowerCase();
      if (word === "disabled" || word === "disable") return false;
      if (word === "enabled" || word === "enable") return unsupported(node, reading);
      const expected = "Expected 'enabled' or 'disabled' for string value";
      return reading.error(node.path === null ? null : node, `${expected}, got '${value.text}'`);
    }
    return value.kind === "map"
      ? unsupported(node, reading)
      : reading.error(
          node.path === null ? null : node,
          `Expected map, bool or string to define JetStream, got ${typeName(node)}`,
        );
  },
};

const unsupported = (node: ConfigNode, reading: Reading): undefined =>
  reading.error(node, "jetstream is not supported yet");

const msgTrace: Kind<AccountOptions["msgTrace"]> = {
  label: "subject or `{dest, sampling}`",
  read(node, reading, key) {
    const { value } = node;
    if (value.kind === "string") {
      const dest = traceDestination(node, reading, key);
      return dest === undefined ? undefined : { dest, sampling: 100 };
    }
    if (value.kind !== "map") {
      const expected = `Expected account message trace ${quote(key)} to be a string or a map/struct`;
      return reading.error(node, `${expected}, got ${typeName(node)}`);
    }
    let dest = "";
    let sampling = 0;
    for (const [name, child] of value.entries) {
      if (name.toLowerCase() === "dest") dest = traceDestination(child, reading, name) ?? "";
      else if (name.toLowerCase() === "sampling")
        sampling = traceSampling(child, reading, name) ?? 0;
      else if (!child.usedVariable) {
        const where = `parsing account message trace map/struct ${quote(key)}`;
        reading.error(child, `Unknown field ${quote(name)} ${where}`);
      }
    }
    if (dest !== "") return { dest, sampling: sampling || 100 };
    if (sampling > 0) {
      const ignored = "Trace destination sampling ignored since no destination was set";
      reading.plainWarning(node, ignored);
    }
    return null;
  },
};

function traceDestination(node: ConfigNode, reading: Reading, key: string): string | undefined {
  if (node.value.kind !== "string") {
    return reading.error(node, `Field ${quote(key)} should be a string, got ${typeName(node)}`);
  }
  if (isValidLiteral(node.value.text)) return node.value.text;
  return reading.error(node, `Trace destination ${quote(node.value.text)} is not valid`);
}

function traceSampling(node: ConfigNode, reading: Reading, key: string): number | undefined {
  const { value } = node;
  if (value.kind !== "string" && value.kind !== "integer") {
    const expected = "should be an integer or a percentage";
    const field = `Trace destination sampling field ${quote(key)}`;
    return reading.error(node, `${field} ${expected}, got ${typeName(node)}`);
  }
  const word = value.kind === "string" ? value.text : String(value.value);
  const sampling = parseInteger(word.replace(/%$/, ""));
  if (sampling === null) {
    return reading.error(node, `Invalid trace destination sampling value ${quote(word)}`);
  }
  if (sampling >= 1 && sampling <= 100) return sampling;
  // The first word is nats-server's spelling.
  const invalid = `Ttrace destination sampling value ${sampling} is invalid`;
  return reading.error(node, `${invalid}, needs to be [1..100]`);
}

export const ACCOUNT = defineSchema<AccountOptions, "name" | "users" | "nkeys">({
  name: "account",
  computed: { name: "", users: [], nkeys: [] },
  directives: {
    users: {
      aliases: [],
      label: "list of users",
      schema: USER,
      reload: "hot",
      doc: "The users of the account; as in `authorization`.",
      apply(draft, node, reading) {
        const list = readUsers(node, reading, draft.name);
        if (list !== undefined) Object.assign(draft, list);
      },
    },
  },
  rows: {
    nkey: {
      aliases: [],
      kind: accountKey,
      fallback: null,
      reload: "hot",
      doc: "The account's public key.",
    },
    default_permissions: {
      aliases: [],
      kind: permissions,
      fallback: null,
      reload: "hot",
      doc: "Permissions of users that have none of their own.",
    },
    exports: {
      aliases: [],
      kind: exports,
      fallback: [],
      reload: "hot",
      doc: "Streams and services other accounts may import.",
    },
    imports: {
      aliases: [],
      kind: imports,
      fallback: [],
      reload: "hot",
      doc: "Streams and services taken from other accounts.",
    },
    mappings: {
      aliases: ["maps"],
      kind: mappings,
      fallback: [],
      reload: "hot",
      doc: "Subject mappings of the account.",
    },
    limits: {
      aliases: [],
      kind: block(ACCOUNT_LIMITS),
      fallback: defaultsOf(ACCOUNT_LIMITS),
      reload: "hot",
      doc: "How much the account may use.",
    },
    jetstream: {
      aliases: [],
      kind: jetstream,
      fallback: false,
      reload: "hot",
      unsupported: true,
      doc: "JetStream is not supported yet; only `disabled` is accepted.",
    },
    msg_trace: {
      aliases: ["trace_dest"],
      kind: msgTrace,
      fallback: null,
      reload: "hot",
      doc: "Where traces of messages go that have a sampled `traceparent` header.",
    },
  },
  finish(draft) {
    const filled = withDefaultPermissions(draft, draft.defaultPermissions);
    draft.users = filled.users;
    draft.nkeys = filled.nkeys;
  },
});

export const accounts: Kind<readonly AccountOptions[] | null> = {
  label: "list of names, or map of name to account",
  schema: ACCOUNT,
  read(node, reading) {
    const { value } = node;
    if (value.kind === "array") return readNames(value.items, reading);
    // Anything else than a list or map says nothing.
    if (value.kind !== "map") return null;
    const result: AccountOptions[] = [];
    for (const [name, child] of value.entries) {
      // A definition of a variable is no account.
      if (child.usedVariable) continue;
      if (child.value.kind !== "map") reading.error(child, "Expected map entries for accounts");
      else if (name === GLOBAL_ACCOUNT) reservedName(child, reading);
      else result.push(readAccount(name, child, reading));
    }
    return result;
  },
};

function readAccount(name: string, node: ConfigNode, reading: Reading): AccountOptions {
  const draft = { ...defaultsOf(ACCOUNT), name };
  readInto(ACCOUNT, draft, node, reading);
  return draft;
}

function readNames(items: readonly ConfigNode[], reading: Reading): readonly AccountOptions[] {
  const names = new Set<string>();
  for (const item of items) {
    const name = text.read(item, reading, "accounts");
    if (name === GLOBAL_ACCOUNT) reservedName(item, reading);
    else if (name !== undefined && names.has(name)) {
      reading.error(item, `Duplicate Account Entry: ${name}`);
    } else if (name !== undefined) {
      names.add(name);
    }
  }
  return [...names].map((name) => ({ ...defaultsOf(ACCOUNT), name }));
}

const reservedName = (node: ConfigNode, reading: Reading): undefined =>
  reading.error(node, `${quote(GLOBAL_ACCOUNT)} is a Reserved Account`);
