/** The doctor on the server's own side: listeners, names, users; and on two configurations held side by side. */
import { isBcryptHash, type Options } from "../../config/index.ts";
import type { Examination } from "./doctor-finding.ts";

const LOOPBACK = /^(localhost|127\.|::1)/;

export function checkServer(exam: Examination): void {
  checkLeafListener(exam);
  checkNames(exam);
  checkPasswords(exam);
}

function checkLeafListener(exam: Examination): void {
  const { options } = exam.loaded;
  const { leafnodes } = options;
  if (leafnodes.port === 0) return;
  const at = ["leafnodes", exam.has("leafnodes", "port") ? "port" : "listen"];
  const open = !LOOPBACK.test(leafnodes.host);
  if (open && !hasUsers(options)) {
    exam.add("warning", at, [
      `anyone may join as a leaf at ${leafnodes.host}:${leafnodes.port}`,
      "there is no leafnodes authorization, and no users either: a stranger's leaf sees every message of $G",
      'add leafnodes { authorization { … } }, or listen: "127.0.0.1:7422"',
    ]);
  }
  const named = (options.accounts ?? []).some(
    ({ users, nkeys }) => users.length + nkeys.length > 0,
  );
  const single = leafnodes.authorization !== null || options.authorization !== null;
  if (open && named && !single && options.operator.length === 0) {
    exam.add("note", at, [
      "users stand only under accounts",
      "nats-server 2.9 with such a file lets leaves without credentials into $G; this server does not",
      "add leafnodes { authorization { … } } if an old server may read it",
    ]);
  }
  if (leafnodes.noAdvertise) {
    exam.add(
      "warning",
      ["leafnodes", "noAdvertise"],
      [
        "no_advertise: leaves of nats-server 2.9 take this for a wrong port",
        "they expect the list of URLs in INFO and disconnect without it",
        "set advertise to the public address instead, or see to newer leaves",
      ],
    );
  } else if (open && leafnodes.advertise === null) {
    exam.add("note", at, [
      "leaves are told this machine's own address",
      "behind NAT, in a container or a pod they then try an address that they cannot reach",
      "set advertise: public.host:port; on leaves, ignore_discovered_servers: true",
    ]);
  }
}

function hasUsers(options: Options): boolean {
  const { authorization, accounts, leafnodes, operator, trustedKeys } = options;
  if (leafnodes.authorization !== null && named(leafnodes.authorization)) return true;
  if (operator.length + trustedKeys.length > 0) return true;
  if (authorization !== null && (named(authorization) || authorization.token !== "")) return true;
  if (authorization?.authCallout) return true;
  return (accounts ?? []).some(({ users, nkeys }) => users.length + nkeys.length > 0);
}

interface Named {
  readonly user: string;
  readonly users: readonly unknown[];
  readonly nkey?: string | null;
  readonly nkeys?: readonly unknown[];
}

const named = (block: Named): boolean =>
  block.user !== "" ||
  block.users.length > 0 ||
  (block.nkeys ?? []).length > 0 ||
  (block.nkey ?? null) !== null;

function checkNames(exam: Examination): void {
  const { options } = exam.loaded;
  if (options.leafnodes.remotes.length === 0) return;
  if (options.serverName === null) {
    exam.add(
      "note",
      ["leafnodes", "remotes"],
      [
        "the server has no server_name",
        "the hub shows it by its id, which changes with every start, and cannot tell a half-open link from a new one",
        "set server_name, another one on each leaf",
      ],
    );
  } else if (
    /^(localhost|nats|leaf|leafnode|server|nats-server|frond)$/i.test(options.serverName)
  ) {
    exam.add(
      "warning",
      ["serverName"],
      [
        `server_name ${JSON.stringify(options.serverName)} is likely to be another leaf's too`,
        "two leaves of one name push each other's links out, and count as one cluster for the hub",
        "give each leaf a name of its own",
      ],
    );
  }
}

function checkPasswords(exam: Examination): void {
  const { options } = exam.loaded;
  const plain = (password: string): boolean => password !== "" && !isBcryptHash(password);
  const warn = (...at: readonly (string | number)[]): void => {
    exam.add("note", at, [
      "a password in plain text",
      "whoever reads the file, or a backup of it, can log in",
      "use nkeys, or a bcrypt hash (nats server passwd)",
    ]);
  };
  const { authorization, accounts, leafnodes } = options;
  if (plain(authorization?.password ?? "")) warn("authorization", "password");
  else if (authorization?.users.some((user) => plain(user.password)) === true) {
    warn("authorization", "users");
  }
  for (const account of accounts ?? []) {
    if (account.users.some((user) => plain(user.password))) warn("accounts", account.name, "users");
  }
  if (plain(leafnodes.authorization?.password ?? ""))
    warn("leafnodes", "authorization", "password");
  else if (leafnodes.authorization?.users.some((user) => plain(user.password)) === true) {
    warn("leafnodes", "authorization", "users");
  }
}

/** Two servers that are to be joined. */
export function checkPair(a: Examination, b: Examination): void {
  const [one, two] = [a.loaded.options, b.loaded.options];
  if (one.serverName !== null && one.serverName === two.serverName) {
    b.add(
      "error",
      ["serverName"],
      [
        `${a.file} has the same server_name ${JSON.stringify(one.serverName)}`,
        "without a cluster it serves as the cluster's name too: the link is refused (Cluster Names Identical)",
        "give each server a name of its own",
      ],
    );
  }
  const cluster = one.cluster?.name ?? "";
  if (cluster !== "" && cluster === two.cluster?.name) {
    b.add(
      "error",
      ["cluster", "name"],
      [
        `${a.file} has the same cluster name ${JSON.stringify(cluster)}`,
        "a leaf link between two servers of one cluster name is refused and retried every 30 s",
        "name the leaf's cluster differently",
      ],
    );
  }
  if (one.maxPayload !== two.maxPayload) {
    b.add(
      "warning",
      ["maxPayload"],
      [
        `max_payload is ${two.maxPayload} here and ${one.maxPayload} in ${a.file}`,
        "a message too large for one end closes the whole link, with everything on it",
        "use the same max_payload on both ends",
      ],
    );
  }
}
