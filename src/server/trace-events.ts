/** The traces of messages as they are sent: JSON to the destination that a message (or its account) names. */
import {
  KIND_LEAF,
  latin1ToUtf8,
  type Link,
  type MessageTrace,
  type TraceStep,
} from "../core/index.ts";
import { omit, sortedObject, timestamp, type Json, type JsonObject } from "../monitoring/index.ts";
import type { SystemBus } from "./system-bus.ts";

/** Kinds of connections by nats-server's numbers. */
const KIND_NUMBERS = { client: 0, leaf: 4 } as const;
const ACCEPT_ENCODING = "Accept-Encoding";

export function publishTrace(bus: SystemBus, trace: MessageTrace): void {
  const { destination, headers } = trace.request;
  const accepted = headers.get(ACCEPT_ENCODING)?.[0] ?? "";
  bus.publishEncoded(trace.account, destination, accepted, () => traceJson(bus, trace));
}

function traceJson(bus: SystemBus, trace: MessageTrace): JsonObject {
  const { headers, size, at } = trace.request;
  const header = [...headers].map(
    ([name, values]) => [latin1ToUtf8(name), values.map(latin1ToUtf8)] as const,
  );
  return {
    server: bus.info(),
    request: { header: omit(sortedObject<Json>(header)), msgsize: omit(size) },
    hops: omit(trace.hops),
    events: trace.steps.map((step) => stepJson(step, timestamp(at))),
  };
}

function stepJson(step: TraceStep, ts: string): JsonObject {
  const { type } = step;
  switch (step.type) {
    case "in":
      return {
        type,
        ts,
        ...connectionJson(step.link),
        acc: step.account,
        subj: latin1ToUtf8(step.subject),
        error: omit(step.error),
      };
    case "sm":
      return { type, ts, to: latin1ToUtf8(step.to) };
    case "se":
      return { type, ts, acc: step.account, to: latin1ToUtf8(step.to) };
    case "si": {
      const [from, to] = [step.from, step.to].map(latin1ToUtf8);
      return { type, ts, acc: step.account, from, to };
    }
    case "eg":
      return { type, ts, ...connectionJson(step.link), ...receiverJson(step) };
    default:
      return step satisfies never;
  }
}

function receiverJson(step: TraceStep & { readonly type: "eg" }): JsonObject {
  return {
    hop: omit(step.hop),
    acc: omit(step.account),
    // Members of clients only.
    sub: omit(latin1ToUtf8(step.subject)),
    queue: omit(latin1ToUtf8(step.queue)),
    error: omit(step.error),
  };
}

function connectionJson(link: Link): JsonObject {
  const isLeaf = link.kind === KIND_LEAF;
  const name = link.leaf?.remoteServer || (link.peer?.name ?? "");
  return {
    kind: isLeaf ? KIND_NUMBERS.leaf : KIND_NUMBERS.client,
    cid: link.id,
    name: omit(name),
  };
}
