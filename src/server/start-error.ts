/** Why a server did not start: one clear line, and a code for programs. Codes are listed in docs/errors.md. */
export type StartErrorCode =
  | "PORT_IN_USE"
  | "LISTEN_FAILED"
  | "BAD_TLS"
  | "BAD_OPTIONS"
  | "BAD_CONFIG"
  | "UNREADABLE_FILE"
  | "NOT_SUPPORTED"
  | "LINKS_DOWN";

export class StartError extends Error {
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "StartError";
    this.code = code;
  }
}
