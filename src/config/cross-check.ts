/** Checks over several blocks of a configuration: users that clash, callout accounts that do not exist. */
import { type ConfigProblem, problemAt } from "./config-error.ts";
import type { AccountOptions, AuthorizationOptions, Options } from "./options.ts";
import { type ConfigNode, quote } from "./value.ts";

/** What is wrong between the blocks, with the place of the block that is at fault. */
export function crossFaults(options: Options, root: ConfigNode): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const taken = new Set<string>();
  const auth = options.authorization;
  const authNode = childOf(root, "authorization");
  if (auth !== null) {
    const fault = authorizationFault(auth, authNode) ?? takeNames(auth, taken);
    if (fault !== null) problems.push(problemAt(authNode, fault));
  }
  const accounts = childOf(root, "accounts");
  for (const account of options.accounts ?? []) {
    const fault = accountFault(account, auth) ?? takeNames(account, taken);
    const place = childOf(childOf(accounts, account.name), "users");
    if (fault !== null) problems.push(problemAt(place ?? accounts, fault));
  }
  const names = new Set(options.accounts?.map((account) => account.name));
  for (const name of auth?.authCallout?.allowedAccounts ?? []) {
    if (names.has(name)) continue;
    const fault = `auth_callout allowed account ${quote(name)} not found in configured accounts`;
    problems.push(problemAt(null, fault));
  }
  return problems;
}

/** The value of a key, in whatever case. */
export function childOf(node: ConfigNode | null, name: string): ConfigNode | null {
  if (node?.value.kind !== "map") return null;
  const { entries } = node.value;
  const exact = entries.get(name);
  if (exact !== undefined) return exact;
  const found = [...entries].find(([key]) => key.toLowerCase() === name.toLowerCase());
  return found?.[1] ?? null;
}

function authorizationFault(auth: AuthorizationOptions, node: ConfigNode | null): string | null {
  const single = auth.user !== "" || auth.password !== "";
  if (single && auth.token !== "") return "Cannot have a user/pass and token";
  // An empty array counts as one.
  if (childOf(node, "users") === null) return null;
  if (auth.user !== "") return "Can not have a single user/pass and a users array";
  return auth.token === "" ? null : "Can not have a token and a users array";
}

function accountFault(account: AccountOptions, auth: AuthorizationOptions | null): string | null {
  if (auth === null || (account.users.length === 0 && account.nkeys.length === 0)) return null;
  if (auth.user !== "") return "Can not have a single user/pass and accounts";
  return auth.token === "" ? null : "Can not have a token and accounts";
}

/** Names are unique over all blocks. */
function takeNames(
  { users, nkeys }: Pick<AccountOptions, "users" | "nkeys">,
  taken: Set<string>,
): string | null {
  for (const { user } of users) {
    if (taken.has(user)) return `Duplicate user ${quote(user)} detected`;
    taken.add(user);
  }
  for (const { nkey } of nkeys) {
    if (taken.has(nkey)) return `Duplicate nkey ${quote(nkey)} detected`;
    taken.add(nkey);
  }
  return null;
}
