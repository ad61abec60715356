/** What went wrong with a file, in the words that nats-server prints: Go's, without Node's codes and quotes. */

/** Where libuv's text differs from the system's. */
const TEXTS: Readonly<Record<string, string>> = {
  EISDIR: "is a directory",
  EADDRINUSE: "address already in use",
  ECONNREFUSED: "connection refused",
  ESRCH: "no such process",
  EPERM: "operation not permitted",
  ENOSPC: "no space left on device",
  EROFS: "read-only file system",
  ETIMEDOUT: "connection timed out",
  EMFILE: "too many open files",
};

/** The reason alone: `no such file or directory`. */
export function osErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  // Node writes `ENOENT: no such file or directory, open 'x'`.
  const said = /^[A-Z0-9]+: (.*?), \w+/.exec(error.message)?.[1];
  return TEXTS[code] ?? said ?? error.message;
}

/** The reason with what was tried: `open x: no such file or directory`. */
export function fileErrorText(operation: string, path: string, error: unknown): string {
  return `${operation} ${path}: ${osErrorText(error)}`;
}
