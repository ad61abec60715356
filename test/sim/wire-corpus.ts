/** The corpus of wire scripts in `test/wire`. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseWireScript, type WireScript } from "./wire-script.ts";

// Compiled tests run from dist/test/sim; the scripts stay where they are written.
const FOLDER = fileURLToPath(new URL("../../../test/wire/", import.meta.url));

export function wireScripts(): readonly WireScript[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".txt"))
    .sort()
    .map((name) => parseWireScript(name, readFileSync(`${FOLDER}${name}`, "utf8")));
}

/** Scripts by setup, so that one server plays all that agree. */
export function bySetup(
  scripts: readonly WireScript[],
): ReadonlyMap<string, readonly WireScript[]> {
  const groups = new Map<string, WireScript[]>();
  for (const script of scripts) {
    const entries = [...script.setup].filter(([key]) => key !== "port");
    const key = JSON.stringify(entries.map((entry) => entry.join(" ")).sort());
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [script]);
    else group.push(script);
  }
  return groups;
}
