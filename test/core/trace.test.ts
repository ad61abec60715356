/** Protocol tracing: what comes in and goes out, as lines of the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

/** The trace lines of one client that sends these bytes. */
function traced(input: string, options: ConstructorParameters<typeof Rig>[0] = {}): string[] {
  const rig = new Rig({ trace: true, ...options });
  const link = rig.client();
  rig.log.length = 0;
  rig.send(link, input);
  return rig.log.filter((line) => line.startsWith("trace ")).map((line) => line.slice(6));
}

test("deliveries are traced with their payload", () => {
  assert.deepEqual(traced("SUB a 1\r\nSUB a q 2\r\nPUB a re 5\r\nhello\r\n"), [
    "<<- [SUB a 1]",
    "<<- [SUB a q 2]",
    "<<- [PUB a re 5]",
    '<<- MSG_PAYLOAD: ["hello"]',
    "->> [MSG a 1 re 5]",
    '->> MSG_PAYLOAD: ["hello"]',
    "->> [MSG a 2 re 5]",
    '->> MSG_PAYLOAD: ["hello"]',
  ]);
});

test("an empty payload has no line", () => {
  assert.deepEqual(traced("SUB a 1\r\nPUB a 0\r\n\r\n").slice(1), [
    "<<- [PUB a 0]",
    "->> [MSG a 1 0]",
  ]);
});

test("of headers, the empty line at the end is left out", () => {
  const lines = traced(
    "SUB a 1\r\nHPUB a 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\nPUB a 1\r\nx\r\n",
    {
      traceHeaders: true,
    },
  );
  assert.deepEqual(lines.slice(1), [
    "<<- [HPUB a 18 20]",
    '<<- MSG_PAYLOAD: ["NATS/1.0\\r\\nA: b"]',
    "->> [HMSG a 1 18 20]",
    '->> MSG_PAYLOAD: ["NATS/1.0\\r\\nA: b"]',
    "<<- [PUB a 1]",
    "->> [MSG a 1 1]",
  ]);
});

test("payloads are cut at a length on both ways", () => {
  const lines = traced("SUB a 1\r\nPUB a 5\r\nhello\r\n", { traceLength: 3 });
  assert.deepEqual(
    lines.filter((line) => line.includes("PAYLOAD")),
    ['<<- MSG_PAYLOAD: ["hel..."]', '->> MSG_PAYLOAD: ["hel..."]'],
  );
});

test("a receiver without headers is shown what it got", () => {
  const rig = new Rig({ trace: true });
  const old = rig.client();
  rig.send(old, 'CONNECT {"headers":false}\r\nSUB a 1\r\n');
  const sender = rig.client();
  rig.log.length = 0;
  rig.send(sender, "HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n");
  assert.deepEqual(rig.log.slice(-2), ["trace ->> [MSG a 1 2]", 'trace ->> MSG_PAYLOAD: ["hi"]']);
});

test("+OK and the end of subscriptions are traced", () => {
  assert.deepEqual(
    traced(
      'CONNECT {"verbose":true}\r\nSUB a 1\r\nUNSUB 1\r\nSUB b 2\r\nUNSUB 2 1\r\nPUB b 0\r\n\r\n',
    ).filter((line) => !line.startsWith("<<-")),
    [
      "->> [OK]",
      "->> [OK]",
      "<-> [DELSUB 1]",
      "->> [OK]",
      "->> [OK]",
      "->> [OK]",
      "->> [OK]",
      "->> [MSG b 2 0]",
      "<-> [DELSUB 2]",
    ],
  );
});

test("subjects in UTF-8 are readable", () => {
  const bytes = Buffer.from("SUB grün 1\r\nPUB grün 0\r\n\r\n").toString("latin1");
  assert.deepEqual(traced(bytes), ["<<- [SUB grün 1]", "<<- [PUB grün 0]", "->> [MSG grün 1 0]"]);
});

test("several receivers of one message have a line each", () => {
  const rig = new Rig({ trace: true });
  for (let i = 0; i < 3; i++) rig.client("SUB a 1\r\n");
  const sender = rig.client();
  rig.log.length = 0;
  rig.send(sender, "PUB a 1\r\nx\r\n");
  assert.equal(rig.log.filter((line) => line === "trace ->> [MSG a 1 1]").length, 3);
});

test("where nobody has to log in, labels still name who CONNECT says it is", () => {
  const rig = new Rig();
  const label = (json: string): string => {
    const link = rig.client();
    rig.send(link, `CONNECT ${json}\r\n`);
    return link.label.split(" - ").slice(2).join(" - ");
  };
  assert.equal(
    label('{"user":"me","lang":"go","version":"1","name":"n"}'),
    '"v1:go:n" - "$G/user:me"',
  );
  assert.equal(label('{"nkey":"UABC"}'), '"$G/nkey:UABC"');
  assert.equal(label('{"auth_token":"x"}'), '"$G/token"');
  assert.equal(label('{"name":"a\\"b - c"}'), '"a\\"b - c"');
  assert.equal(label("{}"), "");
});

test("a label tells the user when CONNECT is refused after the login", () => {
  const rig = new Rig();
  const link = rig.client();
  rig.send(link, 'CONNECT {"user":"me","protocol":7}\r\n');
  assert.match(link.label, /"\$G\/user:me"$/);
});
