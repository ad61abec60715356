/** Points in time as RFC 3339 text, as JSON of NATS has them; the core has no calendar of the platform's. */
import type { Millis } from "../contract.ts";

const DAY = 86_400_000;

/** `2026-11-24T17:33:59.118849743Z`: UTC, the fraction without its trailing zeros. */
export function rfc3339(at: Millis): string {
  const days = Math.floor(at / DAY);
  const rest = at - days * DAY;
  const seconds = Math.floor(rest / 1000);
  const { year, month, day } = civil(days);
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  // A double holds the present to about 200 ns, so microseconds are what there is.
  const micros = Math.min(999_999, Math.round((rest - seconds * 1000) * 1000));
  const fraction = micros === 0 ? "" : `.${digits(micros, 6).replace(/0+$/, "")}`;
  return `${date}T${time.map((part) => digits(part, 2)).join(":")}${fraction}Z`;
}

function digits(n: number, width: number): string {
  return String(n).padStart(width, "0");
}

/** The Gregorian date of a day counted from 1970-01-01, with years taken to begin in March. */
function civil(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}
