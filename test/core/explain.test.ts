import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, type Verdict } from "../../src/core/index.ts";
import { linkPair, Simulation, type LinkPair, type SimServer } from "../../src/testing/index.ts";

/** Rules that stop `subject` on the first link of a server's account, by direction. */
function rules(
  server: SimServer,
  subject: string,
  account = "$G",
): { out: string[]; in: string[] } {
  const [found] = explain(server.engine.account(account), subject);
  if (found === undefined) throw new Error("no link");
  const names = (verdict: Verdict): string[] => {
    assert.equal(verdict.crosses, verdict.reasons.length === 0);
    return verdict.reasons.map((reason) =>
      reason.entry === "" ? reason.rule : `${reason.rule} ${reason.entry}`,
    );
  };
  return { out: names(found.out), in: names(found.in) };
}

function subscribe(pair: LinkPair, on: SimServer, subject: string, queue = ""): void {
  pair.sim.client(on).subscribe(subject, queue);
  pair.sim.settle();
}

const allow = (...subjects: string[]) => ({ allow: subjects, deny: [] });

test("a message crosses where someone asked for it, and is stopped by missing interest elsewhere", () => {
  const pair = linkPair();
  assert.deepEqual(rules(pair.leaf, "a.b"), { out: ["no-interest"], in: ["no-interest"] });
  subscribe(pair, pair.hub, "a.*");
  assert.deepEqual(rules(pair.leaf, "a.b"), { out: [], in: ["echo"] });
  assert.deepEqual(rules(pair.hub, "a.b"), { out: ["no-interest"], in: [] });
  const [found] = explain(pair.leaf.engine.global, "c");
  assert.equal(
    found?.out.reasons[0]?.text,
    '"hub" has not asked for it: no subscription there covers "c"',
  );
});

test("the remote's own lists are named with their entry", () => {
  const pair = linkPair({
    remote: {
      denyExports: ["secret.>"],
      denyImports: ["noise.*"],
      allowImports: ["in.>", "noise.>"],
    },
  });
  subscribe(pair, pair.hub, ">");
  subscribe(pair, pair.leaf, ">");
  assert.deepEqual(rules(pair.leaf, "secret.key").out, ["deny_exports secret.>"]);
  assert.deepEqual(rules(pair.leaf, "noise.x").in, ["deny_imports noise.*"]);
  assert.deepEqual(rules(pair.leaf, "other").in, ["allow_imports"]);
  assert.deepEqual(rules(pair.leaf, "in.x"), { out: [], in: [] });
  // The hub was told of deny_imports in CONNECT.
  assert.deepEqual(rules(pair.hub, "noise.x").out, ["deny_imports noise.*"]);
});

test("permissions of the hub's user are named on both ends", () => {
  const permissions = {
    publish: allow("up.>"),
    subscribe: { allow: null, deny: ["down.x"] },
    responses: null,
  };
  const pair = linkPair({
    hub: { users: { "": { account: "$G" }, edge: { account: "$G", permissions } } },
    remote: { user: "edge" },
  });
  subscribe(pair, pair.hub, ">");
  subscribe(pair, pair.leaf, ">");
  assert.deepEqual(rules(pair.hub, "down.x").out, ["subscribe down.x"]);
  assert.deepEqual(rules(pair.hub, "else.x").in, ["publish"]);
  const [found] = explain(pair.hub.engine.global, "down.x");
  assert.deepEqual(found?.out.reasons[0]?.source, { kind: "user", label: "user:edge" });
  assert.deepEqual(rules(pair.leaf, "down.x").in, ["import down.x"]);
  assert.deepEqual(rules(pair.leaf, "else.x").out, ["export"]);
  assert.deepEqual(rules(pair.leaf, "up.x"), { out: [], in: [] });
});

