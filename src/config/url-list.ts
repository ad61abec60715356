/** Options that hold URLs of servers: one text, or a list in which none stands twice. */
import type { ServerUrl } from "./options.ts";
import type { Kind, Reading } from "./rows.ts";
import { parseServerUrl } from "./server-url.ts";
import { type ConfigNode, display, quote } from "./value.ts";

/** `what` names the URLs in messages; `expected` begins the text for a value of another type. */
export function serverUrls(
  what: string,
  defaultPort: number,
  expected: string,
): Kind<readonly ServerUrl[]> {
  const readUrl = (node: ConfigNode, input: string, reading: Reading): ServerUrl | undefined => {
    const url = parseServerUrl(input, defaultPort);
    return url ?? reading.error(node, `error parsing ${what} url [${quote(input.trim())}]`);
  };
  return {
    label: "URL or list of URLs",
    read(node, reading) {
      const { value } = node;
      if (value.kind === "string") {
        const url = readUrl(node, value.text, reading);
        return url && [url];
      }
      if (value.kind !== "array") {
        return reading.error(node, `${expected}, got ${display(node)}`);
      }
      const seen = new Set<string>();
      const result: ServerUrl[] = [];
      for (const item of value.items) {
        if (item.value.kind !== "string") {
          reading.wrongType(item, "string");
          continue;
        }
        const input = item.value.text;
        if (seen.has(input)) {
          reading.warn(item, input, `Duplicate ${what} entry detected`);
          continue;
        }
        seen.add(input);
        const url = readUrl(item, input, reading);
        if (url !== undefined) result.push(url);
      }
      return result;
    },
  };
}
