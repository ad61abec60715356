/**
 * What one account shares with others: its imports, the shadows of its subscriptions, and what it exports.
 * `defineAccount` puts a definition in force, at the start as at a reload.
 *
 * Whether an import is permitted is the caller's to check; what is given here is done.
 */
import type { Engine } from "../engine.ts";
import { KIND_INTERNAL, type Subscription } from "../link/link.ts";
import { hasWildcard } from "../subject/subject.ts";
import {
  type Account,
  type AccountLimits,
  NO_LIMITS,
  type SubscriptionObserver,
  type TraceDestination,
} from "./account.ts";
import { coveringExport, type ServiceExportSpec } from "./exports.ts";
import { type MappingSpec, setMappings } from "./mappings.ts";
import { ServiceImport, type ServiceImportSpec } from "./service-import.ts";
import { Shadow, StreamImport, type StreamImportSpec } from "./stream-import.ts";

export type ImportSpec = ServiceImportSpec | StreamImportSpec;

/** An account's definition; subjects are latin1 strings. */
export interface AccountSpec {
  readonly name: string;
  /** As logs show it. */
  readonly label: string;
  readonly limits: AccountLimits;
  readonly mappings: readonly MappingSpec[];
  /** Of services only: a stream's export permits, and does nothing at run time. */
  readonly exports: readonly ServiceExportSpec[];
  readonly imports: readonly ImportSpec[];
  readonly msgTrace: TraceDestination | null;
}

export class AccountImports implements SubscriptionObserver {
  readonly #engine: Engine;
  readonly #account: Account;
  readonly #services: readonly ServiceImport[];
  readonly #streams: readonly StreamImport[];
  readonly #shadows = new Map<Subscription, Shadow[]>();

  constructor(engine: Engine, account: Account, spec: AccountSpec) {
    this.#engine = engine;
    this.#account = account;
    const services: ServiceImport[] = [];
    const streams: StreamImport[] = [];
    for (const item of spec.imports) {
      const exporter = engine.account(item.account);
      if (item.kind === "stream") streams.push(new StreamImport(engine, exporter, item));
      else {
        const offer = coveringExport(exporter.exports, item.subject);
        services.push(new ServiceImport(engine, account, exporter, item, offer));
      }
    }
    this.#services = services;
    this.#streams = streams;
  }

  start(): void {
    const engine = this.#engine;
    for (const service of this.#services) {
      const names = { subject: service.pattern, queue: "" };
      service.subscription = engine.internal.receive(this.#account, names, service, true);
    }
    if (this.#streams.length === 0) return;
    for (const sub of this.#account.sublist) this.added(sub);
  }

  stop(): void {
    for (const service of this.#services) {
      if (service.subscription !== null) this.#engine.removeSubscription(service.subscription);
    }
    for (const sub of this.#shadows.keys()) this.#dropShadows(sub);
  }

  added(sub: Subscription): void {
    if (this.#streams.length === 0 || sub.link.kind === KIND_INTERNAL) return;
    // Loop detection is an account's own.
    if (sub.subject.startsWith("$LDS.")) return;
    let shadows: Shadow[] | null = null;
    for (const stream of this.#streams) {
      const subject = stream.shadowSubject(sub.subject);
      if (subject === null) continue;
      shadows ??= [];
      shadows.push(new Shadow(this.#engine, stream, sub, subject));
    }
    if (shadows !== null) this.#shadows.set(sub, shadows);
  }

  removed(sub: Subscription): void {
    if (this.#streams.length > 0) this.#dropShadows(sub);
    const { awaited } = this.#account;
    if (awaited.size > 0) awaited.lost(sub, !hasWildcard(sub.subject));
  }

  reweighed(sub: Subscription, delta: number): void {
    for (const shadow of this.#shadows.get(sub) ?? []) shadow.reweigh(this.#engine, delta);
  }

  #dropShadows(sub: Subscription): void {
    const shadows = this.#shadows.get(sub);
    if (shadows === undefined) return;
    this.#shadows.delete(sub);
    for (const shadow of shadows) shadow.remove(this.#engine);
  }
}

/**
 * Puts definitions in force; what other limits mean for live links is the caller's to say. Exports come first, since imports look at them. What is unchanged is left alone;
 * an account that is not named keeps its definition.
 */
export function defineAccounts(engine: Engine, specs: readonly AccountSpec[]): void {
  const stale = new Set<Account>();
  for (const spec of specs) {
    const account = engine.account(spec.name);
    account.label = spec.label;
    const offers = JSON.stringify(spec.exports) !== JSON.stringify(account.exports);
    account.exports = spec.exports;
    if (offers) for (const other of importersOf(engine, spec.name)) stale.add(other);
    if (JSON.stringify(spec.imports) !== JSON.stringify(account.spec?.imports ?? []))
      stale.add(account);
    if (JSON.stringify(spec.mappings) !== JSON.stringify(account.spec?.mappings ?? [])) {
      setMappings(engine, account, spec.mappings);
    }
    account.limits = spec.limits;
    account.msgTrace = spec.msgTrace;
    account.spec = spec;
  }
  for (const account of stale) replaceImports(engine, account);
}

function replaceImports(engine: Engine, account: Account): void {
  account.imports?.stop();
  account.imports = null;
  account.observer = null;
  if (account.spec === null || account.spec.imports.length === 0) return;
  const imports = new AccountImports(engine, account, account.spec);
  account.imports = imports;
  account.observer = imports;
  imports.start();
}

function importersOf(engine: Engine, exporter: string): Account[] {
  return [...engine.accounts.values()].filter(
    (account) => account.spec?.imports.some((item) => item.account === exporter) === true,
  );
}

/** The definition of an account that shares nothing and may do anything. */
export function emptySpec(name: string): AccountSpec {
  return {
    name,
    label: name,
    limits: NO_LIMITS,
    mappings: [],
    exports: [],
    imports: [],
    msgTrace: null,
  };
}
