/**
 * Fuzzes the engine: `node scripts/fuzz.mjs [--seed N] [--count N]` runs N conversations from a seed (a random one
 * unless given), `--batch N` runs one batch again, as a failure says. `--keep-going` counts failures instead of
 * stopping at the first. A batch that takes longer than half a minute is a hang.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const HANG_MS = 30_000;

/**
 * @param {number} batch
 * @param {{ index: number, role: string, problem: string, sent: unknown }} failure
 */
function showFailure(batch, failure) {
  console.log(
    `conversation ${failure.index} of batch ${batch} (${failure.role}): ${failure.problem}`,
  );
  console.log(`  sent: ${JSON.stringify(failure.sent)}`);
  console.log(`  replay: node scripts/fuzz.mjs --batch ${batch}`);
}

async function work() {
  const { first, batches, keepGoing } = workerData;
  const { runBatch } = await import("../dist/test/fuzz/fuzzer.js");
  for (let batch = first; batch < first + batches; batch++) {
    parentPort?.postMessage({ batch });
    const failure = runBatch(batch);
    if (failure === null) continue;
    parentPort?.postMessage({ batch, failure });
    if (!keepGoing) return;
  }
}

function main() {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      count: { type: "string", default: "100000" },
      batch: { type: "string" },
      "keep-going": { type: "boolean", default: false },
    },
  });
  // Seeds lie far enough apart not to share batches.
  const seed = values.seed === undefined ? Math.floor(Math.random() * 4000) : Number(values.seed);
  const first = values.batch === undefined ? seed * 1_000_000 : Number(values.batch);
  const batches = values.batch === undefined ? Math.ceil(Number(values.count) / 100) : 1;
  console.log(
    values.batch === undefined ? `seed ${seed}: ${batches * 100} conversations` : `batch ${first}`,
  );
  const started = Date.now();
  let failures = 0;
  let last = { batch: first, at: started };
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { first, batches, keepGoing: values["keep-going"] },
  });
  const watch = setInterval(() => {
    if (Date.now() - last.at < HANG_MS) return;
    console.log(`batch ${last.batch} hangs: node scripts/fuzz.mjs --batch ${last.batch}`);
    process.exit(1);
  }, 1000);
  worker.on("message", ({ batch, failure }) => {
    last = { batch, at: Date.now() };
    if (failure === undefined) return;
    failures++;
    showFailure(batch, failure);
  });
  worker.on("error", (error) => {
    console.log(`batch ${last.batch}:`, error);
    process.exitCode = 1;
  });
  worker.on("exit", () => {
    clearInterval(watch);
    const done = last.batch - first + 1;
    const seconds = (Date.now() - started) / 1000;
    console.log(`${done * 100} conversations in ${seconds.toFixed(1)} s, ${failures} failures`);
    if (failures > 0) process.exitCode = 1;
  });
}

if (isMainThread) main();
else await work();
