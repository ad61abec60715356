/** Frames that several receivers share, where one chunk has messages of many subjects. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

const SUBJECTS = 1000;
const each = (line: (i: number) => string): string =>
  Array.from({ length: SUBJECTS }, (_, i) => line(i)).join("");

test("messages of a thousand subjects in one chunk take no buffer for each subject", () => {
  const rig = new Rig();
  const subs = each((i) => `SUB s.${i} ${i}\r\n`);
  const receivers = [rig.client(subs), rig.client(subs)];
  const pub = rig.client();
  const before = rig.allocated;
  rig.send(
    pub,
    each((i) => `PUB s.${i} 1\r\n${i % 10}\r\n`),
  );
  const expected = each((i) => `MSG s.${i} ${i} 1\r\n${i % 10}\r\n`);
  for (const { id } of receivers) assert.ok(rig.textOf(id).endsWith(expected));
  const taken = rig.allocated - before;
  assert.ok(taken < 32 * 1024 * 1024, `${taken} bytes of buffers`);
});

test("the same for two leaf links", () => {
  const rig = new Rig();
  const leaves = [1, 2].map((n) => {
    const place = { host: "127.0.0.1", port: n, connectionType: "LEAFNODE" } as const;
    const link = rig.engine.openLeaf(place, rig.now);
    rig.send(link, `CONNECT {"name":"L${n}","headers":true,"protocol":1}\r\n`);
    rig.send(
      link,
      each((i) => `LS+ s.${i}\r\n`),
    );
    return link;
  });
  const pub = rig.client();
  const before = rig.allocated;
  rig.send(
    pub,
    each((i) => `PUB s.${i} 1\r\n${i % 10}\r\n`),
  );
  const taken = rig.allocated - before;
  assert.ok(taken < 32 * 1024 * 1024, `${taken} bytes of buffers`);
  const expected = each((i) => `LMSG s.${i} 1\r\n${i % 10}\r\n`);
  for (const { id } of leaves) {
    const text = rig.textOf(id).replaceAll("PING\r\n", "");
    const got = text.slice(text.indexOf("LMSG"));
    assert.ok(got.length > 1000 && expected.startsWith(got), got.slice(0, 200));
  }
});

test("a slow pair of receivers with many overlapping subscriptions is closed within one chunk", () => {
  const rig = new Rig({ maxPending: 1024 * 1024 });
  const subs = Array.from({ length: 200 }, (_, i) => `SUB foo ${i}\r\n`).join("");
  const receivers = [rig.client(subs), rig.client(subs)];
  const pub = rig.client();
  rig.send(pub, "PUB foo 1\r\nx\r\n".repeat(2000));
  for (const link of receivers) assert.equal(link.closedReason, "Slow Consumer (Pending Bytes)");
});
