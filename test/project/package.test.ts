/** What npm would publish: all that runs, nothing else. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT, textOf } from "./tree.ts";

interface Package {
  readonly bin: Record<string, string>;
  readonly exports: Record<string, string | { readonly types: string; readonly default: string }>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly scripts: Record<string, string>;
}

const manifest = JSON.parse(textOf("package.json")) as Package;

function packedFiles(): string[] {
  const npm = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  equal(npm.status, 0, npm.stderr);
  const packs = JSON.parse(npm.stdout) as { files: { path: string }[] }[];
  return (packs[0]?.files ?? []).map(({ path }) => path);
}

test("the package holds the compiled layers, their sources and the documents of the root", () => {
  const files = packedFiles();
  const atRoot = files.filter((file) => !file.includes("/")).sort();
  deepEqual(atRoot, ["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
  const others = files.filter(
    (file) => file.includes("/") && !/^dist\/src\/.*\.(js|d\.ts)(\.map)?$|^src\/.*\.ts$/.test(file),
  );
  deepEqual(others, []);
});

test("everything the package exports and runs is in it", () => {
  const files = new Set(packedFiles());
  const named = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === "string" ? [entry] : [entry.types, entry.default],
  );
  const missing = [...named, ...Object.values(manifest.bin)].filter(
    (path) => !files.has(path.replace(/^\.\//, "")),
  );
  deepEqual(missing, []);
});

test("every dependency has an exact version and runs nothing at install", () => {
  const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  deepEqual(
    versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
    [],
  );
  for (const name of Object.keys(manifest.dependencies)) {
    const file = join(ROOT, "node_modules", name, "package.json");
    ok(existsSync(file), `${name} is not installed`);
    const { scripts = {} } = JSON.parse(
      textOf(join("node_modules", name, "package.json")),
    ) as Partial<Package>;
    const hooks = ["preinstall", "install", "postinstall"].filter((hook) => hook in scripts);
    deepEqual(hooks, [], name);
  }
  ok(!Object.keys(manifest.scripts).some((name) => /^(pre|post)?install$/.test(name)));
});
