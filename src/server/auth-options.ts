/** The configuration as authentication wants it: users and credentials of all blocks. */
import type { ConfigAuthOptions, UserEntry } from "../auth/index.ts";
import type { NkeyUserOptions, Options, UserOptions } from "../config/index.ts";

export function authOptions(options: Options, inventedUser: string): ConfigAuthOptions {
  const { authorization, websocket, leafnodes } = options;
  const definesSystem = options.accounts?.some((account) => account.name === "$SYS") === true;
  return {
    authorization: {
      defined: authorization !== null,
      user: authorization?.user ?? "",
      pass: authorization?.password ?? "",
      token: authorization?.token ?? "",
      users: entries(authorization?.users, authorization?.nkeys),
      defaultPermissions: authorization?.defaultPermissions ?? null,
      proxyRequired: authorization?.proxyRequired === true,
    },
    accounts: (options.accounts ?? []).map((account) => ({
      name: account.name,
      users: entries(account.users, account.nkeys),
      defaultPermissions: account.defaultPermissions,
    })),
    systemAccount: options.systemAccount ?? (definesSystem ? "$SYS" : ""),
    noAuthUser: options.noAuthUser ?? "",
    tlsMap: options.tls?.verifyAndMap === true,
    listening: options.port !== 0,
    websocket: {
      user: websocket?.authorization?.user ?? "",
      pass: websocket?.authorization?.password ?? "",
      token: websocket?.authorization?.token ?? "",
      noAuthUser: websocket?.noAuthUser ?? "",
      listening: (websocket?.port ?? 0) !== 0,
      tlsMap: websocket?.tls?.verifyAndMap === true,
      asksCertificates: websocket?.tls?.verify === true || websocket?.tls?.verifyAndMap === true,
    },
    leafnodes: {
      user: leafnodes.authorization?.user ?? "",
      pass: leafnodes.authorization?.password ?? "",
      nkey: leafnodes.authorization?.nkey ?? "",
      account: leafnodes.authorization?.account ?? "",
      users: (leafnodes.authorization?.users ?? []).map((user) => ({
        user: user.user,
        pass: user.password,
        account: user.account,
        proxyRequired: user.proxyRequired,
      })),
      proxyRequired: leafnodes.authorization?.proxyRequired === true,
      listening: leafnodes.port !== 0,
      tlsMap: leafnodes.tls?.verifyAndMap === true,
    },
    trustedProxies: options.proxies?.trusted ?? [],
    inventedUser,
  };
}

function entries(
  users: readonly UserOptions[] | undefined,
  nkeys: readonly NkeyUserOptions[] | undefined,
): UserEntry[] {
  return [
    ...(users ?? []).map((user) => ({
      user: user.user,
      pass: user.password,
      nkey: "",
      permissions: user.permissions,
      connectionTypes: user.allowedConnectionTypes,
      proxyRequired: user.proxyRequired,
    })),
    ...(nkeys ?? []).map((user) => ({
      user: "",
      pass: "",
      nkey: user.nkey,
      permissions: user.permissions,
      connectionTypes: user.allowedConnectionTypes,
      proxyRequired: user.proxyRequired,
    })),
  ];
}
