#!/usr/bin/env node
/**
 * `frond`, the command line for people, in the manner of the `nats` command: same verbs, flags,
 * output facts and exit codes where both have them. The verbs are in `frond/`, one a file.
 */
import { runFrond } from "./frond/program.ts";

// The reader of a pipe went away: end quietly, as a program killed by SIGPIPE would.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? 141 : 1);
});
process.exit(await runFrond(process.argv.slice(2)));
