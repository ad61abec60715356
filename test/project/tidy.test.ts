/** The tree's own rules. Each finding reads like a compiler's: where, what, and what to do instead. */
import { deepEqual } from "node:assert/strict";
import { basename } from "node:path";
import { test } from "node:test";
import { filesBelow, textOf, withoutComments } from "./tree.ts";

const LINES_MOST = 600;

const SOURCES = filesBelow(["src", "test"], [".ts"]);
const SCRIPTS = filesBelow(["scripts", "bench", "examples"], [".mjs"]);

interface Ban {
  readonly where: RegExp;
  readonly what: RegExp;
  readonly instead: string;
}

const BANS: readonly Ban[] = [
  { where: /^src\/core\//, what: /\bDate\b/, instead: "time comes in as a number" },
  { where: /^src\/core\//, what: /\bBuffer\b/, instead: "bytes are a Uint8Array" },
  {
    where: /^src\/core\//,
    what: /\bset(Timeout|Interval|Immediate)\b/,
    instead: "see nextDeadline",
  },
  { where: /^src\/core\//, what: /\bqueueMicrotask\b/, instead: "the core does nothing later" },
  { where: /^src\/core\//, what: /\bMath\.random\b/, instead: "randomness comes from the world" },
  { where: /^src\/core\//, what: /\bprocess\./, instead: "the core knows no process" },
  { where: /^src\/core\//, what: /\b(async|await|Promise)\b/, instead: "waiting is a state" },
  {
    where: /^src\/(core|config|monitoring|auth)\//,
    what: /from "node:/,
    instead: "this layer runs anywhere; what it needs is given to it",
  },
  {
    where: /^src\/(?!cli\/)/,
    what: /\bconsole\.|\bprocess\.exit\b/,
    instead: "only the command line prints and exits",
  },
  { where: /^src\//, what: /^export default\b/, instead: "exports have names" },
  { where: /\.ts$/, what: /^\s*(export )?(const )?enum\b/, instead: "a union of strings" },
  { where: /^test\/.*\.test\.ts$/, what: /\b(test|it|describe)\.only\(/, instead: "left behind" },
];

test("no file is longer than 600 lines", () => {
  const tooLong = [...SOURCES, ...SCRIPTS]
    .map((file) => ({ file, lines: textOf(file).split("\n").length - 1 }))
    .filter(({ lines }) => lines > LINES_MOST);
  deepEqual(
    tooLong.map(({ file, lines }) => `${file}: ${lines} lines; give a part of it a file`),
    [],
  );
});

test("no file makes a call that is banned where it stands", () => {
  const findings = SOURCES.filter((file) => file !== "test/project/tidy.test.ts").flatMap(
    (file) => {
      const bans = BANS.filter(({ where }) => where.test(file));
      if (bans.length === 0) return [];
      return withoutComments(textOf(file))
        .split("\n")
        .flatMap((line, i) =>
          bans
            .filter(({ what }) => what.test(line))
            .map(({ what, instead }) => `${file}:${i + 1}: ${what.source} is banned: ${instead}`),
        );
    },
  );
  deepEqual(findings, []);
});

test("nothing is left to do without the number of an issue", () => {
  const mark = /\b(TODO|FIXME|XXX)\b(?!.*#\d)/;
  const findings = [...SOURCES, ...SCRIPTS]
    .filter((file) => file !== "test/project/tidy.test.ts")
    .flatMap((file) =>
      textOf(file)
        .split("\n")
        .flatMap((line, i) => (mark.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
    );
  deepEqual(findings, []);
});

test("file names are nouns in kebab-case, and none is called utils", () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.(ts|mjs)$/;
  const odd = [...SOURCES, ...SCRIPTS].filter(
    (file) => !kebab.test(basename(file)) || /^(utils?|helpers?|common)\./.test(basename(file)),
  );
  deepEqual(odd, []);
});

test("every source file says first what it is", () => {
  const silent = SOURCES.filter(
    (file) => file.startsWith("src/") && !file.endsWith("/index.ts"),
  ).filter((file) => !/^(\/\*\*|\/\/|#!)/.test(textOf(file)));
  deepEqual(silent, []);
});
