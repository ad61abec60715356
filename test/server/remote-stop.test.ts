/** A remote that is stopped while it waits for something. */
import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { optionsFromObject } from "../../src/config/index.ts";
import { Remote } from "../../src/server/remote.ts";
import type { RemoteHost } from "../../src/server/remote-host.ts";

test("a remote that is stopped while its account is looked up opens no link", async (t) => {
  const hub = createServer((socket) => {
    socket.on("error", () => {}).resume();
    t.after(() => socket.destroy());
  });
  hub.listen(0, "127.0.0.1");
  await once(hub, "listening");
  t.after(() => hub.close());
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server has one
  const { port } = hub.address() as AddressInfo;
  const url = `nats-leaf://127.0.0.1:${port}`;
  const [options] = optionsFromObject({ leafnodes: { remotes: [{ url }] } }).options.leafnodes
    .remotes;
  assert.ok(options !== undefined);
  let asked = false;
  let opened = 0;
  let found: (fault: null) => void = () => {};
  const host = {
    reconnect: 1000,
    dialTimeout: 1000,
    log: () => {},
    clientTls: () => null,
    delaysFirst: () => false,
    accountFault: () => {
      asked = true;
      return new Promise<null>((resolve) => (found = resolve));
    },
    openRemote: () => void opened++,
    closeLink: () => {},
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a dial asks of it
  const remote = new Remote(1, options, host as unknown as RemoteHost);
  remote.start();
  // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- `accountFault` above sets it
  while (!asked) await sleep(5);
  remote.stop("Client Closed", true);
  found(null);
  await sleep(50);
  assert.equal(opened, 0);
  assert.equal(remote.state, "stopped");
});
