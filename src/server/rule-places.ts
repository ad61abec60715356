/** From a rule that stops messages to where it stands in this server's configuration. */
import { placeText, type OptionsOrigin, type Place } from "../config/index.ts";
import type { Reason } from "../core/index.ts";
import type { Remote } from "./remote.ts";

/** The member of a remote's options behind a rule. */
const MEMBERS: Partial<Record<Reason["rule"], string>> = {
  deny_exports: "denyExports",
  deny_imports: "denyImports",
  allow_exports: "allowExports",
  allow_imports: "allowImports",
};

export interface RulePlaces {
  readonly origin: OptionsOrigin | null;
  /** Identities of the configured remotes, in their order. */
  readonly identities: readonly string[];
  readonly remotes: readonly Remote[];
}

/** `file:line:column`, the path of an option, or "" for a rule that is not configured here. */
export function rulePlace(reason: Reason, { origin, identities, remotes }: RulePlaces): string {
  const { source } = reason;
  if (source === null || source.kind === "peer") return "";
  const places = origin?.places;
  if (source.kind === "remote") {
    const remote = remotes.find((one) => String(one.id) === source.id);
    const index = identities.indexOf(remote?.identity ?? "");
    const member = MEMBERS[reason.rule];
    if (index < 0) return member === undefined ? "" : `remotes.add: ${member}`;
    if (places === undefined) return "";
    // A block in a list has the place of its end: its URLs are easier to find.
    const path = ["leafnodes", "remotes", index, member ?? "urls"];
    const list = places.node(...path);
    return placeText(reason.entry === "" ? places.of(...path) : places.entry(list, reason.entry));
  }
  const user = places?.user(source.label.replace(/^[a-z]+:/, "")) ?? null;
  if (places === undefined || user === null) return "";
  const direction = reason.rule === "subscribe" ? "subscribe" : "publish";
  const list = places.permission(user, direction, reason.list);
  const place: Place | null = reason.entry === "" ? list : places.entry(list, reason.entry);
  return placeText(place ?? user);
}
