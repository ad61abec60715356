import { testErrors } from "./errors.ts";

testErrors([
  { config: 'port: "x"', error: "2:1: interface conversion: interface {} is string, not int64" },
  {
    config: "port: 1.5\nhost: 3",
    error: [
      "2:1: interface conversion: interface {} is float64, not int64",
      "3:1: interface conversion: interface {} is int64, not string",
    ],
  },
  { config: "debug: 3", error: "2:1: interface conversion: interface {} is int64, not bool" },
  {
    config: "ping_interval: 5",
    error:
      '2:1: invalid use of field "ping_interval": ping_interval should be converted to a duration',
  },
  {
    config: 'ping_interval: "5"',
    error: '2:1: error parsing ping_interval: time: missing unit in duration "5"',
  },
  {
    config: 'ping_interval: "5x"',
    error: '2:1: error parsing ping_interval: time: unknown unit "x" in duration "5x"',
  },
  {
    config: "ping_interval: true",
    error: [
      "2:1: interface conversion: interface {} is bool, not int64",
      '2:1: invalid use of field "ping_interval": ping_interval should be converted to a duration',
    ],
  },
  {
    config: 'write_deadline: "abc"',
    error: '2:1: error parsing write_deadline: time: invalid duration "abc"',
  },
  { config: "max_payload: 3GB", error: "2:1: max_payload value is too big" },
  { config: "max_control_line: 3GB", error: "2:1: max_control_line value is too big" },
  { config: "max_sub_tokens: 300", error: "2:1: max_sub_tokens value is too big" },
  { config: "max_sub_tokens: 0", error: "2:1: max_sub_tokens value can not be negative" },
  {
    config: 'max_payload: "1k"',
    error: "2:1: interface conversion: interface {} is string, not int64",
  },
  {
    config: "lame_duck_duration: 30",
    error: "2:1: interface conversion: interface {} is int64, not string",
  },
  {
    config: 'lame_duck_duration: "1500ms"',
    error: "2:1: invalid lame_duck_duration of 1.5s, minimum is 30 seconds",
  },
  {
    config: "lame_duck_grace_period: 5",
    error: "2:1: interface conversion: interface {} is int64, not string",
  },
  { config: 'listen: "a:b:c"', error: '2:1: could not parse address string "a:b:c"' },
  { config: "listen: [a]", error: "2:1: expected port or host:port, got []interface {}" },
  { config: "listen: ::1", error: '2:1: could not parse address string "::1"' },
  { config: 'listen: "a:"', error: '2:1: could not parse port ""' },
  { config: 'http: "x"', error: '2:1: could not parse address string "x"' },
  { config: "http: true", error: "2:1: expected port or host:port, got bool" },
  { config: 'https: "h:p"', error: '2:1: could not parse port "p"' },
  { config: 'server_name: "a b"', error: "2:1: server name cannot contain spaces" },
  {
    config: "server_tags: [a, 1 ]",
    error: "2:1: error parsing tags: unsupported type *conf.token where string is expected",
  },
  { config: "server_tags: 5", error: "2:1: error parsing tags: unsupported type int64" },
  {
    config: "server_tags: {a:b}",
    error: "2:1: error parsing tags: unsupported type map[string]interface {}",
  },
  { config: "server_metadata: 5", error: "2:1: error parsing metadata: unsupported type int64" },
  {
    config: "server_metadata {a: 5}",
    error: "2:18: interface conversion: interface {} is int64, not string",
  },
  {
    config: "feature_flags {x: 5}",
    error: '2:16: error parsing feature flag "x": expected bool, got int64',
  },
  { config: "feature_flags: 1", error: "2:1: error parsing feature flags: unsupported type int64" },
  {
    config: 'feature_flags {x: true, y: "z"}',
    error: '2:25: error parsing feature flag "y": expected bool, got string',
  },
  { config: "system_account: 5", error: "2:1: system account name must be a string" },
  { config: "system: [a]", error: "2:1: system account name must be a string" },
  {
    config: "default_js_domain: 5",
    error: "2:1: error default_js_domain config: unsupported type int64",
  },
  {
    config: "trusted_keys: foo",
    error: '2:1: trust key "foo" required to be a valid public operator nkey',
  },
  {
    config: "trusted: [a, 5 ]",
    error: [
      "2:14: error parsing trusted: unsupported type in array int64",
      '2:14: trust key "a" required to be a valid public operator nkey',
    ],
  },
  { config: "trusted: 5 ", error: "2:1: error parsing trusted: unsupported type int64" },
  {
    config: "resolver: foo",
    error:
      '2:1: error parsing account resolver, should be MEM or  URL("url") or a map containing dir and type state=[FULL|CACHE])',
  },
  { config: "resolver: 5", error: "2:1: error parsing operator resolver, wrong type int64" },
  {
    config:
      'resolver {type: cache, dir: ".", interval: "1m", allow_delete: true, hard_delete: true}',
    error: [
      "2:1: CACHE does not accept allow_delete",
      "2:1: CACHE does not accept hard_delete",
      "2:1: CACHE does not accept sync",
    ],
  },
  {
    config: 'resolver {type: full, dir: ".", ttl: "5m", hard_delete: true}',
    error: ["2:1: FULL does not accept ttl", "2:1: hard_delete has no effect without delete"],
  },
  {
    config: 'resolver {type: full, dir: ".", interval: 5}',
    error: "2:33: interface conversion: interface {} is int64, not string",
  },
  {
    config: 'resolver {type: full, dir: ".", interval: "x"}',
    error: '2:1: time: invalid duration "x"',
  },
  {
    config: "resolver {type: foo}",
    error:
      '2:1: error parsing account resolver, should be MEM or  URL("url") or a map containing dir and type state=[FULL|CACHE])',
  },
  {
    config: "resolver_preload: 5",
    error: "2:1: preload should be a map of account_public_key:account_jwt",
  },
  { config: "resolver_preload {A: 5}", error: "2:19: preload map value should be a string JWT" },
  { config: 'resolver_preload {A: "b"}', error: "2:19: invalid account JWT" },
  {
    config: "resolver_pinned_accounts: 5",
    error: "2:1: error parsing resolver_pinned_accounts: unsupported type int64",
  },
  {
    config: "resolver_pinned_accounts: [a, 5 ]",
    error: "2:31: error parsing resolver_pinned_accounts: unsupported type in array int64",
  },
  {
    config: 'operator: "nofile"',
    error: "2:1: error parsing operator JWT: open nofile: no such file or directory",
  },
  { config: "operator: 5", error: "2:1: error parsing operators: unsupported type int64" },
  {
    config: "operator: [5 ]",
    error: "2:1: error parsing operators: unsupported type *conf.token where string is expected",
  },
  {
    config: "tls: 5",
    error: "2:1: interface conversion: interface {} is int64, not map[string]interface {}",
  },
  {
    config: "tls { cert_file: 5 }",
    error: "2:7: error parsing tls config, expected 'cert_file' to be filename",
  },
  {
    config: "tls { verify: 5 }",
    error: "2:7: error parsing tls config, expected 'verify' to be a boolean",
  },
  {
    config: 'tls { timeout: "x" }',
    error: "2:7: error parsing tls config, 'timeout' time: invalid duration \"x\"",
  },
  { config: "tls { timeout: [a] }", error: "2:7: error parsing tls config, 'timeout' wrong type" },
  {
    config: "tls { cipher_suites: [] }",
    error: "2:7: error parsing tls config, 'cipher_suites' cannot be empty",
  },
  {
    config: "tls { cipher_suites: 5 }",
    error: "2:7: interface conversion: interface {} is int64, not []interface {}",
  },
  { config: "tls { cipher_suites: [foo] }", error: "2:23: unrecognized cipher foo" },
  {
    config: "tls { curve_preferences: [] }",
    error: "2:7: error parsing tls config, 'curve_preferences' cannot be empty",
  },
  {
    config: "tls { curve_preferences: [foo, X25519] }",
    error: "2:27: unrecognized curve preference foo",
  },
  {
    config: "tls { pinned_certs: 5 }",
    error:
      "2:7: error parsing tls config, expected 'pinned_certs' to be a list of hex-encoded sha256 of DER encoded SubjectPublicKeyInfo",
  },
  {
    config: "tls { pinned_certs: [abc] }",
    error:
      "2:22: error parsing tls config, 'pinned_certs' key abc does not look like hex-encoded sha256 of DER encoded SubjectPublicKeyInfo",
  },
  {
    config: "tls { handshake_first: foo }",
    error: '2:7: field "handshake_first"\'s value "foo" is invalid',
  },
  {
    config: "tls { first: 5 }",
    error: '2:7: field "first" should be a boolean or a string, got int64',
  },
  {
    config: 'tls { connection_rate_limit: "x" }',
    error: "2:7: error parsing tls config, 'connection_rate_limit' wrong type",
  },
  {
    config: "tls { certs: [5 ] }",
    error: "2:15: error parsing certificates config: unsupported type int64",
  },
  {
    config: "tls { certs: [ {cert_file: x} ] }",
    error:
      "2:17: error parsing certificates config: both 'cert_file' and 'cert_key' options are required",
  },
  {
    config: "tls { certs: [ {foo: x} ] }",
    error: '2:17: error parsing tls certs config, unknown field "foo"',
  },
  {
    config: 'tls { min_version: "1.4" }',
    error: "2:7: error parsing tls config: unknown version: 1.4",
  },
  {
    config: "tls { min_version: 12 }",
    error: "2:7: error parsing tls config: 'min_version' wrong type: 12",
  },
  { config: "tls { foo: 1 }", error: '2:7: error parsing tls config, unknown field "foo"' },
  {
    config: "tls { verify_cert_and_check_known_urls: true }",
    error: "2:7: verify_cert_and_check_known_urls not supported in this context",
  },
  { config: "tls { key_file: x }", error: "2:1: missing 'cert_file' in TLS configuration" },
  { config: "tls { cert_file: x }", error: "2:1: missing 'key_file' in TLS configuration" },
  { config: "websocket: 5", error: "2:1: Expected websocket to be a map, got int64" },
  { config: "websocket { foo: 1 }", error: '2:13: unknown field "foo"' },
  { config: "websocket { listen: x }", error: '2:13: could not parse address string "x"' },
  { config: 'websocket { handshake_timeout: "x" }', error: '2:13: time: invalid duration "x"' },
  {
    config: "websocket { handshake_timeout: [a] }",
    error: "2:13: error parsing handshake timeout: unsupported type []interface {}",
  },
  {
    config: "websocket { origins: 5 }",
    error: "2:13: error parsing allowed origins: unsupported type int64",
  },
  {
    config: "websocket { origin: [5 ] }",
    error: "2:22: error parsing allowed origins: unsupported type in array int64",
  },
  {
    config: "websocket { headers: 5 }",
    error: "2:13: error parsing headers: unsupported type int64",
  },
  {
    config: "websocket { headers {a: 5} }",
    error: "2:22: error parsing header key a: unsupported type int64",
  },
  { config: "websocket { authorization {foo: 1} }", error: '2:28: unknown field "foo"' },
  {
    config: "websocket { ping_interval: 5 }",
    error:
      '2:13: invalid use of field "ping_interval": ping_interval should be converted to a duration',
  },
  {
    config: "websocket { compression: 5 }",
    error: "2:13: interface conversion: interface {} is int64, not bool",
  },
  { config: "proxies: 5", error: "2:1: expected proxies to be a map/struct, got int64" },
  {
    config: "proxies { trusted: 5 }",
    error: "2:11: expected proxies' trusted field to be an array, got int64",
  },
  {
    config: "proxies { trusted: [5 ] }",
    error: "2:21: expected proxies' trusted entry to be a map/struct, got int64",
  },
  { config: "proxies { trusted: [{key: x}] }", error: '2:22: invalid proxy key "x"' },
  { config: "proxies { trusted: [{foo: x}] }", error: '2:22: unknown field "foo"' },
  { config: "proxies { foo: x }", error: '2:11: unknown field "foo"' },
  {
    config: "write_timeout: foo",
    error: "2:1: write_timeout must be 'default', 'close' or 'retry'",
  },
  {
    config: "write_timeout: 5",
    error: "2:1: interface conversion: interface {} is int64, not string",
  },
  { config: "", error: " config has no values or is empty" },
  { config: "# only", error: " config has no values or is empty" },
  { config: "X: 5", error: '2:1: unknown field "X"' },
  { config: "X = {a: 1}\naccounts = $X", error: "2:6: Expected map entries for accounts" },
  {
    config: "client_advertise: 5",
    error: "2:1: interface conversion: interface {} is int64, not string",
  },
  { config: "logfile: 5", error: "2:1: interface conversion: interface {} is int64, not string" },
]);
