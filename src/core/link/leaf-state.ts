/** What only a leaf link has: its role, what it learnt of its peer, and its permissions in both directions. */
import type { SubjectFilter } from "../account/permissions.ts";
import type { CompressionMode, Millis } from "../contract.ts";
import type { Fields } from "../protocol/connect.ts";
import { LeafOutput } from "./leaf-output.ts";
import type { RemoteSpec } from "./remote-spec.ts";

export class LeafState {
  /** We dialled (true) or accepted (false). */
  readonly solicited: boolean;
  /** The configured remote of a solicited link. */
  readonly remote: RemoteSpec | null;
  readonly output = new LeafOutput();
  /** Our role: interest flows up only to a hub, and permissions are enforced by it. */
  isSpoke: boolean;
  isolated = false;
  remoteServer = "";
  remoteServerId = "";
  remoteCluster = "";
  remoteDomain = "";
  /** The account's name on the other side. */
  remoteAccount = "";
  /** The peer's inter-server protocol level. */
  proto = 0;
  compression: CompressionMode = "not supported";
  /** What may be sent to the peer, and what may be taken from it (and announced to it); null = everything. */
  sendFilter: SubjectFilter | null = null;
  receiveFilter: SubjectFilter | null = null;
  /** Synthetic denies (JetStream domains), which are no violations on the hub's end. */
  quietSend: SubjectFilter | null = null;
  quietReceive: SubjectFilter | null = null;
  /** Messages that permissions kept from being sent to the peer, and from being taken from it. */
  refusedOut = 0;
  refusedIn = 0;
  /** The last `-ERR` text of the peer, for link views. */
  lastError = "";
  /** INFO, as far as the handshake still needs it. */
  pendingInfo: Fields | null = null;
  acceptsJetStream = false;
  /** INFO #1 was processed; the negotiation INFO of the peer was consumed. */
  gotInfo = false;
  negotiated = false;
  /** The handshake is over: interest was announced. */
  registered = false;
  /** Interest held from the peer: the text of LS+ less the weight -> the subscription's key in `link.subs`. */
  slot = -1;
  /** When INFO (solicited) or INFO #2 must have come. */
  handshakeBy: Millis = 0;
  /** Added to the reconnect interval after this link closes. */
  connectDelay: Millis = 0;

  constructor(solicited: boolean, remote: RemoteSpec | null, isSpoke: boolean) {
    this.solicited = solicited;
    this.remote = remote;
    this.isSpoke = isSpoke;
  }
}
