import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConfigError,
  applyOverrides,
  defaultOptions,
  optionsFromObject,
  validateOptions,
} from "../../src/config/index.ts";
import { load, memoryHost, problemsOf } from "./host.ts";

const USER_KEY = "UCNGL4W5QX66CFX6A6DCBVDH5VOHMI7B2UZZU7TXAUQQSI2JPHULCKBR";
const ACCOUNT_KEY = "ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA";

test("defaults are nats-server's", () => {
  const { options } = defaultOptions();
  assert.equal(options.host, "0.0.0.0");
  assert.equal(options.port, 4222);
  assert.equal(options.maxPayload, 1_048_576);
  assert.equal(options.maxPending, 67_108_864);
  assert.equal(options.pingInterval, 120_000);
  assert.equal(options.lameDuckDuration, 120_000);
  assert.equal(options.leafnodes.port, 0);
  assert.equal(options.leafnodes.compression.mode, "s2_auto");
  assert.equal(options.authorization, null);
  assert.deepEqual(validateOptions(options), []);
});

test("options are frozen through and through", () => {
  const { options } = load("leafnodes { remotes: [ {url: 'nats://h'} ] }");
  assert.ok(Object.isFrozen(options.leafnodes.remotes[0]?.urls[0]));
});

test("aliases, case and units are understood", () => {
  const { options, origin } = load(`
    NET: 127.0.0.1
    Port: -1
    max_payload: 2KB
    max_conn: 0
    ping_interval: "1m30s"
    logfile: 'x.log'
    trace_verbose: true
  `);
  assert.equal(options.host, "127.0.0.1");
  assert.equal(options.port, -1);
  assert.equal(options.maxPayload, 2048);
  assert.equal(options.maxConnections, -1);
  assert.equal(options.pingInterval, 90_000);
  assert.equal(options.logFile, "x.log");
  assert.equal(options.trace, true);
  assert.ok(origin.explicit.has("maxPayload"));
  assert.ok(!origin.explicit.has("maxPending"));
});

const LISTENS = [
  { text: "4333", host: "0.0.0.0", port: 4333 },
  { text: '"127.0.0.1:4333"', host: "127.0.0.1", port: 4333 },
  { text: '":-1"', host: "0.0.0.0", port: -1 },
  { text: '"[::1]:4333"', host: "::1", port: 4333 },
];
for (const row of LISTENS) {
  test(`listen: ${row.text}`, () => {
    const { host, port } = load(`listen: ${row.text}\n`).options;
    assert.deepEqual({ host, port }, { host: row.host, port: row.port });
  });
}

test("users carry their account, and permissions the core's form", () => {
  const { options } = load(`
    authorization {
      default_permissions { publish: "d" }
      users [
        {user: a, password: p, permissions {
          publish { allow: ["x", "y.>"], deny: "y.z" }, subscribe: ["q v1"], allow_responses: true } }
        {nkey: ${USER_KEY}, allowed_connection_types: [standard, Websocket]}
      ]
    }
    accounts { A { users [ {user: b, pass: p, permissions { allow_responses { max: 5, ttl: "1s" } } } ] } }
  `);
  const [a] = options.authorization?.users ?? [];
  assert.deepEqual(a?.permissions, {
    publish: { allow: ["x", "y.>"], deny: ["y.z"] },
    subscribe: { allow: ["q v1"], deny: [] },
    responses: { max: 1, expires: 120_000 },
  });
  assert.equal(a?.account, "$G");
  const [key] = options.authorization?.nkeys ?? [];
  assert.deepEqual(key?.allowedConnectionTypes, ["STANDARD", "WEBSOCKET"]);
  assert.deepEqual(key?.permissions?.publish.allow, ["d"]);
  const b = options.accounts?.[0]?.users[0];
  assert.equal(b?.account, "A");
  assert.deepEqual(b?.permissions, {
    publish: { allow: [], deny: [] },
    subscribe: { allow: null, deny: [] },
    responses: { max: 5, expires: 1000 },
  });
});

test("accounts: exports, imports, mappings, limits", () => {
  const { options } = load(`accounts {
    A { exports [ {stream: "s.>"}, {service: "q.*", response: stream, threshold: "5s", accounts: [B]},
                  {service: l, latency: {sampling: "50%", subject: lat}} ]
        limits { max_conn: 5 }
        mappings { a: [ {dest: b, weight: 20%}, {dest: c, weight: 30} ], "d.*": "e.$1" } }
    B { imports [ {stream: {account: A, subject: "s.x"}, prefix: p}, {service: {account: A, subject: "q.*"}, to: "r.$1"} ] }
  }`);
  const [a, b] = options.accounts ?? [];
  assert.deepEqual(a?.exports[0], {
    kind: "stream",
    subject: "s.>",
    accounts: null,
    accountTokenPosition: 0,
  });
  assert.deepEqual(a?.exports[1], {
    kind: "service",
    subject: "q.*",
    accounts: ["B"],
    accountTokenPosition: 0,
    responseType: "stream",
    threshold: 5000,
    latency: null,
    allowTrace: false,
  });
  assert.deepEqual(a?.limits, {
    maxConnections: 5,
    maxSubscriptions: -1,
    maxPayload: -1,
    maxLeafnodes: -1,
  });
  assert.deepEqual(
    a?.mappings[0]?.destinations.map(({ weight }) => weight),
    [20, 30],
  );
  assert.deepEqual(
    b?.imports.map(({ kind, to }) => [kind, to]),
    [
      ["stream", ""],
      ["service", "r.$1"],
    ],
  );
});

