/** A defect in a service of ours costs its message and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineAccounts, emptySpec } from "../../src/core/index.ts";
import { Slab } from "../../src/core/bytes/pool.ts";
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

/** A rig whose transport throws for one link. */
function faulty(): { rig: Rig; broken: Set<number> } {
  const broken = new Set<number>();
  const rig = new Rig(
    {},
    {
      write(link, frame) {
        if (broken.has(link)) throw new Error("the transport is broken");
        rig.written.set(link, rig.textOf(link) + Buffer.from(frame).toString("latin1"));
        return 0;
      },
    },
  );
  return { rig, broken };
}

test("a transport that throws costs its link, and receivers of the same message get it", () => {
  const { rig, broken } = faulty();
  const before = rig.client("SUB foo 1\r\n");
  const bad = rig.client("SUB foo 2\r\n");
  const after = rig.client("SUB foo 3\r\n");
  const pub = rig.client();
  broken.add(bad.id);
  rig.send(pub, "PUB foo 2\r\nhi\r\n");
  assert.equal(bad.state, "closed");
  assert.equal(rig.engine.links.has(bad.id), false);
  assert.equal(rig.engine.global.sublist.count, 2);
  assert.match(rig.textOf(before.id), /MSG foo 1 2\r\nhi\r\n/);
  assert.match(rig.textOf(after.id), /MSG foo 3 2\r\nhi\r\n/);
  assert.equal(rig.log.filter((line) => line.includes("the transport is broken")).length > 0, true);
  rig.send(pub, "PUB foo 2\r\nho\r\n");
  assert.match(rig.textOf(after.id), /ho/);
});

test("an observer that throws when time passes costs the link whose turn it was", () => {
  const rig = new Rig({ pingInterval: 1000, pingMax: 1 });
  const bad = rig.client();
  const good = rig.client();
  const { observer } = rig.engine;
  rig.engine.observer = {
    ...observer,
    closing(link) {
      if (link === bad) throw new Error("the observer is broken");
    },
  };
  for (let i = 0; i < 5; i++) {
    rig.now += 2000;
    rig.engine.advance(rig.now);
    rig.send(good, "PONG\r\n");
  }
  assert.equal(bad.state, "closed");
  assert.equal(rig.engine.links.has(bad.id), false);
  assert.equal(good.state, "active");
});

test("an alarm that throws costs nothing else", () => {
  const rig = new Rig();
  const fired: string[] = [];
  const alarm = (name: string) => ({
    alarmAt: 0,
    alarm: () => {
      fired.push(name);
      if (name === "bad") throw new Error("the alarm is broken");
    },
  });
  for (const name of ["bad", "good"]) rig.engine.alarms.set(alarm(name), rig.now + 10);
  rig.engine.advance((rig.now += 20));
  assert.deepEqual(fired, ["bad", "good"]);
  assert.equal(rig.engine.alarms.next, null);
});

test("what a closed slow consumer leaves is announced at once, not with the next input", () => {
  const rig = new Rig({ maxPending: 1024 }, { write: () => 5000, writev: () => 5000 });
  const hub = rig.remote();
  rig.send(hub, `INFO {"server_id":"H","headers":true}\r\n`);
  const slow = rig.client("SUB foo 1\r\n");
  slow.queued = 0;
  slow.out.append(new Slab(new Uint8Array(5000)), 0, 5000);
  rig.engine.drained(slow.id, 0, rig.now);
  assert.equal(slow.closedReason, "Slow Consumer (Pending Bytes)");
  assert.equal(rig.engine.announcer.isPending, false);
});
