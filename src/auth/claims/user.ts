/**
 * User claims, and the permissions and limits that a user and a scoped signing key's template share.
 */
import type { Millis, Permissions, SubjectRules } from "../../core/index.ts";
import { isPublicKey } from "../nkeys.ts";
import { settle } from "../users.ts";
import { error, subjectIssues, timeIssues, type Issue } from "./issues.ts";
import {
  ClaimsError,
  booleanOf,
  integerOf,
  objectOf,
  objectOrNull,
  objectsOf,
  textOf,
  textsOf,
  type JsonObject,
} from "./json.ts";
import { isZone, type TimeWindow } from "./time-windows.ts";
import { parseNetwork } from "./networks.ts";
import type { Common, Token } from "./token.ts";

/** Allow and deny lists as they stand in claims; empty allow lists restrict nothing. */
export interface SubjectClaims {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface PermissionClaims {
  readonly publish: SubjectClaims;
  readonly subscribe: SubjectClaims;
  /** `ttl` in nanoseconds. */
  readonly responses: { readonly max: number; readonly ttl: number } | null;
}

/** What a user may do, be it said by its own token or by a template. -1 = no limit. */
export interface UserRights {
  readonly permissions: PermissionClaims;
  readonly maxSubscriptions: number;
  readonly maxData: number;
  readonly maxPayload: number;
  readonly networks: readonly string[];
  readonly windows: readonly TimeWindow[];
  /** An IANA zone, or "" for the server's own. */
  readonly zone: string;
  readonly bearer: boolean;
  readonly proxyRequired: boolean;
  readonly connectionTypes: readonly string[];
}

export interface UserClaims extends Common {
  readonly rights: UserRights;
  /** The account that the issuer, a signing key, belongs to; "" if the account itself signed. */
  readonly issuerAccount: string;
}

/** The account that a user belongs to, by its own word. */
export function accountOf(user: UserClaims): string {
  return user.issuerAccount === "" ? user.issuer : user.issuerAccount;
}

export function readUser(token: Token): UserClaims {
  if (token.kind !== "user") throw new ClaimsError("not user claim");
  const { kind: _kind, version, nats, claims, ...common } = token;
  const old = version === 1;
  return {
    ...common,
    rights: readRights(nats, old ? -1 : 0),
    issuerAccount: textOf(old ? claims : nats, "issuer_account"),
  };
}

/** Rights of a user or template; `absent` stands for numbers that are not there. */
export function readRights(nats: JsonObject, absent: number): UserRights {
  return {
    permissions: readPermissions(nats),
    maxSubscriptions: integerOf(nats, "subs", absent),
    maxData: integerOf(nats, "data", absent),
    maxPayload: integerOf(nats, "payload", absent),
    networks: readNetworks(nats),
    windows: objectsOf(nats, "times").map((item) => ({
      start: textOf(item, "start"),
      end: textOf(item, "end"),
    })),
    zone: textOf(nats, "times_location"),
    bearer: booleanOf(nats, "bearer_token"),
    proxyRequired: booleanOf(nats, "proxy_required"),
    connectionTypes: textsOf(nats, "allowed_connection_types"),
  };
}

export function readPermissions(object: JsonObject): PermissionClaims {
  const lists = (key: string): SubjectClaims => {
    const entry = objectOf(object, key);
    return { allow: textsOf(entry, "allow"), deny: textsOf(entry, "deny") };
  };
  const responses = objectOrNull(object, "resp");
  return {
    publish: lists("pub"),
    subscribe: lists("sub"),
    responses:
      responses === null
        ? null
        : { max: integerOf(responses, "max"), ttl: integerOf(responses, "ttl") },
  };
}

function readNetworks(nats: JsonObject): readonly string[] {
  const value = nats["src"];
  if (typeof value !== "string") return textsOf(nats, "src");
  return value
    .toLowerCase()
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** The permissions as the core takes them; null if the claims restrict nothing. */
export function permissionsOf(claims: PermissionClaims): Permissions | null {
  const { publish, subscribe, responses } = claims;
  const lists = [publish.allow, publish.deny, subscribe.allow, subscribe.deny];
  if (responses === null && lists.every((list) => list.length === 0)) return null;
  return settle({
    publish: rulesOf(publish),
    subscribe: rulesOf(subscribe),
    responses:
      responses === null
        ? null
        : { max: responses.max, expires: responses.ttl < 0 ? -1 : responses.ttl / 1e6 },
  });
}

function rulesOf({ allow, deny }: SubjectClaims): SubjectRules {
  return { allow: allow.length === 0 ? null : allow, deny };
}

/** Whether nothing at all is granted or limited, as a scoped signing key demands of its users. */
export function isBlank(rights: UserRights): boolean {
  return (
    permissionsOf(rights.permissions) === null &&
    rights.maxSubscriptions === 0 &&
    rights.maxData === 0 &&
    rights.maxPayload === 0 &&
    rights.networks.length === 0 &&
    rights.windows.length === 0 &&
    rights.zone === "" &&
    !rights.bearer &&
    !rights.proxyRequired &&
    rights.connectionTypes.length === 0
  );
}

export function userIssues(user: UserClaims, now: Millis): readonly Issue[] {
  const { issuerAccount } = user;
  const issues = [...timeIssues(user, now), ...rightsIssues(user.rights)];
  if (issuerAccount !== "" && !isPublicKey(issuerAccount, "account")) {
    issues.push(error("account_id is not an account public key"));
  }
  return issues;
}

function rightsIssues(rights: UserRights): readonly Issue[] {
  const issues = [...permissionIssues(rights.permissions)];
  for (const network of rights.networks) {
    if (parseNetwork(network) === null) {
      issues.push(error(`invalid cidr "${network}" in user src limits`));
    }
  }
  for (const { start, end } of rights.windows) {
    issues.push(...clockIssues("start", start), ...clockIssues("end", end));
  }
  if (rights.zone !== "" && !isZone(rights.zone)) {
    const cause = `unknown time zone ${rights.zone}`;
    issues.push(error(`could not parse iana time zone by name: ${cause}`));
  }
  return issues;
}

function clockIssues(which: "start" | "end", time: string): readonly Issue[] {
  if (time === "") {
    const member = which === "start" ? "a start" : "an end";
    return [error(`time ranges ${which} must contain ${member}`)];
  }
  if (/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/.test(time)) return [];
  return [error(`${which} in time range is invalid "${time}"`)];
}

export function permissionIssues(permissions: PermissionClaims): readonly Issue[] {
  const { publish, subscribe } = permissions;
  return [
    ...[...subscribe.allow, ...subscribe.deny].flatMap((entry) => entryIssues(entry, true)),
    ...[...publish.allow, ...publish.deny].flatMap((entry) => entryIssues(entry, false)),
  ];
}

function entryIssues(entry: string, mayNameQueue: boolean): readonly Issue[] {
  const words = entry.split(" ");
  const [subject = "", queue] = words;
  if (words.length > 2) return [error(`Permission Subject "${entry}" contains too many spaces`)];
  if (queue === undefined) return subjectIssues(subject);
  const issues = [...subjectIssues(subject), ...subjectIssues(queue)];
  if (!mayNameQueue) {
    issues.push(error(`Permission Subject "${entry}" is not allowed to contain queue`));
  }
  return issues;
}
