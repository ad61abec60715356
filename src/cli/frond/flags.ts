/** Readers for the values of flags; commander turns what they throw into a usage error. */
import { InvalidArgumentError } from "commander";
import { parseDuration } from "./durations.ts";
import { errorText } from "./errors.ts";

/** A whole number; "1e3" is one too. */
export function wholeNumber(value: string): number {
  const number = Number(value);
  if (value.trim() === "" || !Number.isInteger(number)) {
    throw new InvalidArgumentError("expected a whole number");
  }
  return number;
}

/** A whole number from 0 up. */
export function countOf(value: string): number {
  const number = wholeNumber(value);
  if (number < 0) throw new InvalidArgumentError("expected a number from 0 up");
  return number;
}

/** A duration such as 500ms, in milliseconds. */
export function duration(value: string): number {
  try {
    return parseDuration(value);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
}

/** A size such as 128, 128B, 1KB, 4KiB, 1M: powers of 1024 throughout, as `nats bench`. */
export function byteSize(value: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])i?)?b?$/i.exec(value.trim());
  if (match === null) throw new InvalidArgumentError("expected a size such as 128, 4KB or 1MB");
  const power = "kmgt".indexOf((match[2] ?? "").toLowerCase() || "-") + 1;
  return Math.round(Number(match[1]) * 1024 ** power);
}
