/** Every verb of the command line, in the order `frond --help` shows them. A new verb is one more line. */
import type { Command } from "commander";
import { addBench } from "./bench.ts";
import { addCheck } from "./check.ts";
import { addContext } from "./context.ts";
import { addDoctor } from "./doctor.ts";
import { addExplain } from "./explain.ts";
import { addLatency } from "./latency.ts";
import { addPub } from "./pub.ts";
import { addReply } from "./reply.ts";
import { addRequest } from "./request.ts";
import { addRtt } from "./rtt.ts";
import { addSub } from "./sub.ts";

export const VERBS: readonly ((program: Command) => void)[] = [
  addBench,
  addContext,
  addDoctor,
  addExplain,
  addLatency,
  addPub,
  addReply,
  addRequest,
  addRtt,
  addCheck,
  addSub,
];
