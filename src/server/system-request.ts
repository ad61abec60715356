/** The body of a request to a system service: options as JSON, and filters that say which servers answer. */
import { latin1, latin1ToUtf8, type InternalMessage } from "../core/index.ts";
import type { MonitorState } from "../monitoring/index.ts";

export type Members = Readonly<Record<string, unknown>>;

export interface BadBody {
  readonly fault: string;
}

/** The members of the body; an empty body has none. */
export function readBody(request: InternalMessage): Members | BadBody {
  const text = latin1ToUtf8(latin1(request.payload, 0, request.payload.length));
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: jsonFault(text) };
  }
  if (value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) {
    const fault = typeFault(value as Members);
    return fault === null ? (value as Members) : { fault };
  }
  return {
    fault: `json: cannot unmarshal ${goType(value)} into Go value of type server.EventFilterOptions`,
  };
}

export function isBad(body: Members | BadBody): body is BadBody {
  return typeof body["fault"] === "string";
}

const TYPES: Readonly<Record<string, "string" | "number" | "boolean">> = {
  server_name: "string",
  host: "string",
  cluster: "string",
  domain: "string",
  exact_match: "boolean",
  sort: "string",
  auth: "boolean",
  subscriptions: "boolean",
  subscriptions_detail: "boolean",
  offset: "number",
  limit: "number",
  cid: "number",
  state: "number",
  user: "string",
  acc: "string",
  account: "string",
  filter_subject: "string",
  test: "string",
  include_unused: "boolean",
};

function typeFault(members: Members): string | null {
  for (const [name, value] of Object.entries(members)) {
    const wanted = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    if (wanted === undefined || value === null || typeof value === wanted) continue;
    const type = wanted === "number" ? "int" : wanted === "boolean" ? "bool" : "string";
    return `json: cannot unmarshal ${goType(value)} into Go struct field ${name} of type ${type}`;
  }
  return null;
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value;
}

/** The first thing that is wrong, in the words of Go's decoder where it is simple. */
function jsonFault(text: string): string {
  const open = /^\s*\{\s*([^"}\s])/.exec(text);
  if (open !== null) {
    return `invalid character '${open[1] ?? ""}' looking for beginning of object key string`;
  }
  const start = /^\s*([^{["\d\s-])/.exec(text);
  if (start !== null) return `invalid character '${start[1] ?? ""}' looking for beginning of value`;
  return "unexpected end of JSON input";
}

/** Whether the request is for this server. */
export function isMeant(state: MonitorState, members: Members): boolean {
  const { options } = state.engine;
  const exact = members["exact_match"] === true;
  const matches = (name: string, own: string): boolean => {
    const wanted = members[name];
    if (typeof wanted !== "string" || wanted === "") return true;
    return exact ? own === wanted : own.includes(wanted);
  };
  const { domain, tags } = members;
  const own = state.config.tags.map((tag) => tag.toLowerCase());
  return (
    matches("server_name", options.serverName) &&
    matches("host", options.host) &&
    matches("cluster", options.clusterName) &&
    (typeof domain !== "string" || domain === "" || domain === options.domain) &&
    (!Array.isArray(tags) ||
      tags.every((tag) => typeof tag !== "string" || own.includes(tag.toLowerCase())))
  );
}
