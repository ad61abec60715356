/** What the layers above want to hear of an engine. Called after the engine's own state is right. */
import type { Account } from "./account/account.ts";
import type { AuthVerdict } from "./contract.ts";
import type { ClosedState } from "./link/closed-state.ts";
import type { Link } from "./link/link.ts";
import type { MessageTrace } from "./routing/message-trace.ts";

export interface EngineObserver {
  /** A client passed CONNECT, or a leaf link's handshake is over. */
  ready?(link: Link): void;
  /** A link is about to close; its subscriptions are still there. */
  closing?(link: Link): void;
  closed?(link: Link, reason: ClosedState): void;
  /** A PONG came: `link.rtt` is new. */
  measured?(link: Link): void;
  /** A solicited leaf link heard of its hub's URLs. */
  gossip?(link: Link, urls: readonly string[], websocketUrls: readonly string[]): void;
  /** A hub demands TLS: to be remembered for this remote. */
  remoteNeedsTls?(link: Link): void;
  refused?(link: Link, verdict: AuthVerdict): void;
  accountCreated?(account: Account): void;
  /** A traced message was routed: the trace is to be sent where it asks for. */
  traced?(trace: MessageTrace): void;
}
