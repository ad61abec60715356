/** What a user is told about himself: `$SYS.REQ.USER.INFO`. */
import type { Link, Millis, Permissions, SubjectRules } from "../core/index.ts";
import { omit, type Json, type JsonObject } from "../monitoring/index.ts";

const NANOS = 1e6;

export function userInfo(link: Link, now: Millis): Json {
  const { user, account } = link;
  const expires = user?.expires ?? null;
  const slash = account.label.indexOf("/");
  return {
    user: user?.authorizedUser ?? "",
    account: account.name,
    account_name: slash < 0 ? account.name : account.label.slice(slash + 1),
    user_name: omit(user?.nameTag),
    permissions: user?.permissions == null ? undefined : permissionsJson(user.permissions),
    expires: expires === null ? undefined : Math.max(0, Math.round((expires - now) * NANOS)),
  };
}

function permissionsJson({ publish, subscribe, responses }: Permissions): JsonObject {
  return {
    publish: rules(publish),
    subscribe: rules(subscribe),
    responses:
      responses === null
        ? undefined
        : { max: responses.max, ttl: Math.round(responses.expires * NANOS) },
  };
}

function rules({ allow, deny }: SubjectRules): JsonObject | undefined {
  return omit({ allow: omit(allow ?? []), deny: omit(deny) });
}
