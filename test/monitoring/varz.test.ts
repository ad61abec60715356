import assert from "node:assert/strict";
import { test } from "node:test";
import { Fixture } from "./fixtures.ts";

/** In the reference's order; members that are left out when zero do not occur here. */
const MEMBERS = [
  "server_id",
  "server_name",
  "version",
  "proto",
  "go",
  "host",
  "port",
  "auth_required",
  "max_connections",
  "ping_interval",
  "ping_max",
  "http_host",
  "http_port",
  "http_base_path",
  "https_port",
  "auth_timeout",
  "max_control_line",
  "max_payload",
  "max_pending",
  "cluster",
  "gateway",
  "leaf",
  "mqtt",
  "websocket",
  "jetstream",
  "tls_timeout",
  "write_deadline",
  "start",
  "now",
  "uptime",
  "mem",
  "cores",
  "gomaxprocs",
  "cpu",
  "connections",
  "total_connections",
  "routes",
  "remotes",
  "leafnodes",
  "in_msgs",
  "in_bytes",
  "in_client_msgs",
  "in_client_bytes",
  "out_msgs",
  "out_bytes",
  "out_client_msgs",
  "out_client_bytes",
  "slow_consumers",
  "stale_connections",
  "stalled_clients",
  "subscriptions",
  "http_req_stats",
  "config_load_time",
  "config_digest",
  "feature_flags",
  "system_account",
  "slow_consumer_stats",
  "stale_connection_stats",
  "disk_io_wait_stats",
];

test("a plain server's varz has the reference's members in its order", () => {
  const v = new Fixture().get("/varz");
  assert.deepEqual(Object.keys(v), MEMBERS);
  assert.deepEqual([v["cluster"], v["gateway"], v["leaf"], v["websocket"]], [{}, {}, {}, {}]);
  assert.equal(v["ping_interval"], 120_000_000_000);
  assert.equal(v["auth_timeout"], 2);
});

test("varz counts messages of open links by direction and kind", () => {
  const f = new Fixture();
  const [a, b, leaf] = [f.client(), f.client(), f.leaf()];
  f.send(b, "SUB foo 1\r\n");
  f.send(a, "PUB foo 5\r\n12345\r\nPUB nobody 3\r\n123\r\n");
  f.send(leaf, "LMSG foo 2\r\nhi\r\n");
  const v = f.get("/varz");
  assert.deepEqual([v["in_msgs"], v["in_bytes"], v["out_msgs"], v["out_bytes"]], [3, 10, 2, 7]);
  assert.deepEqual([v["in_client_msgs"], v["in_client_bytes"], v["out_client_msgs"]], [2, 8, 2]);
  assert.deepEqual([v["connections"], v["leafnodes"]], [2, 1]);
});

test("varz shows the leaf remotes without credentials, the tags in lower case", () => {
  const f = new Fixture();
  const { config } = f.state;
  f.state = {
    ...f.state,
    config: {
      ...config,
      tags: ["AZ:1"],
      leafRemotes: [
        { account: "A", tlsTimeout: 7000, urls: ["h:7422"], denyImports: ["x.>"], denyExports: [] },
        { account: "$G", tlsTimeout: 0, urls: ["h:7423"], denyImports: [], denyExports: [] },
      ],
    },
  };
  const v = f.get("/varz");
  assert.deepEqual(v["tags"], ["az:1"]);
  assert.deepEqual(v["leaf"], {
    remotes: [
      { local_account: "A", tls_timeout: 7, urls: ["h:7422"], deny: { imports: ["x.>"] } },
      { local_account: "$G", urls: ["h:7423"] },
    ],
  });
});

test("requests are counted by path, the alias of subsz under its own name, some not at all", () => {
  const f = new Fixture();
  for (const path of [
    "/varz",
    "/subscriptionsz",
    "/subsz",
    "/stacksz",
    "/ipqueuesz",
    "/debug/vars",
  ]) {
    f.ask(path);
  }
  assert.deepEqual(f.get("/varz")["http_req_stats"], { "/subsz": 2, "/varz": 2 });
});
