/**
 * The worker thread that compares passwords with bcrypt hashes, so that a login never holds up the messages.
 * One message in (`BcryptJob`), one message out (`BcryptAnswer`).
 */
import { parentPort } from "node:worker_threads";
import { compareSync } from "bcryptjs";

export interface BcryptJob {
  readonly id: number;
  readonly plain: string;
  readonly hash: string;
}

export interface BcryptAnswer {
  readonly id: number;
  readonly ok: boolean;
}

parentPort?.on("message", (job: BcryptJob) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage({ id: job.id, ok: matches(job) } satisfies BcryptAnswer);
});

function matches({ plain, hash }: BcryptJob): boolean {
  try {
    // The `$2x$` variant is compared as nats-server compares it: like `$2a$`.
    return compareSync(plain, hash.replace(/^\$2x\$/, "$2a$"));
  } catch {
    return false;
  }
}