test("leafnodes: remotes with everything", () => {
  const { options } = load(
    `leafnodes { port: 7422, remotes [ {
      urls: ["nats-leaf://u:p%40@h", "wss://w/path", "tls://t:1"], account: A, creds: "~/x.creds"
      deny_imports: a, deny_exports: ["b", "c.>"], allow_imports: [d], tls { handshake_first: "100ms" }
      compression { mode: s2_auto, rtt_thresholds: ["10ms", "20ms"] }, js_cluster_migrate { leader_migrate_delay: "3s" }
      reconnect_max: "5s", required: true, pending_policy: pause } ] }`,
    { HOME: "/home/x" },
  );
  const [remote] = options.leafnodes.remotes;
  assert.equal(remote?.urls[0]?.port, 7422);
  assert.equal(remote?.urls[0]?.password, "p@");
  assert.deepEqual(
    remote?.urls.map(({ scheme, host, path }) => [scheme, host, path]),
    [
      ["nats-leaf", "h", ""],
      ["wss", "w", "/path"],
      ["tls", "t", ""],
    ],
  );
  assert.equal(remote?.credentials, "/home/x/x.creds");
  assert.deepEqual(remote?.denyExports, ["b", "c.>"]);
  assert.deepEqual(remote?.tls?.handshakeFirst, { enabled: true, fallback: 100 });
  assert.deepEqual(remote?.compression, { mode: "s2_auto", rttThresholds: [10, 20] });
  assert.deepEqual(remote?.jetstreamClusterMigrate, { leaderMigrateDelay: 3000 });
  assert.equal(remote?.reconnectMax, 5000);
  assert.equal(remote?.pendingPolicy, "pause");
});

test("plaintext passwords are noticed", () => {
  const hash = "$2a$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG";
  assert.equal(load("authorization {user: u, password: p}").origin.plaintextPasswords, true);
  assert.equal(load(`authorization {user: u, password: ${hash}}`).origin.plaintextPasswords, false);
});

test("an empty file warns", () => {
  assert.deepEqual(problemsOf("# nothing"), ["t.conf: config has no values or is empty"]);
});

test("a program's object goes through the same tables, with durations in milliseconds", () => {
  const { options } = optionsFromObject({
    port: -1,
    pingInterval: 5000,
    writeDeadline: "2s",
    max_payload: 100,
    authorization: { users: [{ user: "a", password: "b", allowedConnectionTypes: ["LEAFNODE"] }] },
    accounts: { A: { users: [{ user: "c", password: "d" }], limits: { maxConnections: 1 } } },
    leafnodes: { remotes: [{ url: "nats://h:1", reconnectMax: 100, denyImports: ["x"] }] },
  });
  assert.equal(options.pingInterval, 5000);
  assert.equal(options.writeDeadline, 2000);
  assert.equal(options.maxPayload, 100);
  assert.equal(options.leafnodes.remotes[0]?.reconnectMax, 100);
  assert.equal(options.accounts?.[0]?.limits.maxConnections, 1);
  assert.deepEqual(options.authorization?.users[0]?.allowedConnectionTypes, ["LEAFNODE"]);
});

test("errors of a program's object name the path", () => {
  assert.throws(
    () => optionsFromObject({ maxPayload: "1", leafnodes: { remotes: [{ urls: 5, wat: 1 }] } }),
    (e) => {
      assert.ok(e instanceof ConfigError);
      assert.deepEqual(e.message.split("\n"), [
        "maxPayload: interface conversion: interface {} is string, not int64",
        "leafnodes.remotes[0].urls: Expected remote leafnode url to be an array or string, got 5",
        'leafnodes.remotes[0].wat: unknown field "wat"',
      ]);
      return true;
    },
  );
});

test("a command line overrides a file, member by member of authorization", () => {
  const loaded = load("port: 1\nmax_payload: 99\nauthorization {user: f, password: f, timeout: 5}");
  const { options, origin } = applyOverrides(loaded, {
    port: 2,
    authorization: { user: "x", password: "y" },
  });
  assert.equal(options.port, 2);
  assert.equal(options.maxPayload, 99);
  assert.equal(options.authorization?.user, "x");
  assert.equal(options.authorization?.timeout, 5000);
  assert.ok(origin.explicit.has("maxPayload") && origin.explicit.has("port"));
});

