/** Where the options of the process come from, each time they are read: a file or none, and flags over it. */
import {
  ConfigError,
  type ConfigHost,
  type LoadedOptions,
  type OptionsInput,
  applyOverrides,
  defaultOptions,
  loadConfig,
} from "../../config/index.ts";

export class OptionsSource {
  /** As given with `-c`, or null. */
  readonly file: string | null;
  readonly #overrides: OptionsInput;
  readonly #host: ConfigHost;

  constructor(file: string | null, overrides: OptionsInput, host: ConfigHost) {
    this.file = file;
    this.#overrides = overrides;
    this.#host = host;
  }

  /** Reads everything anew. Throws a `ConfigError`. */
  load(): LoadedOptions {
    const loaded = this.file === null ? defaultOptions() : loadConfig(this.#host, this.file);
    const { port } = loaded.options;
    // In a file, too, port 0 is the default port.
    const overrides = port === 0 ? { port: null, ...this.#overrides } : this.#overrides;
    if (Object.keys(overrides).length === 0) return loaded;
    try {
      return applyOverrides(loaded, overrides, this.#host);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // A flag has no place in a file, and its option's name would be news to the user.
      throw new ConfigError(error.errors.map((problem) => ({ ...problem, path: null, line: 0 })));
    }
  }
}