test("JetStream's API stays in its domain", () => {
  const pair = linkPair();
  subscribe(pair, pair.hub, ">");
  subscribe(pair, pair.leaf, ">");
  assert.deepEqual(rules(pair.leaf, "$JS.API.INFO"), {
    out: ["jetstream-domain $JS.API.>"],
    in: ["jetstream-domain $JS.API.>"],
  });
});

test("a queue group with a member here keeps its messages here", () => {
  const pair = linkPair();
  subscribe(pair, pair.hub, "work", "q");
  assert.deepEqual(rules(pair.leaf, "work").out, []);
  subscribe(pair, pair.leaf, "work", "q");
  assert.deepEqual(rules(pair.leaf, "work").out, ["queue-group"]);
});

test("isolation, interest of the link itself and of another hub are told apart", () => {
  const sim = new Simulation();
  const hub = sim.server("hub", { leaf: { isolated: true } });
  const one = sim.server("one");
  const two = sim.server("two");
  sim.remote(one, hub);
  sim.remote(two, hub);
  sim.settle();
  sim.client(one).subscribe("a");
  sim.settle();
  const found = explain(hub.engine.global, "a");
  const of = (name: string) => found.find(({ link }) => link.leaf?.remoteServer === name);
  assert.deepEqual(
    of("one")?.in.reasons.map(({ rule }) => rule),
    ["echo"],
  );
  assert.deepEqual(
    of("two")?.in.reasons.map(({ rule }) => rule),
    ["isolation"],
  );
  assert.equal(of("one")?.out.crosses, true);
});

test("interest from one hub is not told to another", () => {
  const sim = new Simulation();
  const leaf = sim.server("leaf");
  const hubs = ["north", "south"].map((name) => sim.server(name));
  for (const hub of hubs) sim.remote(leaf, hub);
  sim.settle();
  sim.client(hubs[0] as SimServer).subscribe("a");
  sim.settle();
  const south = explain(leaf.engine.global, "a").find(
    ({ link }) => link.leaf?.remoteServer === "south",
  );
  assert.deepEqual(
    south?.in.reasons.map(({ rule }) => rule),
    ["hub-interest"],
  );
});

test("a wildcard that only overlaps the allowed subjects is not announced, and explained as such", () => {
  const pair = linkPair({ remote: { allowImports: ["foo.*"] } });
  subscribe(pair, pair.leaf, "*.bar");
  const [found] = explain(pair.leaf.engine.global, "foo.bar");
  assert.equal(found?.in.crosses, false);
});

test("a refused message is logged once a subject, with the rule", () => {
  const pair = linkPair({ remote: { denyExports: ["secret.>"] } });
  subscribe(pair, pair.hub, ">");
  const client = pair.sim.client(pair.leaf);
  for (let i = 0; i < 3; i++) client.publish("secret.key", "x");
  pair.sim.settle();
  const lines = pair.leaf.lines.filter(({ level }) => level === "warn").map(({ text }) => text);
  assert.deepEqual(lines, [
    '"secret.key" is not sent to "hub": deny_exports of the remote holds "secret.>"',
  ]);
  const [link] = pair.leaf.engine.global.leaves;
  assert.equal(link?.leaf?.refusedOut, 3);
});

test("subjects of refusals are bounded, and JetStream's border is told once", () => {
  const pair = linkPair({ remote: { denyExports: ["secret.>"] } });
  subscribe(pair, pair.hub, ">");
  const client = pair.sim.client(pair.leaf);
  for (let i = 0; i < 200; i++) client.publish(`secret.${i}`, "x");
  for (const name of ["INFO", "STREAM.LIST"]) client.publish(`$JS.API.${name}`, "x");
  pair.sim.settle();
  const about = (level: string) => pair.leaf.lines.filter((line) => line.level === level);
  assert.equal(about("warn").length, 66);
  assert.equal(about("warn").at(-1)?.text, "More subjects like this follow, which are not logged");
  const border = about("notice").filter(({ text }) =>
    text.includes("stays in its JetStream domain"),
  );
  assert.equal(border.length, 1);
});
