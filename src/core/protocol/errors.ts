/**
 * Every text that goes inside the quotes of `-ERR '…'`. The texts are wire contract: clients and peers match
 * on them. Those that end a link are sent with the close reason of `closed-state.ts`.
 */
export const WIRE_ERRORS = {
  unknownOperation: "Unknown Protocol Operation",
  maxControlLine: "maximum control line exceeded",
  maxPayload: "Maximum Payload Violation",
  authorization: "Authorization Violation",
  authTimeout: "Authentication Timeout",
  userExpired: "User Authentication Expired",
  accountExpired: "Account Authentication Expired",
  userRevoked: "User Authentication Revoked",
  maxConnections: "maximum connections exceeded",
  maxAccountConnections: "maximum account active connections exceeded",
  maxSubscriptions: "maximum subscriptions exceeded",
  invalidClientProtocol: "invalid client protocol",
  noRespondersNeedsHeaders: "no responders requires headers support",
  throttled: "Connection throttling is active. Please try again later.",
  stale: "Stale Connection",
  invalidSubject: "Invalid Subject",
  invalidPublishSubject: "Invalid Publish Subject",
  invalidSubscription: "Invalid Subscription",
  leafWrongPort: "attempted to connect to leaf node port",
  sameCluster: "remote leafnode has same cluster name",
  clusterSpaces: "cluster name cannot contain spaces",
  clusterReserved: "cluster name is reserved",
  duplicateLeaf: "Duplicate Remote LeafNode Connection",
  staleLeaf: "Stale Leaf Node Connection - Closing",
  tlsRequired: "Secure Connection - TLS Required",
} as const;
