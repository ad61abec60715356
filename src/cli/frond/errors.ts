/**
 * What a failed command says and with which exit code it ends.
 *
 * The texts are those people and scripts know from the `nats` command, so an error of the client
 * library is translated here and nowhere else.
 */
import { errors } from "@nats-io/transport-node";

/** Ends the command with one line on standard error. */
export class CliError extends Error {
  override name = "CliError";
  readonly exitCode: number;

  constructor(message: string, exitCode = 1, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EPIPE",
]);

/** Codes with which a server's certificate is refused. */
const CERTIFICATE =
  /^(?:UNABLE_TO_(?:VERIFY|GET)|SELF_SIGNED|DEPTH_ZERO|CERT_|ERR_TLS_CERT_ALTNAME|HOSTNAME_MISMATCH)/;

const UNTRUSTED = /unable to (?:verify|get)|self[- ]signed/i;

/** Errors of the client library, which `nats` prefixes with its own name. */
const CLIENT_ERRORS = [
  errors.ClosedConnectionError,
  errors.ConnectionError,
  errors.InvalidArgumentError,
  errors.ProtocolError,
  errors.RequestError,
] as const;

/** The text of an error as `nats` words it. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CliError) return error.message;
  if (error instanceof errors.InvalidSubjectError) return "nats: invalid subject";
  if (error instanceof errors.TimeoutError) return "nats: timeout";
  if (error instanceof errors.AuthorizationError) {
    return `nats: ${error.message.replace(/^'|'$/g, "")}`;
  }
  if (error instanceof errors.PermissionViolationError) {
    return `nats: permissions violation: ${error.message.replace(/^'|'$/g, "")}`;
  }
  const code = errorCode(error, (name) => CERTIFICATE.test(name));
  if (code !== undefined || UNTRUSTED.test(error.message)) {
    return `nats: tls error: tls: failed to verify certificate: x509: ${certificateFault(error)}`;
  }
  if (isUnreachable(error)) return `nats: no servers available for connection${unknownHost(error)}`;
  if (/^invalid subject$/i.test(error.message)) return "nats: invalid subject";
  if (error.message === "server does not support 'tls'") {
    return "nats: secure connection not available";
  }
  return CLIENT_ERRORS.some((kind) => error instanceof kind)
    ? `nats: ${error.message}`
    : error.message;
}

/** Whether the server's certificate is good but for another name. */
export function isWrongCertificateName(error: unknown): boolean {
  return errorCode(error, (code) => code === "ERR_TLS_CERT_ALTNAME_INVALID") !== undefined;
}

/** Whether no server answered at all, as opposed to one that said no. */
function isUnreachable(error: Error): boolean {
  if (errorCode(error, (code) => UNREACHABLE.has(code)) !== undefined) return true;
  return /^connection refused$|ECONNREFUSED|ENOTFOUND|EHOSTUNREACH/.test(error.message);
}

/** The first code like this in the chain of an error and its causes. */
function errorCode(error: unknown, like: (code: string) => boolean): string | undefined {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if ("code" in e && typeof e.code === "string" && like(e.code)) return e.code;
  }
  return undefined;
}

function certificateFault(error: Error): string {
  return UNTRUSTED.test(error.message)
    ? `certificate signed by unknown authority (${error.message})`
    : error.message;
}

function unknownHost(error: unknown): string {
  const unknown = errorCode(error, (code) => code === "ENOTFOUND" || code === "EAI_AGAIN");
  if (unknown === undefined || !(error instanceof Error)) return "";
  const host = "hostname" in error ? ` ${String(error.hostname)}` : "";
  return `: lookup${host}: no such host`;
}
