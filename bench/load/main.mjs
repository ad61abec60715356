/**
 * The load generator's process: receives `{ load, job }`, runs that load, answers `{ result }` or `{ error }`.
 * It is a process of its own so that its work, its heap and its event loop are neither server's nor runner's.
 */

/** @param {object} message */
function answer(message) {
  process.send?.(message, () => process.exit(0));
}

/** @param {unknown} error */
function fail(error) {
  answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

process.once("uncaughtException", fail);
process.once("message", async (/** @type {{ load: string, job: object }} */ { load, job }) => {
  try {
    const { run } = await import(`./${load}.mjs`);
    answer({ result: await run(job) });
  } catch (error) {
    fail(error);
  }
});
