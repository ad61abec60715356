/** The proxy between two real sockets: slow, late, stalled, cut. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import test, { type TestContext } from "node:test";
import { FaultProxy, type FaultProxyOptions } from "../../src/testing/fault-proxy.ts";

/** A client of an echo server behind a proxy. */
async function echoThrough(
  t: TestContext,
  options: Omit<FaultProxyOptions, "port"> = {},
): Promise<{ proxy: FaultProxy; echo: (bytes: number) => Promise<number> }> {
  const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const proxy = await FaultProxy.start({
    port: (server.address() as AddressInfo).port,
    ...options,
  });
  const socket = connect({ host: "127.0.0.1", port: proxy.port });
  await once(socket, "connect");
  const gone = once(socket, "close");
  gone.catch(() => {});
  t.after(async () => {
    socket.destroy();
    await proxy.close();
    server.close();
  });
  const echo = async (bytes: number): Promise<number> => {
    const started = performance.now();
    let left = bytes;
    socket.write(Buffer.alloc(bytes, 1));
    while (left > 0) {
      const [chunk] = (await Promise.race([once(socket, "data"), gone])) as [unknown];
      if (!Buffer.isBuffer(chunk)) throw new Error("closed");
      left -= chunk.length;
    }
    return performance.now() - started;
  };
  return { proxy, echo };
}

test("bytes go through, and are counted", async (t) => {
  const { proxy, echo } = await echoThrough(t);
  await echo(100_000);
  assert.deepEqual([proxy.bytesUp, proxy.bytesDown, proxy.connections], [100_000, 100_000, 1]);
});

test("a throttled line takes its time", async (t) => {
  const { echo } = await echoThrough(t, { up: 40_000 });
  assert.ok((await echo(20_000)) > 250);
});

test("a delay counts each way", async (t) => {
  const { echo } = await echoThrough(t, { delay: 60 });
  assert.ok((await echo(10)) > 115);
});

test("a stalled line loses nothing, a cut one is reset", async (t) => {
  const { proxy, echo } = await echoThrough(t);
  await echo(10);
  proxy.stall();
  setTimeout(() => proxy.stall(false), 150);
  assert.ok((await echo(1000)) > 140);
  const cut = assert.rejects(echo(1000));
  proxy.cut();
  await cut;
});
