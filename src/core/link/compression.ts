/** Which S2 mode the two ends of a leaf link settle on; the table is in the leaf protocol's section on S2. */
import type { CompressionMode } from "../contract.ts";

export const S2_MODES: readonly string[] = ["s2_uncompressed", "s2_fast", "s2_better", "s2_best"];

/** Whether a configured mode calls for negotiation at all. */
export function needsCompression(mode: string): boolean {
  return mode !== "" && mode !== "off" && mode !== "not supported";
}

/** The level of `s2_auto` for an RTT; thresholds in milliseconds, 0 skips a level. */
export function levelForRtt(rtt: number, thresholds: readonly number[]): CompressionMode {
  const levels: readonly CompressionMode[] = ["s2_uncompressed", "s2_fast", "s2_better", "s2_best"];
  let last = 0;
  for (let i = 0; i < thresholds.length; i++) {
    const bound = thresholds[i] ?? 0;
    if (bound === 0) continue;
    last = i;
    if (rtt <= bound) return levels[i] ?? "s2_best";
  }
  return thresholds.length < 3 ? (levels[last] ?? "s2_best") : "s2_best";
}

/** The selection from our configured mode and what the peer announced; an Error names a mode nobody knows. */
export function selectCompression(
  own: string,
  peer: string,
  rtt: number,
  thresholds: readonly number[],
): CompressionMode | Error {
  if (!needsCompression(own))
    return peer === "" || own === "not supported" ? "not supported" : "off";
  if (peer === "" || peer === "not supported") return "not supported";
  if (peer === "off") return "off";
  const auto = own === "s2_auto" ? levelForRtt(rtt, thresholds) : (own as CompressionMode);
  if (peer === "accept") return own === "accept" ? "off" : auto;
  if (peer === "s2_auto") return own === "accept" ? "s2_fast" : auto;
  if (!S2_MODES.includes(peer)) return new Error(`unsupported route compression mode "${peer}"`);
  return own === "accept" ? (peer as CompressionMode) : auto;
}
