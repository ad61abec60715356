/** `frond-server` as others meet it: output, exit codes, signals, files. */
import assert from "node:assert/strict";
import {
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { ServerProcess, directory, run, until } from "./server-process.ts";

const LOCAL = ["-a", "127.0.0.1", "-p", "-1"];

/** Command lines that end at once. */
const ENDS: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly out?: RegExp;
  readonly err?: RegExp;
}[] = [
  {
    name: "-v",
    args: ["-v"],
    code: 0,
    out: /^nats-server: v2\.15\.2\nfrond-server: v\d+\.\d+\.\d+\n$/,
  },
  { name: "--version", args: ["--version"], code: 0, out: /^nats-server: v2/ },
  { name: "the word version", args: ["Version"], code: 0, out: /^nats-server: v2/ },
  { name: "-h", args: ["-h"], code: 0, out: /Usage: frond-server/ },
  { name: "the word help", args: ["HELP"], code: 0, out: /Usage: frond-server/ },
  { name: "--help_tls", args: ["--help_tls"], code: 0, out: /TLS_AES_128_GCM_SHA256[^]*CurveP256/ },
  {
    name: "an unknown word",
    args: ["-D", "go"],
    code: 1,
    err: /^nats-server: unrecognized command: "go"\n$/,
  },
  {
    name: "an unknown flag",
    args: ["--wibble"],
    code: 0,
    out: /Usage: frond-server/,
    err: /^flag provided but not defined: -wibble\n$/,
  },
  {
    name: "-t without a file",
    args: ["-t"],
    code: 1,
    err: /^nats-server: must specify \[-c, --config\] option to check configuration file syntax\n$/,
  },
  {
    name: "no such file",
    args: ["-c", "no.conf"],
    code: 1,
    err: /^nats-server: open no\.conf: no such file or directory\n$/,
  },
  {
    name: "half of --tls",
    args: ["--tls"],
    code: 1,
    err: /^nats-server: TLS Server certificate must be/,
  },
  {
    name: "a log file that cannot be",
    args: ["-l", "/nonexistent/x.log"],
    code: 1,
    err: /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d error opening file: open \/nonexistent\/x\.log: no such file or directory\n$/,
  },
  {
    name: "a pid file that cannot be",
    args: [...LOCAL, "-P", "/nonexistent/x.pid"],
    code: 1,
    err: /\[FTL\] Could not write pidfile: open \/nonexistent\/x\.pid: no such file or directory\n$/,
  },
  {
    name: "an unknown signal",
    args: ["-sl", "go=999999"],
    code: 1,
    err: /^nats-server: unknown signal "go"\n$/,
  },
  {
    name: "too much of a signal",
    args: ["-sl", "quit=1=2"],
    code: 1,
    err: /^nats-server: invalid signal parameters: \[2\]\n$/,
  },
  { name: "no pid", args: ["-sl", "quit=abc"], code: 1, err: /^nats-server: invalid pid: abc\n$/ },
  {
    name: "a group of processes",
    args: ["-sl", "quit=-1"],
    code: 1,
    err: /^nats-server: invalid pid: -1\n$/,
  },
  {
    name: "a process that is gone",
    args: ["-sl", "quit=99999999"],
    code: 1,
    err: /^nats-server: \nsignal "quit" 99999999: no such process\n$/,
  },
];

for (const { name, args, code, out = /^$/, err = /^$/ } of ENDS) {
  test(`${name} ends with ${code}`, () => {
    const outcome = run(args);
    assert.match(outcome.err, err);
    assert.match(outcome.out, out);
    assert.equal(outcome.code, code);
  });
}

/** What `-t` says. */
const CHECKS: readonly (readonly [string, string, number, RegExp])[] = [
  [
    "a valid file",
    "{ port: 4222 }",
    0,
    /^nats-server: configuration file t\.conf is valid \(sha256:797533eb[0-9a-f]{56}\)\n$/,
  ],
  [
    "an unknown field",
    "port: 1\n  wibble: 1\n",
    1,
    /^nats-server: t\.conf:2:3: unknown field "wibble"\n$/,
  ],
  ["an empty file", "", 1, /^nats-server: t\.conf: config has no values or is empty\n$/],
  ["what only a start refuses", "max_payload: 100\nmax_pending: 10", 0, /is valid/],
];

for (const [name, config, code, err] of CHECKS) {
  test(`-t: ${name}`, (t) => {
    const dir = directory(t);
    writeFileSync(join(dir, "t.conf"), config);
    const outcome = run(["-t", "-c", "t.conf"], dir);
    assert.match(outcome.err, err);
    assert.equal(outcome.code, code);
  });
}

