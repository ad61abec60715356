import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { canonicalJson } from "../../src/config/digest.ts";
import { SyntaxFault, parseFile, parseText } from "../../src/config/parser.ts";
import { load, memoryHost } from "./host.ts";

function json(text: string, env: Readonly<Record<string, string>> = {}): string {
  const entries = parseText(memoryHost({}, env), text, "t.conf");
  return canonicalJson({ kind: "map", entries });
}

function faultOf(text: string, env: Readonly<Record<string, string>> = {}): string {
  try {
    return `no fault: ${json(text, env)}`;
  } catch (e) {
    assert.ok(e instanceof SyntaxFault, String(e));
    return e.message;
  }
}

const VALUES: readonly { name: string; config: string; json: string }[] = [
  { name: "three separators", config: "a: 1\nb = 2\nc 3\n", json: '{"a":1,"b":2,"c":3}' },
  { name: "entries on one line", config: "a: 1, b: 2; c: 3", json: '{"a":1,"b":2,"c":3}' },
  { name: "a whole file in braces", config: '{"a": {"b": [1,2 ]}}', json: '{"a":{"b":[1,2]}}' },
  { name: "comments", config: "# x\na: b // y\n// z\nc: d#e", json: '{"a":"b","c":"d#e"}' },
  { name: "the last of a repeated key", config: "a: {x: 1}\na: {y: 2}", json: '{"a":{"y":2}}' },
  { name: "quoted keys", config: `"a b": 1\n'c': 2`, json: '{"a b":1,"c":2}' },
  {
    name: "booleans",
    config: "a: YES\nb: off\nc: True\nd: 'on'",
    json: '{"a":true,"b":false,"c":true,"d":"on"}',
  },
  {
    name: "units",
    config: "a: 1k\nb: 1KB\nc: 2Mi\nd: 1gib\ne: 3t",
    json: '{"a":1000,"b":1024,"c":2097152,"d":1073741824,"e":3000000000000}',
  },
  { name: "an overflow that wraps", config: "a: 9223372036854775807k", json: '{"a":-1000}' },
  {
    name: "floats",
    config: "a: 1.50\nb: -0.25\nc: 0.0000001",
    json: '{"a":1.5,"b":-0.25,"c":1e-7}',
  },
  {
    name: "addresses",
    config: "a: 10.0.0.1:4222\nb: 10.0.0.1",
    json: '{"a":"10.0.0.1:4222","b":"10.0.0.1"}',
  },
  {
    name: "digits that go on as words",
    config: "a: 10s\nb: 4222:x\nc: 1abc",
    json: '{"a":"10s","b":"4222:x","c":"1abc"}',
  },
  { name: "a suffixed number before a bracket", config: "a: [1k]", json: '{"a":["1k"]}' },
  { name: "negative numbers before a bracket", config: "a: [-1]", json: '{"a":[-1]}' },
  { name: "timestamps", config: "a: 2024-02-29T01:02:03Z", json: '{"a":"2024-02-29T01:02:03Z"}' },
  {
    name: "escapes",
    config: String.raw`a: "\x41\t\"\\\xc3\xa9"`,
    json: String.raw`{"a":"A\t\"\\é"}`,
  },
  { name: "raw strings", config: String.raw`a: 'x\ty'`, json: String.raw`{"a":"x\\ty"}` },
  { name: "strings over lines", config: 'a: "x\ny"', json: String.raw`{"a":"x\ny"}` },
  {
    name: "block strings",
    config: "a: (\n {x} )\n y\n)\n",
    json: String.raw`{"a":"\n {x} )\n y\n"}`,
  },
  {
    name: "a block string at the end of the file",
    config: "a: (\nx\n)",
    json: String.raw`{"a":"\nx\n)"}`,
  },
  {
    name: "arrays by newline, with comments",
    config: "a: [ x # c\n y\n // d\n z, ]",
    json: '{"a":["x","y","z"]}',
  },
  { name: "bcrypt hashes", config: "a: $2a$11$abc.d/e", json: '{"a":"$2a$11$abc.d/e"}' },
  { name: "HTML characters", config: 'a: "<&>"', json: String.raw`{"a":"\u003c\u0026\u003e"}` },
  { name: "a suffix nobody knows is dropped", config: "port: 1kbb", json: "{}" },
  {
    name: "a key with separator at the end",
    config: "x: 1\nserver_name:",
    json: '{"server_name":"","x":1}',
  },
  { name: "NUL as an end", config: "a: 1\0b: 2", json: '{"a":1,"b":2}' },
];

