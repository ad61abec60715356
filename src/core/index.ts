/** The pure core: bytes in, bytes out. */
export type * from "./contract.ts";
export { CLOSED_STATES, type ClosedState } from "./link/closed-state.ts";
export { Engine } from "./engine.ts";
export type { EngineObserver } from "./engine-observer.ts";
export type { Cookies } from "./link/credentials.ts";
export { readdress, type LinkPlace } from "./link/place.ts";
export type { EngineOptions, LeafOptions, WebsocketInfo, WriteTimeout } from "./options.ts";
export {
  Link,
  Subscription,
  KIND_CLIENT,
  KIND_INTERNAL,
  KIND_LEAF,
  type InternalHandler,
  type InternalMessage,
} from "./link/link.ts";
export type { LeafState } from "./link/leaf-state.ts";
export type { RemoteSpec } from "./link/remote-spec.ts";
export {
  Account,
  NO_LIMITS,
  type AccountLimits,
  type TraceDestination,
} from "./account/account.ts";
export { defineAccounts, emptySpec, type AccountSpec, type ImportSpec } from "./account/imports.ts";
export type { LatencySpec, ResponseType, ServiceExportSpec } from "./account/exports.ts";
export type { MappingDestination, MappingSpec } from "./account/mappings.ts";
export { clientInfoJson, type InfoDetail } from "./account/request-info.ts";
export { LinkPermissions, SubjectFilter } from "./account/permissions.ts";
export type { ServerMessage } from "./routing/publish-queue.ts";
export type { MessageTrace, TraceRequest, TraceStep } from "./routing/message-trace.ts";
export { explain, peerName, type LinkExplanation, type Verdict } from "./routing/explain.ts";
export {
  remoteRule,
  type Reason,
  type RemoteLists,
  type RuleName,
} from "./routing/explain-rules.ts";
export { WIRE_ERRORS } from "./protocol/errors.ts";
export { asyncInfo } from "./link/client-info.ts";
export {
  goQuote,
  latin1,
  latin1Bytes,
  latin1ToUtf8,
  utf8Bytes,
  utf8ToLatin1,
} from "./bytes/ascii.ts";
export {
  collide,
  hasWildcard,
  isSubset,
  isValidLiteral,
  isValidSubject,
} from "./subject/subject.ts";
export {
  compileTransform,
  destinationPattern,
  numberWildcards,
  SubjectTransform,
} from "./subject/transform.ts";
export { Sublist } from "./subject/sublist.ts";
export { crc32c, maskedCrc } from "./bytes/crc32c.ts";
export { S2Decoder } from "./bytes/s2-decode.ts";
export { S2Encoder } from "./bytes/s2-encode.ts";
export { S2Workspace } from "./bytes/s2-block.ts";
