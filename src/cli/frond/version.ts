/** The version of this program, from the package it is part of. */
import { readFileSync } from "node:fs";

function readVersion(): string {
  for (const path of ["../../../../package.json", "../../../package.json"]) {
    try {
      const found: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
      if (typeof found === "object" && found !== null && "version" in found) {
        return String(found.version);
      }
    } catch {
      // Not there: this file lies elsewhere when it is not compiled.
    }
  }
  return "unknown";
}

export const VERSION: string = readVersion();