for (const row of VALUES) {
  test(`reads ${row.name}`, () => assert.equal(json(row.config), row.json));
}

const FAULTS: readonly { config: string; error: string }[] = [
  {
    config: "a: [1]\n",
    error: `Parse error on line 2: 'Expected an array value terminator "," or an array terminator "]", but got ' ' instead.'`,
  },
  { config: "a", error: "config is invalid (t.conf:1:1)" },
  { config: "a: {b: 1\n", error: "Parse error on line 2: 'Unexpected EOF processing map.'" },
  { config: "a: {b", error: "Parse error on line 1: 'Unexpected EOF processing map key.'" },
  {
    config: 'a: {"b',
    error: "Parse error on line 1: 'Unexpected EOF processing double quoted map key.'",
  },
  { config: "a: 'b", error: "Parse error on line 1: 'Unexpected EOF.'" },
  { config: "a: (\nb", error: "Parse error on line 2: 'Unexpected EOF processing block.'" },
  { config: ": 1", error: "Parse error on line 1: 'Unexpected key separator ':''" },
  { config: "a: {= 1}", error: "Parse error on line 1: 'Unexpected key separator '='.'" },
  { config: "a:\n1", error: "Parse error on line 2: 'Expected value but found new line'" },
  { config: "a: [,]", error: "Parse error on line 1: 'Unexpected array value terminator ','.'" },
  { config: "a: {b: , }", error: `Parse error on line 1: 'Unexpected map value terminator ",".'` },
  {
    config: 'a: "\\q"',
    error: String.raw`Parse error on line 1: 'Invalid escape character 'q'. Only the following escape characters are allowed: \xXX, \t, \n, \r, \", \\.'`,
  },
  {
    config: String.raw`a: "\xZZ"`,
    error: String.raw`Parse error on line 1: 'Expected two hexadecimal digits after '\x', but got 'ZZ''`,
  },
  { config: "a: .5", error: "Parse error on line 1: 'Floats must start with a digit'" },
  {
    config: "a: 5.x",
    error: "Parse error on line 1: 'Floats must have a digit after the '.', but got 'x' instead.'",
  },
  { config: "a: -x", error: "Parse error on line 1: 'Expected a digit but got 'x'.'" },
  {
    config: "a: 12-1",
    error: "Parse error on line 1: 'All ISO8601 dates must be in full Zulu form.'",
  },
  {
    config: "a: 2023-02-29T00:00:00Z",
    error: "expected Zulu formatted DateTime, but got '2023-02-29T00:00:00Z'",
  },
  { config: "a: 9223372036854775808", error: "integer '9223372036854775808' is out of the range" },
  {
    config: "A {x: 1} B {y: 2}",
    error:
      "Parse error on line 1: 'Expected a top-level value to end with a new line, comment or EOF, but got 'B' instead.'",
  },
  { config: "a: $NOPE", error: "variable reference for 'NOPE' on line 1 can not be found" },
  {
    config: "include [x]",
    error: "Parse error on line 1: 'Expected include value but found start of an array'",
  },
  {
    config: "include nope.conf",
    error: "error parsing include file 'nope.conf', open nope.conf: no such file or directory",
  },
];

for (const row of FAULTS) {
  test(`refuses ${JSON.stringify(row.config)}`, () => {
    // A character past the end shows as NUL.
    assert.equal(faultOf(row.config).replace("\0", " "), row.error);
  });
}

test("variables come from the maps around, innermost first, then from the environment", () => {
  const text = "V: outer\na: $V\nb { V: inner, c: $V, d: [$V] }\ne: $FROM_ENV\n";
  const expected = '{"V":"outer","a":"outer","b":{"V":"inner","c":"inner","d":["inner"]},"e":8222}';
  assert.equal(json(text, { FROM_ENV: "8222" }), expected);
});

