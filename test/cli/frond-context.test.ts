/** Contexts: files in the form the `nats` command reads and writes. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Desk } from "./frond-helpers.ts";

const KEYS = [
  "description",
  "url",
  "socks_proxy",
  "token",
  "user",
  "password",
  "creds",
  "nkey",
  "cert",
  "key",
  "ca",
  "nsc",
  "jetstream_domain",
  "jetstream_api_prefix",
  "jetstream_event_prefix",
  "inbox_prefix",
  "user_jwt",
  "user_seed",
  "color_scheme",
  "tls_first",
  "windows_cert_store",
  "windows_cert_match_by",
  "windows_cert_match",
  "windows_ca_certs_match",
];

test("a context is saved with every key, for its owner only, and shown without its password", async (t) => {
  const desk = new Desk(t);
  const shown = await desk.run([
    "context",
    "add",
    "one",
    "-s",
    "nats://h:1",
    "--user",
    "me",
    "--password",
    "sEcReT",
    "--description",
    "a & b",
  ]);
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /NATS Configuration Context "one"/);
  assert.match(shown.out, /Server URLs: nats:\/\/h:1/);
  assert.ok(!shown.out.includes("sEcReT"));
  const path = join(desk.home, "config", "nats", "context", "one.json");
  const saved: unknown = JSON.parse(readFileSync(path, "utf8"));
  assert.ok(typeof saved === "object" && saved !== null);
  assert.deepEqual(Object.keys(saved), KEYS);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const json: unknown = JSON.parse((await desk.run(["context", "show", "one", "--json"])).out);
  assert.ok(typeof json === "object" && json !== null && "name" in json);
  assert.equal(json.name, "one");
});

test("selecting remembers the context before, and unselecting forgets the choice", async (t) => {
  const desk = new Desk(t);
  const chosen = (): string =>
    readFileSync(join(desk.home, "config", "nats", "context.txt"), "utf8");
  await desk.run(["context", "add", "a", "--select"]);
  assert.equal(chosen(), "a");
  await desk.run(["context", "copy", "a", "b", "--select"]);
  assert.equal(chosen(), "b");
  await desk.run(["context", "previous"]);
  assert.equal(chosen(), "a");
  assert.equal((await desk.run(["context", "ls", "--names"])).out, "a\nb\n");
  assert.match((await desk.run(["context", "ls"])).out, /a\*/);
  assert.equal((await desk.run(["context", "unselect"])).out, 'Unselected the "a" context\n');
  assert.equal((await desk.run(["context", "rm", "a", "-f"])).code, 0);
  assert.equal((await desk.run(["context", "ls", "--names"])).out, "b\n");
});

test("what cannot be done with a context is said and fails", async (t) => {
  const desk = new Desk(t);
  await desk.run(["context", "add", "a"]);
  const rows: [args: string[], error: RegExp][] = [
    [["show", "nope"], /context not found: "nope"/],
    [["select", "nope"], /context not found: "nope"/],
    [["copy", "nope", "b"], /unknown context "nope"/],
    [["copy", "a", "a"], /context "a" already exist/],
    [["add", "a/b"], /invalid context name/],
    [
      ["add", "x", "--user", "u", "--password", "p", "--creds", "c"],
      /too many types of credentials/,
    ],
    [["show"], /no default context/],
    [["rm", "a"], /without a terminal/],
  ];
  const ended = await Promise.all(rows.map(([args]) => desk.run(["context", ...args])));
  rows.forEach(([args, error], i) => {
    assert.equal(ended[i]?.code, 1, args.join(" "));
    assert.match(ended[i]?.err ?? "", error);
  });
});

test("a key of tomorrow survives a change of today", async (t) => {
  const desk = new Desk(t);
  const directory = join(desk.home, "config", "nats", "context");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "hand.json"), '{"url":"nats://h:1","new_key":[1,2]}');
  await desk.run(["context", "add", "hand", "--description", "changed"]);
  const saved: unknown = JSON.parse(readFileSync(join(directory, "hand.json"), "utf8"));
  assert.ok(
    typeof saved === "object" && saved !== null && "new_key" in saved && "description" in saved,
  );
  assert.deepEqual([saved.new_key, saved.description], [[1, 2], "changed"]);
});

test("a context is edited in the user's editor, and kept only if it still is one", async (t) => {
  const desk = new Desk(t);
  const script = (name: string, text: string): string => {
    const path = join(desk.home, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return path;
  };
  const stored = (): { url: string } => {
    const path = join(desk.home, "config", "nats", "context", "one.json");
    return JSON.parse(readFileSync(path, "utf8")) as { url: string };
  };
  await desk.run(["context", "add", "one", "-s", "nats://before:1"]);
  const edit = (EDITOR: string) => desk.run(["context", "edit", "one"], { EDITOR });
  const changed = await edit(script("good.sh", 'sed -i s/before/after/ "$1"'));
  assert.equal(changed.code, 0);
  assert.match(changed.out, /nats:\/\/after:1/);
  assert.equal(stored().url, "nats://after:1");
  for (const [editor, says] of [
    [script("bad.sh", 'echo garbage > "$1"'), /is not JSON/],
    [script("fails.sh", "exit 3"), /could not edit file .*: exit status 3/],
    ["", /set EDITOR environment variable/],
  ] as const) {
    const refused = await edit(editor);
    assert.equal(refused.code, 1);
    assert.match(refused.err, says);
    assert.equal(stored().url, "nats://after:1");
  }
});