test("the first lines come in order", async (t) => {
  const config =
    "authorization { user: u, password: p }\nfeature_flags { js_ack_fc_v2: true, z: true }";
  const server = ServerProcess.start(t, [...LOCAL, "-n", "me", "-T=false"], config);
  await server.ready();
  const expected = [
    /^\[\d+\] \[INF\] Starting nats-server$/,
    /\[INF\] {3}Version: {2}2\.15\.2$/,
    /\[INF\] {3}Git: {6}\[not set\]$/,
    /\[INF\] {3}Frond: {4}\d+\.\d+\.\d+$/,
    /\[INF\] {3}Name: {5}me$/,
    /\[INF\] {3}ID: {7}N[A-Z2-7]{55}$/,
    /\[INF\] {3}Feature flags:$/,
    /\[INF\] {5}Configured: {4}js_ack_fc_v2 \(opt-in\)$/,
    /\[INF\] {5}Unsupported: {3}z$/,
    /\[WRN\] Plaintext passwords detected, use nkeys or bcrypt$/,
    /\[INF\] Using configuration file: server\.conf \(sha256:[0-9a-f]{64}\)$/,
    /\[INF\] Listening for client connections on 127\.0\.0\.1:\d+$/,
    /\[INF\] Server is ready$/,
  ];
  const lines = server.text.trim().split("\n");
  for (const [i, pattern] of expected.entries()) assert.match(lines[i] ?? "", pattern);
});

for (const [signal, name] of [
  ["SIGINT", "interrupt"],
  ["SIGTERM", "terminated"],
] as const) {
  test(`${signal} ends the server in order`, async (t) => {
    const server = ServerProcess.start(t, LOCAL);
    await server.ready();
    server.signal(signal);
    assert.equal(await server.exited(), 0);
    const end = server.text.slice(server.text.indexOf("Trapped"));
    assert.match(
      end,
      new RegExp(
        `^Trapped "${name}" signal\n.*Initiating Shutdown\\.\\.\\.\n[^]*Server Exiting\\.\\.\n$`,
      ),
    );
  });
}

test("lame duck mode ends the process", async (t) => {
  const server = ServerProcess.start(t, LOCAL);
  await server.ready();
  server.signal("SIGUSR2");
  assert.equal(await server.exited(), 0);
  assert.match(server.text, /Trapped "user defined signal 2" signal\n.*Entering lame duck mode/);
});

