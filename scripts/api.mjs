/**
 * Writes the declarations of the package's entry points to api/: what users may rely on, so that a change of it
 * is seen in review. With --check it only says whether they are current.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** @type {{ exports: Record<string, string | { types: string }> }} */
const manifest = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));

/** File name in api/ -> the emitted declarations. */
export function entryPoints() {
  return Object.entries(manifest.exports).flatMap(([name, entry]) => {
    if (typeof entry === "string") return [];
    const file = `${name === "." ? "frond" : name.slice(2)}.d.ts`;
    const text = readFileSync(`${root}/${entry.types}`, "utf8");
    return [{ file, text: text.replace(/^\/\/# sourceMappingURL=.*\n?/m, "") }];
  });
}

/** Those files of api/ that say something else than the build. */
export function outdated() {
  return entryPoints()
    .filter(({ file, text }) => {
      const path = `${root}/api/${file}`;
      return !existsSync(path) || readFileSync(path, "utf8") !== text;
    })
    .map(({ file }) => `api/${file}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--check")) {
    for (const file of outdated()) {
      console.error(
        `${file} is not current: look at what changed for users, then run npm run docs`,
      );
      process.exitCode = 1;
    }
  } else {
    mkdirSync(`${root}/api`, { recursive: true });
    for (const { file, text } of entryPoints()) writeFileSync(`${root}/api/${file}`, text);
  }
}
