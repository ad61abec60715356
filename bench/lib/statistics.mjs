/** Medians, spreads, ratios and verdicts: from the rounds of two sides to one line of the table. */

/**
 * @typedef {{ label: string, unit: string, better: "higher" | "lower",
 *   atLeast?: number, below?: number, above?: number }} Metric
 *   `atLeast`: how many times better than nats-server; `below`, `above`: limits on Frond's own number.
 * @typedef {{ frond: number[], "nats-server": number[] }} Rounds
 * @typedef {{ label: string, unit: string, better: "higher" | "lower", frond: Summary | null,
 *   natsServer: Summary | null, ratio: number | null, target: string, pass: boolean | null }} Line
 * @typedef {{ median: number, least: number, most: number, rounds: number[] }} Summary
 */

/**
 * @param {number[]} rounds
 * @returns {Summary | null} null where nothing was measured
 */
export function summarize(rounds) {
  if (rounds.length === 0 || rounds.some(Number.isNaN)) return null;
  const sorted = [...rounds].sort((a, b) => a - b);
  const upper = Number(sorted[sorted.length >> 1]);
  const lower = Number(sorted[(sorted.length - 1) >> 1]);
  return {
    median: (lower + upper) / 2,
    least: Number(sorted[0]),
    most: Number(sorted.at(-1)),
    rounds,
  };
}

/**
 * The ratio says how many times better Frond is, whichever direction is better.
 * @param {Metric} metric
 * @param {Rounds} rounds
 * @returns {Line}
 */
export function compare(metric, rounds) {
  const frond = summarize(rounds.frond);
  const natsServer = summarize(rounds["nats-server"]);
  let ratio = null;
  if (frond !== null && natsServer !== null) {
    ratio =
      metric.better === "higher"
        ? frond.median / natsServer.median
        : natsServer.median / frond.median;
  }
  let target = "";
  let pass = null;
  if (metric.atLeast !== undefined) {
    target = `>= ${metric.atLeast.toFixed(1)}x`;
    if (ratio !== null) pass = ratio >= metric.atLeast;
  }
  if (metric.below !== undefined) {
    target = `< ${metric.below} ${metric.unit}`;
    if (frond !== null) pass = frond.median < metric.below;
  }
  if (metric.above !== undefined) {
    target = `> ${metric.above} ${metric.unit}`;
    if (frond !== null) pass = frond.median > metric.above;
  }
  const { label, unit, better } = metric;
  return { label, unit, better, frond, natsServer, ratio, target, pass };
}
