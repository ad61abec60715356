/** What keeps a server from starting, or is told at its start: addresses to advertise, ports, credentials. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../../src/server/index.ts";
import { parseAdvertise } from "../../src/server/advertise.ts";

const READ: readonly (readonly [string, string, number])[] = [
  ["me.example", "me.example", 4222],
  ["me.example:1", "me.example", 1],
  ["me.example:0", "me.example", 4222],
  ["me.example:-1", "me.example", 4222],
  ["[::1]:7", "::1", 7],
  ["[::1]", "::1", 4222],
  [":7", "", 7],
];

for (const [text, host, port] of READ) {
  test(`${text} is read`, () => assert.deepEqual(parseAdvertise(text, 4222), { host, port }));
}

test("what is no address is told as a text", () => {
  assert.equal(parseAdvertise("a:b:c", 1), "address a:b:c: too many colons in address");
  assert.equal(parseAdvertise("a:b", 1), 'strconv.Atoi: parsing "b": invalid syntax');
});

const REFUSED = [
  [
    { clientAdvertise: "a:b" },
    'Error setting server INFO with ClientAdvertise value of a:b, err=strconv.Atoi: parsing "b": invalid syntax',
  ],
  [
    { leafnodes: { port: -1, advertise: "a:b:c" } },
    "Error setting leafnode INFO with LeafNode.Advertise value of a:b:c, err=address a:b:c: too many colons in address",
  ],
  [
    { websocket: { port: -1, noTls: true, advertise: "a:b:c" } },
    "Unable to get websocket connect URLs: address a:b:c: too many colons in address",
  ],
] as const;

for (const [options, text] of REFUSED) {
  test(`no server starts with ${JSON.stringify(options)}`, async () => {
    await assert.rejects(startServer({ port: -1, host: "127.0.0.1", ...options }), {
      message: text,
      code: "BAD_OPTIONS",
    });
  });
}

test("a port beyond 65535 is none", async () => {
  await assert.rejects(startServer({ port: 99_999, host: "127.0.0.1" }), {
    message: 'Error listening on port: 127.0.0.1:99999, "listen tcp: address 99999: invalid port"',
    code: "LISTEN_FAILED",
  });
});

test("a remote whose credentials cannot be read is told of at once", async () => {
  const log: string[] = [];
  const server = await startServer({
    port: -1,
    host: "127.0.0.1",
    leafnodes: { remotes: [{ url: "nats://127.0.0.1:1", credentials: "/nowhere/x.creds" }] },
    log: (level, text) => log.push(`${level} ${text}`),
  });
  await server.stop();
  const told = log.filter((line) => line.includes("Remote Credentials file"));
  assert.deepEqual(told, [
    'error Error reading LeafNode Remote Credentials file "/nowhere/x.creds": open /nowhere/x.creds: no such file or directory',
  ]);
});
