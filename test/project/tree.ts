/** The project's own files, for the tests that read them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Paths below `dirs` with one of these endings, relative to the root. */
export function filesBelow(dirs: readonly string[], endings: readonly string[]): string[] {
  return dirs
    .flatMap((dir) =>
      readdirSync(join(ROOT, dir), { recursive: true, encoding: "utf8" }).map((file) =>
        join(dir, file),
      ),
    )
    .filter((file) => !file.includes("node_modules") && endings.some((end) => file.endsWith(end)))
    .sort();
}

export function textOf(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Source without comments, line for line. Strings stay: a rule may look for them. */
export function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ""))
    .replaceAll(/(^|[^:"'`\\])\/\/[^\n]*/g, "$1");
}

/** The bodies of the fenced blocks of a Markdown text in one language. */
export function codeBlocks(markdown: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm");
  return [...markdown.matchAll(fence)].map((match) => match[1] ?? "");
}
