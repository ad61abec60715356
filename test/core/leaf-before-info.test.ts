/** What a dialled peer may do before it has said who it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Rig } from "./rig.ts";

for (const spec of [{}, { tls: true }, { denyImports: [">"] }]) {
  test(`a message before the first INFO of a hub is not taken, remote ${JSON.stringify(spec)}`, () => {
    const rig = new Rig();
    const sub = rig.client("SUB > 1\r\n");
    const remote = rig.remote(spec);
    rig.send(remote, "LMSG orders 2\r\nhi\r\n");
    assert.doesNotMatch(rig.textOf(sub.id), /MSG/);
    assert.equal(remote.state, "closed");
  });
}

test("a message behind an INFO that demands TLS is not taken before TLS", () => {
  const rig = new Rig();
  const sub = rig.client("SUB > 1\r\n");
  const remote = rig.remote({ tls: true });
  const info = { server_id: "H", client_id: 1, tls_required: true, info_on_connect: true };
  rig.send(remote, `INFO ${JSON.stringify(info)}\r\nHMSG orders 12 14\r\nNATS/1.0\r\n\r\nhi\r\n`);
  assert.doesNotMatch(rig.textOf(sub.id), /MSG/);
});

test("a hub that asks for TLS twice starts one handshake", () => {
  let started = 0;
  const rig = new Rig({}, { startTls: () => void started++ });
  const remote = rig.remote({ tls: true });
  const line = `INFO {"server_id":"H","client_id":1,"tls_required":true,"info_on_connect":true}\r\n`;
  rig.send(remote, line + line);
  assert.equal(started, 1);
});
