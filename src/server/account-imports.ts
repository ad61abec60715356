/**
 * Which imports of an account by token hold: the exporter must be known, export the subject, and (where an
 * export is private) have signed an activation that still counts.
 */
import {
  activatedUntil,
  exporterSubject,
  type AccountClaimsView,
  type Crypto,
  type LoadedAccount,
} from "../auth/index.ts";
import { isSubset, type Millis } from "../core/index.ts";

type ImportView = AccountClaimsView["imports"][number];

export interface HeldImports {
  readonly imports: readonly ImportView[];
  /** When the first activation among them ends; null = never. */
  readonly until: Millis | null;
}

export function heldImports(
  view: AccountClaimsView,
  exporter: (key: string) => LoadedAccount | null,
  crypto: Crypto,
): HeldImports {
  const imports: ImportView[] = [];
  let until: Millis | null = null;
  for (const entry of view.imports) {
    const from = exporter(entry.account);
    if (from === null) continue;
    const ends = heldUntil(view, entry, from, crypto);
    if (ends === null) continue;
    imports.push(entry);
    if (ends !== "always") until = Math.min(until ?? Infinity, ends);
  }
  return { imports, until };
}

function heldUntil(
  view: AccountClaimsView,
  { kind, claim }: ImportView,
  from: LoadedAccount,
  crypto: Crypto,
): Millis | "always" | null {
  const subject = exporterSubject(claim);
  // Of several exports that hold the subject, the one named by it counts, as in nats-server's exact look-up.
  const candidates = from.view.exports.filter(
    (each) => each.kind === kind && isSubset(subject, each.subject),
  );
  const exported = candidates.find((each) => each.subject === subject) ?? candidates[0];
  if (exported === undefined) return null;
  const { accountTokenPosition } = exported;
  if (accountTokenPosition > 0) {
    return subject.split(".")[accountTokenPosition - 1] === view.name ? "always" : null;
  }
  if (exported.accounts === null) return "always";
  const parties = {
    importer: view.name,
    claim,
    exporter: from.claims,
    exported: exported.claim,
  };
  return activatedUntil(crypto, parties, crypto.now());
}
