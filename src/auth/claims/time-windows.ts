/**
 * Daily time windows of user claims: whether now lies in one, and when the latest that holds now ends. Windows
 * whose end is before their start wrap midnight.
 */
import type { Millis } from "../../core/index.ts";

export interface TimeWindow {
  /** `HH:MM:SS`. */
  readonly start: string;
  readonly end: string;
}

const DAY: Millis = 86_400_000;

/** Whether the runtime knows the IANA zone. */
export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** Null if no window holds now; otherwise when access ends (null inside: never, there are no windows). */
export function windowAt(
  windows: readonly TimeWindow[],
  zone: string,
  now: Millis,
): { readonly ends: Millis | null } | null {
  if (windows.length === 0) return { ends: null };
  const clock = timeOfDay(zone, now);
  let left = -1;
  for (const { start, end } of windows)
    left = Math.max(left, remaining(millis(start), millis(end), clock));
  return left < 0 ? null : { ends: now + left };
}

/** How long a window still lasts at a time of day; -1 if it does not hold. */
function remaining(start: Millis, end: Millis, clock: Millis): Millis {
  if (start < clock && clock < end) return end - clock;
  if (start <= end) return -1;
  if (clock < end) return end - clock;
  return start < clock ? end + DAY - clock : -1;
}

function millis(time: string): Millis {
  const [hours = 0, minutes = 0, seconds = 0] = time.split(":").map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

function timeOfDay(zone: string, now: Millis): Millis {
  const parts = new Intl.DateTimeFormat("en-US", {
    ...(zone === "" ? {} : { timeZone: zone }),
    hourCycle: "h23",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).formatToParts(now);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? "0";
  const whole = millis(`${part("hour")}:${part("minute")}:${part("second")}`);
  return whole + (now % 1000);
}
