/**
 * INFO as this server sends it: members in the reference's order, with the reference's choice of which are
 * left out when empty. On the wire there is one blank between the JSON and CRLF.
 */
import type { SubjectRules } from "../contract.ts";

/** Everything an INFO may carry; undefined members are left out. Which are always there is the builder's care. */
export interface InfoFields {
  server_id: string;
  server_name: string;
  version: string;
  proto: number;
  git_commit?: string | undefined;
  go: string;
  host: string;
  port: number;
  headers: boolean;
  auth_required?: boolean | undefined;
  tls_required?: boolean | undefined;
  tls_verify?: boolean | undefined;
  tls_available?: boolean | undefined;
  max_payload: number;
  jetstream?: boolean | undefined;
  ip?: string | undefined;
  client_id?: number | undefined;
  client_ip?: string | undefined;
  nonce?: string | undefined;
  cluster?: string | undefined;
  domain?: string | undefined;
  connect_urls?: readonly string[] | undefined;
  ws_connect_urls?: readonly string[] | undefined;
  ldm?: boolean | undefined;
  compression?: string | undefined;
  connect_info?: boolean | undefined;
  remote_account?: string | undefined;
  acc_is_sys?: boolean | undefined;
  api_lvl?: number | undefined;
  import?: RulesJson | undefined;
  export?: RulesJson | undefined;
  info_on_connect?: boolean | undefined;
  leafnode_urls?: readonly string[] | undefined;
  xkey?: string | undefined;
}

export interface RulesJson {
  allow?: readonly string[];
  deny?: readonly string[];
}

/**
 * `api_lvl`: of JetStream's API. 2.15.2 says it without JetStream too; from 2 on it also means that a proxy's
 * `proxy_sig` is understood.
 */
export const API_LEVEL = 5;

const ORDER: readonly (keyof InfoFields)[] = [
  "server_id",
  "server_name",
  "version",
  "proto",
  "git_commit",
  "go",
  "host",
  "port",
  "headers",
  "auth_required",
  "tls_required",
  "tls_verify",
  "tls_available",
  "max_payload",
  "jetstream",
  "ip",
  "client_id",
  "client_ip",
  "nonce",
  "cluster",
  "domain",
  "connect_urls",
  "ws_connect_urls",
  "ldm",
  "compression",
  "connect_info",
  "remote_account",
  "acc_is_sys",
  "api_lvl",
  "import",
  "export",
  "info_on_connect",
  "leafnode_urls",
  "xkey",
];

/** Members that stand in INFO even when they are empty. */
const ALWAYS = new Set<keyof InfoFields>([
  "server_id",
  "server_name",
  "version",
  "proto",
  "go",
  "host",
  "port",
  "headers",
  "max_payload",
  "import",
  "export",
]);

/** The INFO line with its CRLF, as UTF-8 text. */
export function infoLine(fields: InfoFields): string {
  const out: Record<string, unknown> = {};
  for (const key of ORDER) {
    const value = fields[key];
    if (value === undefined) continue;
    const empty =
      value === "" ||
      value === 0 ||
      value === false ||
      (Array.isArray(value) && value.length === 0);
    if (empty && !ALWAYS.has(key)) continue;
    out[key] = value;
  }
  return `INFO ${JSON.stringify(out)} \r\n`;
}

/** As Go's omitempty prints a permission: empty lists are left out, so an empty allow list becomes `{}`. */
export function rulesJson(rules: SubjectRules): RulesJson {
  const out: RulesJson = {};
  if (rules.allow !== null && rules.allow.length > 0) out.allow = rules.allow;
  if (rules.deny.length > 0) out.deny = rules.deny;
  return out;
}
