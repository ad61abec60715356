/**
 * Account claims: what an operator lets an account do and what the account shares. Read here, checked in
 * `account-check.ts`, turned into the shape that configured accounts have in `account-view.ts`.
 */
import {
  ClaimsError,
  booleanOf,
  integerOf,
  integersOf,
  listOf,
  objectOf,
  objectOrNull,
  objectsOf,
  textOf,
  textsOf,
  type JsonObject,
} from "./json.ts";
import { sharingKind, type SharingKind } from "./sharing-kind.ts";
import type { Common, Token } from "./token.ts";
import { readPermissions, readRights, type PermissionClaims, type UserRights } from "./user.ts";

export interface ImportClaim {
  readonly kind: SharingKind | "";
  readonly name: string;
  readonly subject: string;
  readonly account: string;
  readonly token: string;
  readonly to: string;
  readonly localSubject: string;
  readonly share: boolean;
  readonly allowTrace: boolean;
}

export interface ExportClaim {
  readonly kind: SharingKind | "";
  readonly name: string;
  readonly subject: string;
  readonly tokenRequired: boolean;
  /** Importing accounts (or `*`) whose activations up to that second count no more. */
  readonly revocations: ReadonlyMap<string, number>;
  readonly responseType: string;
  /** Nanoseconds; 0 where absent. */
  readonly responseThreshold: number;
  readonly latency: { readonly sampling: number | "headers"; readonly results: string } | null;
  readonly accountTokenPosition: number;
  readonly allowTrace: boolean;
}

/** -1 = no limit; an absent number is 0. */
export interface AccountLimitClaims {
  readonly subscriptions: number;
  readonly data: number;
  readonly payload: number;
  readonly imports: number;
  readonly exports: number;
  readonly wildcardExports: boolean;
  readonly disallowBearer: boolean;
  readonly connections: number;
  readonly leafnodes: number;
}

/** A signing key whose users have exactly the rights of its template. */
export interface UserScope {
  readonly key: string;
  readonly role: string;
  readonly template: UserRights;
}

export interface MappingDestination {
  readonly subject: string;
  /** 1 to 100. */
  readonly weight: number;
  readonly cluster: string;
}

export interface ExternalAuthorization {
  /** Public user keys that are not asked about. Empty: no auth callout. */
  readonly authUsers: readonly string[];
  readonly allowedAccounts: readonly string[];
  readonly xkey: string;
}

export interface AccountClaims extends Common {
  readonly imports: readonly ImportClaim[];
  readonly exports: readonly ExportClaim[];
  readonly limits: AccountLimitClaims;
  /** Both plain and tiered JetStream limits are set, which contradict each other. */
  readonly jetStreamConflict: boolean;
  readonly jetStream: boolean;
  /** null: a signing key without a scope. */
  readonly signingKeys: ReadonlyMap<string, UserScope | null>;
  readonly revocations: ReadonlyMap<string, number>;
  readonly defaultPermissions: PermissionClaims;
  readonly mappings: ReadonlyMap<string, readonly MappingDestination[]>;
  readonly authorization: ExternalAuthorization;
  readonly trace: { readonly dest: string; readonly sampling: number } | null;
  readonly clusterTraffic: string;
}

export function readAccount(token: Token): AccountClaims {
  if (token.kind !== "account") throw new ClaimsError("not account claim");
  const { kind: _kind, version, nats, claims: _claims, ...common } = token;
  const limits = objectOf(nats, "limits");
  const authorization = objectOf(nats, "authorization");
  const trace = objectOrNull(nats, "trace");
  return {
    ...common,
    imports: objectsOf(nats, "imports").map(readImport),
    exports: objectsOf(nats, "exports").map(readExport),
    limits: readLimits(limits, version === 1 ? -1 : 0),
    ...readJetStream(limits),
    signingKeys: readSigningKeys(listOf(nats, "signing_keys")),
    revocations: integersOf(nats, "revocations"),
    defaultPermissions: readPermissions(objectOf(nats, "default_permissions")),
    mappings: readMappings(objectOf(nats, "mappings")),
    authorization: {
      authUsers: textsOf(authorization, "auth_users"),
      allowedAccounts: textsOf(authorization, "allowed_accounts"),
      xkey: textOf(authorization, "xkey"),
    },
    trace:
      trace === null
        ? null
        : { dest: textOf(trace, "dest"), sampling: integerOf(trace, "sampling") },
    clusterTraffic: textOf(nats, "cluster_traffic"),
  };
}

