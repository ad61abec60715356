/** The command line of `frond-server`: syntax, values, what the flags override and what others may see. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FLAGS } from "../../src/cli/server/flags.ts";
import { UsageError, overridesOf, redactedArgs } from "../../src/cli/server/overrides.ts";
import { FlagError, parseFlags } from "../../src/cli/server/parse-flags.ts";
import { usageText } from "../../src/cli/server/usage.ts";

const SYNTAX: readonly {
  readonly args: readonly string[];
  readonly flags: Readonly<Record<string, string | number | boolean>>;
  readonly words?: readonly string[];
}[] = [
  { args: [], flags: {} },
  { args: ["-p", "1"], flags: { p: 1 } },
  { args: ["--p", "1"], flags: { p: 1 } },
  { args: ["-port=1"], flags: { p: 1 } },
  { args: ["--port=-1"], flags: { p: -1 } },
  { args: ["--port", "-1"], flags: { p: -1 } },
  { args: ["-p", "0x10"], flags: { p: 16 } },
  { args: ["-p", "010"], flags: { p: 8 } },
  { args: ["-p", "0b11"], flags: { p: 3 } },
  { args: ["-p", "1_000"], flags: { p: 1000 } },
  { args: ["-p", "+5"], flags: { p: 5 } },
  { args: ["-p", "1", "--port", "2"], flags: { p: 2 } },
  { args: ["-D"], flags: { D: true } },
  { args: ["-D=false"], flags: { D: false } },
  { args: ["--debug=F"], flags: { D: false } },
  { args: ["-DV", "-DVV", "-VV"], flags: { DV: true, DVV: true, VV: true } },
  { args: ["-D", "false"], flags: { D: true }, words: ["false"] },
  { args: ["-n", ""], flags: { n: "" } },
  { args: ["-n="], flags: { n: "" } },
  { args: ["-n", "-x"], flags: { n: "-x" } },
  { args: ["-n=a=b"], flags: { n: "a=b" } },
  { args: ["version", "-p", "1"], flags: {}, words: ["version", "-p", "1"] },
  { args: ["-D", "--", "-p"], flags: { D: true }, words: ["-p"] },
  { args: ["-"], flags: {}, words: ["-"] },
];

for (const { args, flags, words = [] } of SYNTAX) {
  test(`${JSON.stringify(args)} is read`, () => {
    const line = parseFlags(args);
    assert.deepEqual(Object.fromEntries(line.flags), flags);
    assert.deepEqual(line.words, words);
  });
}

const REFUSED: readonly (readonly [readonly string[], string])[] = [
  [["--wibble"], "flag provided but not defined: -wibble"],
  [["-wibble=1"], "flag provided but not defined: -wibble"],
  [["-p"], "flag needs an argument: -p"],
  [["-sl"], "flag needs an argument: -sl"],
  [["-p", "abc"], 'invalid value "abc" for flag -p: parse error'],
  [["-p="], 'invalid value "" for flag -p: parse error'],
  [["-p", "08"], 'invalid value "08" for flag -p: parse error'],
  [["--log_size_limit", "1x"], 'invalid value "1x" for flag -log_size_limit: parse error'],
  [
    ["-p", "99999999999999999999"],
    'invalid value "99999999999999999999" for flag -p: value out of range',
  ],
  [["-D=maybe"], 'invalid boolean value "maybe" for -D: parse error'],
  [["---x"], "bad flag syntax: ---x"],
  [["-=3"], "bad flag syntax: -=3"],
];

for (const [args, message] of REFUSED) {
  test(`${JSON.stringify(args)} is refused`, () => {
    assert.throws(
      () => parseFlags(args),
      (error) => error instanceof FlagError && error.message === message,
    );
  });
}

const OVERRIDES: readonly (readonly [readonly string[], object])[] = [
  [[], {}],
  [["-a", "h", "-p", "1", "-n", "x"], { host: "h", port: 1, serverName: "x" }],
  [["-p", "0"], { port: null }],
  [["-a", ""], { host: null }],
  [["-m", "8222"], { httpPort: 8222 }],
  [["-DVV"], { debug: true, trace: true, traceVerbose: true }],
  [["-VV=false"], { trace: false, traceVerbose: false }],
  [["-T=false", "--logtime_utc"], { logtime: false, logtimeUtc: true }],
  [["--user", "u", "--pass", "p"], { authorization: { user: "u", password: "p" } }],
  [["--auth", "t"], { authorization: { token: "t" } }],
  [["--tls=false"], { tls: null }],
  [
    ["--tls", "--tlscert", "c", "--tlskey", "k"],
    { tls: { cert_file: "c", key_file: "k", verify: false } },
  ],
  [
    ["--tlsverify", "--tlscert", "c", "--tlskey", "k", "--tlscacert", "a"],
    { tls: { cert_file: "c", key_file: "k", ca_file: "a", verify: true } },
  ],
  [["--cluster_name", "C"], { cluster: { name: "C" } }],
  [["--cluster", ""], {}],
  [
    ["--cluster", "nats://u:p@h:1"],
    { cluster: { listen: "h:1", authorization: { user: "u", password: "p" } } },
  ],
];

for (const [args, expected] of OVERRIDES) {
  test(`${JSON.stringify(args)} overrides options`, () => {
    assert.deepEqual(overridesOf(parseFlags(args)), expected);
  });
}

const UNUSABLE: readonly (readonly [readonly string[], string])[] = [
  [["--tls"], "TLS Server certificate must be present and valid"],
  [["--tlskey", "k"], "TLS Server certificate must be present and valid"],
  [["--tlscert", "c"], "TLS Server private key must be present and valid"],
  [["--cluster", "h:1"], "missing port in address"],
  [["--cluster", "nats://u@h:1"], "expected cluster password to be set"],
  [["--routes", "nats://h:1"], "solicited routes require cluster capabilities, e.g. --cluster"],
];

for (const [args, message] of UNUSABLE) {
  test(`${JSON.stringify(args)} cannot be used`, () => {
    assert.throws(
      () => overridesOf(parseFlags(args)),
      (error) => error instanceof UsageError && error.message === message,
    );
  });
}

const REDACTED: readonly (readonly [readonly string[], readonly string[]])[] = [
  [
    ["-p", "1"],
    ["-p", "1"],
  ],
  [
    ["--user", "u", "-pass", "p"],
    ["--user", "[REDACTED]", "-pass", "[REDACTED]"],
  ],
  [
    ["--auth=t", "-D"],
    ["--auth=[REDACTED]", "-D"],
  ],
  [
    ["--routes", "nats://u:p@h:1, nats://i:2", "--cluster=nats://u:p@h:3"],
    ["--routes", "nats://u:xxxxx@h:1,nats://i:2", "--cluster=nats://u:xxxxx@h:3"],
  ],
];

for (const [args, shown] of REDACTED) {
  test(`${JSON.stringify(args)} is shown without secrets`, () => {
    assert.deepEqual(redactedArgs(args), shown);
  });
}

test("no two flags have one name, and all are in the usage text", () => {
  const names = FLAGS.flatMap((flag) => flag.names);
  assert.equal(new Set(names).size, names.length);
  const usage = usageText();
  for (const name of names) assert.match(usage, new RegExp(`-${name}[ ,\n]`));
});
