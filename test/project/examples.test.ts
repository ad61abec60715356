/** Every example runs as its first lines say, and says what it should. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { codeBlocks, filesBelow, ROOT, textOf } from "./tree.ts";

const LIMIT = 30_000;

function run(...args: string[]): { readonly code: number | null; readonly lines: string[] } {
  // Without the runner's variable, so that a `node --test` inside is a run of its own.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const node = spawnSync(process.execPath, args, {
    cwd: ROOT,
    encoding: "utf8",
    timeout: LIMIT,
    env,
  });
  equal(node.stderr, "");
  return { code: node.status, lines: node.stdout.trimEnd().split("\n") };
}

test("embed.mjs: a server in this program", () => {
  deepEqual(run("examples/embed.mjs"), {
    code: 0,
    lines: ["hello, world", "clients of other processes: nats://127.0.0.1:<port>"],
  });
});

test("leaf-node.mjs: what crosses, what stays, and the hub gone", () => {
  const { code, lines } = run("examples/leaf-node.mjs");
  equal(code, 0);
  deepEqual(lines.toSorted(), [
    "hub hears orders.new",
    "leaf hears local.temperature",
    "leaf hears local.temperature",
    "noted",
  ]);
});

test("test-with-frond.mjs: its tests pass", () => {
  const { code, lines } = run("--test", "examples/test-with-frond.mjs");
  equal(code, 0, lines.join("\n"));
});

test("demo.mjs: answers 42 through the leaf, stays up with URLs that work, and ends at Ctrl-C", async (t) => {
  const demo = spawn(process.execPath, ["examples/demo.mjs"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => demo.kill("SIGKILL"));
  const ended = once(demo, "exit");
  const lines: string[] = [];
  for await (const line of createInterface({ input: demo.stdout })) {
    lines.push(line);
    if (line.startsWith("Ctrl-C")) break;
  }
  ok(lines.includes("The answer that came through the leaf: 42"));
  const leaf = lines
    .map((line) => /^ {2}leaf +(\S+)/.exec(line)?.[1])
    .find((url) => url !== undefined);
  match(leaf ?? "", /^nats:\/\/127\.0\.0\.1:\d+$/);
  const asked = run(
    "dist/src/cli/frond.js",
    "--server",
    leaf ?? "",
    "--no-context",
    "request",
    "--raw",
    "q",
    "",
  );
  deepEqual(asked, { code: 0, lines: ["42"] });
  demo.kill("SIGINT");
  deepEqual(await ended, [0, null]);
});

test("the README's first lines of code run as they stand", (t) => {
  const file = join(ROOT, "dist", "test", "project", "readme-snippet.mjs");
  writeFileSync(file, codeBlocks(textOf("README.md"), "js")[0] ?? "");
  t.after(() => rmSync(file));
  deepEqual(run(file), { code: 0, lines: ["hello"] });
});

test("every example is run here", () => {
  deepEqual(filesBelow(["examples"], [".mjs"]), [
    "examples/demo.mjs",
    "examples/embed.mjs",
    "examples/leaf-node.mjs",
    "examples/test-with-frond.mjs",
  ]);
});
