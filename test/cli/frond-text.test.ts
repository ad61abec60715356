/** The small languages of the command line: durations, words, templates, subjects, sizes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, humanDuration, parseDuration } from "../../src/cli/frond/durations.ts";
import { byteSize } from "../../src/cli/frond/flags.ts";
import { messageHeaders } from "../../src/cli/frond/headers.ts";
import { bytes, renderTable, toJson } from "../../src/cli/frond/output.ts";
import { splitWords } from "../../src/cli/frond/shell-words.ts";
import { subjectsCollide } from "../../src/cli/frond/subjects.ts";
import { messageFunctions, renderBytes, renderText } from "../../src/cli/frond/templates.ts";

test("durations are read as Go writes them", () => {
  const rows: [string, number][] = [
    ["0", 0],
    ["1ns", 1e-6],
    ["250us", 0.25],
    ["250µs", 0.25],
    ["1.5s", 1500],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
    ["-5ms", -5],
  ];
  for (const [text, ms] of rows) assert.equal(parseDuration(text), ms, text);
  for (const text of ["", "5", "abc", "5x", "s"]) {
    assert.throws(() => parseDuration(text), /invalid duration/, text);
  }
});

test("durations are written exactly, and rounded for people", () => {
  const rows: [ms: number, exact: string, human: string][] = [
    [0, "0s", "0s"],
    [0.000001, "1ns", "0s"],
    [0.91816, "918.16µs", "918µs"],
    [10, "10ms", "10ms"],
    [1500, "1.5s", "1.50s"],
    [90_000, "1m30s", "1m30s"],
    [3_600_000, "1h0m0s", "1h0m0s"],
  ];
  for (const [ms, exact, human] of rows) {
    assert.equal(formatDuration(ms), exact);
    assert.equal(humanDuration(ms), human);
  }
});

test("a command line is split as a POSIX shell quotes it, and nothing is expanded", () => {
  assert.deepEqual(splitWords(`echo 'a  b' "c\\"d $x" e\\ f '' `), [
    "echo",
    "a  b",
    'c"d $x',
    "e f",
    "",
  ]);
  assert.deepEqual(splitWords("  "), []);
  assert.throws(() => splitWords("echo 'a"), /unterminated/);
  assert.throws(() => splitWords('echo "a'), /unterminated/);
});

test("templates call functions with arguments, fields and pipes", () => {
  const functions = messageFunctions(7, Buffer.from("asked"));
  const rows: [string, string][] = [
    ["n {{Count}} {{.Count}} {{ Cnt }}", "n 7 7 7"],
    ["{{Request}} {{.Request}}", "asked asked"],
    ['{{printf "%03d|%s|%x" Count "a" 255}}', "007|a|ff"],
    ['{{Count | printf "%5d"}}', "    7"],
    ["{{len (Random 5 5)}}", "5"],
    ["a {{- Count -}} b{{/* not shown */}}", "a7b"],
    ["no braces } {", "no braces } {"],
  ];
  for (const [text, expected] of rows) assert.equal(renderText(text, functions), expected);
  assert.match(renderText("{{Random 10 20}}", functions), /^[a-zA-Z0-9]{10,20}$/);
  assert.match(
    renderText("{{TimeStamp}}", functions),
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[-+]\d\d:\d\d)$/,
  );
  assert.match(renderText("{{Time}}", functions), /^\d{1,2}:\d\d[AP]M$/);
  assert.notEqual(renderText("{{ID}}", functions), renderText("{{ID}}", functions));
});

test("a fault in a template is told by its name", () => {
  const functions = messageFunctions(1);
  assert.throws(() => renderText("{{Bad}}", functions), /function "Bad" not defined/);
  assert.throws(() => renderText("{{Request}}", functions), /function "Request" not defined/);
  assert.throws(() => renderText("{{Count", functions), /unclosed action/);
  assert.throws(() => renderText("{{}}", functions), /missing value/);
  assert.throws(() => renderText("{{constructor}}", functions), /not defined/);
});

test("bytes outside the braces of a template come out as they went in", () => {
  const body = Buffer.from([0, 255, 10, ...Buffer.from("é{{Count}}"), 254]);
  const rendered = renderBytes(body, messageFunctions(3));
  assert.deepEqual(Buffer.from(rendered), Buffer.from([0, 255, 10, ...Buffer.from("é3"), 254]));
  assert.equal(renderBytes(body.subarray(0, 3), messageFunctions(3)).length, 3);
});

test("subjects collide where one subject could match both", () => {
  const rows: [string, string, boolean][] = [
    ["a.b", "a.b", true],
    ["a.b", "a.*", true],
    ["a.b.c", "a.>", true],
    ["a.b.c", "a.*", false],
    ["a", "a.>", false],
    ["a.b", "b.b", false],
  ];
  for (const [a, b, collide] of rows) assert.equal(subjectsCollide(a, b), collide, `${a} ${b}`);
});

test("sizes are read and written in powers of 1024", () => {
  assert.deepEqual(["128", "128B", "1KB", "4KiB", "1M"].map(byteSize), [
    128,
    128,
    1024,
    4096,
    1 << 20,
  ]);
  assert.deepEqual([0, 128, 1024, 1_048_576].map(bytes), ["0 B", "128 B", "1.0 KiB", "1.0 MiB"]);
});

test("JSON escapes what Go's escapes", () => {
  assert.equal(toJson({ a: "<&>" }, 0), '{"a":"\\u003c\\u0026\\u003e"}');
});

test("a header needs a name", () => {
  for (const header of [":value", " : value", "value"]) {
    assert.throws(() => messageHeaders([header], {}), /invalid header/);
  }
});

test("a table has rules around its headings and above its footer only", () => {
  const rows = [
    ["a", "1"],
    ["b", "2"],
  ];
  const text = renderTable({ title: "T", headings: ["K", "V"], rows, footer: ["all", "3"] });
  const marks = text.split("\n").map((line) => line.charAt(0));
  assert.equal(marks.join(""), "╭│├│├││├│╰");
});
