/** A defect in a service of ours costs its message and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineAccounts, emptySpec } from "../../src/core/index.ts";
import { Rig } from "./rig.ts";

const IMPORT = { kind: "service", account: "S", subject: "svc", to: "ask", share: false } as const;

/** A service behind an import of `$G` that throws. */
function broken(): Rig {
  const rig = new Rig();
  const { engine } = rig;
  defineAccounts(engine, [emptySpec("S"), { ...emptySpec("$G"), imports: [IMPORT] }]);
  engine.subscribeInternal(engine.account("S"), "svc", "", () => {
    throw new Error("broken");
  });
  return rig;
}

test("a service behind an import that throws costs the requester its connection, and others nothing", () => {
  const rig = broken();
  const sub = rig.client("SUB foo 1\r\n");
  const bad = rig.client("PUB ask 1\r\nx\r\n");
  assert.equal(bad.state, "closed");
  rig.client("PUB foo 2\r\nhi\r\n");
  assert.match(rig.textOf(sub.id), /MSG foo 1 2\r\nhi\r\n/);
  assert.equal(rig.engine.rewriter.depth, 0);
  assert.equal(rig.engine.rewriter.services, 0);
});

test("the same for a message that the server published itself", () => {
  const rig = broken();
  const { engine } = rig;
  const sub = rig.client("SUB foo 1\r\n");
  const message = { account: engine.global, reply: "", header: null, payload: new Uint8Array(1) };
  engine.publish({ ...message, subject: "ask", source: null, queues: null }, rig.now);
  rig.client("PUB foo 2\r\nhi\r\n");
  assert.match(rig.textOf(sub.id), /MSG foo 1 2\r\nhi\r\n/);
});
