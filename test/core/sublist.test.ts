/** The trie of subscriptions against a matcher of ten lines, under random insertion and removal. */
import assert from "node:assert/strict";
import test from "node:test";
import * as fc from "fast-check";
import {
  collide,
  hasWildcard,
  isSubset,
  isValidLiteral,
  isValidSubject,
  Sublist,
} from "../../src/core/index.ts";

/** The rules of matching, as the protocol's text gives them. */
function matchesNaively(pattern: string, subject: string): boolean {
  const p = pattern.split(".");
  const s = subject.split(".");
  if (s.includes("")) return false;
  for (const [i, token] of p.entries()) {
    if (token === ">") return s.length > i;
    if (s[i] === undefined || (token !== "*" && token !== s[i])) return false;
  }
  return p.length === s.length;
}

const token = fc.constantFrom("a", "b", "c", "*x", "a>", "é");
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join("."));
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant("*")), { minLength: 0, maxLength: 4 }), fc.boolean())
  .map(([tokens, full]) => (full || tokens.length === 0 ? [...tokens, ">"] : tokens).join("."));

test("a sublist finds what a naive matcher finds, whatever came and went", () => {
  const step = fc.record({
    pattern,
    remove: fc.boolean(),
    probe: fc.oneof(subject, fc.constant("a..b")),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const list = new Sublist<number>();
      const live: { pattern: string; value: number }[] = [];
      for (const [value, { pattern, remove, probe }] of steps.entries()) {
        const old = remove ? live.findIndex((one) => one.pattern === pattern) : -1;
        if (old >= 0) {
          const [gone] = live.splice(old, 1);
          assert.equal(list.remove(pattern, gone?.value ?? -1), true);
        } else {
          assert.equal(list.remove(pattern, -1), false);
          list.insert(pattern, value);
          live.push({ pattern, value });
        }
        const want = live
          .filter((one) => matchesNaively(one.pattern, probe))
          .map((one) => one.value);
        assert.deepEqual(list.match(probe, []).sort(compare), want.sort(compare));
        assert.equal(list.count, live.length);
        assert.deepEqual([...list].sort(compare), live.map((one) => one.value).sort(compare));
      }
      for (const one of live) list.remove(one.pattern, one.value);
      assert.equal(list.count, 0);
      assert.deepEqual([...list], []);
    }),
    { numRuns: 400 },
  );
});

test("a pattern covers another if it matches all that the other matches, and collides if it matches some", () => {
  // Over two letters and up to four tokens, all literals can be tried.
  const literals: string[] = [];
  const grow = (prefix: readonly string[]): void => {
    if (prefix.length > 0) literals.push(prefix.join("."));
    if (prefix.length < 4) for (const letter of ["a", "b"]) grow([...prefix, letter]);
  };
  grow([]);
  const part = fc.constantFrom("a", "b", "*");
  const small = fc
    .tuple(fc.array(part, { minLength: 0, maxLength: 3 }), fc.boolean())
    .map(([tokens, full]) => (full || tokens.length === 0 ? [...tokens, ">"] : tokens).join("."));
  fc.assert(
    fc.property(small, small, (x, y) => {
      const ofX = literals.filter((literal) => matchesNaively(x, literal));
      const ofY = new Set(literals.filter((literal) => matchesNaively(y, literal)));
      assert.equal(
        collide(x, y),
        ofX.some((literal) => ofY.has(literal)),
        `${x} collides with ${y}`,
      );
      // A wildcard stands for more than two letters: "*" is not covered by "a" and "b" together.
      assert.equal(
        isSubset(x, y),
        ofX.every((literal) => ofY.has(literal)) && ofX.length > 0,
        `${x} in ${y}`,
      );
    }),
    { numRuns: 2000 },
  );
});

test("subjects are valid by the table", () => {
  const rows: readonly [subject: string, valid: boolean, literal: boolean][] = [
    ["a", true, true],
    ["a.b.c", true, true],
    ["a.*.c", true, false],
    ["a.>", true, false],
    [">", true, false],
    ["*", true, false],
    ["a*", true, true],
    ["a>b.c", true, true],
    ["*>.>*", true, true],
    ["", false, false],
    [".", false, false],
    ["a.", false, false],
    [".a", false, false],
    ["a..b", false, false],
    ["a.>.b", false, false],
    [">.>", false, false],
    ["a b", false, false],
    ["a\tb", false, false],
    ["a\r", false, false],
    ["\xff.\x00", true, true],
  ];
  for (const [text, valid, literal] of rows) {
    assert.equal(isValidSubject(text), valid, JSON.stringify(text));
    assert.equal(isValidLiteral(text), literal, JSON.stringify(text));
    if (valid) assert.equal(hasWildcard(text), !literal, JSON.stringify(text));
  }
});

function compare(a: number, b: number): number {
  return a - b;
}
