/**
 * All endpoints in one table, and the answer to a request as plain values: an HTTP server needs to add nothing
 * but the transport.
 */
import { accountz, accountzOptions, accstatz, accstatzOptions } from "./accountz.ts";
import {
  checkGatewayzQuery,
  checkRoutezQuery,
  gatewayz,
  jsz,
  jszOptions,
  routez,
} from "./clusters.ts";
import { connz, connzOptions } from "./connz.ts";
import { explainOptions, explainz } from "./explainz.ts";
import { healthJson, healthWarning, healthz, healthzOptions } from "./healthz.ts";
import { indexPage } from "./index-page.ts";
import { encodeJson, type JsonObject } from "./json.ts";
import { leafz, leafzOptions } from "./leafz.ts";
import { linkz, linkzOptions } from "./linkz.ts";
import { MonitorError, type Query, queryText } from "./query.ts";
import { debugVars, ipqueuesz, raftz, stacksz } from "./runtime.ts";
import type { MonitorState } from "./state.ts";
import { subsz, subszOptions } from "./subsz.ts";
import { varz } from "./varz.ts";

export interface MonitorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** A line for the log, or null. */
  readonly warning: string | null;
}

interface Endpoint {
  /** The key in `http_req_stats`; null: not counted. */
  readonly counted: string | null;
  answer(state: MonitorState, query: Query): MonitorReply;
}

const JSON_HEADERS = { "Access-Control-Allow-Origin": "*", "Content-Type": "application/json" };
const TEXT_HEADERS = { "Content-Type": "text/plain; charset=utf-8" };

const SUBSZ = json("/subsz", (state, query) => subsz(state, subszOptions(query)));

/** By path, without the base path. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  "/": { counted: "/", answer: index },
  "/varz": json("/varz", (state) => varz(state)),
  "/connz": json("/connz", (state, query) => connz(state, connzOptions(query))),
  "/routez": json("/routez", (state, query) => {
    checkRoutezQuery(query);
    return routez(state);
  }),
  "/gatewayz": json("/gatewayz", (state, query) => {
    checkGatewayzQuery(query);
    return gatewayz(state);
  }),
  "/leafz": json("/leafz", (state, query) => leafz(state, leafzOptions(query))),
  "/explainz": json("/explainz", (state, query) => explainz(state, explainOptions(query))),
  "/linkz": json("/linkz", (state, query) => linkz(state, linkzOptions(query))),
  "/subsz": SUBSZ,
  "/subscriptionsz": SUBSZ,
  "/accountz": json("/accountz", (state, query) => accountz(state, accountzOptions(query))),
  "/accstatz": json("/accstatz", (state, query) => accstatz(state, accstatzOptions(query))),
  "/jsz": json("/jsz", (state, query) => jsz(state, jszOptions(query))),
  "/healthz": { counted: "/healthz", answer: health },
  "/ipqueuesz": json(null, (_, query) => ipqueuesz(query), 3),
  "/raftz": json(null, raftz, 3),
  "/stacksz": {
    counted: null,
    answer: (state) => ({
      status: 200,
      headers: JSON_HEADERS,
      body: stacksz(state),
      warning: null,
    }),
  },
  "/debug/vars": {
    counted: null,
    answer: (state) => ({
      status: 200,
      headers: { "Content-Type": "application/json; charset=utf-8" },
      body: `${encodeJson(debugVars(state), 1)}\n`,
      warning: null,
    }),
  },
};

/** Answers one request and counts it. `path` is what follows the base path: `/varz`, or `/` for that path itself. */
export function answer(state: MonitorState, path: string, query: Query): MonitorReply {
  const endpoint = Object.hasOwn(ENDPOINTS, path) ? ENDPOINTS[path] : undefined;
  if (endpoint === undefined) {
    const headers = { ...TEXT_HEADERS, "X-Content-Type-Options": "nosniff" };
    return { status: 404, headers, body: "404 page not found\n", warning: null };
  }
  const { counted } = endpoint;
  if (counted !== null) state.requests.set(counted, (state.requests.get(counted) ?? 0) + 1);
  try {
    return endpoint.answer(state, query);
  } catch (error) {
    if (!(error instanceof MonitorError)) throw error;
    return { status: error.status, headers: TEXT_HEADERS, body: error.message, warning: null };
  }
}

/** `nats` -> `/nats`, `/a//b/` -> `/a/b`, `` and `/` -> ``: what stands before every path. */
export function normalBasePath(basePath: string): string {
  const parts: string[] = [];
  for (const part of basePath.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.map((part) => `/${part}`).join("");
}

function json(
  counted: string | null,
  snapshot: (state: MonitorState, query: Query) => JsonObject,
  indent = 2,
): Endpoint {
  return {
    counted,
    answer: (state, query) => ({
      status: 200,
      headers: JSON_HEADERS,
      body: encodeJson(snapshot(state, query), indent),
      warning: null,
    }),
  };
}

function index(state: MonitorState): MonitorReply {
  const { version, serverName } = state.engine.options;
  // Relative to the page, which has no slash at its end.
  const base = normalBasePath(state.http.basePath).split("/").at(-1) ?? "";
  return {
    status: 200,
    headers: { "Content-Type": "text/html; charset=utf-8" },
    body: indexPage(version, serverName, base === "" ? "." : `./${base}`),
    warning: null,
  };
}

function health(state: MonitorState, query: Query): MonitorReply {
  const result = healthz(state, healthzOptions(query));
  const deprecated =
    queryText(query, "js-enabled") === ""
      ? null
      : "Healthcheck: js-enabled deprecated, use js-enabled-only instead";
  return {
    status: result.code,
    headers: JSON_HEADERS,
    body: encodeJson(healthJson(result, false), 0),
    warning: healthWarning(result) ?? deprecated,
  };
}
