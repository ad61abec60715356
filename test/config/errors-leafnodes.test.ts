import { testErrors } from "./errors.ts";

testErrors([
  { config: "leafnodes: 5", error: "2:1: Expected map to define a leafnode, got int64" },
  { config: "leafnodes { foo: 1 }", error: '2:13: unknown field "foo"' },
  { config: "leafnodes { listen: x }", error: '2:13: could not parse address string "x"' },
  {
    config: 'leafnodes { port: "x" }',
    error: "2:13: interface conversion: interface {} is string, not int64",
  },
  { config: "leafnodes { authorization { token: x } }", error: '2:29: unknown field "token"' },
  {
    config: "leafnodes { authorization { nkey: x } }",
    error: "2:29: Not a valid public nkey for leafnode authorization",
  },
  {
    config: "leafnodes { authorization { users: 5 } }",
    error: "2:29: Expected users field to be an array, got 5",
  },
  {
    config: "leafnodes { authorization { users: [5 ] } }",
    error: "2:37: Expected user entry to be a map/struct, got 5",
  },
  {
    config: "leafnodes { authorization { users: [{user: a, permissions: {}}] } }",
    error: '2:47: unknown field "permissions"',
  },
  {
    config: "leafnodes { authorization { user: x, users: [{user: a}] } }",
    error: "2:13: can not have a single user/pass and a users array",
  },
  {
    config: "leafnodes { authorization { users: [{user: a},{user: a}] } }",
    error: '2:13: duplicate user "a" detected in leafnode authorization',
  },
  {
    config: 'leafnodes { authorization { timeout: "x" } }',
    error:
      "2:29: error parsing leafnode authorization config, 'timeout' time: invalid duration \"x\"",
  },
  {
    config: "leafnodes { authorization { timeout: 61 } }",
    error:
      "2:29: invalid use of field \"timeout\": timeout of 61 (61.000000 seconds) is high, consider keeping it under 60 seconds. possibly caused by unquoted duration; use '1m' instead of 1m, for example",
  },
  {
    config: "leafnodes { reconnect: 5 }",
    error: '2:13: invalid use of field "reconnect": reconnect should be converted to a duration',
  },
  {
    config: 'leafnodes { reconnect_delay: "x" }',
    error: '2:13: error parsing reconnect: time: invalid duration "x"',
  },
  {
    config: "leafnodes { dial_timeout: 5 }",
    error:
      '2:13: invalid use of field "dial_timeout": dial_timeout should be converted to a duration',
  },
  {
    config: 'leafnodes { min_version: "x" }',
    error: "2:13: invalid leafnode's minimum version: invalid semver",
  },
  {
    config: 'leafnodes { min_version: "2.7.0" }',
    error: "2:13: the minimum version should be at least 2.8.0",
  },
  {
    config: 'leafnodes { min_version: "2.8" }',
    error: "2:13: invalid leafnode's minimum version: invalid semver",
  },
  {
    config: 'leafnodes { min_version: "v2.10.4" }',
    error: "2:13: invalid leafnode's minimum version: invalid semver",
  },
  {
    config: "leafnodes { compression: 5 }",
    error: '2:13: field "compression" should be a boolean or a structure, got int64',
  },
  {
    config: "leafnodes { compression { mode: 5 } }",
    error: "2:27: interface conversion: interface {} is int64, not string",
  },
  { config: "leafnodes { compression { foo: 5 } }", error: '2:27: unknown field "foo"' },
  { config: "leafnodes { compression { rtts: [x] } }", error: '2:27: time: invalid duration "x"' },
  {
    config: "leafnodes { compression { rtts: 5 } }",
    error: "2:27: interface conversion: interface {} is int64, not []interface {}",
  },
  {
    config: "leafnodes { write_timeout: foo }",
    error: "2:13: write_timeout must be 'default', 'close' or 'retry'",
  },
  {
    config: "leafnodes { write_deadline: 5 }",
    error:
      '2:13: invalid use of field "write_deadline": write_deadline should be converted to a duration',
  },
  {
    config: "leafnodes { remotes: 5 }",
    error: "2:13: Expected remotes field to be an array, got int64",
  },
  {
    config: "leafnodes { remotes: [5 ] }",
    error: "2:23: Expected remote leafnode entry to be a map/struct, got 5",
  },
  {
    config: "leafnodes { remotes: [ {url: 5} ] }",
    error: "2:25: Expected remote leafnode url to be an array or string, got 5",
  },
  {
    config: 'leafnodes { remotes: [ {url: "nats://h:1", urls: ["nats://h:1", "nats://h:1"]} ] }',
    error: '2:66: invalid use of field "nats://h:1": Duplicate leafnode entry detected',
  },
  {
    config: 'leafnodes { remotes: [ {url: ":x"} ] }',
    error: '2:25: error parsing leafnode url [":x"]',
  },
  {
    config: 'leafnodes { remotes: [ {url: "127.0.0.1:7422"} ] }',
    error: '2:25: error parsing leafnode url ["127.0.0.1:7422"]',
  },
  {
    config: 'leafnodes { remotes: [ {url: "nats://h:x"} ] }',
    error: '2:25: error parsing leafnode url ["nats://h:x"]',
  },
  {
    config: 'leafnodes { remotes: [ {url: "nats://h", nkey: foo} ] }',
    error: '2:42: Remote leafnode nkey is not a valid seed: "foo"',
  },
  {
    config: 'leafnodes { remotes: [ {url: "nats://h", deny_imports: "a..b"} ] }',
    error: '2:42: subject "a..b" is not a valid subject',
  },
  {
    config: 'leafnodes { remotes: [ {url: "nats://h", deny_export: ["a b"]} ] }',
    error: '2:42: subject "a b" is not a valid subject',
  },
  {
    config: 'leafnodes { remotes: [ {url: "nats://h", deny_export: 5} ] }',
    error: "2:42: Expected subject permissions to be a subject, or array of subjects, got int64",
  },
  {
    config: 'leafnodes { remotes: [ {url: "nats://h", js_cluster_migrate: 5} ] }',
    error: "Expected boolean or map for jetstream_cluster_migrate, got int64",
  },
  {
    config:
      'leafnodes { remotes: [ {url: "nats://h", js_cluster_migrate: {leader_migrate_delay: 5}} ] }',
    error:
      '2:63: invalid use of field "leader_migrate_delay": leader_migrate_delay should be converted to a duration',
  },
  {
    config: 'leafnodes { remotes: [ {url: "nats://h", first_info_timeout: 5} ] }',
    error:
      '2:42: invalid use of field "first_info_timeout": first_info_timeout should be converted to a duration',
  },
  {
    config: 'leafnodes { remotes: [ {url: "nats://h", compression: 5} ] }',
    error: '2:42: field "compression" should be a boolean or a structure, got int64',
  },
  {
    config: 'leafnodes { remotes: [ {url: "nats://h", proxy: 5} ] }',
    error: "2:42: Expected proxy to be a map, got int64",
  },
  {
    config: 'leafnodes { remotes: [ {url: "ws://h", proxy: {url: "x"}} ] }',
    error: "2:40: proxy URL scheme must be http or https, got:",
  },
  {
    config: 'leafnodes { remotes: [ {url: "ws://h", proxy: {url: "http://"}} ] }',
    error: "2:40: proxy URL must specify a host",
  },
  {
    config: 'leafnodes { remotes: [ {url: "ws://h", proxy: {url: "http://x", username: a}} ] }',
    error: "2:40: proxy username and password must both be specified or both be empty",
  },
  {
    config: 'leafnodes { remotes: [ {url: "ws://h", proxy: {username: a}} ] }',
    error: "2:40: proxy URL must be specified when other proxy options are set",
  },
  {
    config: 'leafnodes { remotes: [ {url: "wss://h:443", proxy: {url: "http://x"}} ] }',
    error:
      "2:45: proxy is configured but remote URL wss://h:443 requires TLS and no TLS configuration is provided. When using proxy with TLS endpoints, ensure TLS is properly configured for the leafnode remote",
  },
  {
    config: 'leafnodes { remotes: [ {url: "ws://h", proxy: {url: "http://x", timeout: 5}} ] }',
    error:
      '2:65: invalid use of field "proxy timeout": proxy timeout should be converted to a duration',
  },
  {
    config: 'leafnodes { remotes: [ {url: "ws://h", proxy: {url: "http://x", tls: {foo: 1}}} ] }',
    error: '2:71: "foo" is not supported for proxy TLS',
  },
  {
    config:
      'leafnodes { remotes: [ {url: "ws://h", proxy: {url: "http://x", tls: {insecure: true}}} ] }',
    error: "2:40: proxy TLS configuration requires an https proxy URL, got: http",
  },
  {
    config: 'leafnodes { remotes: [ {url: "ws://h", proxy: {url: "http://x", foo: 1}} ] }',
    error: '2:65: unknown field "foo"',
  },
  { config: "leafnodes { remotes: [ {foo: 1} ] }", error: '2:25: unknown field "foo"' },
  {
    config:
      'leafnodes { remotes: [ {url: "nats://h", credentials: "x", seed: "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"} ] }',
    error: "2:60: Remote leafnode can not have both creds and nkey defined",
  },
]);
