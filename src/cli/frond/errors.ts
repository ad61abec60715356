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

  constructor(message: string, exitCode = 1) {
    super(message);
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
    return `nats: ${error.message.replace(/^'|'$/g, "")}`;
  }
  return isUnreachable(error) ? `nats: no servers available for connection` : error.message;
}

/** Whether no server answered at all, as opposed to one that said no. */
export function isUnreachable(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if ("code" in e && typeof e.code === "string" && UNREACHABLE.has(e.code)) return true;
    if (e.message === "connection refused") return true;
  }
  return false;
}
