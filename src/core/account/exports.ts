/** What an account offers to others, and which offer an import makes use of. */
import type { Millis } from "../contract.ts";
import { isSubset } from "../subject/subject.ts";

export type ResponseType = "singleton" | "stream" | "chunked";

export interface LatencySpec {
  /** Where the metrics are published, in the exporting account. */
  readonly subject: string;
  /** Percent, or as the request's tracing headers say. */
  readonly sampling: number | "headers";
}

export interface ServiceExportSpec {
  readonly subject: string;
  readonly responseType: ResponseType;
  /** How long a response may take, and how long a stream of them may pause. */
  readonly threshold: Millis;
  readonly latency: LatencySpec | null;
  /** A traced request of an importer is traced in this account too. */
  readonly allowTrace: boolean;
}

const DEFAULT_THRESHOLD = 120_000;

/** The export that covers an imported subject: the one of exactly this subject, else the first that is wider. */
export function coveringExport(
  exports: readonly ServiceExportSpec[],
  subject: string,
): ServiceExportSpec {
  const exact = exports.findLast((item) => item.subject === subject);
  const found = exact ?? exports.find((item) => isSubset(subject, item.subject));
  return (
    found ?? {
      subject,
      responseType: "singleton",
      threshold: DEFAULT_THRESHOLD,
      latency: null,
      allowTrace: false,
    }
  );
}
