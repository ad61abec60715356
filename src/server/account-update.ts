/**
 * What new claims of an account mean for its live links: some must go, others get other limits or permissions.
 * The order of the questions is nats-server's.
 */
import {
  evictionBy,
  grantOf,
  type AccountClaimsView,
  type OperatorAccounts,
} from "../auth/index.ts";
import {
  WIRE_ERRORS,
  type Account,
  type ClosedState,
  type Engine,
  type Link,
} from "../core/index.ts";

/** Walks over the links that an account has now; each step is one link's. */
export function* updateLinks(
  engine: Engine,
  accounts: OperatorAccounts,
  before: AccountClaimsView,
  after: AccountClaimsView,
): Generator<void> {
  const account = engine.account(after.name);
  const links = [...account.clients, ...account.leaves];
  yield* closeExcess(engine, account.clients, account.limits.maxConnections);
  const judge = judgement(engine, accounts, before, after);
  for (const link of links) {
    if (engine.isOpen(link) && link.account === account) judge(link);
    yield;
  }
}

/** The youngest go first. Leaf links above their limit stay, as in nats-server. */
export function* closeExcess(
  engine: Engine,
  links: ReadonlySet<Link>,
  limit: number,
): Generator<void> {
  if (limit < 0 || links.size <= limit) return;
  const byAge = [...links].toSorted((a, b) => a.opened - b.opened || a.id - b.id);
  for (const link of byAge.slice(limit)) {
    yield;
    if (!engine.isOpen(link)) continue;
    engine.log("error", link, WIRE_ERRORS.maxAccountConnections);
    engine.fail(link, WIRE_ERRORS.maxAccountConnections, "Maximum Account Connections Exceeded");
  }
}

function judgement(
  engine: Engine,
  accounts: OperatorAccounts,
  before: AccountClaimsView,
  after: AccountClaimsView,
): (link: Link) => void {
  const signers = accounts.signers(after.claims);
  const limits = JSON.stringify(before.limits) !== JSON.stringify(after.limits);
  const defaults = after.defaultPermissions;
  const permissions = JSON.stringify(before.defaultPermissions) !== JSON.stringify(defaults);
  return (link) => {
    const { user } = link;
    const grant = user === null ? null : grantOf(user);
    const eviction = grant && evictionBy(grant, before.claims, after.claims, signers);
    if (eviction !== null) {
      evict(engine, link, eviction);
      return;
    }
    if (limits) engine.refreshLimits(link);
    if (permissions && user !== null && grant?.defaulted === true) {
      engine.updateUser(link, { ...user, permissions: defaults });
    }
  };
}

function evict(
  engine: Engine,
  link: Link,
  { error, reason }: { readonly error: string; readonly reason: ClosedState },
): void {
  engine.log("debug", link, error);
  engine.fail(link, error, reason);
}

/** The account has come to its end: so have its links. */
export function* expireLinks(engine: Engine, account: Account): Generator<void> {
  for (const link of [...account.clients, ...account.leaves]) {
    if (engine.isOpen(link) && link.account === account) {
      engine.log("debug", link, WIRE_ERRORS.accountExpired);
      engine.fail(link, WIRE_ERRORS.accountExpired, "Authentication Expired");
    }
    yield;
  }
}
