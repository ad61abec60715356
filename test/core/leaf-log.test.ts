/** What the log says of a leaf's malformed lines: the words of nats-server, which people search for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

const PLACE = { host: "127.0.0.1", port: 5001, connectionType: "LEAFNODE" } as const;

const LINES: readonly (readonly [string, string])[] = [
  ["LS+ foo q", "processLeafSub Parse Error: 'foo q'"],
  ["LS+ foo..x", "Could not insert subscription: sublist: invalid subject"],
  ["LMSG foo", "processLeafMsgArgs Parse Error: '[foo]'"],
  ["LMSG foo  x", "processLeafMsgArgs Bad or Missing Size: '[foo x]'"],
  ["LMSG foo - q 2", "processLeafMsgArgs Bad or Missing Reply Indicator: '-'"],
  ["HMSG foo 12", "processLeafHeaderMsgArgs Parse Error: '[foo 12]'"],
  ["HMSG foo x 14", "processLeafHeaderMsgArgs Bad or Missing Header Size: 'foo x 14'"],
  ["HMSG foo 12 x", "processLeafHeaderMsgArgs Bad or Missing Size: '[foo 12 x]'"],
  ["HMSG foo 14 12", "processLeafHeaderMsgArgs Header Size larger then TotalSize: 'foo 14 12'"],
];

for (const [line, text] of LINES) {
  test(`${line}: ${text}`, () => {
    const rig = new Rig();
    const leaf = rig.engine.openLeaf(PLACE, rig.now);
    rig.send(leaf, `CONNECT {"name":"L","headers":true}\r\n${line}\r\n`);
    assert.deepEqual(
      rig.log.filter((entry) => entry.startsWith("error ")),
      [`error ${text}`],
    );
  });
}
