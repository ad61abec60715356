/**
 * Operator mode in a running server: accounts come through a resolver when somebody first needs them, and what
 * their claims say is applied to the engine's accounts and to live links, also when they change.
 */
import {
  ClaimsService,
  JwtStore,
  MemoryResolver,
  OperatorAccounts,
  OperatorAuthenticator,
  StoreResolver,
  UrlResolver,
  fetchAccount,
  type AccountClaimsView,
  type AccountLookup,
  type AccountResolver,
  type AuthLog,
  type Crypto,
  type Fetched,
  type OperatorAuthOptions,
} from "../auth/index.ts";
import type { Options } from "../config/index.ts";
import type { Account, Engine, Millis } from "../core/index.ts";
import type { AccountFacts } from "../monitoring/index.ts";
import type { ClientTls } from "../transports/node/index.ts";
import type { SharedAccount } from "./accounts.ts";
import { heldImports, type HeldImports } from "./account-imports.ts";
import { expireLinks, updateLinks } from "./account-update.ts";
import { ClaimsResponder } from "./claims-service.ts";
import { now } from "./clock.ts";
import { accountFacts } from "./operator-facts.ts";
import type { OperatorSettings } from "./operator-settings.ts";
import { JwtDirectory } from "./resolver-files.ts";
import { accountGet } from "./resolver-http.ts";
import { Slices } from "./slices.ts";
import { StartError } from "./start-error.ts";

export interface OperatorHost {
  readonly engine: Engine;
  readonly crypto: Crypto;
  readonly log: AuthLog;
  readonly options: Options;
  /** The `resolver_tls` block, loaded. */
  resolverTls(): ClientTls | null;
  /** The `server` member of replies, as of now. */
  serverInfo(): object;
  peers(): number;
  /** Brings exports, imports, mappings and limits of an account into force. */
  applyAccount(account: SharedAccount): void;
  /** After the engine was called from outside its own calls. */
  afterCall(): void;
}

/** Node's timers take no longer ones. */
const TIMER_MAX = 2 ** 31 - 1;
const BOOTSTRAP_EVERY: Millis = 1000;

export class OperatorMode {
  readonly settings: OperatorSettings;
  readonly accounts: OperatorAccounts;
  readonly #host: OperatorHost;
  readonly #resolver: AccountResolver;
  readonly #store: JwtStore | null;
  readonly #claims: ClaimsResponder;
  readonly #updates: Slices;
  /** Timers of accounts: the end of their claims, and of activations that their imports rest on. */
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Accounts by those that they import from. */
  readonly #importers = new Map<string, Set<string>>();
  #bootstrap: NodeJS.Timeout | null = null;
  #built = false;
  #started = false;

