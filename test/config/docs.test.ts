import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { describeOptions } from "../../src/config/index.ts";

test("docs/config.md is current", () => {
  // Tests run from `dist`, three folders below the root.
  const script = fileURLToPath(new URL("../../../scripts/docs.mjs", import.meta.url));
  assert.ok(existsSync(script));
  execFileSync(process.execPath, [script, "--check"], { stdio: "pipe" });
});

test("every option is described, and no name stands for two", () => {
  for (const { name, options } of describeOptions()) {
    const names = options.flatMap((option) => [option.name, ...option.aliases]);
    assert.equal(new Set(names).size, names.length, name);
    for (const option of options) assert.match(option.doc, /^[A-Z`].*\.$/s, option.name);
  }
});
