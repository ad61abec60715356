/** Values of options as the lines and refusals of a reload show them, which is how Go prints them. */
import { formatDuration } from "./duration.ts";
import type { LeafAuthorizationOptions } from "./options.ts";

/** `[a b]`, `map[k:v]`, nothing for what is not set. */
export function showOption(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return `[${value.map(showOption).join(" ")}]`;
  if (typeof value === "string") return value;
  if (typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${members.map(([name, member]) => `${name}:${showOption(member)}`).join(" ")}]`;
}

/** A span of time; not set is none. */
export function showMillis(value: unknown): string {
  return formatDuration(typeof value === "number" ? value : 0);
}

/** The part of a leafnode authorization that differs first. Passwords are not shown. */
export function authorizationDifference(
  old: LeafAuthorizationOptions | null,
  next: LeafAuthorizationOptions | null,
): string {
  const line = (field: string, a: string, b: string): string =>
    `field "${field}": old=${a}, new=${b}`;
  const secret = (text: string | null | undefined): string => (text ? "[REDACTED]" : "");
  if ((old?.user ?? "") !== (next?.user ?? "")) {
    return line("Username", old?.user ?? "", next?.user ?? "");
  }
  if ((old?.password ?? "") !== (next?.password ?? "")) {
    return line("Password", secret(old?.password), secret(next?.password));
  }
  const names = (block: typeof old): string => showOption(block?.users.map(({ user }) => user));
  if (JSON.stringify(old?.users ?? []) !== JSON.stringify(next?.users ?? [])) {
    return line("Users", names(old), names(next));
  }
  if ((old?.nkey ?? "") !== (next?.nkey ?? "")) {
    return line("Nkey", old?.nkey ?? "", next?.nkey ?? "");
  }
  if ((old?.account ?? "") !== (next?.account ?? "")) {
    return line("Account", old?.account ?? "", next?.account ?? "");
  }
  if ((old?.timeout ?? 0) !== (next?.timeout ?? 0)) {
    return line(
      "AuthTimeout",
      String((old?.timeout ?? 0) / 1000),
      String((next?.timeout ?? 0) / 1000),
    );
  }
  return line("Authorization", "", "");
}
