/** What operators see: pure snapshots of an engine's state, and the HTTP answers made of them. */
export {
  accountDetail,
  accountStat,
  accountz,
  accstatz,
  type AccountzOptions,
  type AccstatzOptions,
} from "./accountz.ts";
export { gatewayz, jsz, routez, type JszOptions } from "./clusters.ts";
export {
  addTraffic,
  NO_TRAFFIC,
  snapshotLink,
  subscriptionsOf,
  type ClosedConnections,
  type ClosedFacts,
  type ClosedTotals,
  type ConnectionSnapshot,
  type SubscriptionSnapshot,
  type Traffic,
} from "./connection-snapshot.ts";
export { connz, type ConnzOptions } from "./connz.ts";
export { answer, normalBasePath, type MonitorReply } from "./endpoints.ts";
export { nanoseconds, roundTrip, timestamp, uptime } from "./formats.ts";
export {
  explainSubject,
  explainz,
  type ExplainedLink,
  type ExplainedReason,
  type ExplainedVerdict,
  type ExplainOptions,
  type Explanation,
} from "./explainz.ts";
export {
  healthJson,
  healthWarning,
  healthz,
  type Health,
  type HealthProblem,
  type HealthzOptions,
} from "./healthz.ts";
export { encodeJson, omit, sortedObject, type Json, type JsonObject } from "./json.ts";
export { leafz, type LeafzOptions } from "./leafz.ts";
export { announcedKeys, linkz, roundTripStats, type LinkzOptions } from "./linkz.ts";
export { MonitorError, NO_QUERY, type Query } from "./query.ts";
export type {
  AccountFacts,
  ConfigFacts,
  ExportFacts,
  HttpFacts,
  ImportFacts,
  LeafFacts,
  LeafRemoteFacts,
  ListenerView,
  MappingFacts,
  MonitorState,
  ProcessFacts,
  RemoteView,
  WebSocketFacts,
} from "./state.ts";
export { SERVICE_NAMES, serviceData } from "./services.ts";
export { serverInfo, statsz } from "./statsz.ts";
export { subsz, type SubszOptions } from "./subsz.ts";
export { varz } from "./varz.ts";
