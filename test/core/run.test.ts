/**
 * Runs of messages with the same control line. Fed a byte at a time every message is worked on alone; fed in
 * large chunks they go out as runs. What every receiver gets, and what is counted, must be the same.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Rig } from "./rig.ts";

/** Messages in runs: subject, payload size, how many. */
const script = fc.array(
  fc.tuple(
    fc.constantFrom("a", "b.c", "b.d"),
    fc.integer({ min: 0, max: 300 }),
    fc.integer({ min: 1, max: 9 }),
  ),
  { minLength: 1, maxLength: 12 },
);
/** What each of some clients subscribes to; the last number is a limit, 0 = none. */
const receivers = fc.array(
  fc.tuple(
    fc.constantFrom("a", "b.*", "b.c", ">"),
    fc.constantFrom("", "q"),
    fc.constantFrom("1", "22"),
    fc.constantFrom(0, 0, 0, 5),
    fc.boolean(),
  ),
  { minLength: 1, maxLength: 5 },
);

interface Outcome {
  readonly texts: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

function play(
  messages: string,
  subs: readonly (readonly [string, string, string, number, boolean])[],
  cut: number,
): Outcome {
  const rig = new Rig();
  const clients = subs.map(([subject, queue, sid, max, headers]) => {
    const unsub = max > 0 ? `UNSUB ${sid} ${max}\r\n` : "";
    const connect = `CONNECT {"verbose":false,"pedantic":false,"headers":${headers}}\r\n`;
    return rig.client(`${connect}SUB ${subject} ${queue} ${sid}\r\n${unsub}`);
  });
  const pub = rig.client('CONNECT {"verbose":false,"pedantic":false}\r\n');
  for (let at = 0; at < messages.length; at += cut) rig.send(pub, messages.slice(at, at + cut));
  return {
    texts: clients.map(({ id }) => rig.textOf(id)),
    counts: [pub, ...clients].map((link) => [
      link.inMsgs,
      link.inBytes,
      link.outMsgs,
      link.outBytes,
      ...[...(link.subs?.values() ?? [])].map((sub) => sub.delivered),
    ]),
  };
}

test("a run delivers and counts what its messages would alone", () => {
  fc.assert(
    fc.property(script, receivers, fc.integer({ min: 40, max: 5000 }), (lines, subs, cut) => {
      let n = 0;
      const messages = lines
        .map(([subject, size, times]) =>
          Array.from({ length: times }, () => {
            const payload = String(n++ % 10).repeat(size);
            return `PUB ${subject} ${size}\r\n${payload}\r\n`;
          }).join(""),
        )
        .join("");
      // One member a group: which of several gets a message is chance.
      const distinct = subs.filter(
        ([, queue], i) => queue === "" || subs.findIndex(([, other]) => other === queue) === i,
      );
      assert.deepEqual(play(messages, distinct, cut), play(messages, distinct, 1));
    }),
    { numRuns: 300 },
  );
});

test("an operation between two messages of a run comes between them", () => {
  const rig = new Rig();
  const sub = rig.client("SUB a 1\r\n");
  const pub = rig.client();
  const message = "PUB a 2\r\nhi\r\n";
  rig.send(pub, `${message.repeat(4)}PING\r\n${message.repeat(3)}`);
  assert.equal(pub.inMsgs, 7);
  assert.equal(sub.outMsgs, 7);
  assert.ok(rig.textOf(sub.id).endsWith("MSG a 1 2\r\nhi\r\n".repeat(7)));
  rig.send(pub, `${message.repeat(3)}ZZZ`);
  assert.equal(sub.outMsgs, 10, "what stood before the error was delivered");
});

test("a publisher without echo is left out of a fan that it belongs to", () => {
  const rig = new Rig();
  const other = rig.client("SUB a 1\r\n");
  const third = rig.client("SUB a 1\r\n");
  const pub = rig.client('CONNECT {"verbose":false,"headers":true,"echo":false}\r\nSUB a 1\r\n');
  const before = rig.textOf(pub.id);
  rig.send(pub, "PUB a 2\r\nhi\r\n".repeat(5));
  for (const { id } of [other, third]) {
    assert.ok(rig.textOf(id).endsWith("MSG a 1 2\r\nhi\r\n".repeat(5)));
  }
  assert.equal(rig.textOf(pub.id), before);
  rig.send(third, "PUB a 2\r\nho\r\n".repeat(3));
  assert.ok(rig.textOf(pub.id).endsWith("MSG a 1 2\r\nho\r\n".repeat(3)));
});
