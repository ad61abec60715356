/**
 * What only the start of a server refuses: options that are well-formed one by one, but cannot work together.
 * The order is nats-server's, whose first text is what it prints. What needs a JWT decoded is left to auth.
 */
import { formatDuration } from "./duration.ts";
import { isPublicNkey } from "./nkey-format.ts";
import type {
  CompressionOptions,
  LeafNodesOptions,
  NkeyUserOptions,
  Options,
  UserOptions,
  WebSocketOptions,
} from "./options.ts";
import { GLOBAL_ACCOUNT } from "./schema-authorization.ts";
import { quote } from "./value.ts";

export const SYSTEM_ACCOUNT = "$SYS";

const KNOWN_MODES: readonly string[] = [
  "not supported",
  "off",
  "accept",
  "s2_auto",
  "s2_fast",
  "s2_better",
  "s2_best",
];

/** All users of the configuration, wherever they stand. */
export function allUsers(options: Options): readonly UserOptions[] {
  const accounts = options.accounts ?? [];
  return [...(options.authorization?.users ?? []), ...accounts.flatMap(({ users }) => users)];
}

/** All users given by nkey, wherever they stand. */
export function allNkeys(options: Options): readonly NkeyUserOptions[] {
  const accounts = options.accounts ?? [];
  return [...(options.authorization?.nkeys ?? []), ...accounts.flatMap(({ nkeys }) => nkeys)];
}

/** Everything that keeps a server from starting with these options; the first is what a user should read. */
export function validateOptions(options: Options): readonly string[] {
  return [
    lameDuckFault(options),
    sizeFault(options),
    operatorFault(options),
    leafNodesFault(options),
    noAuthUserFault(options, options.noAuthUser),
    options.websocket && webSocketFault(options, options.websocket),
    systemAccountFault(options),
    jetStreamDomainFault(options),
    monitoringFault(options),
  ].filter((fault) => fault !== null);
}

function lameDuckFault({ lameDuckDuration, lameDuckGracePeriod }: Options): string | null {
  if (lameDuckDuration <= 0 || lameDuckGracePeriod < lameDuckDuration) return null;
  const [grace, duration] = [lameDuckGracePeriod, lameDuckDuration].map(formatDuration);
  return `lame duck grace period (${grace}) should be strictly lower than lame duck duration (${duration})`;
}

function sizeFault({ maxPayload, maxPending }: Options): string | null {
  if (maxPayload <= maxPending) return null;
  return `max_payload (${maxPayload}) cannot be higher than max_pending (${maxPending})`;
}

function operatorFault(options: Options): string | null {
  if (options.operator.length === 0) {
    const lone = options.defaultSentinel !== null;
    return lone ? "default sentinel requires operators and accounts" : null;
  }
  // One operator may name a resolver itself.
  if (options.resolver === null && options.operator.length > 1) {
    return "operators require an account resolver to be configured";
  }
  if ((options.accounts ?? []).length > 0) {
    return "operators do not allow Accounts to be configured directly";
  }
  if (allUsers(options).length > 0 || allNkeys(options).length > 0) {
    return "operators do not allow users to be configured directly";
  }
  if (options.trustedKeys.length > 0) {
    return "conflicting options for 'TrustedKeys' and 'TrustedOperators'";
  }
  const pinned = options.resolverPinnedAccounts.find((key) => !isPublicNkey(key, "A"));
  if (pinned !== undefined) {
    return `pinned account key ${quote(pinned)} is not a valid public account nkey`;
  }
  const callout = options.authorization?.authCallout ?? null;
  return callout && "operators do not allow authorization callouts to be configured directly";
}

function leafNodesFault(options: Options): string | null {
  const { leafnodes } = options;
  const fault =
    options.operator.length > 0 ? leafOperatorFault(leafnodes) : leafAccountFault(options);
  if (fault !== null) return fault;
  for (const { compression } of [leafnodes, ...leafnodes.remotes]) {
    const problem = compressionFault(compression);
    if (problem !== null) return problem;
  }
  return null;
}

function leafAccountFault(options: Options): string | null {
  const { leafnodes, accounts, systemAccount, noSystemAccount } = options;
  const known = new Set([GLOBAL_ACCOUNT, "", ...(accounts ?? []).map(({ name }) => name)]);
  if (systemAccount === null && !noSystemAccount) known.add(SYSTEM_ACCOUNT);
  const authorization = leafnodes.authorization;
  const users = authorization?.users.map(({ account }) => account) ?? [];
  const local = [authorization?.account ?? "", ...users];
  const unknown = (name: string, where: string): string =>
    `cannot find local account ${quote(name)} specified in leafnode ${where}`;
  const missing = local.find((name) => !known.has(name));
  if (missing !== undefined) return unknown(missing, "authorization");
  const remote = leafnodes.remotes.find(({ account }) => !known.has(account));
  return remote === undefined ? null : unknown(remote.account, "remote");
}

function leafOperatorFault({ authorization, remotes, port }: LeafNodesOptions): string | null {
  if ((authorization?.users ?? []).length > 0) {
    return "operator mode does not allow specifying users in leafnode config";
  }
  if (remotes.some(({ account }) => !isPublicNkey(account, "A"))) {
    return (
      "operator mode requires account nkeys in remotes. " +
      "Please add an `account` key to each remote in your `leafnodes` section, to assign it to an account. " +
      "Each account value should be a 56 character public key, starting with the letter 'A'"
    );
  }
  const account = authorization?.account ?? GLOBAL_ACCOUNT;
  const foreign = port !== 0 && account !== GLOBAL_ACCOUNT && !isPublicNkey(account, "A");
  return foreign ? "operator mode and non account nkeys are incompatible" : null;
}

