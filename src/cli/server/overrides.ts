/** From the flags of a command line to the options they override. */
import type { InputValue, OptionsInput } from "../../config/index.ts";
import { FLAGS } from "./flags.ts";
import type { CommandLine, FlagValue } from "./parse-flags.ts";

/** A command line that can be read but not be used; the message is for the user. */
export class UsageError extends Error {}

/** The overrides. Throws a `UsageError`. */
export function overridesOf({ flags }: CommandLine): OptionsInput {
  const overrides: Record<string, InputValue> = {};
  for (const [name, value] of flags) {
    const flag = FLAGS.find(({ names }) => names[0] === name);
    for (const option of flag?.options ?? []) setOption(overrides, option, value);
  }
  const tls = tlsOf(flags);
  if (tls !== undefined) overrides["tls"] = tls;
  const cluster = clusterOf(flags);
  if (cluster !== undefined) overrides["cluster"] = cluster;
  return overrides;
}

/** Options whose empty or zero value means the default, as in nats-server. */
const ZERO_IS_DEFAULT: readonly string[] = ["port"];

function setOption(into: Record<string, InputValue>, option: string, value: FlagValue): void {
  const [block = "", member] = option.split(".");
  if (member === undefined) {
    const isDefault = value === "" || (value === 0 && ZERO_IS_DEFAULT.includes(option));
    into[block] = isDefault ? null : value;
    return;
  }
  const before = into[block];
  const members = isMap(before) ? before : {};
  into[block] = { ...members, [member]: value };
}

function isMap(value: InputValue): value is { readonly [name: string]: InputValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const TLS_FLAGS = ["tls", "tlsverify", "tlscert", "tlskey", "tlscacert"];

/** A whole `tls` block from flags alone, null to switch TLS off, undefined where no flag speaks of it. */
function tlsOf(flags: CommandLine["flags"]): InputValue {
  const given = TLS_FLAGS.filter((name) => flags.has(name));
  if (given.length === 0) return undefined;
  if (flags.get("tls") === false) return null;
  const text = (name: string): string => String(flags.get(name) ?? "");
  const [cert, key, authority] = [text("tlscert"), text("tlskey"), text("tlscacert")];
  if (cert === "") throw new UsageError("TLS Server certificate must be present and valid");
  if (key === "") throw new UsageError("TLS Server private key must be present and valid");
  return {
    cert_file: cert,
    key_file: key,
    ...(authority === "" ? {} : { ca_file: authority }),
    verify: flags.get("tlsverify") === true,
  };
}

/** The cluster that flags ask for; what is not built yet is refused by the table of options. */
function clusterOf(flags: CommandLine["flags"]): InputValue {
  const listen = String(flags.get("cluster") ?? flags.get("cluster_listen") ?? "");
  const routes = String(flags.get("routes") ?? "");
  if (routes !== "" && listen === "") {
    throw new UsageError("solicited routes require cluster capabilities, e.g. --cluster");
  }
  if (listen === "") return undefined;
  const [, user, address] = /^[a-z][a-z0-9+.-]*:\/\/(?:([^@/]*)@)?([^/]*)/i.exec(listen) ?? [];
  if (address === undefined) throw new UsageError("missing port in address");
  if (user === undefined) return { listen: address };
  const colon = user.indexOf(":");
  if (colon < 0) throw new UsageError("expected cluster password to be set");
  const authorization = { user: user.slice(0, colon), password: user.slice(colon + 1) };
  return { listen: address, authorization };
}

const SECRETS = ["user", "pass", "auth"];
const URLS = ["routes", "cluster", "cluster_listen"];

/** The arguments as others may see them: no user, password or token. */
export function redactedArgs(args: readonly string[]): readonly string[] {
  let next: "secret" | "url" | null = null;
  return args.map((arg) => {
    const hidden = next;
    next = null;
    if (hidden !== null) return hidden === "secret" ? "[REDACTED]" : redactedUrls(arg);
    const [, dashes = "", name = "", value] = /^(--?)([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    const kind = SECRETS.includes(name) ? "secret" : URLS.includes(name) ? "url" : null;
    if (kind === null) return arg;
    if (value === undefined) {
      next = kind;
      return arg;
    }
    return `${dashes}${name}=${kind === "secret" ? "[REDACTED]" : redactedUrls(value)}`;
  });
}

function redactedUrls(list: string): string {
  return list
    .split(",")
    .map((url) => url.trim().replace(/:\/\/([^:@/]*):[^/]*@/, "://$1:xxxxx@"))
    .join(",");
}
