/**
 * The kinds of option values: how each is read, and the exact text when it is not what it should be.
 *
 * Numbers from a program are milliseconds where a file's bare numbers are seconds.
 */
import type { Millis } from "../core/index.ts";
import { parseDuration } from "./duration.ts";
import type { Kind, Reading } from "./rows.ts";
import { type ConfigNode, display, quote, typeName } from "./value.ts";

export const text: Kind<string> = {
  label: "text",
  read: (node, reading) =>
    node.value.kind === "string" ? node.value.text : reading.wrongType(node, "string"),
};

export const flag: Kind<boolean> = {
  label: "boolean",
  read: (node, reading) =>
    node.value.kind === "boolean" ? node.value.value : reading.wrongType(node, "bool"),
};

export const integer: Kind<number> = {
  label: "number",
  read: (node, reading) =>
    node.value.kind === "integer" ? Number(node.value.value) : reading.wrongType(node, "int64"),
};

/** An integer, usually written with a unit. */
export const size: Kind<number> = { ...integer, label: "size" };

/** A size that fits 31 bits. */
export const smallSize: Kind<number> = {
  label: "size",
  read(node, reading, key) {
    const value = integer.read(node, reading, key);
    if (value !== undefined && value > 0x7fffffff) {
      return reading.error(node, `${key} value is too big`);
    }
    return value;
  },
};

/** Milliseconds of a duration text; `explain` words the error. */
function fromText(
  node: ConfigNode,
  reading: Reading,
  explain: (fault: string) => string,
): Millis | undefined {
  if (node.value.kind !== "string") return reading.wrongType(node, "string");
  const duration = parseDuration(node.value.text);
  return typeof duration === "number" ? duration : reading.error(node, explain(duration.fault));
}

/** The number of a program's option, which is in milliseconds; undefined in files. */
function programNumber(node: ConfigNode): number | undefined {
  if (node.path === null) return undefined;
  if (node.value.kind === "integer") return Number(node.value.value);
  return node.value.kind === "float" ? node.value.value : undefined;
}

/** Texts with units; a bare integer means seconds and earns a warning. `name` is the one in messages. */
export function duration(name: string): Kind<Millis> {
  return {
    label: "duration",
    read(node, reading) {
      const millis = programNumber(node);
      if (millis !== undefined) return millis;
      if (node.value.kind === "string") {
        return fromText(node, reading, (fault) => `error parsing ${name}: ${fault}`);
      }
      reading.warn(node, name, `${name} should be converted to a duration`);
      const seconds = integer.read(node, reading, name);
      return seconds === undefined ? undefined : seconds * 1000;
    },
  };
}

/** A duration that must be a text. */
export function strictDuration(explain: (fault: string) => string): Kind<Millis> {
  return {
    label: "duration",
    read: (node, reading) => programNumber(node) ?? fromText(node, reading, explain),
  };
}

/** Seconds as integer or float, or a duration text. `where` begins the error text. */
export function timeout(where: string, warnAbove?: Millis): Kind<Millis> {
  return {
    label: "seconds or duration",
    read(node, reading, key) {
      const millis = programNumber(node) ?? timeoutFromFile(node, reading, where);
      if (millis !== undefined && warnAbove !== undefined && millis > warnAbove) {
        reading.warn(
          node,
          key,
          `timeout of ${display(node)} (${(millis / 1000).toFixed(6)} seconds) is high, consider keeping ` +
            `it under ${warnAbove / 1000} seconds. possibly caused by unquoted duration; use '1m' instead ` +
            `of 1m, for example`,
        );
      }
      return millis;
    },
  };
}

function timeoutFromFile(node: ConfigNode, reading: Reading, where: string): Millis | undefined {
  const { value } = node;
  if (value.kind === "integer") return Number(value.value) * 1000;
  if (value.kind === "float") return value.value * 1000;
  if (value.kind !== "string") {
    return reading.error(node, `error parsing ${where}, 'timeout' wrong type`);
  }
  return fromText(node, reading, (fault) => `error parsing ${where}, 'timeout' ${fault}`);
}

/** One of a few words, exactly as written. */
export function oneOf<T extends string>(words: readonly T[], fault: string): Kind<T> {
  return {
    label: words.map((word) => `\`${word}\``).join(" or "),
    read(node, reading, key) {
      const word = text.read(node, reading, key);
      if (word === undefined) return undefined;
      return words.find((candidate) => candidate === word) ?? reading.error(node, fault);
    },
  };
}

/** A text or an array of texts; `name` is the one in messages. */
export function textList(name: string): Kind<readonly string[]> {
  return {
    label: "list of text",
    read(node, reading) {
      const { value } = node;
      if (value.kind === "string") return [value.text];
      if (value.kind !== "array") {
        return reading.error(node, `error parsing ${name}: unsupported type ${typeName(node)}`);
      }
      const texts: string[] = [];
      for (const item of value.items) {
        if (item.value.kind === "string") {
          texts.push(item.value.text);
        } else {
          const problem = `unsupported type in array ${typeName(item)}`;
          reading.error(item, `error parsing ${name}: ${problem}`);
        }
      }
      return texts;
    },
  };
}

/** An array of texts. */
export function strictTextList(fault: (node: ConfigNode) => string): Kind<readonly string[]> {
  return {
    label: "list of text",
    read(node, reading, key) {
      if (node.value.kind !== "array") return reading.error(node, fault(node));
      const texts: string[] = [];
      for (const item of node.value.items) {
        const word = text.read(item, reading, key);
        if (word !== undefined) texts.push(word);
      }
      return texts;
    },
  };
}

/** A map of free keys to values of one kind. */
export function record<T>(
  kind: Kind<T>,
  fault: (node: ConfigNode) => string,
): Kind<Readonly<Record<string, T>>> {
  return {
    label: `map of ${kind.label}`,
    read(node, reading) {
      if (node.value.kind !== "map") return reading.error(node, fault(node));
      const result: [string, T][] = [];
      for (const [key, child] of node.value.entries) {
        const value = kind.read(child, reading, key);
        if (value !== undefined) result.push([key, value]);
      }
      return Object.fromEntries(result);
    },
  };
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, or a port alone (then the host is ""). */
export function readListen(node: ConfigNode, reading: Reading): HostPort | undefined {
  const { value } = node;
  if (value.kind === "integer") return { host: "", port: Number(value.value) };
  if (value.kind !== "string") {
    return reading.error(node, `expected port or host:port, got ${typeName(node)}`);
  }
  const split = splitHostPort(value.text);
  if (split === null) {
    return reading.error(node, `could not parse address string ${quote(value.text)}`);
  }
  const port = parseInteger(split.port);
  if (port === null) return reading.error(node, `could not parse port ${quote(split.port)}`);
  return { host: split.host, port };
}

/** A decimal number with an optional sign, or null. */
export function parseInteger(digits: string): number | null {
  return /^[+-]?[0-9]{1,15}$/.test(digits) ? Number(digits) : null;
}

/** Takes `host:port` or `[v6]:port` apart; null if it is neither. */
export function splitHostPort(address: string): { host: string; port: string } | null {
  const bracketed = /^\[([^\][]*)\]:([^:\][]*)$/.exec(address);
  const plain = /^([^:\][]*):([^:\][]*)$/.exec(address);
  const match = bracketed ?? plain;
  return match && { host: match[1] ?? "", port: match[2] ?? "" };
}
