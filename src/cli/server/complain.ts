/** The last words of a process that does not start. */

/** Prints them the way that programs which run nats-server look for; returns the exit code. */
export function complain(message: string): number {
  process.stderr.write(`nats-server: ${message}\n`);
  return 1;
}
