/**
 * Runs the compiled tests: `node scripts/test.mjs [name-part…]`. All files, or those whose path holds a part. Those that
 * measure real time, such as a line so slow that a pause of a second breaks it, run alone when the others are done.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../dist/test", import.meta.url));
const parts = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const flags = process.argv.slice(2).filter((a) => a.startsWith("--"));
const files = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((f) => f.endsWith(".test.js") && (parts.length === 0 || parts.some((p) => f.includes(p))))
  .sort()
  .map((f) => `${root}/${f}`);
if (files.length === 0) {
  console.error(`no test file under dist/test matches ${parts.join(", ")}`);
  process.exit(1);
}
// The same reporter on every Node, failures at its end.
if (!flags.some((flag) => flag.startsWith("--test-reporter"))) flags.push("--test-reporter=spec");
const isAlone = (/** @type {string} */ file) => file.includes("slow-line");
const batches = [files.filter((file) => !isAlone(file)), files.filter(isAlone)];
let code = 0;
for (const batch of batches) {
  if (batch.length === 0) continue;
  const run = spawnSync(process.execPath, ["--test", ...flags, ...batch], { stdio: "inherit" });
  code ||= run.status ?? 1;
}
process.exit(code);
