/** The `mappings` block: source subjects, each with one or more weighted destinations. */
import { isValidSubject } from "../core/index.ts";
import { parseInteger, text } from "./kinds.ts";
import type { MappingOptions } from "./options.ts";
import type { Kind, Reading } from "./rows.ts";
import { transformFault } from "./transform-check.ts";
import { type ConfigNode, display, quote } from "./value.ts";

type Destination = MappingOptions["destinations"][number];

export const mappings: Kind<readonly MappingOptions[]> = {
  label: "map of subject to destinations",
  read(node, reading) {
    if (node.value.kind !== "map") return reading.wrongType(node, "map[string]interface {}");
    const result: MappingOptions[] = [];
    for (const [subject, child] of node.value.entries) {
      if (!isValidSubject(subject)) {
        reading.error(node, `Subject ${quote(subject)} is not a valid subject`);
        continue;
      }
      const destinations = readDestinations(subject, child, reading);
      if (destinations !== undefined) result.push({ subject, destinations });
    }
    return result;
  },
};

function readDestinations(
  source: string,
  node: ConfigNode,
  reading: Reading,
): readonly Destination[] | undefined {
  if (node.value.kind === "string") {
    const subject = node.value.text;
    const fault = destinationFault(source, subject);
    if (fault === null) return [{ subject, weight: 100, cluster: "" }];
    const where = `${quote(source)} to ${quote(subject)}`;
    return reading.error(node, `Error adding mapping for ${where} : ${fault}`);
  }
  const items = node.value.kind === "array" ? node.value.items : [node];
  const destinations: Destination[] = [];
  for (const item of items) {
    const destination = readDestination(item, reading);
    // Without a destination an entry does nothing.
    if (destination !== undefined) destinations.push(destination);
  }
  const fault = destinationsFault(source, destinations);
  if (fault === null) return destinations;
  return reading.error(node, `Error adding mapping for ${quote(source)} : ${fault}`);
}

function readDestination(node: ConfigNode, reading: Reading): Destination | undefined {
  if (node.value.kind !== "map") {
    return reading.error(node, "Expected an entry for the mapping destination");
  }
  let subject = "";
  let cluster = "";
  let weight: number | null = null;
  for (const [key, child] of node.value.entries) {
    switch (key.toLowerCase()) {
      case "dest":
      case "destination":
      case "subject":
        if (key.toLowerCase() === "subject" && child.path === null)
          return unknown(key, child, reading);
        subject = text.read(child, reading, key) ?? "";
        break;
      case "cluster":
        cluster = text.read(child, reading, key) ?? "";
        break;
      case "weight": {
        const read = readWeight(child, reading);
        if (read === undefined) return undefined;
        weight = read;
        break;
      }
      default:
        return unknown(key, child, reading);
    }
  }
  if (weight === null) {
    return reading.error(node, `Missing weight for mapping destination ${quote(subject)}`);
  }
  return { subject, weight, cluster };
}

function unknown(key: string, node: ConfigNode, reading: Reading): undefined {
  return reading.error(node, `Unknown field ${quote(key)} for mapping destination`);
}

function readWeight(node: ConfigNode, reading: Reading): number | undefined {
  const { value } = node;
  if (value.kind !== "string" && value.kind !== "integer") {
    return reading.error(node, `Unknown entry type for weight of ${display(node)}\n`);
  }
  const digits = value.kind === "string" ? value.text.replace(/%$/, "") : String(value.value);
  const weight = parseInteger(digits);
  if (weight === null) {
    return reading.error(node, `Invalid weight ${quote(digits)} for mapping destination`);
  }
  if (weight >= 0 && weight <= 100) return weight;
  return reading.error(node, `Invalid weight ${weight} for mapping destination`);
}

function destinationsFault(source: string, destinations: readonly Destination[]): string | null {
  const seen = new Set<string>();
  const totals = new Map<string, number>();
  for (const { subject, weight, cluster } of destinations) {
    if (seen.has(subject)) return `duplicate entry for ${quote(subject)}`;
    seen.add(subject);
    const total = (totals.get(cluster) ?? 0) + weight;
    if (total > 100) return "total weight needs to be <= 100";
    totals.set(cluster, total);
    const fault = destinationFault(source, subject);
    if (fault !== null) return fault;
  }
  return null;
}

function destinationFault(source: string, destination: string): string | null {
  if (destination === "") return null;
  const tokens = destination.split(".");
  for (const [i, token] of tokens.entries()) {
    const misplaced = token === "" || (i > 0 && tokens[i - 1] === ">");
    if (misplaced) {
      const where = token === "" ? "" : ` in ${token}`;
      return `invalid mapping destination: invalid transform${where}`;
    }
    const call = token.length > 4 && token.startsWith("{{") && token.endsWith("}}");
    if (!call && /[\t\n\f\r ]/.test(token)) return "invalid mapping destination: invalid transform";
  }
  return transformFault(source, destination, false);
}
