/** Whether a subject transform can be made of a source and a destination; the texts of what is wrong. */
import { compileTransform } from "../core/index.ts";

export { destinationPattern as patternOf, numberWildcards as numbered } from "../core/index.ts";

/** null: the transform is fine. An empty destination is no transform at all. */
export function transformFault(
  source: string,
  destination: string,
  strict: boolean,
): string | null {
  if (destination === "") return null;
  const made = compileTransform(source, destination, strict);
  return "fault" in made ? made.fault : null;
}
