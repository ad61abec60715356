/** The queue of links' deadlines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { schedule } from "../../src/core/link/deadlines.ts";
import { Rig } from "./rig.ts";

test("short deadlines of a link, set again and again, leave nothing in the queue of deadlines", () => {
  const rig = new Rig({ pingInterval: 1000 });
  const { engine } = rig;
  const link = rig.client("PING\r\n");
  const until = rig.now + 5000;
  while (rig.now < until) {
    link.resumeAt = rig.now + 5;
    schedule(engine, link);
    rig.now += 5;
    rig.send(link, "PONG\r\n");
    engine.advance(rig.now);
  }
  link.resumeAt = 0;
  for (let i = 0; i < 4; i++) {
    rig.now += 1000;
    rig.send(link, "PONG\r\n");
    engine.advance(rig.now);
  }
  assert.ok(engine.isOpen(link));
  assert.ok(engine.timers.size <= 4, `${engine.timers.size} deadlines of one link`);
});
