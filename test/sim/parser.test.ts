/** Properties of the parser, seen from outside: how bytes are cut or spelled changes nothing. */
import assert from "node:assert/strict";
import test from "node:test";
import * as fc from "fast-check";
import { Random } from "../../src/testing/random.ts";
import { conversation, garbage, mutate, type Role } from "../fuzz/grammar.ts";
import { wrongOutput } from "../fuzz/output.ts";
import { BareServer } from "./bare-server.ts";

const LIMITS = { maxPayload: 1024, maxControlLine: 512 };

/** Everything that a conversation makes the server say, to its peer and to a client that hears all. */
function answers(
  text: string,
  role: Role,
  cuts: readonly number[],
): readonly [string, string, string] {
  const server = new BareServer(LIMITS);
  const witness = server.client();
  server.send(witness, "SUB > 1\r\n");
  const link = role === "client" ? server.client("") : server.leaf("");
  let from = 0;
  for (const cut of [...new Set(cuts)].sort((a, b) => a - b)) {
    server.send(link, text.slice(from, cut));
    from = cut;
  }
  server.send(link, text.slice(from));
  const said = server.take(link);
  assert.equal(wrongOutput(said, role), null);
  assert.deepEqual(server.internalErrors, []);
  // Interest that comes and goes within one chunk need not be announced, and PINGs pace a leaf's output.
  const peer = role === "client" ? said : said.replace(/^(LS[+-] .*|PING)\r\n/gm, "");
  return [peer, server.take(witness), link.state];
}

const anyText = fc
  .tuple(fc.nat(), fc.constantFrom<Role>("client", "leaf"), fc.nat(3))
  .map(([seed, role, kind]): readonly [string, Role] => {
    const random = new Random(seed);
    if (kind === 0) return [garbage(random), role];
    const text = conversation(random, role);
    return [kind === 1 ? mutate(random, text) : text, role];
  });

test("where chunks end changes no answer", () => {
  fc.assert(
    fc.property(anyText, fc.array(fc.nat(2000), { maxLength: 6 }), ([text, role], cuts) => {
      const inside = cuts.filter((cut) => cut < text.length);
      assert.deepEqual(answers(text, role, inside), answers(text, role, []));
    }),
    { numRuns: 1500 },
  );
});

test("bytes without sense get an -ERR, silence or a close", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }),
      fc.constantFrom<Role>("client", "leaf"),
      (chunks, role) => {
        const text = chunks.map((chunk) => String.fromCharCode(...chunk)).join("");
        answers(text, role, []);
      },
    ),
    { numRuns: 500 },
  );
});

interface Spoken {
  readonly subject: string;
  readonly reply: string;
  readonly header: string;
  readonly body: string;
}

const word = fc.constantFrom("a", "b.c", "a.*", "x.y.z", "_INBOX.1");
const spoken: fc.Arbitrary<Spoken> = fc.record({
  subject: word,
  reply: fc.oneof(fc.constant(""), word),
  header: fc.constantFrom("", "", "NATS/1.0\r\nA: b\r\n\r\n"),
  body: fc.constantFrom("", "ok", "\r\n", "x".repeat(300)),
});

/** A message as clients write it, or with every liberty that the protocol leaves. */
function spell({ subject, reply, header, body }: Spoken, free: Random | null): string {
  const space = (): string => free?.pick([" ", "  ", "\t", " \t "]) ?? " ";
  const size = String(header.length + body.length);
  const parts = [header === "" ? "PUB" : "HPUB", subject];
  if (reply !== "") parts.push(reply);
  if (header !== "") parts.push(String(header.length));
  parts.push(size);
  let line = parts[0] ?? "";
  if (free !== null) line = line.replace(/./g, (c) => (free.chance(0.5) ? c.toLowerCase() : c));
  for (const part of parts.slice(1)) line += space() + part;
  return `${line}${free?.pick(["\r\n", "\n", " \r\n"]) ?? "\r\n"}${header}${body}\r\n`;
}

test("a message arrives the same however it was spelled", () => {
  fc.assert(
    fc.property(fc.array(spoken, { minLength: 1, maxLength: 8 }), fc.nat(), (messages, seed) => {
      const hear = (free: Random | null): readonly string[] => {
        const server = new BareServer();
        const plain = server.client('CONNECT {"verbose":false,"headers":false}\r\n');
        const publisher = server.client();
        const leaf = server.leaf();
        server.send(plain, "SUB > 1\r\n");
        server.send(publisher, "SUB > 2\r\nSUB > q 3\r\n");
        server.send(leaf, "LS+ >\r\n");
        for (const link of [plain, publisher, leaf]) server.take(link);
        server.send(publisher, messages.map((message) => spell(message, free)).join(""));
        return [plain, publisher, leaf].map((link) =>
          server.take(link).replace(/(?<=\r\n)PING\r\n$/, ""),
        );
      };
      assert.deepEqual(hear(new Random(seed)), hear(null));
    }),
    { numRuns: 500 },
  );
});
