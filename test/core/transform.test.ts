/** Subject transforms: every function, nats-server's texts, and reading one backwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileTransform, destinationPattern, SubjectTransform } from "../../src/core/index.ts";

function compiled(source: string, destination: string, strict = false): SubjectTransform {
  const made = compileTransform(source, destination, strict);
  if ("fault" in made) throw new Error(made.fault);
  return made;
}

const RESULTS: readonly (readonly [string, string, string, string])[] = [
  ["foo", "bar", "foo", "bar"],
  ["a.*.*", "b.$2.$1", "a.x.y", "b.y.x"],
  ["a.*", "b.{{wildcard(1)}}", "a.x", "b.x"],
  ["a.*", "b.{{ Wildcard (1) }}", "a.x", "b.x"],
  ["a.>", "b.>", "a.x.y", "b.x.y"],
  ["a.*.>", "z.$1.>", "a.x.y.z", "z.x.y.z"],
  ["", "p.>", "x.y", "p.x.y"],
  ["a.*", "b.x$1", "a.q", "b.x$1"],
  ["z.*", "b.$0", "z.q", "b.z"],
  ["s.*", "z.{{split(1,-)}}.e", "s.a-b", "z.a.b.e"],
  ["s.*", "z.{{split(1,-)}}.e", "s.-a--b-", "z.a.b.e"],
  ["s.*", "z.{{split(1,-)}}.e", "s.-", "z..e"],
  ["r.*", "{{splitfromleft(1,2)}}", "r.abcdefg", "ab.cdefg"],
  ["r.*", "{{splitFromRight(1,2)}}", "r.abcdefg", "abcde.fg"],
  ["r.*", "{{SliceFromLeft(1,3)}}", "r.abcdefg", "abc.def.g"],
  ["r.*", "{{slicefromright(1,3)}}", "r.abcdefg", "a.bcd.efg"],
  ["r.*", "{{slicefromright(1,3)}}", "r.abcdef", "abc.def"],
  ["r.*", "{{left(1,2)}}.{{right(1,2)}}", "r.abcdefg", "ab.fg"],
  ["r.*", "{{left(1,2)}}.{{left(1,0)}}.{{right(1,9)}}", "r.ab", "ab.ab.ab"],
  ["rnd.*", "p.{{partition(7)}}", "rnd.abcdefg", "p.3"],
  ["rnd.*", "p.{{partition(7)}}", "rnd.ab", "p.5"],
  ["lit", "l.{{partition(9,3)}}.{{partition(9)}}", "lit", "l.1.1"],
  ["a.*", "p.{{partition(0)}}", "a.b", "p.0"],
  ["a.*", "p.{{random(0)}}", "a.b", "p.0"],
];

for (const [source, destination, subject, expected] of RESULTS) {
  test(`${source || "(all)"} -> ${destination} makes ${expected} of ${subject}`, () => {
    assert.equal(
      compiled(source, destination).apply(subject, () => 0.5),
      expected,
    );
  });
}

test("partitions are FNV-1a of the wildcards without a separator", () => {
  const transform = compiled("o.*.*", "o.{{partition(10,1,2)}}");
  for (const [left, right] of [
    ["c1", "p3"],
    ["", "x"],
    ["c19", "p57"],
  ] as const) {
    let hash = 2_166_136_261;
    for (const byte of Buffer.from(left + right)) hash = Math.imul(hash ^ byte, 16_777_619) >>> 0;
    assert.equal(
      transform.apply(`o.${left}.${right}`, () => 0),
      `o.${hash % 10}`,
    );
  }
});

test("only a random token makes results differ", () => {
  const dice = compiled("a.*", "b.{{random(6)}}");
  assert.equal(dice.isConstant, false);
  assert.equal(
    dice.apply("a.x", () => 0),
    "b.0",
  );
  assert.equal(
    dice.apply("a.x", () => 0.999),
    "b.5",
  );
  assert.equal(compiled("a.*", "b.$1").isConstant, true);
});

const FAULTS: readonly (readonly [string, string, boolean, string])[] = [
  ["a.>", "b", false, "invalid subject"],
  ["a", "b.>", false, "invalid subject"],
  ["a.*", "b.*", false, "invalid subject"],
  ["a.*", "b.$2", false, "invalid mapping destination: wildcard index out of range in $2: [2]"],
  ["a", "b.$1", false, "invalid mapping destination: wildcard index out of range in $1"],
  ["a.*", "{{nope(1)}}", false, "invalid mapping destination: unknown function in {{nope(1)}}"],
  [
    "a.*",
    "{{split(1)}}",
    false,
    "invalid mapping destination: not enough arguments passed to the function in {{split(1)}}",
  ],
  [
    "a.*",
    "{{left(1,2,3)}}",
    false,
    "invalid mapping destination: too many arguments passed to the function in {{left(1,2,3)}}",
  ],
  [
    "a.*",
    "{{left(1,x)}}",
    false,
    "invalid mapping destination: function argument is invalid or in the wrong format in {{left(1,x)}}",
  ],
  [
    "a.*",
    "{{left(1,2)}}",
    true,
    "invalid mapping destination: the only mapping function allowed for import transforms is {{Wildcard()}} in {{left(1,2)}}",
  ],
  [
    "a.*.*",
    "b.$1",
    true,
    "invalid mapping destination: not using all of the token wildcard(s) in b.$1",
  ],
];

for (const [source, destination, strict, expected] of FAULTS) {
  test(`${source} -> ${destination} is refused: ${expected}`, () => {
    const made = compileTransform(source, destination, strict);
    assert.deepEqual("fault" in made ? made.fault : null, expected);
  });
}

test("a transform read backwards gives the source subjects of a result", () => {
  const transform = compiled("two.*.*", "sw.$2.$1", true);
  assert.equal(destinationPattern("sw.$2.$1"), "sw.*.*");
  assert.equal(transform.reverse("sw.r.l"), "two.l.r");
  assert.equal(transform.reverse("sw.*.l"), "two.l.*");
  assert.equal(transform.reverse("sw.*.*"), "two.*.*");
  const open = compiled("ev.>", "from.a.ev.>", true);
  assert.equal(open.reverse("from.a.ev.x.*"), "ev.x.*");
  assert.equal(open.reverse("from.a.ev.>"), "ev.>");
});

test("a wildcard used twice can stand for one token only", () => {
  const transform = compiled("a.*", "b.$1.$1", true);
  assert.equal(transform.reverse("b.x.x"), "a.x");
  assert.equal(transform.reverse("b.x.y"), null);
});
