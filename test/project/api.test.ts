/** What users of the package may rely on does not change unseen. */
import { deepEqual, equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { filesBelow, ROOT, textOf } from "./tree.ts";

test("the declarations in api/ are those of the build: else look at what changed, then npm run docs", () => {
  const check = spawnSync(process.execPath, ["scripts/api.mjs", "--check"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  equal(check.stderr, "");
  equal(check.status, 0);
});

test("api/ has one file for each entry point", () => {
  const { exports } = JSON.parse(textOf("package.json")) as { exports: Record<string, unknown> };
  const expected = Object.keys(exports)
    .filter((name) => name !== "./package.json")
    .map((name) => `api/${name === "." ? "frond" : name.slice(2)}.d.ts`);
  deepEqual(filesBelow(["api"], [".d.ts"]), expected.toSorted());
});
