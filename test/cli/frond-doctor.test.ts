/** `frond doctor` and `frond explain`: what they find, where, and how they end. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { examine } from "../../src/cli/frond/doctor-examine.ts";
import { startServer } from "../../src/server/index.ts";
import { Desk } from "./frond-helpers.ts";

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "frond-doctor-"));
  t.after(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** What is found in a text: severity, line, problem. */
function found(t: TestContext, text: string): (readonly [string, number, string])[] {
  const file = join(directory(t), "a.conf");
  writeFileSync(file, text);
  return examine([file]).map(
    ({ severity, place, problem }) => [severity, place?.line ?? 0, problem] as const,
  );
}

/** The severity and line of the finding whose problem matches; undefined if there is none. */
function one(t: TestContext, text: string, problem: RegExp): readonly [string, number] | undefined {
  const finding = found(t, text).find((entry) => problem.test(entry[2]));
  return finding && [finding[0], finding[1]];
}

const remote = (body: string, rest = ""): string =>
  `server_name: edge-7
listen: "127.0.0.1:4222"
${rest}
leafnodes {
  remotes: [
    { ${body} }
  ]
}
`;

/** A remote nothing can be said against. */
const SOUND = remote('url: "tls://hub.example:7422", tls { }', 'default_js_domain { "$G": "hub" }');

test("a sound configuration has no findings", (t) => {
  assert.deepEqual(found(t, SOUND), []);
});

test("a misspelt block is explained", (t) => {
  const file = join(directory(t), "a.conf");
  writeFileSync(file, "leafnode { port: 7422 }\n");
  const [finding] = examine([file]);
  assert.deepEqual([finding?.severity, finding?.fix], ["error", "write leafnodes"]);
});

