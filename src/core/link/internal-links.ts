/** Links and subscriptions of the server itself: services, imports, whatever answers without a connection. */
import type { Account } from "../account/account.ts";
import type { Engine } from "../engine.ts";
import { type InternalHandler, KIND_INTERNAL, Link, type Receiver, Subscription } from "./link.ts";
import { originOf } from "./place.ts";

export class InternalLinks {
  readonly #engine: Engine;
  readonly #links = new Map<Account, Link>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The one that most internal subscriptions of an account stand on. */
  of(account: Account): Link {
    let link = this.#links.get(account);
    if (link === undefined) this.#links.set(account, (link = this.#create(account)));
    return link;
  }

  /** One of its own: messages with it as their source do not come back to its subscriptions. */
  quiet(account: Account): Link {
    const link = this.#create(account);
    link.echo = false;
    return link;
  }

  subscribe(link: Link, subject: string, queue: string, handler: InternalHandler): Subscription {
    const id = this.#engine.nextSubId();
    const sub = new Subscription(id, link, { subject, queue, sid: String(id) }, handler);
    this.#engine.addSubscription(sub);
    return sub;
  }

  /**
   * A subscription whose messages are worked on in place. `counted` false: the caller sees to the interest
   * that leaf links are told of.
   */
  receive(
    account: Account,
    names: { readonly subject: string; readonly queue: string },
    receiver: Receiver,
    counted: boolean,
  ): Subscription {
    const id = this.#engine.nextSubId();
    const sub = new Subscription(
      id,
      this.of(account),
      { ...names, sid: String(id) },
      null,
      receiver,
    );
    if (counted) this.#engine.addSubscription(sub);
    else account.insert(sub);
    return sub;
  }

  #create(account: Account): Link {
    const engine = this.#engine;
    const origin = originOf(
      { host: "", port: 0, connectionType: "IN_PROCESS" },
      "SYSTEM",
      engine.options,
    );
    const id = engine.nextLinkId();
    const link = new Link(id, KIND_INTERNAL, account, engine.pool, origin, engine.now);
    link.state = "active";
    return link;
  }
}
