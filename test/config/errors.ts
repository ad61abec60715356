/** A table of configurations and of what is wrong with them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { problemsOf } from "./host.ts";

export interface ErrorRow {
  /** Stands on the second line of the file. */
  readonly config: string;
  /** `line:column: text`, or the text alone where it has no place; several in any order. */
  readonly error: string | readonly string[];
}

export function testErrors(rows: readonly ErrorRow[]): void {
  for (const { config, error } of rows) {
    test(`refuses ${config}`, () => {
      const lines = problemsOf(`\n${config}\n`).map((line) => line.replace(/^t\.conf:/, ""));
      const expected = typeof error === "string" ? [error] : error;
      assert.deepEqual(
        lines
          .map((line) => line.trimEnd())
          .filter((line) => line !== "")
          .sort(),
        [...expected].sort(),
      );
    });
  }
}
