/** Whether an export, an import or an activation is about a stream or a service. */
import { ClaimsError } from "./json.ts";

export type SharingKind = "stream" | "service";

/** The kind that a claim names; "" where it names none. */
export function sharingKind(text: string): SharingKind | "" {
  if (text === "" || text === "stream" || text === "service") return text;
  throw new ClaimsError(`unknown export type "${text}"`);
}