function compressionFault({ mode, rttThresholds }: CompressionOptions): string | null {
  if (!KNOWN_MODES.includes(mode)) return `unsupported compression mode ${quote(mode)}`;
  if (mode !== "s2_auto" || rttThresholds.length === 0) return null;
  const shown = `[${rttThresholds.map(formatDuration).join(" ")}]`;
  const set = rttThresholds.filter((millis) => millis !== 0);
  if (set.some((millis, i) => millis < (set[i - 1] ?? 0))) {
    return `RTT threshold values ${shown} should be in ascending order`;
  }
  const used = rttThresholds.findLastIndex((millis) => millis !== 0) + 1;
  const subject = `compression mode ${quote(mode)}`;
  if (used > 4) return `${subject} should have no more than 4 RTT thresholds: ${shown}`;
  return used === 0 ? `${subject} requires at least one RTT threshold` : null;
}

function noAuthUserFault(options: Options, name: string | null): string | null {
  if (name === null || name === "") return null;
  if (options.operator.length > 0) return "no_auth_user not compatible with Trusted Operator";
  const users = allUsers(options);
  const nkeys = allNkeys(options);
  if (users.length === 0 && nkeys.length === 0) {
    return `no_auth_user: "${name}" present, but users/nkeys are not defined`;
  }
  if (users.some(({ user }) => user === name) || nkeys.some(({ nkey }) => nkey === name)) {
    return null;
  }
  const where = "not present as user or nkey in authorization block or account configuration";
  return `no_auth_user: "${name}" ${where}`;
}

function webSocketFault(options: Options, websocket: WebSocketOptions): string | null {
  if (websocket.port === 0) return null;
  if (websocket.tls === null && !websocket.noTls) return "websocket requires TLS configuration";
  for (const origin of websocket.allowedOrigins) {
    const fault = originFault(origin);
    if (fault !== null) return `unable to parse allowed origin${fault}`;
  }
  const fault = noAuthUserFault(options, websocket.noAuthUser);
  if (fault !== null) return fault;
  if (allUsers(options).length > 0 || allNkeys(options).length > 0) {
    const clash = "not compatible with presence of users/nkeys";
    if (websocket.authorization?.user) return `websocket authentication username ${clash}`;
    if (websocket.authorization?.token) return `websocket authentication token ${clash}`;
  }
  const trusted = options.operator.length > 0 || options.trustedKeys.length > 0;
  if (websocket.jwtCookie !== null && !trusted) {
    const needed = "trusted operators or trusted keys configuration is required";
    return `${needed} for JWT authentication via cookie ${quote(websocket.jwtCookie)}`;
  }
  return headerFault(Object.keys(websocket.headers));
}

function originFault(origin: string): string | null {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)/.exec(origin);
  if (match === null) {
    if (origin.startsWith("/")) {
      return ` ${quote(origin)}: allowed origins must be absolute URLs with http or https scheme`;
    }
    return `: parse ${quote(origin)}: invalid URI for request`;
  }
  const [, scheme = "", authority = ""] = match;
  if (!/^https?$/i.test(scheme)) {
    return ` ${quote(origin)}: allowed origins must be absolute URLs with http or https scheme`;
  }
  return authority === "" ? ` ${quote(origin)}: host is required` : null;
}

const RESERVED_HEADERS = ["host", "content-length", "connection", "upgrade", "nats-no-masking"];

function headerFault(names: readonly string[]): string | null {
  for (const name of names) {
    const header = `websocket: invalid header ${quote(name)}`;
    if (RESERVED_HEADERS.includes(name.toLowerCase())) return `${header} not allowed`;
    if (name.toLowerCase().startsWith("sec-websocket-")) {
      return `${header}, "Sec-WebSocket-" prefix not allowed`;
    }
  }
  return null;
}

/** Accounts of operators are in the resolver, and looked for there. */
function systemAccountFault(options: Options): string | null {
  const { operator, trustedKeys, systemAccount, accounts } = options;
  if (operator.length + trustedKeys.length > 0) return null;
  if (systemAccount === null || systemAccount === "") return null;
  const defined = (accounts ?? []).some(({ name }) => name === systemAccount);
  return defined ? null : "error resolving system account: account missing";
}

function jetStreamDomainFault({ operator, defaultJsDomain, accounts }: Options): string | null {
  if (operator.length > 0) return null;
  const known = [GLOBAL_ACCOUNT, SYSTEM_ACCOUNT, ...(accounts ?? []).map(({ name }) => name)];
  const missing = Object.keys(defaultJsDomain).find((name) => !known.includes(name));
  if (missing === undefined) return null;
  const reference = `references non existing account ${quote(missing)}`;
  return `in non operator mode, \`default_js_domain\` ${reference}`;
}

function monitoringFault({ httpPort, httpsPort, tls }: Options): string | null {
  if (httpPort !== 0 && httpsPort !== 0) {
    const both = `HTTP (${httpPort}) and HTTPs (${httpsPort})`;
    return `Can't start monitoring: can't specify both ${both} ports`;
  }
  return httpsPort !== 0 && tls === null
    ? "Can't start monitoring: TLS cert and key required for HTTPS"
    : null;
}
