/** The first lines of a log: what starts here, and what its operator should know before anything else. */
import type { Options, OptionsOrigin } from "../../config/index.ts";
import type { LogLevel } from "../../core/index.ts";
import { decodeOperator } from "../../server/node-host.ts";
import { FROND_VERSION, NATS_VERSION, RUNTIME_VERSION } from "../../server/version.ts";

/** A line that names nobody. */
export interface BannerLine {
  readonly level: LogLevel;
  readonly text: string;
}

/** The lines, in the order of nats-server's. */
export function bannerLines(
  options: Options,
  origin: OptionsOrigin,
  serverId: string,
): readonly BannerLine[] {
  const notice = (text: string): BannerLine => ({ level: "notice", text });
  const lines = [
    notice("Starting nats-server"),
    notice(`  Version:  ${NATS_VERSION}`),
    notice("  Git:      [not set]"),
    notice(`  Frond:    ${FROND_VERSION}`),
    { level: "debug", text: `  Runtime:  ${RUNTIME_VERSION}` } as const,
    notice(`  Name:     ${options.serverName ?? serverId}`),
    notice(`  ID:       ${serverId}`),
    ...featureLines(options.featureFlags).map(notice),
  ];
  const warn = (when: boolean, text: string): void => {
    if (when) lines.push({ level: "warn", text });
  };
  warn(origin.plaintextPasswords, "Plaintext passwords detected, use nkeys or bcrypt");
  if (origin.file !== null) {
    lines.push(notice(`Using configuration file: ${origin.file} (${origin.digest})`));
  }
  lines.push(...operatorLines(options.operator).map(notice));
  warn(
    options.operator.length > 0 && options.systemAccount === null && !namesSystemAccount(options),
    "Trusted Operators should utilize a System Account",
  );
  warn(options.maxPayload > LARGE_PAYLOAD, LARGE_PAYLOAD_TEXT);
  warn(Object.keys(options.defaultJsDomain).length > 0, JS_DOMAIN_TEXT);
  return lines;
}

function operatorLines(jwts: readonly string[]): readonly string[] {
  if (jwts.length === 0) return [];
  const blocks = jwts.map((jwt) => {
    const operator = decodeOperator(jwt);
    if (!operator.ok) return [];
    const { audience, name, issuedAt, expires } = operator.claims;
    return [
      `  System  : "${audience}"`,
      `  Operator: "${name}"`,
      `  Issued  : ${unixTime(issuedAt)}`,
      `  Expires : ${expires === 0 ? "Never" : unixTime(expires)}`,
    ];
  });
  return ["Trusted Operators", ...blocks.flat()];
}

/** Of several operators none speaks for the server. */
function namesSystemAccount({ operator: [jwt, ...others] }: Options): boolean {
  if (jwt === undefined || others.length > 0) return false;
  const decoded = decodeOperator(jwt);
  return decoded.ok && decoded.claims.systemAccount !== "";
}

/** As Go prints a time in the zone that servers run in: `2026-11-24 17:15:51 +0000 UTC`. */
function unixTime(seconds: number): string {
  const [day = "", time = ""] = new Date(seconds * 1000).toISOString().split("T");
  return `${day} ${time.slice(0, 8)} +0000 UTC`;
}

const LARGE_PAYLOAD = 8 * 1024 * 1024;
const LARGE_PAYLOAD_TEXT =
  "Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance";
const JS_DOMAIN_TEXT =
  "The option `default_js_domain` is a temporary backwards compatibility measure and will be removed";

/** The feature flags of 2.15.2, with what they are when not mentioned. */
const FEATURES: ReadonlyMap<string, boolean> = new Map([
  ["js_ack_fc_v2", false],
  ["js_api_reply_v2", false],
  ["js_raft_delete_range", true],
  ["js_snapshot_sources", false],
]);

function featureLines(flags: Options["featureFlags"]): readonly string[] {
  const names = Object.keys(flags).sort();
  if (names.length === 0) return [];
  const configured = names.flatMap((name) => {
    const usual = FEATURES.get(name);
    if (usual === undefined) return [];
    const on = flags[name] === true;
    const word = on === usual ? (on ? "enabled" : "disabled") : on ? "opt-in" : "opt-out";
    return [`${name} (${word})`];
  });
  const unknown = names.filter((name) => !FEATURES.has(name));
  return [
    "  Feature flags:",
    `    Configured:    ${configured.join(", ") || "none"}`,
    ...(unknown.length > 0 ? [`    Unsupported:   ${unknown.join(", ")}`] : []),
  ];
}
