/**
 * The `compression` option: a word, a boolean, or a mode with round-trip thresholds.
 *
 * The mode's spelling is checked with the options as a whole, at start, as nats-server does; until then an
 * unknown one passes as itself.
 */
import { parseDuration } from "./duration.ts";
import { text } from "./kinds.ts";
import type { CompressionChoice, CompressionOptions } from "./options.ts";
import { type Kind, type Reading, snakeCase } from "./rows.ts";
import { type ConfigNode, quote, typeName } from "./value.ts";

const MODES: Readonly<Record<string, CompressionChoice>> = {
  on: "s2_auto",
  enabled: "s2_auto",
  true: "s2_auto",
  off: "off",
  disabled: "off",
  false: "off",
  accept: "accept",
  auto: "s2_auto",
  s2_auto: "s2_auto",
  s2_uncompressed: "s2_uncompressed",
  fast: "s2_fast",
  s2_fast: "s2_fast",
  better: "s2_better",
  s2_better: "s2_better",
  best: "s2_best",
  s2_best: "s2_best",
  not_supported: "not supported",
  "not supported": "not supported",
};

export const compression: Kind<CompressionOptions> = {
  label: "mode, boolean or `{mode, rtt_thresholds}`",
  read(node, reading, key) {
    const { value } = node;
    if (value.kind === "boolean") {
      return { mode: value.value ? "s2_auto" : "off", rttThresholds: [] };
    }
    if (value.kind === "string") return { mode: modeOf(value.text), rttThresholds: [] };
    if (value.kind === "map") return readMap(value.entries, reading);
    const got = typeName(node);
    return reading.error(
      node,
      `field ${quote(key)} should be a boolean or a structure, got ${got}`,
    );
  },
};

function modeOf(word: string): CompressionChoice {
  const mode = word.toLowerCase();
  const known = Object.hasOwn(MODES, mode) ? MODES[mode] : undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `validateOptions` refuses the rest
  return known ?? (word as CompressionChoice);
}

function readMap(entries: ReadonlyMap<string, ConfigNode>, reading: Reading): CompressionOptions {
  let mode: CompressionChoice = "s2_auto";
  let rttThresholds: readonly number[] = [];
  for (const [key, node] of entries) {
    switch (node.path === null ? key.toLowerCase() : snakeCase(key)) {
      case "mode": {
        const word = text.read(node, reading, key);
        if (word !== undefined) mode = modeOf(word);
        break;
      }
      case "rtt_thresholds":
      case "thresholds":
      case "rtts":
      case "rtt":
        rttThresholds = readThresholds(node, reading);
        break;
      default:
        if (!node.usedVariable) reading.error(node, `unknown field ${quote(key)}`);
    }
  }
  return { mode, rttThresholds };
}

function readThresholds(node: ConfigNode, reading: Reading): readonly number[] {
  if (node.value.kind !== "array") {
    reading.wrongType(node, "[]interface {}");
    return [];
  }
  const thresholds: number[] = [];
  for (const item of node.value.items) {
    if (item.path !== null && item.value.kind === "integer") {
      thresholds.push(Number(item.value.value));
      continue;
    }
    if (item.value.kind !== "string") {
      reading.wrongType(item, "string");
      continue;
    }
    const millis = parseDuration(item.value.text);
    if (typeof millis === "number") thresholds.push(Math.max(0, millis));
    else reading.error(node, millis.fault);
  }
  return thresholds;
}
