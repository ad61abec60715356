/** What the documents promise about the code, and about each other. */
import { deepEqual, ok } from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { codeBlocks, filesBelow, ROOT, textOf } from "./tree.ts";

const DOCUMENTS = [
  ...["README", "ARCHITECTURE", "CONTRIBUTING", "CHANGELOG", "SECURITY"].map(
    (name) => `${name}.md`,
  ),
  ...filesBelow(["docs"], [".md"]),
];

test("the README's first two commands are the demo and the tests, one line each", () => {
  const blocks = codeBlocks(textOf("README.md"), "sh");
  deepEqual(blocks.slice(0, 2), ["npm ci && npm run demo\n", "npm ci && npm test\n"]);
});

test("docs/errors.md has every error of the wire with its text, and no others", () => {
  const source = textOf("src/core/protocol/errors.ts");
  const inCode = [...source.matchAll(/^ {2}(\w+):\s*"([^"]+)"/gm)].map(
    ([, key, text]) => `${key}: ${text}`,
  );
  const rows = textOf("docs/errors.md").matchAll(/^\| `([a-z]\w+)` +\| `([^`]+)` +\|/gm);
  const inDocument = [...rows].map(([, key, text]) => `${key}: ${text}`);
  ok(inCode.length > 20);
  deepEqual(inDocument.sort(), inCode.sort());
});

test("docs/errors.md has every code of a StartError, and no others", () => {
  const inCode = [...textOf("src/server/start-error.ts").matchAll(/^\s*\| "([A-Z_]+)"/gm)].map(
    (m) => m[1] ?? "",
  );
  const inDocument = [...textOf("docs/errors.md").matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(
    (m) => m[1] ?? "",
  );
  ok(inCode.length > 5);
  deepEqual(inDocument.sort(), inCode.sort());
});

test("every link between the documents leads somewhere", () => {
  const broken = DOCUMENTS.flatMap((file) => {
    const targets = [...textOf(file).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(
      (m) => m[1] ?? "",
    );
    return targets
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(ROOT, dirname(file), target)))
      .map((target) => `${file}: ${target}`);
  });
  deepEqual(broken, []);
});

test("every document has one title, on its first line", () => {
  const untitled = DOCUMENTS.filter((file) => {
    const text = textOf(file).replaceAll(/^```[\s\S]*?^```$/gm, "");
    return !text.startsWith("# ") || text.match(/^# /gm)?.length !== 1;
  });
  deepEqual(untitled, []);
});

test("npm scripts and files that the documents name exist", () => {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  const missing = DOCUMENTS.flatMap((file) => {
    const text = textOf(file);
    const runs = [...text.matchAll(/npm run ([a-z:-]+)/g)].map((m) => m[1] ?? "");
    const paths = [
      ...text.matchAll(/`((?:src|scripts|examples|test|bench|docs)\/[\w./-]+\.\w+)`/g),
    ];
    return [
      ...runs.filter((name) => !(name in scripts)).map((name) => `${file}: npm run ${name}`),
      ...paths.filter((m) => !existsSync(join(ROOT, m[1] ?? ""))).map((m) => `${file}: ${m[1]}`),
    ];
  });
  deepEqual(missing, []);
});

test("docs/leafnodes.md has every option of leaf nodes", () => {
  const reference = textOf("docs/config.md");
  const tables = textOf("docs/leafnodes.md");
  const missing = ["leafnodes", "leafnodes.authorization", "leafnodes.remotes"].flatMap((block) => {
    const section = reference.split(`## \`${block}\`\n`)[1]?.split("\n## ")[0] ?? "";
    const options = [...section.matchAll(/^\| `(\w+)`/gm)].map((m) => m[1] ?? "");
    ok(options.length > 3, block);
    const shown = tables.split(`\`${block}\`, `)[1] ?? tables.split(`\`${block}\`:`)[1] ?? "";
    return options
      .filter((name) => !shown.includes(`\`${name}\``))
      .map((name) => `${block}.${name}`);
  });
  deepEqual(missing, []);
});
