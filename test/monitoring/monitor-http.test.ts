import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { request as secureRequest } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { LogLevel } from "../../src/core/index.ts";
import type { MonitorState } from "../../src/monitoring/index.ts";
import { type Monitor, type MonitorOptions, startMonitor } from "../../src/server/monitor-http.ts";
import { buildServerTls } from "../../src/transports/node/index.ts";
import { StartError } from "../../src/server/start-error.ts";
import { Fixture } from "./fixtures.ts";

interface Started extends Monitor {
  readonly lines: string[];
  readonly state: MonitorState;
}

async function start(t: TestContext, changes: Partial<MonitorOptions> = {}): Promise<Started> {
  const lines: string[] = [];
  const { state } = new Fixture();
  const monitor = await startMonitor({
    host: "127.0.0.1",
    port: -1,
    tls: null,
    basePath: "",
    state: () => state,
    log: (level: LogLevel, text: string) => {
      lines.push(`${level} ${text}`);
    },
    ...changes,
  });
  t.after(() => monitor.close());
  return { ...monitor, lines, state };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

function ask(port: number, path: string, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, path, method, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    })
      .on("error", reject)
      .end();
  });
}

test("the monitor says where it listens and answers JSON with its headers", async (t) => {
  const monitor = await start(t);
  assert.deepEqual(monitor.lines, [`notice Starting http monitor on 127.0.0.1:${monitor.port}`]);
  const reply = await ask(monitor.port, "/varz");
  assert.equal(reply.status, 200);
  assert.equal(reply.headers["content-type"], "application/json");
  assert.equal(reply.headers["access-control-allow-origin"], "*");
  assert.equal(Number(reply.headers["content-length"]), Buffer.byteLength(reply.body));
  assert.ok(reply.body.startsWith('{\n  "server_id": "NSERVER",\n'));
  assert.deepEqual([...monitor.state.requests], [["/varz", 1]]);
});

test("methods are alike; HEAD has no body", async (t) => {
  const { port } = await start(t);
  assert.equal((await ask(port, "/healthz", "POST")).body, '{"status":"ok"}');
  const head = await ask(port, "/healthz", "HEAD");
  assert.deepEqual([head.status, head.body, head.headers["content-length"]], [200, "", "15"]);
});

test("what is unknown is a plain 404, what does not parse a plain 400", async (t) => {
  const { port } = await start(t);
  const missing = await ask(port, "/varz/");
  assert.deepEqual([missing.status, missing.body], [404, "404 page not found\n"]);
  assert.equal(missing.headers["x-content-type-options"], "nosniff");
  const bad = await ask(port, "/connz?subs=%22");
  assert.equal(bad.status, 400);
  assert.equal(
    bad.body,
    String.raw`Error decoding boolean for 'subs': strconv.ParseBool: parsing "\"": invalid syntax`,
  );
  assert.equal((await ask(port, "/%zz")).status, 404);
});

test("with a base path, everything stands under it and nothing beside it", async (t) => {
  const { port } = await start(t, { basePath: "/a//b/" });
  assert.equal((await ask(port, "/a/b/varz")).status, 200);
  assert.equal((await ask(port, "/a/b")).headers["content-type"], "text/html; charset=utf-8");
  for (const path of ["/varz", "/", "/a/b/", "/a/bvarz", "/a/b/b/varz"]) {
    assert.equal((await ask(port, path)).status, 404, path);
  }
});

test("a port in use is a start error with the reference's text", async (t) => {
  const { port } = await start(t);
  await assert.rejects(start(t, { port }), (error) => {
    assert.ok(error instanceof StartError);
    assert.equal(error.code, "PORT_IN_USE");
    assert.equal(
      error.message,
      `Can't start monitoring: can't listen to the monitor port: listen tcp 127.0.0.1:${port}: bind: address already in use`,
    );
    return true;
  });
});

test("a failing healthz is logged", async (t) => {
  const monitor = await start(t);
  const reply = await ask(monitor.port, "/healthz?stream=s");
  assert.equal(reply.status, 400);
  assert.equal(
    monitor.lines[1],
    'warn Healthcheck failed: ""account" must not be empty when checking stream health"',
  );
});

test("closing ends idle connections and frees the port", async (t) => {
  const monitor = await start(t);
  const socket = connect(monitor.port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  await monitor.close();
  await ended;
  const again = await start(t, { port: monitor.port });
  assert.equal(again.port, monitor.port);
});

test("a path that is not clean is redirected to the one that is", async (t) => {
  const { port } = await start(t);
  for (const [path, to] of [
    ["//varz?x=1", "/varz?x=1"],
    ["/a/../connz", "/connz"],
    ["/./", "/"],
  ] as const) {
    const reply = await ask(port, path);
    assert.deepEqual([reply.status, reply.headers["location"]], [307, to]);
  }
});

/** A certificate of its own, or null where openssl is missing. */
function certificate(t: TestContext): { certFile: string; keyFile: string } | null {
  const directory = mkdtempSync(join(tmpdir(), "frond-monitor-"));
  t.after(() => {
    rmSync(directory, { recursive: true });
  });
  const [certFile, keyFile] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const subject = ["-subj", "/CN=localhost", "-days", "2", "-nodes"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  try {
    const files = ["-keyout", keyFile, "-out", certFile];
    execFileSync("openssl", ["req", "-x509", ...key, ...subject, ...files], { stdio: "ignore" });
    return { certFile, keyFile };
  } catch {
    return null;
  }
}

test("over TLS it answers without a client certificate, and logs what is no TLS", async (t) => {
  const files = certificate(t);
  if (files === null) {
    t.skip("openssl is not installed; certificates cannot be made");
    return;
  }
  const tls = buildServerTls({
    ...files,
    caFile: null,
    certs: [],
    verify: true,
    verifyAndMap: false,
    insecure: false,
    cipherSuites: [],
    curvePreferences: [],
    minVersion: null,
    pinnedCerts: [],
  });
  const monitor = await start(t, { tls: () => tls });
  assert.deepEqual(monitor.lines, [`notice Starting https monitor on 127.0.0.1:${monitor.port}`]);
  const status = await new Promise((resolve, reject) => {
    const to = { host: "127.0.0.1", port: monitor.port, path: "/varz", agent: false };
    secureRequest({ ...to, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
  assert.equal(status, 200);
  await assert.rejects(ask(monitor.port, "/varz"));
  assert.match(
    monitor.lines[1] ?? "",
    /^error monitoring: http: TLS handshake error from 127\.0\.0\.1:\d+: /,
  );
});