test("SIGTERM does not cut lame duck mode short, SIGINT does", async (t) => {
  const server = ServerProcess.start(t, LOCAL);
  await server.ready();
  const [, port] = await server.logged(/client connections on 127\.0\.0\.1:(\d+)/);
  const socket = connect(Number(port), "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("data", resolve));
  server.signal("SIGUSR2");
  await server.logged(/Entering lame duck mode/);
  server.signal("SIGTERM");
  await server.logged(/Trapped "terminated" signal/);
  assert.doesNotMatch(server.text, /Initiating Shutdown/);
  server.signal("SIGINT");
  assert.equal(await server.exited(), 0);
});

test("SIGHUP reads the file again, and flags still win", async (t) => {
  const server = ServerProcess.start(
    t,
    [...LOCAL, "-n", "flag"],
    "port: 1\nserver_name: file\nmax_payload: 100",
  );
  await server.ready();
  server.configure("port: 2\nserver_name: other\nmax_payload: 200");
  server.signal("SIGHUP");
  await server.logged(
    /Reloaded: max_payload = 200\n[^]*Reloaded server configuration \(sha256:[0-9a-f]{64}\)\n/,
  );
});

test("a reload that is refused changes nothing, not even the log", async (t) => {
  const server = ServerProcess.start(t, LOCAL, "server_name: a\ndebug: false");
  await server.ready();
  server.configure("server_name: b\ndebug: true\nlog_file: moved.log");
  server.signal("SIGHUP");
  await server.logged(
    /\[ERR\] Failed to reload server configuration: config reload not supported for ServerName: old=a, new=b/,
  );
  server.configure("wibble: 1");
  server.signal("SIGHUP");
  await server.logged(
    /\[ERR\] Failed to reload server configuration: server\.conf:1:0: unknown field "wibble"/,
  );
  assert.doesNotMatch(server.text, /\[DBG\]/);
});

test("a reload moves the log to a file", async (t) => {
  const server = ServerProcess.start(t, LOCAL, "logtime: true");
  await server.ready();
  server.configure("log_file: server.log");
  server.signal("SIGHUP");
  await server.logged(/Reloaded server configuration/, "server.log");
});

test("without a file there is nothing to reload", async (t) => {
  const server = ServerProcess.start(t, LOCAL);
  await server.ready();
  server.signal("SIGHUP");
  await server.logged(
    /\[ERR\] Failed to reload server configuration: can only reload config when a file is provided using -c or --config/,
  );
});

test("SIGUSR1 opens the log file anew", async (t) => {
  const server = ServerProcess.start(t, [...LOCAL, "-l", "server.log"]);
  await server.ready("server.log");
  renameSync(server.path("server.log"), server.path("old.log"));
  server.signal("SIGUSR1");
  await server.logged(/\[INF\] File log re-opened/, "server.log");
  assert.match(server.read("old.log"), /Trapped "user defined signal 1" signal\n$/);
  assert.equal(statSync(server.path("server.log")).mode & 0o777 & ~0o640, 0);
});

test("SIGUSR1 without a log file is ignored", async (t) => {
  const server = ServerProcess.start(t, LOCAL);
  await server.ready();
  server.signal("SIGUSR1");
  await server.logged(/File log re-open ignored, not a file logger/);
});

test("the log file rotates", async (t) => {
  const server = ServerProcess.start(
    t,
    LOCAL,
    "log_file: x.log\nlog_size_limit: 300\nlog_max_num: 2",
  );
  await until(
    "one backup",
    () => readdirSync(server.dir).filter((f) => f.startsWith("x.log.")).length === 1,
  );
  assert.match(server.read("x.log"), /Rotated log, backup saved as "x\.log\./);
});

test("the pid file holds the process id, and stays", async (t) => {
  const server = ServerProcess.start(t, [...LOCAL, "-P", "server.pid"]);
  await server.ready();
  assert.equal(server.read("server.pid"), String(server.pid));
  assert.equal(statSync(server.path("server.pid")).mode & 0o777, 0o600);
  server.signal("SIGINT");
  await server.exited();
  assert.ok(existsSync(server.path("server.pid")));
});

test("--signal finds a server by its pid file", async (t) => {
  const server = ServerProcess.start(t, [...LOCAL, "-P", "server.pid"]);
  await server.ready();
  assert.deepEqual(run(["--signal", "reopen=server.pid"], server.dir), {
    code: 0,
    out: "",
    err: "",
  });
  await server.logged(/Trapped "user defined signal 1" signal/);
  // Written by hand, with a line end.
  writeFileSync(server.path("server.pid"), `${server.pid}\n`);
  assert.equal(run(["-sl", "quit=server.pid"], server.dir).code, 0);
  assert.equal(await server.exited(), 0);
});

test("the ports file names the listeners while they are open", async (t) => {
  const server = ServerProcess.start(t, [...LOCAL, "--ports_file_dir", "."]);
  await server.ready();
  const path = server.path(`frond-server_${server.pid}.ports`);
  const text = await until("the ports file", () => existsSync(path) && readFileSync(path, "utf8"));
  const [, port] = await server.logged(/client connections on 127\.0\.0\.1:(\d+)/);
  assert.deepEqual(JSON.parse(text), { nats: [`nats://127.0.0.1:${port}`] });
  server.signal("SIGTERM");
  await server.exited();
  assert.ok(!existsSync(path));
});

test("a ports file that cannot be written is no reason to stop", async (t) => {
  const server = ServerProcess.start(t, [...LOCAL, "--ports_file_dir", "/nonexistent"]);
  await server.logged(
    /\[ERR\] Error writing ports file \(\/nonexistent\/frond-server_\d+\.ports\): open \/nonexistent\/\S+: no such file or directory/,
  );
});

test("a port in use is fatal", async (t) => {
  const first = ServerProcess.start(t, LOCAL);
  await first.ready();
  const [, port = ""] = await first.logged(/client connections on 127\.0\.0\.1:(\d+)/);
  const { code, err } = run(["-a", "127.0.0.1", "-p", port]);
  assert.equal(code, 1);
  assert.match(
    err,
    /\[FTL\] Error listening on port: 127\.0\.0\.1:\d+, "listen tcp .*address already in use"\n$/,
  );
});

test("what a start refuses is said before any log line", (t) => {
  const dir = directory(t);
  writeFileSync(join(dir, "t.conf"), "max_payload: 100\nmax_pending: 10");
  const { code, err } = run(["-c", "t.conf"], dir);
  assert.equal(code, 1);
  assert.equal(err, "nats-server: max_payload (100) cannot be higher than max_pending (10)\n");
});

test("warnings of a file do not keep a server from starting", async (t) => {
  const server = ServerProcess.start(t, LOCAL, "# nothing\n");
  await server.ready();
  assert.match(server.text, /^server\.conf: config has no values or is empty\n/);
});

test("process lists show no passwords", { skip: process.platform !== "linux" }, async (t) => {
  const server = ServerProcess.start(t, [...LOCAL, "--user", "u", "--pass", "secret"]);
  await server.ready();
  const shown = readFileSync(`/proc/${server.pid}/cmdline`, "utf8");
  assert.match(shown, /^frond-server /);
  assert.doesNotMatch(shown, /secret/);
  assert.equal(readFileSync(`/proc/${server.pid}/comm`, "utf8").slice(0, 12), "frond-server");
});
