import assert from "node:assert/strict";
import { test } from "node:test";
import { diffOptions } from "../../src/config/index.ts";
import { load } from "./host.ts";

const ALWAYS = ["Reloaded: authorization users", "Reloaded: accounts"];

function diff(before: string, after: string): { log: string[]; refusals: readonly string[] } {
  const { changes, refusals } = diffOptions(load(before).options, load(after).options);
  return { log: changes.flatMap((change) => change.log), refusals };
}

test("nothing changed: users and accounts are set up anew all the same", () => {
  assert.deepEqual(diff("port: 1", "port: 1"), { log: ALWAYS, refusals: [] });
});

const HOT: readonly { before?: string; after: string; log: readonly string[] }[] = [
  { after: "debug: true", log: ["Reloaded: debug = true"] },
  { after: "trace: true", log: ["Reloaded: trace = true"] },
  { after: "log_file: x", log: ["Reloaded: log_file = x"] },
  { after: "max_payload: 5", log: ["Reloaded: max_payload = 5"] },
  { after: "max_connections: 5", log: ["Reloaded: max_connections = 5"] },
  { after: 'ping_interval: "1m"', log: ["Reloaded: ping_interval = 1m0s"] },
  { after: 'write_deadline: "2500ms"', log: ["Reloaded: write_deadline = 2.5s"] },
  { after: 'client_advertise: "h:1"', log: ["Reload: client_advertise = h:1"] },
  { after: "server_tags: a", log: ["Reloaded: tags"] },
  { after: "no_fast_producer_stall: true", log: ["Reloaded: fast producers will not be stalled"] },
  {
    after: "tls {}",
    log: ["Reloaded: tls = enabled", "Reloaded: authorization timeout = 3"],
  },
  {
    before: "tls {}",
    after: "port: 4222",
    log: ["Reloaded: tls = disabled", "Reloaded: authorization timeout = 2"],
  },
  { before: "tls {}", after: "tls {}", log: [] },
  {
    before: "tls {}",
    after: "tls {timeout: 5}",
    log: ["Reloaded: tls timeout = 5", "Reloaded: authorization timeout = 6"],
  },
  {
    before: "tls {}",
    after: 'tls {min_version: "1.3"}',
    log: ["Reloaded: tls = enabled"],
  },
  {
    before: "authorization {user: a, password: b}",
    after: "authorization {user: c, password: d, timeout: 3}",
    log: [
      "Reloaded: authorization username",
      "Reloaded: authorization password",
      "Reloaded: authorization timeout = 3",
    ],
  },
  {
    after: "authorization {user: a, password: b}",
    log: ["Reloaded: authorization username", "Reloaded: authorization password"],
  },
  {
    before: "authorization {token: t}",
    after: "port: 4222",
    log: ["Reloaded: authorization token"],
  },
  { after: "authorization {timeout: 5}", log: ["Reloaded: authorization timeout = 5"] },
  { after: "authorization {users: [{user: a, password: b}]}", log: [] },
  { after: "accounts { A {} }", log: [] },
  {
    before: 'leafnodes {remotes: [{url: "nats://u:p@h:1"}]}',
    after: 'leafnodes {remotes: [{url: "nats://u:p@h:1", disabled: true, compression: off}]}',
    log: [
      `Reloaded: LeafNode Remote urls=["nats://u:xxxxx@h:1"], account="$G" Compression value is: {off []}`,
      `Reloaded: LeafNode Remote urls=["nats://u:xxxxx@h:1"], account="$G" Disabled value is: true`,
    ],
  },
  {
    before: 'leafnodes {remotes: [{url: "nats://h:1"}]}',
    after: "leafnodes {remotes: [], compression: s2_fast}",
    log: [
      "Reloaded: LeafNode Compression value is: {s2_fast []}",
      `Reloaded: LeafNode Remote urls=["nats://h:1"], account="$G" removed`,
    ],
  },
  {
    before: 'leafnodes {remotes: [{url: "nats://h:1"}]}',
    after: 'leafnodes {remotes: [{url: "nats://h:1", hub: true, deny_imports: [a, b]}]}',
    log: [
      `Reloaded: LeafNode Remote urls=["nats://h:1"], account="$G" Hub value is: true`,
      `Reloaded: LeafNode Remote urls=["nats://h:1"], account="$G" DenyImports value is: [a b]`,
    ],
  },
];
for (const { before = "port: 4222", after, log } of HOT) {
  test(`may change: ${before} -> ${after}`, () => {
    const found = diff(before, after);
    assert.deepEqual(found.refusals, []);
    assert.deepEqual(
      found.log.filter((line) => !ALWAYS.includes(line)),
      log,
    );
  });
}

const COLD: readonly { before?: string; after: string; refusal: string }[] = [
  { after: "port: 1", refusal: "config reload not supported for Port: old=4222, new=1" },
  { after: "http: 1", refusal: "config reload not supported for HTTPPort: old=0, new=1" },
  {
    after: "lame_duck_duration: 60s",
    refusal: "config reload not supported for LameDuckDuration: old=2m0s, new=1m0s",
  },
  {
    after: "write_timeout: retry",
    refusal: "config reload not supported for WriteTimeout: old=, new=retry",
  },
  {
    after: "feature_flags: {x: true, a: false}",
    refusal: "config reload not supported for FeatureFlags: old=map[], new=map[a:false x:true]",
  },
  {
    after: 'leafnodes {listen: "h:1"}',
    refusal: 'config reload not supported for LeafNode: field "Host": old=, new=h',
  },
  {
    before: "leafnodes {port: 1}",
    after: "leafnodes {port: 1, reconnect: 5s}",
    refusal: 'config reload not supported for LeafNode: field "ReconnectInterval": old=1s, new=5s',
  },
  {
    before: "leafnodes {port: 1}",
    after: "leafnodes {port: 1, authorization {user: a, password: secret}}",
    refusal: 'config reload not supported for LeafNode: field "Username": old=, new=a',
  },
  {
    before: "leafnodes {port: 1, authorization {user: a, password: secret}}",
    after: "leafnodes {port: 1, authorization {user: a, password: other}}",
    refusal:
      'config reload not supported for LeafNode: field "Password": old=[REDACTED], new=[REDACTED]',
  },
  { after: "max_subs: 1", refusal: "config reload not supported for MaxSubs: old=0, new=1" },
  {
    after: "server_name: x",
    refusal: "config reload not supported for ServerName: old=, new=x",
  },
  {
    after: "allow_non_tls: true",
    refusal: "config reload not supported for AllowNonTLS: old=false, new=true",
  },
  {
    after: "resolver: MEMORY",
    refusal: "config reload does not support moving to or from an account resolver",
  },
  {
    before: "leafnodes {port: 1}",
    after: "leafnodes {port: 2}",
    refusal: 'config reload not supported for LeafNode: field "Port": old=1, new=2',
  },
  {
    before: "tls {verify_and_map: true}",
    after: "tls {}",
    refusal: "config reload not supported for TLSMap: old=true, new=false",
  },
  {
    before: "no_auth_user: a\nauthorization {users: [{user: a, password: b}]}",
    after: "authorization {users: [{user: a, password: b}]}",
    refusal: "config reload not supported for NoAuthUser: old=a, new=",
  },
];
for (const { before = "port: 4222", after, refusal } of COLD) {
  test(`refuses: ${before} -> ${after}`, () => {
    assert.equal(diff(before, after).refusals[0], refusal);
  });
}