test("addresses of remotes that cannot be right", (t) => {
  const cases: readonly (readonly [string, RegExp, string])[] = [
    ['url: "ws://hub.example"', /without a port means port 7422/, "error"],
    ['url: "ws://hub.example/leafnode"', /without a port means port 7422/, "error"],
    ['url: "nats://hub.example:4222"', /4222 is a client port/, "warning"],
    ['url: "nats://127.0.0.1:4222"', /4222 is a client port/, "error"],
    ['url: "nats-laef://hub.example"', /scheme nats-laef:\/\/ is taken for plain TCP/, "warning"],
    ['urls: ["ws://h:80", "nats://h:7422"]', /WebSocket and TCP URLs/, "warning"],
    ['url: "tls://alice@hub.example"', /name without a password/, "warning"],
    ['url: "nats://a:b@hub.example"', /may cross the network in clear/, "warning"],
    ['url: "tls://a:p^b@hub.example", tls { }', /characters that nats-server refuses/, "warning"],
    ['url: "tls://hub.example"', /trusts the system's authorities alone/, "note"],
    ['url: "tls://hub.example", tls { insecure: true }', /are not verified/, "warning"],
    ['url: "wss://h:443", tls { }, ws_compression: true', /compressed twice/, "warning"],
    ["urls: []", /has no URL/, "error"],
  ];
  for (const [body, problem, severity] of cases) {
    assert.equal(one(t, remote(body), problem)?.[0], severity, body);
    assert.equal(one(t, SOUND, problem), undefined, body);
  }
});

test("a remote to the server's own leaf listener", (t) => {
  const text = `leafnodes { listen: "127.0.0.1:7422", remotes: [ { url: "nats://localhost:7422" } ] }`;
  assert.equal(one(t, text, /own leaf listener/)?.[0], "error");
});

test("the account of a remote among several, and two remotes to one hub", (t) => {
  const accounts = "accounts { A { users: [ {user: a, password: b} ] } }";
  const url = 'url: "tls://h:7422"';
  assert.deepEqual(one(t, remote(url, accounts), /joins \$G/), ["error", 6]);
  const shared = `${accounts}\nauthorization { users: [ {user: g, password: g} ] }`;
  assert.equal(one(t, remote(url, shared), /joins \$G/)?.[0], "warning");
  assert.equal(one(t, remote(`${url}, account: A`, accounts), /joins \$G/), undefined);
  const twice = remote(`${url}, required: true }, { url: "tls://u:p@h:7422"`);
  assert.equal(one(t, twice, /joins h:7422 twice/)?.[0], "error");
  assert.deepEqual(one(t, remote(url, accounts), /password in plain text/), ["note", 3]);
});

test("lists that hold back more than they say", (t) => {
  const url = 'url: "tls://h:7422"';
  assert.equal(
    one(t, remote(`${url}, deny_imports: "$JS.>"`), /overlaps JetStream's \$JS.API.>/)?.[0],
    "warning",
  );
  assert.equal(one(t, remote(`${url}, deny_exports: ">"`), /overlaps replies/)?.[0], "warning");
  assert.equal(one(t, remote(`${url}, deny_exports: "secret.>"`), /overlaps/), undefined);
  assert.equal(
    one(t, remote(`${url}, allow_imports: "a.>"`), /no entry for replies/)?.[0],
    "warning",
  );
  const both = '["a.>", "_INBOX.>"]';
  assert.equal(one(t, remote(`${url}, allow_imports: ${both}`), /no entry for replies/), undefined);
  assert.equal(one(t, remote(url), /default_js_domain has no entry for account \$G/)?.[0], "note");
});

test("leaf listeners that are open, or tell the wrong address", (t) => {
  const open = 'leafnodes { listen: "0.0.0.0:7422" }';
  assert.equal(one(t, open, /anyone may join as a leaf/)?.[0], "warning");
  assert.equal(one(t, 'leafnodes { listen: "127.0.0.1:7422" }', /anyone may join/), undefined);
  const guarded = 'leafnodes { listen: "0.0.0.0:7422", authorization { user: a, password: b } }';
  assert.equal(one(t, guarded, /anyone may join/), undefined);
  assert.equal(one(t, open, /this machine's own address/)?.[0], "note");
  assert.equal(
    one(t, "leafnodes { port: 7422, no_advertise: true }", /nats-server 2\.9/)?.[0],
    "warning",
  );
  const named = "accounts { A { users: [ {user: a, password: b} ] } }\nleafnodes { port: 7422 }";
  assert.equal(one(t, named, /users stand only under accounts/)?.[0], "note");
});

test("credentials files: missing, open to all, malformed, expired", (t) => {
  const file = join(directory(t), "x.creds");
  const text = remote(`url: "tls://h:7422", credentials: "${file}"`);
  assert.equal(one(t, text, /cannot be read/)?.[0], "error");
  writeFileSync(file, "hello\n", { mode: 0o644 });
  assert.equal(one(t, text, /not a credentials file: it has no JWT/)?.[0], "error");
  assert.equal(one(t, text, /read by other users/)?.[0], "warning");
  chmodSync(file, 0o600);
  assert.equal(one(t, text, /read by other users/), undefined);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const creds = (exp: number, type: string): string =>
    `-----BEGIN NATS USER JWT-----\n${part({})}.${part({ exp, nats: { type } })}.sig\n------END NATS USER JWT------\n\n` +
    `-----BEGIN USER NKEY SEED-----\nSU${"A".repeat(56)}\n------END USER NKEY SEED------\n`;
  writeFileSync(file, creds(1, "user"));
  assert.equal(one(t, text, /expired at 1970/)?.[0], "error");
  writeFileSync(file, creds(Date.now() / 1000 + 86_400, "user"));
  assert.equal(one(t, text, /expires at/)?.[0], "warning");
  writeFileSync(file, creds(0, "account"));
  assert.equal(one(t, text, /not that of a user/)?.[0], "error");
  writeFileSync(file, creds(0, "user"));
  assert.equal(one(t, text, /creds/), undefined);
});

test("two configurations that are to be joined", (t) => {
  const path = directory(t);
  const [hub, leaf] = [join(path, "hub.conf"), join(path, "leaf.conf")];
  writeFileSync(
    hub,
    'server_name: same\nmax_payload: 100\ncluster { name: c }\nleafnodes { listen: "127.0.0.1:1" }',
  );
  writeFileSync(leaf, "server_name: same\ncluster { name: c }\n");
  const problems = examine([hub, leaf]).map(({ severity, problem }) => `${severity} ${problem}`);
  assert.deepEqual(
    problems.map((text) => text.replaceAll(path, "")),
    [
      'error /hub.conf has the same server_name "same"',
      'error /hub.conf has the same cluster name "c"',
      "warning max_payload is 1048576 here and 100 in /hub.conf",
    ],
  );
});

test("the command prints where, why and what to do, and fails for errors alone", async (t) => {
  const desk = new Desk(t);
  writeFileSync(
    join(desk.home, "bad.conf"),
    remote('url: "ws://h", tls { }', 'default_js_domain { "$G": d }'),
  );
  writeFileSync(join(desk.home, "note.conf"), remote('url: "tls://h", tls { }'));
  const [bad, note, quiet, json, missing] = await Promise.all([
    desk.run(["doctor", "-c", "bad.conf"]),
    desk.run(["doctor", "-c", "note.conf"]),
    desk.run(["doctor", "-q", "-c", "note.conf"]),
    desk.run(["doctor", "-j", "-c", "note.conf"]),
    desk.run(["doctor", "-c", "none.conf"]),
  ]);
  assert.equal(bad.code, 1);
  assert.match(bad.out, /^bad\.conf:6:7: error: ws:\/\/ without a port/);
  assert.match(bad.out, /\n {4}why: .*\n {4}do: {2}write the port: ws:\/\/h:80\n/);
  assert.match(bad.out, /bad\.conf: 1 error, 0 warnings, 0 notes\n$/);
  assert.equal(note.code, 0);
  assert.equal(quiet.out, "note.conf: nothing found\n");
  assert.match(json.out, /"severity": "note"/);
  assert.equal(missing.err, "frond: error: open none.conf: no such file or directory\n");
});

test("explain asks a server over HTTP and names the rule with its line", async (t) => {
  const hub = await startServer({ serverName: "hub", leafnodes: { host: "127.0.0.1", port: -1 } });
  t.after(() => hub.stop());
  const desk = new Desk(t);
  const file = join(desk.home, "leaf.conf");
  writeFileSync(
    file,
    `server_name: leaf
listen: "127.0.0.1:-1"
http: "127.0.0.1:-1"
leafnodes { remotes: [
  { url: "${hub.leafUrl}"
    required: true
    deny_exports: ["secret.>"] }
] }
`,
  );
  const leaf = await startServer({ configFile: file });
  t.after(() => leaf.stop());
  await leaf.ready({ links: true });
  const client = await hub.connect();
  client.subscribe("a.>");
  await client.flush();
  const [monitor = ""] = leaf.inner.ports().monitoring;
  const explain = (...args: string[]) => desk.run(["--server", monitor, "explain", ...args]);
  const secret = await explain("secret.key", "--account", "$G");
  assert.equal(secret.code, 1);
  assert.match(
    secret.out,
    /^"secret\.key" in account \$G at leaf\n\nhub \(nats:.*: remote 1, up\n/,
  );
  assert.match(
    secret.out,
    /published here {3}stopped\n {4}deny_exports: deny_exports of the remote holds "secret\.>" {2}\S+leaf\.conf:7:21\n/,
  );
  const fine = await explain("a.b");
  assert.deepEqual([fine.code, /published here {3}crosses/.test(fine.out)], [0, true]);
  const json = await explain("-j", "a.b");
  assert.equal((JSON.parse(json.out) as { subject: string }).subject, "a.b");
  const [wild, nobody] = await Promise.all([explain("a.*"), explain("a", "-A", "NONE")]);
  assert.match(wild.err, /"a\.\*" is no subject that can be published to/);
  assert.match(nobody.out, /There is no account NONE/);
  await client.close();
});
