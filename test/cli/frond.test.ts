/** The verbs, as processes against the reference server. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Desk, referenceServer } from "./frond-helpers.ts";

test("without a server every verb that connects fails with one line", async (t) => {
  const desk = new Desk(t);
  const verbs = [
    ["pub", "a", "x"],
    ["sub", "a"],
    ["request", "a", "x"],
    ["reply", "a", "x"],
  ];
  const ended = await Promise.all(
    verbs.map((verb) => desk.run(["-s", "nats://127.0.0.1:1", ...verb])),
  );
  for (const { code, out, err } of ended) {
    assert.deepEqual(
      [code, out, err],
      [1, "", "frond: error: nats: no servers available for connection\n"],
    );
  }
});

test("help is an answer, a wrong flag is a failure", async (t) => {
  const desk = new Desk(t);
  const [bare, help, flag, verb] = await Promise.all([
    desk.run([]),
    desk.run(["pub", "--help"]),
    desk.run(["pub", "a", "x", "--bogus"]),
    desk.run(["nosuch"]),
  ]);
  assert.deepEqual([bare.code, help.code, flag.code, verb.code], [0, 0, 1, 1]);
  assert.match(bare.out, /publish\|pub[^]*subscribe\|sub/);
  assert.match(help.out, /Usage: frond publish\|pub[^]*\{\{Count\}\}/);
  assert.match(flag.err, /unknown option '--bogus'/);
  assert.match(verb.err, /expected command but got "nosuch"/);
});

test("a word too many is refused, not left out", async (t) => {
  const desk = new Desk(t);
  const calls = [
    ["pub", "subject", "two", "words"],
    ["request", "subject", "two", "words"],
    ["reply", "subject", "two", "words"],
    ["context", "ls", "word"],
    ["rtt", "1", "2"],
  ];
  const ended = await Promise.all(calls.map((args) => desk.run(args)));
  for (const { code, out, err } of ended) {
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /too many arguments/);
  }
});

test("help is a verb too", async (t) => {
  const desk = new Desk(t);
  const [help, pub] = await Promise.all([desk.run(["help"]), desk.run(["help", "pub"])]);
  assert.deepEqual([help.code, pub.code], [0, 0]);
  assert.match(help.out, /publish\|pub[^]*subscribe\|sub/);
  assert.match(pub.out, /Usage: frond publish\|pub/);
});

test("pub and sub carry bodies, headers, replies and templates", async (t) => {
  const binary = referenceServer(t);
  if (binary === undefined) return;
  const desk = new Desk(t);
  const NATS_URL = await desk.server(binary);
  const sub = desk.start(["sub", "a.>", "--count", "3"], { NATS_URL });
  const files = desk.start(["sub", "a.1", "--dump", "dump", "--count", "1", "--inbox"], {
    NATS_URL,
  });
  const raw = desk.start(["sub", "b", "--raw", "--count", "2", "--wait", "5s"], { NATS_URL });
  await Promise.all([sub.says("Subscribing"), files.says("Subscribing")]);
  const args = ["a.{{Count}}", "n {{Count}}", "-H", "K:v{{Count}}", "--reply", "r", "--count", "2"];
  assert.equal((await desk.run(["pub", ...args], { NATS_URL })).code, 0);
  assert.equal((await desk.run(["pub", "a.z", "-q"], { NATS_URL }, "")).err, "");
  const shown = (await sub.ended).out;
  assert.equal(
    shown,
    '[#1] Received on "a.1" with reply "r"\nK: v1\n\nn 1\n\n\n' +
      '[#2] Received on "a.2" with reply "r"\nK: v2\n\nn 2\n\n\n' +
      '[#3] Received on "a.z"\nnil body\n\n\n',
  );
  await files.ended;
  assert.equal(
    readFileSync(join(desk.home, "dump", "1.json"), "utf8"),
    '{"Subject":"a.1","Reply":"r","Header":{"K":["v1"]},"Data":"biAx","Sub":null}',
  );
  await desk.run(["pub", "b", "--send-on", "newline", "-q"], { NATS_URL }, "one\ntwo\n");
  assert.deepEqual(await raw.ended, { code: 0, out: "one\ntwo\n", err: "" });
});

test("request prints what reply says, and fails where nobody answers", async (t) => {
  const binary = referenceServer(t);
  if (binary === undefined) return;
  const desk = new Desk(t);
  const NATS_URL = await desk.server(binary);
  const reply = desk.start(
    ["reply", "w.*", "--command", "echo {{1}} {{.Request}}", "--count", "1"],
    { NATS_URL },
  );
  const silent = desk.start(["sub", "silent"], { NATS_URL });
  await Promise.all([reply.says("Listening"), silent.says("Subscribing")]);
  const [answer, nobody, late] = await Promise.all([
    desk.run(["request", "w.oslo", "rain", "--raw"], { NATS_URL }),
    desk.run(["request", "nobody", "x", "--raw"], { NATS_URL }),
    desk.run(["request", "silent", "x", "--timeout", "200ms"], { NATS_URL }),
  ]);
  assert.deepEqual([answer.code, answer.out.trim()], [0, "oslo rain"]);
  assert.deepEqual([nobody.code, nobody.out], [1, ""]);
  assert.match(nobody.err, /No responders are available/);
  assert.equal(late.code, 1);
  assert.match(late.err, /no reply within 200ms/);
  assert.equal((await reply.ended).code, 0);
});

test("who one is: password, token in its place, the context's, and a refusal in one line", async (t) => {
  const binary = referenceServer(t);
  if (binary === undefined) return;
  const desk = new Desk(t);
  const url = await desk.server(binary, ["--user", "u", "--pass", "p"]);
  await desk.run(["context", "add", "c", "-s", url, "--user", "u", "--password", "p", "--select"]);
  const [flags, env, selected, inUrl, wrong, none] = await Promise.all([
    desk.run(["-s", url, "--user", "u", "--password", "p", "pub", "a", "x"]),
    desk.run(["--no-context", "pub", "a", "x"], {
      NATS_URL: url,
      NATS_USER: "u",
      NATS_PASSWORD: "p",
    }),
    desk.run(["pub", "a", "x"]),
    desk.run(["--no-context", "-s", url.replace("//", "//u:p@"), "pub", "a", "x"]),
    desk.run(["-s", url, "--user", "u", "--password", "bad", "sub", "a"]),
    desk.run(["--no-context", "-s", url, "request", "a", "x"]),
  ]);
  assert.deepEqual([flags.code, env.code, selected.code, inUrl.code], [0, 0, 0, 0]);
  for (const refused of [wrong, none]) {
    assert.deepEqual([refused.code, refused.out], [1, ""]);
    assert.equal(refused.err, "frond: error: nats: Authorization Violation\n");
  }
});

test("rtt, check, bench and latency measure", async (t) => {
  const binary = referenceServer(t);
  if (binary === undefined) return;
  const desk = new Desk(t);
  const NATS_URL = await desk.server(binary);
  const [rtt, unreachable, check, slow, bench, latency] = await Promise.all([
    desk.run(["rtt", "2", "--json"], { NATS_URL }),
    desk.run(["-s", "nats://127.0.0.1:1", "rtt"]),
    desk.run(["server", "check", "connection"], { NATS_URL }),
    desk.run(["server", "check", "connection", "--rtt-critical", "1ns", "--format", "json"], {
      NATS_URL,
    }),
    desk.run(["bench", "pub", "b", "--msgs", "100", "--clients", "2", "--csv", "b.csv"], {
      NATS_URL,
    }),
    desk.run(["latency", "--server-b", NATS_URL, "--duration", "100ms", "--rate", "100"], {
      NATS_URL,
    }),
  ]);
  assert.match(rtt.out, new RegExp(`"url": "${NATS_URL}"[^]*"rtt": [1-9]`));
  assert.equal(unreachable.code, 1);
  assert.match(unreachable.out, /127\.0\.0\.1:1: failed/);
  assert.equal(check.code, 0);
  assert.match(
    check.out,
    /^OK Connection OK:connected.*\| connect_time=[\d.]+s;0\.5000;1\.0000 rtt=/,
  );
  assert.equal(slow.code, 2);
  assert.match(slow.out, /"status": "CRITICAL"/);
  assert.equal(bench.code, 0);
  assert.match(bench.out, /\[2\] [\d,]+ msgs\/sec[^]*aggregated stats/);
  assert.equal(readFileSync(join(desk.home, "b.csv"), "utf8").trim().split("\n").length, 3);
  assert.match(latency.err, /99\.9: [^]*Maximum Latency/);
});

test("an interrupted sub ends at once with what it has shown", async (t) => {
  const binary = referenceServer(t);
  if (binary === undefined) return;
  const desk = new Desk(t);
  const NATS_URL = await desk.server(binary);
  const sub = desk.start(["sub", "a", "--raw", "--inbox"], { NATS_URL });
  await sub.says("Subscribing");
  await desk.run(["pub", "a", "seen", "-q"], { NATS_URL });
  await sub.says("seen");
  sub.signal("SIGINT");
  assert.equal((await sub.ended).out, "seen\n");
});
