/** A leaf that asks and never reads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

test("PINGs of a leaf that reads nothing do not pile up PONGs in the transport", () => {
  let writes = 0;
  let queued = 0;
  let stuck = false;
  const take = (bytes: number): number => {
    writes++;
    return stuck ? (queued += bytes) : 0;
  };
  const rig = new Rig(
    { leaf: { pendingPolicy: "drop" } },
    {
      write: (_, frame) => take(frame.length),
      writev: (_, frames) => take(frames.reduce((sum, frame) => sum + frame.length, 0)),
    },
  );
  const { engine } = rig;
  const leaf = engine.openLeaf(
    { host: "127.0.0.1", port: 5001, connectionType: "LEAFNODE" },
    rig.now,
  );
  rig.send(leaf, `CONNECT {"name":"L","headers":true,"protocol":1}\r\nLS+ foo\r\n`);
  assert.equal(leaf.state, "active");
  stuck = true;
  const pub = rig.client("PUB foo 2\r\nhi\r\n");
  rig.send(pub, "PUB foo 2\r\nhi\r\n");
  writes = 0;
  const before = queued;
  for (let i = 0; i < 20; i++) rig.send(leaf, "PING\r\n".repeat(1000));
  assert.ok(writes <= 4, `${writes} writes into a transport that takes nothing`);
  assert.ok(queued - before < 1024, `${queued - before} bytes`);
  // They are not forgotten.
  stuck = false;
  const all = writes;
  engine.drained(leaf.id, 0, rig.now);
  assert.ok(writes > all);
  assert.equal(leaf.leaf?.output.pongs, 0);
});
