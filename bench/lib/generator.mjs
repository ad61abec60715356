/**
 * The parent's end of the load generator: one fresh child process per load (bench/load/main.mjs), told what
 * to do by one message and answering with one. The generator runs on the same Node for both sides.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../load/main.mjs", import.meta.url));

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Runs one load to its end.
 * @param {string} node
 * @param {string} load the name of a module in bench/load
 * @param {object} job what that module's `run` takes
 * @param {number} timeoutMs
 * @returns {Promise<Record<string, number>>}
 */
export function generate(node, load, job, timeoutMs = 120_000) {
  return new Promise((resolve, reject) => {
    const child = fork(main, [], {
      execPath: node,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    running.add(child);
    const timer = setTimeout(() => {
      reject(new Error(`load ${load} did not end within ${timeoutMs / 1000} s`));
      child.kill("SIGKILL");
    }, timeoutMs);
    child.once("message", (/** @type {any} */ message) => {
      if (typeof message.error === "string") reject(new Error(message.error));
      else resolve(message.result);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      running.delete(child);
      reject(new Error(`load ${load} ended with code ${code}`));
    });
    child.send({ load, job });
  });
}