function readImport(item: JsonObject): ImportClaim {
  return {
    kind: sharingKind(textOf(item, "type")),
    name: textOf(item, "name"),
    subject: textOf(item, "subject"),
    account: textOf(item, "account"),
    token: textOf(item, "token"),
    to: textOf(item, "to"),
    localSubject: textOf(item, "local_subject"),
    share: booleanOf(item, "share"),
    allowTrace: booleanOf(item, "allow_trace"),
  };
}

function readExport(item: JsonObject): ExportClaim {
  const latency = objectOrNull(item, "service_latency");
  return {
    kind: sharingKind(textOf(item, "type")),
    name: textOf(item, "name"),
    subject: textOf(item, "subject"),
    tokenRequired: booleanOf(item, "token_req"),
    revocations: integersOf(item, "revocations"),
    responseType: textOf(item, "response_type"),
    responseThreshold: integerOf(item, "response_threshold"),
    latency:
      latency === null
        ? null
        : { sampling: readSampling(latency), results: textOf(latency, "results") },
    accountTokenPosition: integerOf(item, "account_token_position"),
    allowTrace: booleanOf(item, "allow_trace"),
  };
}

function readSampling(latency: JsonObject): number | "headers" {
  const value = latency["sampling"];
  if (typeof value === "string" && value.toLowerCase() === "headers") return "headers";
  const percent = integerOf(latency, "sampling");
  return percent === 0 ? "headers" : percent;
}

function readLimits(limits: JsonObject, absent: number): AccountLimitClaims {
  return {
    subscriptions: integerOf(limits, "subs", absent),
    data: integerOf(limits, "data", absent),
    payload: integerOf(limits, "payload", absent),
    imports: integerOf(limits, "imports", absent),
    exports: integerOf(limits, "exports", absent),
    wildcardExports: booleanOf(limits, "wildcards"),
    disallowBearer: booleanOf(limits, "disallow_bearer"),
    connections: integerOf(limits, "conn", absent),
    leafnodes: integerOf(limits, "leaf", absent),
  };
}

const JETSTREAM_NUMBERS = [
  "mem_storage",
  "disk_storage",
  "streams",
  "consumer",
  "max_ack_pending",
  "mem_max_stream_bytes",
  "disk_max_stream_bytes",
];

function readJetStream(limits: JsonObject): { jetStream: boolean; jetStreamConflict: boolean } {
  const tiers = objectOf(limits, "tiered_limits");
  const names = Object.keys(tiers);
  const stores = (entry: JsonObject): boolean =>
    integerOf(entry, "mem_storage") !== 0 || integerOf(entry, "disk_storage") !== 0;
  const plain =
    booleanOf(limits, "max_bytes_required") ||
    JETSTREAM_NUMBERS.some((key) => integerOf(limits, key) !== 0);
  return {
    jetStream:
      names.length > 0 ? names.some((name) => stores(objectOf(tiers, name))) : stores(limits),
    jetStreamConflict: names.length > 0 && plain,
  };
}

function readSigningKeys(items: readonly unknown[]): ReadonlyMap<string, UserScope | null> {
  const keys = new Map<string, UserScope | null>();
  for (const item of items) {
    if (typeof item === "string") keys.set(item, null);
    else addScope(keys, objectsOf({ signing_keys: [item] }, "signing_keys")[0] ?? {});
  }
  return keys;
}

function addScope(keys: Map<string, UserScope | null>, item: JsonObject): void {
  const kind = textOf(item, "kind");
  if (kind !== "user_scope") throw new ClaimsError(`unknown signing key scope "${kind}"`);
  const key = textOf(item, "key");
  // Only in a template do absent numbers mean "no limit".
  const template = readRights(objectOf(item, "template"), -1);
  keys.set(key, { key, role: textOf(item, "role"), template });
}

function readMappings(mappings: JsonObject): ReadonlyMap<string, readonly MappingDestination[]> {
  return new Map(
    Object.keys(mappings).map((source) => [
      source,
      objectsOf(mappings, source).map((item) => {
        const weight = integerOf(item, "weight");
        return {
          subject: textOf(item, "subject"),
          weight: weight === 0 ? 100 : weight,
          cluster: textOf(item, "cluster"),
        };
      }),
    ]),
  );
}