test("the environment may hold maps and references, but no cycles", () => {
  assert.equal(json("a: $M", { M: "{x: [1,2 ]}" }), '{"a":{"x":[1,2]}}');
  assert.equal(json("a: $M", { M: "$N", N: "yes" }), '{"a":true}');
  const reason =
    "variable reference for 'M' on line 1 could not be parsed: " +
    "variable reference for 'N' on line 1 could not be parsed: " +
    "variable reference for 'M' on line 1 could not be parsed: variable reference cycle for 'M'";
  assert.equal(faultOf("a: $M", { M: "$N", N: "$M" }), reason);
});

test("includes are found beside the including file and merged into the current map", () => {
  const host = memoryHost({
    "dir/main.conf": "x { include sub/one.conf\n b: 2 }\ninclude '/two.conf'\nc: $t",
    "dir/sub/one.conf": "a: 1\ninclude deeper.conf",
    "dir/sub/deeper.conf": "d: 4",
    "dir/two.conf": "t: two",
  });
  const entries = parseFile(host, "dir/main.conf");
  const expected = '{"c":"two","t":"two","x":{"a":1,"b":2,"d":4}}';
  assert.equal(canonicalJson({ kind: "map", entries }), expected);
});

test("a file that includes itself is refused", () => {
  const host = memoryHost({ "a.conf": "include a.conf" });
  assert.throws(() => parseFile(host, "a.conf"), SyntaxFault);
});

test("nesting without measure is refused, not a crash", () => {
  const reason = "maps and arrays nested too deeply on line 1";
  assert.equal(faultOf(`a: ${"[".repeat(100_000)}`), reason);
});

test("columns count bytes, from 0 on the first line and from 1 on later ones", () => {
  const entries = parseText(memoryHost({}), 'a: 1, é: 2, b: 3\n  c: ["é", x]', "t.conf");
  const places = [...entries].map(([key, { line, column }]) => `${key} ${line}:${column}`);
  assert.deepEqual(places, ["a 1:0", "é 1:6", "b 1:13", "c 2:3"]);
});

test("the digest is that of nats-server", () => {
  const digest = (text: string): string => load(text).origin.digest;
  assert.equal(
    digest("port: 4222"),
    "sha256:797533ebd0dfba7d34a0f9337ecf147e442871f48ddfd07ed751575a5737267e",
  );
  assert.match(digest("# nothing\n"), /^sha256:ca3d163b/);
  assert.equal(digest("port = 4222 # the same"), digest("{port: 4222}"));
  assert.notEqual(digest("PORT: 4222"), digest("port: 4222"));
});

const key = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/).filter((word) => word !== "include");
const scalar = fc.oneof(
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.stringMatching(/^[A-Za-z0-9 .:;,{}#$"\\\n-]{0,12}$/),
);
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie("tree"), { maxLength: 4 }),
    fc.dictionary(key, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

/** Configuration text of a plain value, not the way JSON writes it. */
function write(value: unknown): string {
  if (Array.isArray(value)) return `[ ${value.map((item) => `${write(item)}\n`).join(" ")} ]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([name, item]) => `${name} = ${write(item)}\n`);
    return `{ ${entries.join(" ")} }`;
  }
  return `${JSON.stringify(value)} `;
}

test("a value survives text, parsing, JSON and parsing again", () => {
  const property = fc.property(fc.dictionary(key, tree, { noNullPrototype: true }), (value) => {
    const first = json(write(value));
    assert.deepEqual(JSON.parse(first), value);
    // JSON is configuration but for `]` right after an integer.
    const second = json(first.replaceAll("]", " ]").replaceAll(/"(?:[^"\\]|\\.)*"/g, quoteless));
    assert.equal(second, first);
  });
  fc.assert(property);
});

/** Undoes the space the replacement put into strings. */
const quoteless = (text: string): string => text.replaceAll(" ]", "]");

test("any text parses or ends in a SyntaxFault", () => {
  const words = ["a", "{", "}", "[", "]", "(", ")", "\n", " ", ":", "=", ",", "#", "//", "'", '"'];
  const piece = fc.oneof(
    fc.constantFrom(...words, "\\x4", "$a", "1", "-", ".5", "1kb", "include ", "\0", "é"),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  const property = fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
    try {
      parseText(memoryHost({}), pieces.join(""), "t.conf");
    } catch (e) {
      assert.ok(e instanceof SyntaxFault, String(e));
    }
  });
  fc.assert(property, { numRuns: 2000 });
});
