/** What an unfinished control line may cost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

for (const verb of ["CONNECT", "PUB", "SUB", "INFO"]) {
  test(`blanks without end behind ${verb} are a control line too long`, () => {
    const rig = new Rig();
    const link = rig.client();
    const blanks = " ".repeat(32 * 1024);
    rig.send(link, verb);
    for (let i = 0; i < 64 && rig.engine.isOpen(link); i++) rig.send(link, blanks);
    assert.equal(link.closedReason, "Maximum Control Line Exceeded");
  });
}

test("blanks in front of an argument do not count while there are as many as a line may be long", () => {
  const rig = new Rig();
  const sub = rig.client("SUB foo 1\r\n");
  const link = rig.client("PUB");
  rig.send(link, " ".repeat(4000));
  rig.send(link, " foo 2\r\nhi\r\n");
  assert.match(rig.textOf(sub.id), /MSG foo 1 2\r\nhi\r\n/);
});
