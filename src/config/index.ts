export type * from "./options.ts";
export type { ConfigHost } from "./config-host.ts";
export {
  ConfigError,
  type ConfigProblem,
  formatProblem,
  type Place,
  placeText,
} from "./config-error.ts";
export {
  applyOverrides,
  defaultOptions,
  isBcryptHash,
  loadConfig,
  loadConfigText,
  optionsFromObject,
  type InputValue,
  type LoadedOptions,
  type OptionsInput,
} from "./load.ts";
export { allNkeys, allUsers, validateOptions } from "./validate.ts";
export { diffOptions } from "./reload.ts";
export { needsNewLink, type OptionChange, type OptionsDiff } from "./reload-leafnodes.ts";
export { remoteIdentity, remoteName } from "./schema-remotes.ts";
export { parseServerUrl, redactedUrl } from "./server-url.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export { describeOptions } from "./describe.ts";
export { ConfigPlaces, type PlaceStep } from "./places.ts";