test("null as an override sets the default back", () => {
  const loaded = load("tls { verify: false }\n");
  assert.notEqual(loaded.options.tls, null);
  assert.equal(applyOverrides(loaded, { tls: null }).options.tls, null);
});

const START: readonly { config: string; fault: string }[] = [
  {
    config: 'system_account: "$SYS"',
    fault: "error resolving system account: account missing",
  },
  {
    config: "default_js_domain {X: y}",
    fault: 'in non operator mode, `default_js_domain` references non existing account "X"',
  },
  {
    config: "max_payload: 2000\nmax_pending: 1000",
    fault: "max_payload (2000) cannot be higher than max_pending (1000)",
  },
  {
    config: 'lame_duck_duration: "30s"\nlame_duck_grace_period: "1m"',
    fault: "lame duck grace period (1m0s) should be strictly lower than lame duck duration (30s)",
  },
  {
    config: "no_auth_user: x",
    fault: 'no_auth_user: "x" present, but users/nkeys are not defined',
  },
  {
    config: "no_auth_user: x\naccounts {A {users: [{user: a, password: b}]}}",
    fault:
      'no_auth_user: "x" not present as user or nkey in authorization block or account configuration',
  },
  { config: "websocket {port: 80}", fault: "websocket requires TLS configuration" },
  {
    config: 'websocket {port: 80, no_tls: true, allowed_origins: ["ftp://x"]}',
    fault:
      'unable to parse allowed origin "ftp://x": allowed origins must be absolute URLs with http or https scheme',
  },
  {
    config: "websocket {port: 80, no_tls: true, headers {Host: x}}",
    fault: 'websocket: invalid header "Host" not allowed',
  },
  {
    config: 'leafnodes {remotes: [{url: "nats://h", account: X}]}',
    fault: 'cannot find local account "X" specified in leafnode remote',
  },
  {
    config: "leafnodes {port: -1, authorization {account: X}}",
    fault: 'cannot find local account "X" specified in leafnode authorization',
  },
  {
    config: "leafnodes {port: -1, compression: wat}",
    fault: 'unsupported compression mode "wat"',
  },
  {
    config: "default_sentinel: x",
    fault: "default sentinel requires operators and accounts",
  },
  {
    config: "http: 1\nhttps: 2",
    fault: "Can't start monitoring: can't specify both HTTP (1) and HTTPs (2) ports",
  },
];
for (const row of START) {
  test(`the start refuses: ${row.fault}`, () => {
    assert.equal(validateOptions(load(row.config).options)[0], row.fault);
  });
}

test("one remote may mix plain, TLS and WebSocket URLs", () => {
  const { options } = load('leafnodes {remotes: [{urls: ["nats://h", "wss://h:443", "tls://h"]}]}');
  assert.deepEqual(validateOptions(options), []);
});

const UNSUPPORTED = [
  "mqtt { port: 1883 }",
  "jetstream: true",
  "jetstream { store_dir: x }",
  "gateway { name: x }",
  "ocsp: true",
  "ocsp_cache: true",
  "prof_port: 1",
  "prof_block_rate: 1",
  "cluster { port: 6222 }",
];
for (const config of UNSUPPORTED) {
  test(`refuses by name: ${config}`, () => {
    const name = config.split(/[ :]/)[0];
    assert.deepEqual(problemsOf(`\n${config}\n`), [`t.conf:2:1: ${name} is not supported yet`]);
  });
}

const HARMLESS = [
  "jetstream: false",
  "jetstream: disabled",
  "cluster { name: x }",
  "cluster {}",
  "gateway {}",
];
for (const config of HARMLESS) {
  test(`accepts ${config}`, () => assert.deepEqual(problemsOf(`${config}\n`), []));
}

test("TLS files are checked by the host", () => {
  const host = {
    ...memoryHost({}),
    checkTls: ({ certFile }: { certFile: string | null }) => `cannot read ${certFile}`,
  };
  const input = { tls: { certFile: "c", keyFile: "k" } };
  assert.throws(() => optionsFromObject(input, host), /^ConfigError: tls: cannot read c$/);
});

test("operator mode: JWTs, resolvers, keys", () => {
  const host = memoryHost({ "op.jwt": "-----BEGIN-----\neyJh.eyJi.c\n-----END-----\n" });
  const { options } = optionsFromObject(
    {
      operator: "op.jwt",
      resolver: { type: "full", dir: "./jwt", limit: 5 },
      resolverPreload: { [ACCOUNT_KEY]: "eyJh.eyJi.c" },
    },
    host,
  );
  assert.deepEqual(options.operator, ["eyJh.eyJi.c"]);
  assert.deepEqual(options.resolver, {
    type: "full",
    dir: "./jwt",
    allowDelete: false,
    hardDelete: false,
    interval: 60_000,
    limit: 5,
    ttl: 0,
    timeout: 1900,
  });
  assert.deepEqual(load('resolver: URL("http://x/")').options.resolver, {
    type: "url",
    url: "http://x/",
  });
});
