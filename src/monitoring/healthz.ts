/** `/healthz`: whether this server does its work; with `links=1`, whether its required remotes are up too. */
import { type JsonObject, omit } from "./json.ts";
import { isDown, remoteAddress } from "./linkz.ts";
import { type Query, queryBool, queryText } from "./query.ts";
import type { MonitorState, RemoteView } from "./state.ts";

export interface HealthzOptions {
  readonly account?: string;
  readonly stream?: string;
  readonly consumer?: string;
  readonly details?: boolean;
  /** Frond's own: a required remote that is down is a failure. */
  readonly links?: boolean;
}

export interface Health {
  readonly code: number;
  /** `ok`, `unavailable` or `error`. */
  readonly status: string;
  readonly problems: readonly HealthProblem[];
  /** Problems are listed under `errors`, not the first one as `error`. */
  readonly details: boolean;
}

export interface HealthProblem {
  readonly type: "BAD_REQUEST" | "CONNECTION" | "LINK";
  readonly account: string;
  readonly error: string;
}

export function healthzOptions(query: Query): HealthzOptions {
  for (const name of ["js-enabled", "js-enabled-only", "js-server-only", "js-meta-only"]) {
    queryBool(query, name);
  }
  return {
    account: queryText(query, "account"),
    stream: queryText(query, "stream"),
    consumer: queryText(query, "consumer"),
    details: queryBool(query, "details"),
    links: queryBool(query, "links"),
  };
}

export function healthz(state: MonitorState, options: HealthzOptions = {}): Health {
  const details = options.details === true;
  const { account = "", stream = "", consumer = "" } = options;
  if (stream !== "" && account === "") {
    return failed(
      400,
      details,
      badRequest('"account" must not be empty when checking stream health'),
    );
  }
  if (consumer !== "" && stream === "") {
    return failed(
      400,
      details,
      badRequest('"stream" must not be empty when checking consumer health'),
    );
  }
  const down = state.listeners.filter((listener) => !listener.up);
  if (down.length > 0) {
    const names = down.map(({ name, error }) => (error === "" ? name : `${name}(${error})`));
    const error = `failed to be ready for connections after 1ms: ${names.join(", ")}`;
    return failed(500, details, [{ type: "CONNECTION", account: "", error }]);
  }
  const missing =
    options.links === true ? state.remotes.filter((one) => one.required && isDown(one)) : [];
  if (missing.length > 0) return failed(503, details, missing.map(linkProblem));
  return { code: 200, status: "ok", problems: [], details };
}

/** As the HTTP endpoint and (with `status_code`) the system service answer. */
export function healthJson(health: Health, withCode: boolean): JsonObject {
  const { problems, details } = health;
  return {
    status: health.status,
    status_code: withCode ? health.code : undefined,
    error: details ? undefined : omit(problems.map((problem) => problem.error).join("; ")),
    errors: details
      ? omit(problems.map(({ type, account, error }) => ({ type, account: omit(account), error })))
      : undefined,
  };
}

/** The line for the log, or null. */
export function healthWarning(health: Health): string | null {
  const { problems } = health;
  const first = problems[0];
  if (first === undefined) return null;
  return problems.length === 1
    ? `Healthcheck failed: "${first.error}"`
    : `Healthcheck failed: ${problems.length} errors`;
}

function failed(code: number, details: boolean, problems: readonly HealthProblem[]): Health {
  return { code, status: code === 503 && !details ? "unavailable" : "error", problems, details };
}

function badRequest(error: string): HealthProblem[] {
  return [{ type: "BAD_REQUEST", account: "", error }];
}

function linkProblem(remote: RemoteView): HealthProblem {
  const why = remote.lastError === "" ? "" : `: ${remote.lastError}`;
  return {
    type: "LINK",
    account: remote.account,
    error: `leafnode remote "${remoteAddress(remote)}" (account ${remote.account}) is ${remote.state}${why}`,
  };
}
