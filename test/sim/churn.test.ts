/** What the match cache and the interest table know, against recounts, while subscriptions come and go. */
import assert from "node:assert/strict";
import test from "node:test";
import * as fc from "fast-check";
import type { Link } from "../../src/core/index.ts";
import { covers, recount } from "../../src/testing/invariants.ts";
import { Random } from "../../src/testing/random.ts";
import { BareServer } from "./bare-server.ts";

const SUBJECTS = ["a", "b", "a.a", "a.b", "b.a", "a.a.a", "a.b.c", "c"];
const PATTERNS = [...SUBJECTS, "*", ">", "a.*", "*.a", "a.>", "*.*", "a.*.c", "*.b.>", "b.>"];

test("after any churn of literals and wildcards a message reaches exactly who matches it", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 20, max: 200 }), (seed, steps) => {
      const random = new Random(seed);
      const server = new BareServer();
      const links = [server.client(), server.client(), server.client()];
      const live = new Map<string, { link: Link; sid: string; pattern: string; left: number }>();
      for (let step = 0; step < steps; step++) {
        const link = random.pick(links);
        const sid = String(random.below(30));
        const key = `${link.id} ${sid}`;
        const known = live.get(key);
        if (random.chance(0.3)) {
          const subject = random.pick(SUBJECTS);
          for (const one of links) server.take(one);
          server.send(link, `PUB ${subject} 1\r\nx\r\n`);
          for (const receiver of links) {
            const got = [...server.take(receiver).matchAll(/^MSG (\S+) (\S+) 1\r\nx\r\n/gm)].map(
              (m) => m[2] ?? "",
            );
            const want = [...live.values()].filter(
              (sub) => sub.link === receiver && covers(sub.pattern, subject),
            );
            assert.deepEqual(
              got.sort(),
              want.map((sub) => sub.sid).sort(),
              `step ${step}, ${subject}`,
            );
          }
          for (const [id, sub] of live)
            if (covers(sub.pattern, subject) && --sub.left === 0) live.delete(id);
        } else if (known !== undefined) {
          server.send(link, `UNSUB ${sid}\r\n`);
          live.delete(key);
        } else {
          const pattern = random.pick(PATTERNS);
          const left = random.chance(0.2) ? random.between(1, 3) : 0;
          server.send(
            link,
            `SUB ${pattern} ${sid}\r\n${left > 0 ? `UNSUB ${sid} ${left}\r\n` : ""}`,
          );
          live.set(key, { link, sid, pattern, left });
        }
      }
      assert.deepEqual(server.internalErrors, []);
    }),
    { numRuns: 150 },
  );
});

/** What the LS+ and LS- of an output leave standing. */
function heard(held: Map<string, number>, text: string): void {
  for (const [, sign, rest = ""] of text.matchAll(/^LS([+-]) (.*)\r\n/gm)) {
    const [subject = "", queue, weight] = rest.split(" ");
    const key = queue === undefined ? subject : `${subject} ${queue}`;
    if (sign === "+") {
      assert.ok(
        queue !== undefined || !held.has(key),
        `plain interest in ${key} was announced twice`,
      );
      held.set(key, queue === undefined ? 1 : Number(weight));
    } else
      assert.ok(held.delete(key), `interest in ${key} was taken back that was never announced`);
  }
}

test("every leaf link has been told exactly what a recount of the subscriptions gives", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 10, max: 120 }), (seed, steps) => {
      const random = new Random(seed);
      const permissions = {
        publish: { allow: null, deny: ["a.>"] },
        subscribe: { allow: null, deny: ["b.>"] },
        responses: null,
      };
      const server = new BareServer(
        {},
        { "": { account: "$G" }, u: { account: "$G", permissions } },
      );
      const leaves = new Map<Link, Map<string, number>>();
      const clients: Link[] = [server.client(), server.client()];
      const openLeaf = (): void => {
        const connect = {
          name: `leaf${random.below(1e9)}`,
          cluster: random.pick(["", "", "C", "D"]),
          is_hub: random.chance(0.3),
          isolate: random.chance(0.2),
          user: random.pick(["", "", "u"]),
        };
        leaves.set(server.leaf(`CONNECT ${JSON.stringify(connect)}\r\n`), new Map());
      };
      openLeaf();
      for (let step = 0; step < steps; step++) {
        const pattern = random.pick(PATTERNS);
        const queue = random.chance(0.3) ? ` ${random.pick(["q", "w"])}` : "";
        const leaf = random.pick([...leaves.keys()]);
        switch (random.below(8)) {
          case 0:
            if (leaves.size < 5) openLeaf();
            break;
          case 1:
            if (leaves.size < 2) break;
            server.engine.closed(leaf.id, "Client Closed", server.now);
            leaves.delete(leaf);
            break;
          case 2:
          case 3:
            server.send(random.pick(clients), `SUB ${pattern}${queue} ${random.below(20)}\r\n`);
            break;
          case 4:
            server.send(random.pick(clients), `UNSUB ${random.below(20)}\r\n`);
            break;
          case 5:
          case 6:
            server.send(
              leaf,
              `LS+ ${pattern}${queue}${queue === "" ? "" : ` ${random.below(4)}`}\r\n`,
            );
            break;
          default:
            server.send(leaf, `LS- ${pattern}${queue}\r\n`);
        }
        for (const [link, held] of leaves) {
          if (!server.engine.isOpen(link)) leaves.delete(link);
          else {
            heard(held, server.take(link));
            assert.deepEqual(sorted(held), sorted(recount(link.account, link)), `step ${step}`);
          }
        }
        if (leaves.size === 0) openLeaf();
      }
    }),
    { numRuns: 200 },
  );
});

function sorted(map: ReadonlyMap<string, number>): readonly [string, number][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}
