/**
 * CONNECT and INFO as peers send them: JSON whose known members are matched without regard to case and
 * checked for their type; unknown members are ignored. A wrong type or bad JSON is an error text, which is
 * only logged: the link closes without `-ERR`.
 */

/** Member name -> type. */
export type Shape = Readonly<Record<string, "string" | "bool" | "int" | "strings" | "rules">>;

export const CLIENT_CONNECT: Shape = {
  verbose: "bool",
  pedantic: "bool",
  tls_required: "bool",
  echo: "bool",
  auth_token: "string",
  user: "string",
  pass: "string",
  nkey: "string",
  jwt: "string",
  sig: "string",
  name: "string",
  lang: "string",
  version: "string",
  protocol: "int",
  headers: "bool",
  no_responders: "bool",
  account: "string",
  new_account: "bool",
  remote_account: "string",
  import: "rules",
  export: "rules",
  proxy_sig: "string",
};

export const LEAF_CONNECT: Shape = {
  version: "string",
  nkey: "string",
  jwt: "string",
  sig: "string",
  user: "string",
  pass: "string",
  auth_token: "string",
  server_id: "string",
  domain: "string",
  name: "string",
  is_hub: "bool",
  cluster: "string",
  headers: "bool",
  jetstream: "bool",
  deny_pub: "strings",
  isolate: "bool",
  compress_mode: "string",
  remote_account: "string",
  protocol: "int",
  gateway: "string",
  proxy_sig: "string",
  lang: "string",
  account: "string",
  new_account: "bool",
};

export const LEAF_INFO: Shape = {
  server_id: "string",
  server_name: "string",
  version: "string",
  go: "string",
  proto: "int",
  headers: "bool",
  tls_required: "bool",
  client_id: "int",
  nonce: "string",
  cluster: "string",
  domain: "string",
  connect_urls: "strings",
  ws_connect_urls: "strings",
  compression: "string",
  connect_info: "bool",
  remote_account: "string",
  acc_is_sys: "bool",
  import: "rules",
  export: "rules",
  info_on_connect: "bool",
  leafnode_urls: "strings",
  gateway: "string",
  max_payload: "int",
};

export interface Fields {
  readonly values: ReadonlyMap<string, unknown>;
  string(key: string): string;
  /** undefined = not given. */
  bool(key: string): boolean | undefined;
  int(key: string): number;
  strings(key: string): readonly string[] | undefined;
}

/** The members of a JSON object by this shape (`null` has none), or the error's text. */
export function parseFields(json: string, shape: Shape, struct = "ClientOpts"): Fields | string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return error instanceof Error ? error.message : "invalid JSON";
  }
  if (typeof value !== "object" || Array.isArray(value)) {
    return `json: cannot unmarshal ${jsonType(value)} into Go value of type server.${struct}`;
  }
  const values = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value ?? {})) {
    const key = name in shape ? name : name.toLowerCase();
    const type = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (type === undefined || member === null) continue;
    if (!hasType(member, type)) {
      return `json: cannot unmarshal ${jsonType(member)} into Go struct field ${struct}.${key} of type ${GO_TYPES[type]}`;
    }
    values.set(key, member);
  }
  return new FieldValues(values);
}

/** The types as nats-server's log names them. */
const GO_TYPES: Readonly<Record<Shape[string], string>> = {
  string: "string",
  bool: "bool",
  int: "int",
  strings: "[]string",
  rules: "server.SubjectPermission",
};

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

function hasType(value: unknown, type: Shape[string]): boolean {
  switch (type) {
    case "string":
      return typeof value === "string";
    case "bool":
      return typeof value === "boolean";
    case "int":
      return Number.isInteger(value) && Math.abs(value as number) < 2 ** 63;
    case "strings":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "rules":
      return typeof value === "object" && !Array.isArray(value);
    default:
      return false;
  }
}

class FieldValues implements Fields {
  readonly values: ReadonlyMap<string, unknown>;

  constructor(values: ReadonlyMap<string, unknown>) {
    this.values = values;
  }

  string(key: string): string {
    const value = this.values.get(key);
    return typeof value === "string" ? value : "";
  }

  bool(key: string): boolean | undefined {
    const value = this.values.get(key);
    return typeof value === "boolean" ? value : undefined;
  }

  int(key: string): number {
    const value = this.values.get(key);
    return typeof value === "number" ? value : 0;
  }

  strings(key: string): readonly string[] | undefined {
    const value = this.values.get(key);
    return Array.isArray(value) ? (value as readonly string[]) : undefined;
  }
}

/** `import`/`export` of INFO #2: lists of strings, anything else ignored. */
export function rulesOf(value: unknown): { allow: string[] | null; deny: string[] } | null {
  if (value === null || typeof value !== "object") return null;
  const { allow, deny } = value as { allow?: unknown; deny?: unknown };
  const strings = (list: unknown): string[] =>
    Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
  return {
    allow: Array.isArray(allow) && allow.length > 0 ? strings(allow) : null,
    deny: strings(deny),
  };
}
