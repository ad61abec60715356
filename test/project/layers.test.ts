/** The layers: what ARCHITECTURE.md says of them is what the compiler enforces. */
import { deepEqual, ok } from "node:assert/strict";
import { join, relative } from "node:path";
import { test } from "node:test";
import { filesBelow, textOf } from "./tree.ts";

interface Project {
  readonly compilerOptions: { readonly lib: readonly string[]; readonly types: readonly string[] };
  readonly references: readonly { readonly path: string }[];
}

interface Layer {
  readonly name: string;
  readonly imports: readonly string[];
  /** Declarations of a platform it may see. */
  readonly platform: readonly string[];
}

/** The rows of the table of layers: name, what it may import, platform. */
function documentedLayers(): Layer[] {
  const rows = textOf("ARCHITECTURE.md").matchAll(/^\| `([a-z/]+)` +\|([^|]*)\|([^|]*)\|/gm);
  const words = (cell: string | undefined): string[] =>
    [...(cell ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "").sort();
  return [...rows].map((row) => ({
    name: row[1] ?? "",
    imports: words(row[2]),
    platform: words(row[3]),
  }));
}

function projectOf(name: string): Project {
  return JSON.parse(textOf(`src/${name}/tsconfig.json`)) as Project;
}

const projects = filesBelow(["src"], ["tsconfig.json"]).map((file) =>
  file.slice("src/".length, -"/tsconfig.json".length),
);

test("every layer stands in the table of ARCHITECTURE.md", () => {
  deepEqual(
    documentedLayers()
      .map(({ name }) => name)
      .sort(),
    projects.sort(),
  );
});

for (const layer of documentedLayers()) {
  test(`${layer.name} may import what ARCHITECTURE.md says, and sees no other platform`, () => {
    const { references, compilerOptions } = projectOf(layer.name);
    const imports = references.map(({ path }) => relative("src", join("src", layer.name, path)));
    deepEqual(imports.sort(), layer.imports);
    deepEqual([...compilerOptions.lib, ...compilerOptions.types].sort(), layer.platform);
  });
}

test("dependencies point down only", () => {
  const below = new Map<string, readonly string[]>();
  for (const layer of documentedLayers()) {
    for (const name of layer.imports)
      ok(below.has(name), `${layer.name} imports ${name}, listed later`);
    below.set(layer.name, layer.imports);
  }
});

test("every project is built by the root project", () => {
  const root = JSON.parse(textOf("tsconfig.json")) as Pick<Project, "references">;
  const all = filesBelow(["src", "test"], ["tsconfig.json"]);
  deepEqual(root.references.map(({ path }) => `${path}/tsconfig.json`).sort(), all.sort());
});
