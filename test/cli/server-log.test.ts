/** The log: how lines look, files that rotate, system logs. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { LogFile } from "../../src/server/log-file.ts";
import {
  type LineFormat,
  RepeatFilter,
  SinkLogger,
  StreamLogger,
} from "../../src/server/logger.ts";
import { openSyslog } from "../../src/server/syslog.ts";
import { directory, until } from "./server-process.ts";

const PLAIN: LineFormat = { pid: 7, time: "none", colours: false };
const ALL = { debug: true, trace: true };

function lines(format: LineFormat, levels = ALL): { logger: StreamLogger; written: string[] } {
  const written: string[] = [];
  return {
    logger: new StreamLogger({ write: (line) => written.push(line) }, format, levels),
    written,
  };
}

test("every level has its tag", () => {
  const { logger, written } = lines(PLAIN);
  for (const level of ["fatal", "error", "warn", "notice", "debug", "trace"] as const) {
    logger.log(level, "", "x");
  }
  assert.deepEqual(
    written,
    ["FTL", "ERR", "WRN", "INF", "DBG", "TRC"].map((tag) => `[7] [${tag}] x\n`),
  );
});

test("the label of a link comes before the text", () => {
  const { logger, written } = lines(PLAIN);
  logger.log("error", "127.0.0.1:1 - cid:5", "gone");
  assert.deepEqual(written, ["[7] [ERR] 127.0.0.1:1 - cid:5 - gone\n"]);
});

test("debug and trace are written only where wanted", () => {
  const { logger, written } = lines(PLAIN, { debug: false, trace: true });
  logger.log("debug", "", "d");
  logger.log("trace", "", "t");
  assert.deepEqual(written, ["[7] [TRC] t\n"]);
});

test("a terminal gets colours", () => {
  const { logger, written } = lines({ ...PLAIN, colours: true });
  logger.log("notice", "", "x");
  logger.log("warn", "", "x");
  const [notice, warn] = written;
  assert.equal(notice, "[7] [\u001b[32mINF\u001b[0m] x\n");
  assert.equal(warn, "[7] [\u001b[0;93mWRN\u001b[0m] x\n");
});

test("lines begin with the time", () => {
  const { logger, written } = lines({ ...PLAIN, time: "utc" });
  const before = Date.now();
  logger.log("notice", "", "x");
  const pattern = /^\[7\] (\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d\.\d{3})\d{3} \[INF\] x\n$/;
  const [, year, month, day, time] = pattern.exec(written[0] ?? "") ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${time}Z`);
  assert.ok(Math.abs(at - before) < 1000, written[0]);
});

test("a program's function gets whole entries", () => {
  const seen: unknown[] = [];
  const logger = new SinkLogger((entry) => seen.push(entry));
  logger.log("debug", "", "unwanted");
  logger.log("warn", "l", "t");
  assert.deepEqual(seen, [{ level: "warn", label: "l", text: "t" }]);
});

test("a text that repeats is let through about once a second", () => {
  const filter = new RepeatFilter();
  const asked = [0, 1, 999, 1000, 1500, 2000].map((now) => filter.allows("a", now + 10_000));
  assert.deepEqual(asked, [true, false, false, true, false, true]);
  assert.ok(filter.allows("b", 12_000));
});

function backups(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => name !== "x.log")
    .sort();
}

test("a file above its limit is put aside", (t) => {
  const dir = directory(t);
  const path = join(dir, "x.log");
  writeFileSync(path, "older\n");
  const file = new LogFile(path, { sizeLimit: 300, maxFiles: 0, format: PLAIN });
  const long = `${"-".repeat(300)}\n`;
  file.write("one\n");
  file.write(long);
  file.write("after\n");
  file.close();
  const [backup = ""] = backups(dir);
  assert.match(backup, /^x\.log\.\d{4}(\.\d\d){5}\.\d{9}$/);
  assert.equal(readFileSync(join(dir, backup), "utf8"), `older\none\n${long}`);
  const said = `[7] [INF] Rotated log, backup saved as "${join(dir, backup)}"\r\n`;
  assert.equal(readFileSync(path, "utf8"), `${said}after\n`);
});

test("a file that is too long at the start is put aside at once", (t) => {
  const dir = directory(t);
  const path = join(dir, "x.log");
  writeFileSync(path, "x".repeat(600));
  new LogFile(path, { sizeLimit: 500, maxFiles: 0, format: PLAIN }).close();
  const [backup = ""] = backups(dir);
  assert.match(readFileSync(join(dir, backup), "utf8"), /x\[7\] \[INF\] Rotating logfile\.\.\.\n$/);
});

test("only so many files are kept, the newest ones", (t) => {
  const dir = directory(t);
  const file = new LogFile(join(dir, "x.log"), { sizeLimit: 300, maxFiles: 3, format: PLAIN });
  for (let i = 0; i < 5; i++) file.write(`${i}${"-".repeat(300)}\n`);
  file.close();
  const kept = backups(dir).map(
    (name) => /(\d)---/.exec(readFileSync(join(dir, name), "utf8"))?.[1],
  );
  assert.deepEqual(kept, ["3", "4"]);
  assert.match(readFileSync(join(dir, "x.log"), "utf8"), /Purged log file "/);
});

test("keeping one file leaves no backup", (t) => {
  const dir = directory(t);
  const file = new LogFile(join(dir, "x.log"), { sizeLimit: 5, maxFiles: 1, format: PLAIN });
  file.write("long enough\n");
  file.close();
  assert.deepEqual(backups(dir), []);
});

test("a file that was moved away is opened anew", (t) => {
  const dir = directory(t);
  const path = join(dir, "x.log");
  const file = new LogFile(path, { sizeLimit: 0, maxFiles: 0, format: PLAIN });
  file.write("one\n");
  renameSync(path, join(dir, "moved"));
  file.write("two\n");
  file.reopen();
  file.write("three\n");
  file.close();
  assert.equal(readFileSync(join(dir, "moved"), "utf8"), "one\ntwo\n");
  assert.equal(readFileSync(path, "utf8"), "three\n");
});

test("a file that cannot be opened says why", () => {
  const open = (): LogFile =>
    new LogFile("/nonexistent/x.log", { sizeLimit: 0, maxFiles: 0, format: PLAIN });
  assert.throws(open, { message: "open /nonexistent/x.log: no such file or directory" });
});

const SYSLOG = { debug: true, trace: false, tag: "frond-server", pid: 7 };
const REMOTE = /^<(\d+)>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \S+ frond-server\[7\]: (.*)$/;

async function receiver(
  t: TestContext,
  at: string | number,
): Promise<{ text: string; port: number }> {
  const received = { text: "", port: 0 };
  const server = createServer((socket) => {
    socket.setEncoding("utf8").on("data", (chunk: string) => (received.text += chunk));
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(at, resolve));
  if (typeof at === "number") received.port = (server.address() as AddressInfo).port;
  return received;
}

test("a system log is reached by tcp", async (t) => {
  const received = await receiver(t, 0);
  const log = await openSyslog({ ...SYSLOG, remote: `tcp://127.0.0.1:${received.port}` });
  log.logger.log("notice", "a", "b");
  log.logger.log("error", "", "c");
  log.logger.log("debug", "", "d");
  log.logger.log("trace", "", "unwanted");
  await log.close();
  await until("three lines", () => received.text.split("\n").length === 4);
  const seen = received.text
    .trim()
    .split("\n")
    .map((line) => REMOTE.exec(line)?.slice(1));
  assert.deepEqual(seen, [
    ["29", "a - b"],
    ["27", "c"],
    ["31", "d"],
  ]);
});

test("a system log is reached by a path", async (t) => {
  const path = join(directory(t), "log");
  const received = await receiver(t, path);
  const log = await openSyslog({ ...SYSLOG, remote: `unix://${path}` });
  log.logger.log("fatal", "", "end");
  await log.close();
  await until("the line", () => received.text.includes("end"));
  assert.match(
    received.text,
    /^<26>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d frond-server\[7\]: end\n$/,
  );
});

test("a system log is reached by udp", async (t) => {
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  let text = "";
  socket.on("message", (message) => (text += message.toString()));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const log = await openSyslog({ ...SYSLOG, remote: `udp://127.0.0.1:${socket.address().port}` });
  log.logger.log("warn", "", "careful");
  await log.close();
  await until("the datagram", () => text !== "");
  assert.deepEqual(REMOTE.exec(text)?.slice(1), ["28", "careful"]);
});

const UNREACHABLE: readonly (readonly [string, RegExp])[] = [
  ["foo://x", /^error invalid network type: "foo"$/],
  [
    "tcp://127.0.0.1:1",
    /^error connecting to syslog: "dial tcp 127\.0\.0\.1:1: connect: connection refused"$/,
  ],
  ["udp://nowhere", /^error connecting to syslog: ".*missing port in address"$/],
];

for (const [remote, message] of UNREACHABLE) {
  test(`a system log at ${remote} is refused`, async () => {
    await assert.rejects(openSyslog({ ...SYSLOG, remote }), { message });
  });
}
