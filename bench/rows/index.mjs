/** All rows, in the table's order. */
import { accountRows } from "./accounts.mjs";
import { latencyRows } from "./latency.mjs";
import { leafRows } from "./leaf.mjs";
import { messageRows } from "./messages.mjs";
import { processRows } from "./process.mjs";

/** @type {import("./row.mjs").Row[]} */
export const rows = [...messageRows, ...leafRows, ...latencyRows, ...processRows, ...accountRows];
