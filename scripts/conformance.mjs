/**
 * Runs the black-box cases of a conformance folder against this build and compares with the list of cases that
 * pass: `.ci/conformance-passing.txt`, one name a line. A case on the list may not fail.
 *
 *     node scripts/conformance.mjs [--dir ../shared/conformance] [WORD…]   the listed cases (whose name holds a WORD)
 *     node scripts/conformance.mjs --update [WORD…]                        all cases; those that pass join the list
 *
 * The folder is not part of this project; where it is missing, nothing runs and a line says so. Needs python3.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { referenceServer } from "./reference.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const listFile = join(root, ".ci", "conformance-passing.txt");
const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    dir: { type: "string", default: join(root, "..", "shared", "conformance") },
    jobs: { type: "string", default: "3" },
    update: { type: "boolean", default: false },
  },
});
const dir = resolve(values.dir);

/**
 * What each case said: null if it passed, else the line of its failure. A case that did not run has no entry.
 * @typedef {Map<string, string | null>} Results
 */

/** @returns {string[]} */
function listedCases() {
  if (!existsSync(listFile)) return [];
  const lines = readFileSync(listFile, "utf8").split("\n");
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

const chosen = (/** @type {string} */ name) =>
  words.length === 0 || words.some((word) => name.includes(word));
const quoted = (/** @type {string} */ text) => `'${text.replaceAll("'", `'"'"'`)}'`;

/**
 * @param {string[]} files
 * @param {number} jobs
 * @returns {Promise<Results>}
 */
async function runFiles(files, jobs) {
  const reference = referenceServer({ install: true });
  const server = [process.execPath, join(root, "dist", "src", "cli", "frond-server.js")];
  const roles = ["--sut", server.map(quoted).join(" "), "--ref", quoted(String(reference))];
  const flags = ["-j", String(jobs), "--retry", "-v"];
  const args = [join(dir, "run.py"), ...roles, ...flags, ...files];
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const python = spawn("python3", args, { env, stdio: ["ignore", "pipe", "inherit"] });
  /** @type {Results} */
  const results = new Map();
  for await (const line of createInterface({ input: python.stdout })) {
    const match = /^(ok|FAIL)\s+(\S+)/.exec(line);
    if (match?.[2] !== undefined) results.set(match[2], match[1] === "ok" ? null : line);
  }
  return results;
}

/**
 * A folder of files of the same names that hold only the wanted cases: run.py itself selects by one word only.
 * @param {string[]} cases
 * @param {string} into
 * @returns {string[]}
 */
function selection(cases, into) {
  return [...groupByFile(cases)].map(([file, names]) => {
    const functions = names.map((name) => `test_${name.split(".")[1]}`);
    const path = join(into, `${file}.py`);
    const text = `import importlib.util as u
s = u.spec_from_file_location("all_${file}", ${JSON.stringify(join(dir, `${file}.py`))})
m = u.module_from_spec(s)
s.loader.exec_module(m)
for n in ${JSON.stringify(functions)}:
    if hasattr(m, n):
        globals()[n] = getattr(m, n)
`;
    writeFileSync(path, text);
    return path;
  });
}

/** @param {string[]} cases */
function groupByFile(cases) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const name of cases) {
    const file = name.split(".")[0] ?? "";
    groups.set(file, [...(groups.get(file) ?? []), name]);
  }
  return groups;
}

/**
 * @param {string[]} cases
 * @param {number} jobs
 */
async function runCases(cases, jobs) {
  const into = mkdtempSync(join(tmpdir(), "frond-conformance-"));
  try {
    return await runFiles(selection(cases, into), jobs);
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

async function update() {
  const files = readdirSync(dir).filter((name) => /^test_.*\.py$/.test(name));
  const wanted = files.filter((name) => words.length === 0 || words.some((w) => name.includes(w)));
  const results = await runFiles(
    wanted.sort().map((name) => join(dir, name)),
    Number(values.jobs),
  );
  const listed = listedCases();
  const passed = [...results].filter(([, fault]) => fault === null).map(([name]) => name);
  const failed = [...results].filter(([, fault]) => fault !== null);
  for (const [, line] of failed) console.log(line);
  const all = [...new Set([...listed, ...passed])].sort();
  const head =
    "# Conformance cases that pass and may not fail again: `node scripts/conformance.mjs`.\n";
  writeFileSync(listFile, `${head}${all.join("\n")}\n`);
  console.log(`${all.length - listed.length} cases joined the list, ${all.length} stand on it now`);
  const lost = failed.filter(([name]) => listed.includes(name));
  for (const [name] of lost) console.log(`on the list, and failed: ${name}`);
  console.log(`conformance: ${passed.length} passed, ${failed.length} failed`);
  if (lost.length > 0) process.exitCode = 1;
}

async function check() {
  const wanted = listedCases().filter(chosen);
  const results = await runCases(wanted, Number(values.jobs));
  const doubtful = wanted.filter((name) => results.get(name) !== null);
  if (doubtful.length > 0) {
    for (const [name, result] of await runCases(doubtful, 1)) results.set(name, result);
  }
  const lost = wanted.filter((name) => results.get(name) !== null);
  for (const name of lost)
    console.log(results.get(name) ?? `FAIL ${name}: no such case, or skipped`);
  if (wanted.length === 0) console.log(`no listed case${words.length > 0 ? " of that name" : ""}`);
  console.log(`conformance: ${wanted.length - lost.length} passed, ${lost.length} failed`);
  if (lost.length > 0) process.exitCode = 1;
}

if (!existsSync(join(dir, "run.py"))) {
  console.log(`conformance: not run, ${dir} is not there`);
} else if (values.update) {
  await update();
} else {
  await check();
}
