/** What the doctor finds: one trap of a configuration, where it is, why it bites and what to do about it. */
import type { LoadedOptions, Place, PlaceStep } from "../../config/index.ts";

/** `error`: something will not work. `warning`: it works until it bites. `note`: good to know. */
export type Severity = "error" | "warning" | "note";

export interface Finding {
  readonly severity: Severity;
  readonly place: Place | null;
  readonly problem: string;
  readonly why: string;
  readonly fix: string;
}

/** One configuration and the findings in it so far. */
export class Examination {
  readonly file: string;
  readonly loaded: LoadedOptions;
  readonly findings: Finding[] = [];

  constructor(file: string, loaded: LoadedOptions) {
    this.file = file;
    this.loaded = loaded;
  }

  /** Adds a finding at an option, or at the nearest part of its path that the file has. */
  add(
    severity: Severity,
    steps: readonly PlaceStep[],
    [problem, why, fix]: readonly [problem: string, why: string, fix: string],
  ): void {
    const place = this.loaded.origin.places.of(...steps);
    this.findings.push({ severity, place: place ?? this.#top(), problem, why, fix });
  }

  /** Whether the file itself names an option. */
  has(...steps: readonly PlaceStep[]): boolean {
    return this.loaded.origin.places.node(...steps) !== null;
  }

  /** A text as it stands in the file, before it was taken apart. */
  raw(...steps: readonly PlaceStep[]): string | null {
    const value = this.loaded.origin.places.node(...steps)?.value;
    return value?.kind === "string" ? value.text : null;
  }

  #top(): Place {
    return { file: this.file, line: 0, column: 0, path: null };
  }
}