  constructor(settings: OperatorSettings, host: OperatorHost) {
    this.settings = settings;
    this.#host = host;
    const { crypto } = host;
    // What is looked up while the server is made is not news yet.
    const log: AuthLog = (level, link, text) => {
      if (this.#started) host.log(level, link, text);
    };
    this.#store = this.#openStore();
    this.#resolver = this.#makeResolver();
    const changed = (view: AccountClaimsView, before: AccountClaimsView | null): void =>
      this.#changed(view, before);
    this.accounts = new OperatorAccounts(this.#resolver, settings.trust, { crypto, log }, changed);
    const { systemAccount } = settings;
    const service = new ClaimsService(
      {
        operator: settings.operators[0] ?? null,
        systemAccount,
        serverInfo: () => host.serverInfo(),
      },
      this.accounts,
      crypto,
      log,
    );
    const inbox = `$SYS._INBOX.${Buffer.from(crypto.randomBytes(6)).toString("base64url")}`;
    const claimsHost = {
      get engine() {
        return host.engine;
      },
      log,
      systemAccount,
      peers: () => host.peers(),
      afterCall: () => host.afterCall(),
    };
    this.#claims = new ClaimsResponder(claimsHost, service, this.#store, inbox);
    this.#updates = new Slices(
      () => {
        host.engine.now = now();
      },
      () => {
        host.engine.flush();
        host.afterCall();
      },
    );
    this.#built = true;
  }

  authenticator(options: OperatorAuthOptions): OperatorAuthenticator {
    return new OperatorAuthenticator(options, this.accounts, this.#host.crypto, this.#host.log);
  }

  /** Looks whether the resolver answers, and for the system account. Rejects with a StartError. */
  async prepare(): Promise<void> {
    if (this.#resolver instanceof UrlResolver) {
      const resolver = this.#resolver;
      const fault = await new Promise<string | null>((resolve) => {
        resolver.probe(resolve);
      });
      if (fault !== null) throw new StartError("BAD_OPTIONS", fault);
    }
    const { systemAccount, operators } = this.settings;
    if (systemAccount === "" || (this.#store !== null && operators.length === 0)) return;
    const [operator] = operators;
    if (operators.length === 1 && operator !== undefined && this.#resolver.kind !== "memory") {
      if (!(await this.#fetch(systemAccount)).ok) {
        this.accounts.addPlaceholder(systemAccount, operator.subject);
        return;
      }
    }
    const found = await this.lookup(systemAccount);
    if (!found.ok) {
      throw new StartError("BAD_OPTIONS", `error resolving system account: ${found.error}`);
    }
  }

  /** Answers requests from now on. Throws a StartError. */
  start(): void {
    const { systemAccount, resolver, operators } = this.settings;
    this.#started = true;
    if (this.#store !== null && operators.length === 0) {
      throw new StartError("BAD_OPTIONS", "Could not start resolver: no operator key found");
    }
    if (systemAccount !== "")
      this.#claims.start(resolver.type === "full" ? resolver.interval : null);
    if (this.#store !== null && (resolver.type === "full" || resolver.type === "cache")) {
      const which = resolver.type === "full" ? "all" : "some";
      const { path } = new JwtDirectory(resolver.dir);
      this.#log("notice", `Managing ${which} jwt in exclusive directory ${path}`);
    }
    if (this.accounts.loaded(systemAccount)?.jwt === "") this.#awaitSystemAccount(systemAccount);
  }

  stop(): void {
    this.#claims.stop();
    this.#updates.stop();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    if (this.#bootstrap !== null) clearInterval(this.#bootstrap);
  }

  /** An account, fetched where it is not known yet. */
  lookup(key: string): Promise<AccountLookup> {
    return new Promise((resolve) => {
      const lookup = this.accounts.lookup(key, resolve);
      if (lookup !== null) resolve(lookup);
    });
  }

  /** What monitoring shows of an account; null if it is not loaded. */
  facts(key: string): AccountFacts | null {
    const loaded = this.accounts.loaded(key);
    if (loaded === null) return null;
    return accountFacts(loaded, this.accounts, this.#held(loaded.view).imports);
  }

  /**
   * After a reload: the preload of a resolver in memory is read anew. Accounts that are gone lose their users
   * when these are asked again who they are.
   */
  reloaded(): void {
    if (!(this.#resolver instanceof MemoryResolver)) return;
    const preload = new Map(Object.entries(this.#host.options.resolverPreload ?? {}));
    this.#resolver.replace(preload);
    for (const { view } of this.accounts.all()) {
      const jwt = preload.get(view.name);
      const fault = jwt === undefined ? "removed" : this.accounts.update(view.name, jwt);
      if (fault === null || view.name === this.settings.systemAccount) continue;
      const why = jwt === undefined ? "removed" : "bad claims";
      this.#log("notice", `Reloaded: deleting account [${why}]: "${view.name}"`);
      this.#deleted(view.name);
    }
  }

  /** Why a leaf remote cannot be bound to this account now; null if it can. */
  async accountFault(key: string): Promise<string | null> {
    const lookup = await this.lookup(key);
    if (lookup.ok) return null;
    return `Unable to lookup account ${key} for solicited leafnode connection: ${lookup.error}`;
  }

  #openStore(): JwtStore | null {
    const { resolver } = this.settings;
    const { crypto } = this.#host;
    if (resolver.type !== "full" && resolver.type !== "cache") return null;
    const deleting = resolver.hardDelete ? "remove" : "rename";
    return new JwtStore(
      {
        limit: resolver.limit,
        evict: resolver.type === "cache",
        deleting: resolver.allowDelete ? deleting : "no",
        ttl: resolver.ttl,
      },
      openDirectory(resolver.dir),
      crypto,
      {
        changed: (account) => this.#stored(account),
        deleted: (account) => this.#deleted(account),
      },
    );
  }

  #makeResolver(): AccountResolver {
    const { resolver } = this.settings;
    const preload = Object.entries(this.#host.options.resolverPreload ?? {});
    if (resolver.type === "memory") return new MemoryResolver(preload);
    if (resolver.type === "url") {
      if (preload.length > 0) {
        const text =
          "resolver preloads only available for writeable resolver types MEM/DIR/CACHE_DIR";
        throw new StartError("BAD_OPTIONS", text);
      }
      return new UrlResolver(resolver.url, accountGet(this.#host.resolverTls()));
    }
    const store = this.#store;
    if (store === null) throw new Error("a resolver of this type has a store");
    // Where not all find room, the system account is the one that others can be brought by.
    const system = ([account]: readonly [string, string]): number =>
      account === this.settings.systemAccount ? 0 : 1;
    for (const entry of preload.toSorted((a, b) => system(a) - system(b))) {
      const fault = store.saveIfNewer(...entry);
      if (fault !== null) this.#host.log("warn", null, `Account ${entry[0]} not stored: ${fault}`);
    }
    return new StoreResolver(resolver.type, store, (account, later) =>
      this.#claims.lookup(account, resolver.timeout, later),
    );
  }

  #fetch(account: string): Promise<Fetched> {
    return new Promise((resolve) => {
      const fetched = fetchAccount(this.#resolver, account, resolve);
      if (fetched !== null) resolve(fetched);
    });
  }

  /** Users of the placeholder may push the real system account; until then it is asked for. */
  #awaitSystemAccount(key: string): void {
    this.#log("notice", "Using bootstrapping system account");
    this.#bootstrap = setInterval(() => {
      void this.#fetch(key).then((fetched) => {
        if (!fetched.ok || this.#bootstrap === null) return;
        if (this.accounts.update(key, fetched.jwt) !== null) return;
        clearInterval(this.#bootstrap);
        this.#bootstrap = null;
        this.#log("notice", "System account fetched and updated");
      });
    }, BOOTSTRAP_EVERY).unref();
  }

  /** A token came into the store. */
  #stored(account: string): void {
    // Tokens of the preload come before anybody could have asked for an account.
    const loaded = this.#built ? this.accounts.loaded(account) : null;
    const jwt = loaded === null ? null : this.#store?.load(account);
    if (typeof jwt !== "string") return;
    const fault = this.accounts.update(account, jwt);
    if (fault === null) return;
    const who = this.#resolver.kind === "cache" ? "CacheDirResolver" : "DirResolver";
    this.#log("error", `${who} - Update for account "${account}" resulted in error ${fault}`);
  }

  #deleted(key: string): void {
    if (this.accounts.loaded(key) === null) return;
    this.#log("debug", `Disable account ${key} due to remove`);
    this.accounts.remove(key);
    clearTimeout(this.#timers.get(key));
    const account = this.#host.engine.account(key);
    account.limits = { maxConnections: 0, maxLeafNodes: 0, maxSubscriptions: 0, maxPayload: 0 };
    this.#updates.add(expireLinks(this.#host.engine, account));
  }

  /** Claims were loaded or replaced: they hold at once for what comes, and for live links right after. */
  #changed(view: AccountClaimsView, before: AccountClaimsView | null): void {
    const { engine } = this.#host;
    this.#apply(view);
    if (before !== null) this.#updates.add(updateLinks(engine, this.accounts, before, view));
    const importers = this.#importers.get(view.name);
    if (importers !== undefined && importers.size > 0) this.#updates.add(this.#reapply(importers));
  }

  *#reapply(importers: ReadonlySet<string>): Generator<void> {
    for (const key of importers) {
      const importer = this.accounts.loaded(key);
      if (importer !== null) this.#apply(importer.view);
      yield;
    }
  }

  #apply(view: AccountClaimsView): void {
    for (const key of new Set(view.imports.map((each) => each.account)))
      this.#needExporter(view, key);
    const held = this.#held(view);
    this.#host.applyAccount({ ...view, imports: held.imports });
    this.#schedule(view, held.until);
  }

  #held(view: AccountClaimsView): HeldImports {
    return heldImports(view, (key) => this.accounts.loaded(key), this.#host.crypto);
  }

  /** An exporter that comes later applies its importers anew. */
  #needExporter(view: AccountClaimsView, key: string): void {
    const importers = this.#importers.get(key) ?? new Set();
    importers.add(view.name);
    this.#importers.set(key, importers);
    if (this.accounts.loaded(key) !== null) return;
    const conclude = (lookup: AccountLookup): void => {
      if (lookup.ok) return;
      for (const { account, subject, kind } of view.imports) {
        if (account !== key) continue;
        const what = `for import of [${subject}] ${kind} (err=${lookup.error})`;
        this.#log("debug", `Can't locate account [${key}] ${what}`);
      }
    };
    const lookup = this.accounts.lookup(key, conclude);
    if (lookup !== null) conclude(lookup);
  }

  #schedule(view: AccountClaimsView, activationsEnd: Millis | null): void {
    clearTimeout(this.#timers.get(view.name));
    this.#timers.delete(view.name);
    const at = Math.min(view.expires ?? Infinity, activationsEnd ?? Infinity);
    if (at === Infinity) return;
    const delay = Math.min(Math.max(at - this.#host.crypto.now(), 0), TIMER_MAX);
    this.#timers.set(view.name, setTimeout(() => this.#due(view.name), delay).unref());
  }

  #due(key: string): void {
    this.#timers.delete(key);
    const loaded = this.accounts.loaded(key);
    if (loaded === null) return;
    if (!this.accounts.isExpired(loaded)) {
      this.#apply(loaded.view);
      return;
    }
    const account: Account = this.#host.engine.account(key);
    this.#updates.add(expireLinks(this.#host.engine, account));
  }

  #log(level: "notice" | "debug" | "error", text: string): void {
    this.#host.log(level, null, text);
  }
}

function openDirectory(path: string): JwtDirectory {
  try {
    return new JwtDirectory(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError("BAD_OPTIONS", reason, error);
  }
}
