import assert from "node:assert/strict";
import { createServer } from "node:net";
import { type TestContext, test } from "node:test";
import type { Server, StartOptions } from "../../src/server/index.ts";
import { logged, makeCertificate, skipTls, start, startProxy, until } from "./peers.ts";

const LOCAL = { host: "127.0.0.1", port: -1 };

function startHub(t: TestContext, options: StartOptions = {}): ReturnType<typeof start> {
  return start(t, {
    serverName: "hub",
    leafnodes: LOCAL,
    websocket: { ...LOCAL, noTls: true, compression: true },
    ...options,
  });
}

type RemoteInput = Readonly<
  Record<string, string | number | boolean | string[] | { [name: string]: string }>
>;

function startLeaf(t: TestContext, remote: RemoteInput): ReturnType<typeof start> {
  return start(t, { serverName: "leaf", leafnodes: { reconnect: 50, remotes: [remote] } });
}

/** A message published at the hub reaches the leaf. */
async function crosses(hub: Server, leaf: Server): Promise<void> {
  const [from, to] = [await hub.connect(), await leaf.connect()];
  const sub = to.subscribe("over", { max: 1 });
  await to.flush();
  const { global } = hub.inner.engine;
  await until("interest", () => [...global.leaves].some((link) => link.subs?.has("over") === true));
  from.publish("over", "x".repeat(2000));
  await from.flush();
  for await (const message of sub) assert.equal(message.string().length, 2000);
  await Promise.all([from.close(), to.close()]);
}

const up = (server: Server): boolean => server.remotes.get(1)?.state === "up";

test("a remote over ws with compression and without masking", async (t) => {
  const { server: hub, log: hubLog } = await startHub(t);
  const { server: leaf, log } = await startLeaf(t, {
    url: `ws://127.0.0.1:${hub.inner.websocketPort}/some/path`,
    wsCompression: true,
    wsNoMasking: true,
    compression: "s2_fast",
  });
  await until("up", () => up(leaf));
  await logged(log, /lid_ws:\d+ - Leafnode compression=true masking=false/);
  await logged(hubLog, /lid_ws:\d+ - Leafnode compression=true/);
  // S2 on top of permessage-deflate would gain nothing.
  const [link] = leaf.inner.engine.global.leaves;
  assert.equal(link?.leaf?.compression, "off");
  await crosses(hub, leaf);
});

test("a remote over ws, masked, with S2 around its frames", async (t) => {
  const { server: hub } = await startHub(t);
  const { server: leaf, log } = await startLeaf(t, {
    url: `ws://127.0.0.1:${hub.inner.websocketPort}`,
    compression: "s2_fast",
  });
  await until("up", () => up(leaf));
  await logged(log, /Leafnode compression=false masking=true/);
  await crosses(hub, leaf);
});

test("a remote through an HTTP proxy, over TCP and over ws", async (t) => {
  const { server: hub } = await startHub(t);
  const proxy = await startProxy(t);
  for (const port of [hub.inner.leafPort, hub.inner.websocketPort]) {
    const scheme = port === hub.inner.leafPort ? "nats" : "ws";
    const { server: leaf } = await startLeaf(t, {
      url: `${scheme}://localhost:${port}`,
      proxy: { url: proxy.url },
    });
    await until("up", () => up(leaf));
    await leaf.stop();
    assert.equal(proxy.targets.at(-1), `localhost:${port}`);
  }
});

test("a server that does not upgrade is named in the log and dialled again", async (t) => {
  let dials = 0;
  const web = createServer((socket) => {
    dials++;
    socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  });
  t.after(() => web.close());
  await new Promise<void>((resolve) => {
    web.listen(0, "127.0.0.1", resolve);
  });
  const address = web.address();
  assert.ok(address !== null && typeof address === "object");
  const { server: leaf, log } = await startLeaf(t, { url: `ws://127.0.0.1:${address.port}` });
  await logged(
    log,
    /lid_ws:\d+ - Error soliciting websocket connection: invalid websocket connection/,
  );
  await until("a second dial", () => dials > 1);
  assert.match(leaf.remotes.get(1)?.lastError ?? "", /invalid websocket connection/);
});

test("a server that does not answer the upgrade is given up after first_info_timeout", async (t) => {
  const mute = createServer((socket) => t.after(() => socket.destroy()));
  t.after(() => mute.close());
  await new Promise<void>((resolve) => {
    mute.listen(0, "127.0.0.1", resolve);
  });
  const address = mute.address();
  assert.ok(address !== null && typeof address === "object");
  const { log } = await startLeaf(t, {
    url: `ws://127.0.0.1:${address.port}`,
    firstInfoTimeout: 150,
  });
  await logged(log, /Error soliciting websocket connection: i\/o timeout/);
});

test(
  "wss, tls and a dead TCP URL in one remote are tried in order",
  { skip: skipTls },
  async (t) => {
    const tls = makeCertificate();
    const { server: hub } = await startHub(t, {
      leafnodes: { ...LOCAL, tls },
      websocket: { ...LOCAL, tls },
    });
    const trust = { caFile: tls.certFile };
    const dead = "nats://127.0.0.1:1";
    const { leafPort, websocketPort } = hub.inner;
    // The certificate names localhost alone: the addresses are verified against the name of another URL.
    const tcp = await startLeaf(t, {
      urls: [dead, `tls://127.0.0.1:${leafPort}`, "tls://localhost:1"],
      noRandomize: true,
      tls: trust,
    });
    await until("up over TLS", () => up(tcp.server));
    const web = await startLeaf(t, {
      urls: [`wss://localhost:1`, `wss://localhost:${websocketPort}`],
      noRandomize: true,
      tls: trust,
    });
    await until("up over wss", () => up(web.server));
    await crosses(hub, web.server);
  },
);
