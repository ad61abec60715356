/**
 * Users by token: from checked claims to what the engine is told, and whether a user who is already in may
 * stay when the claims of the account change.
 */
import type { AcceptedUser, ClosedState, ConnectionType, Millis } from "../core/index.ts";
import { accept, quote, type Attempt } from "./attempt.ts";
import type { AccountClaims, UserScope } from "./claims/account.ts";
import { isRevoked } from "./claims/activation.ts";
import { permissionsOf, type UserClaims, type UserRights } from "./claims/user.ts";

/** What must be known of a user by token to judge it again. */
export interface UserGrant {
  readonly publicKey: string;
  readonly issuedAt: number;
  /** The signing key that made the token; "" if the account's own key did. */
  readonly signingKey: string;
  readonly bearer: boolean;
  /** The permissions are the account's default ones and change with them. */
  readonly defaulted: boolean;
}

/** A user who came with a token (or was made one by auth callout). */
export interface GrantedUser extends AcceptedUser {
  readonly grant: UserGrant;
}

/** The grant of a user by token; null for all others. */
export function grantOf(user: AcceptedUser): UserGrant | null {
  return isGranted(user) ? user.grant : null;
}

function isGranted(user: AcceptedUser): user is GrantedUser {
  return "grant" in user;
}

/** The user that checked claims make. `ends`: when its time window closes. */
export function grantUser(
  attempt: Attempt,
  user: UserClaims,
  rights: UserRights,
  account: Pick<AccountClaims, "subject" | "defaultPermissions">,
  ends: Millis | null,
): GrantedUser {
  const own = permissionsOf(rights.permissions);
  const expiries = [ends, user.expires === 0 ? null : user.expires * 1000].filter(
    (t) => t !== null,
  );
  const signingKey = user.issuerAccount === "" ? "" : user.issuer;
  return {
    ...accept(attempt, account.subject, {
      permissions: own ?? permissionsOf(account.defaultPermissions),
      limits: { maxPayload: rights.maxPayload, maxSubscriptions: rights.maxSubscriptions },
      expires: expiries.length === 0 ? null : Math.min(...expiries),
      jwt: rights.bearer ? "" : attempt.credentials.jwt,
      issuerKey: signingKey === "" ? account.subject : signingKey,
      nameTag: user.name,
      tags: user.tags,
    }),
    grant: {
      publicKey: user.subject,
      issuedAt: user.issuedAt,
      signingKey,
      bearer: rights.bearer,
      defaulted: own === null,
    },
  };
}

/** Why a link must be closed, and what its peer is told. */
export interface Eviction {
  readonly error: string;
  readonly reason: ClosedState;
}

/** Whether new claims end the stay of a user; null if it may stay. */
export function evictionBy(
  grant: UserGrant,
  before: AccountClaims,
  after: AccountClaims,
  signers: ReadonlyMap<string, UserScope | null>,
): Eviction | null {
  if (grant.bearer && after.limits.disallowBearer) {
    return { error: "Authorization Violation", reason: "Authentication Failure" };
  }
  if (isRevoked(after.revocations, grant.publicKey, grant.issuedAt)) {
    return { error: "User Authentication Revoked", reason: "Credentials Revoked" };
  }
  const { signingKey } = grant;
  if (signingKey === "") return null;
  const scope = signers.get(signingKey);
  const was = before.signingKeys.get(signingKey) ?? null;
  const same = scope !== undefined && JSON.stringify(scope) === JSON.stringify(was);
  // nats-server closes these without a word.
  return same ? null : { error: "Authorization Violation", reason: "Authentication Failure" };
}

const CONNECTION_TYPES: readonly string[] = [
  "STANDARD",
  "WEBSOCKET",
  "LEAFNODE",
  "LEAFNODE_WS",
  "MQTT",
  "MQTT_WS",
  "IN_PROCESS",
] satisfies ConnectionType[];

/** Whether a token's list admits this type: "unknown" if it names nothing that this server knows. */
export function typeAdmitted(
  listed: readonly string[],
  type: ConnectionType,
  debug: (text: string) => void,
): "yes" | "no" | "unknown" {
  if (listed.length === 0) return "yes";
  const upper = listed.map((each) => each.toUpperCase());
  const known = upper.filter((each) => CONNECTION_TYPES.includes(each));
  const unknown = upper.filter((each) => !CONNECTION_TYPES.includes(each));
  if (unknown.length > 0) debug(`invalid connection types [${unknown.map(quote).join(" ")}]`);
  if (known.length === 0) return "unknown";
  return known.includes(type) ? "yes" : "no";
}
