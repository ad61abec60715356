/** The official client against a `frond-server` process: what happens when the server goes, comes back, or changes. */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ConnectionOptions, NatsConnection, Status } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { makeCertificates, skipReason } from "../transports/certificates.ts";
import { directory, frondServer, Running, ServerUnderTest, until } from "./servers.ts";

async function clientOf(t: TestContext, options: ConnectionOptions): Promise<NatsConnection> {
  const client = await connect(options);
  t.after(() => client.close());
  return client;
}

/** The client's own account of what happened to it. */
function statuses(client: NatsConnection): Status[] {
  const seen: Status[] = [];
  void (async () => {
    for await (const status of client.status()) seen.push(status);
  })();
  return seen;
}

const saw = (seen: readonly Status[], type: Status["type"]): Promise<Status> =>
  until(
    () => `${type} after ${seen.map((status) => status.type).join(", ")}`,
    () => seen.find((status) => status.type === type) ?? null,
  );

test("a client reconnects to the restarted server, and its subscriptions are there again", async (t) => {
  const dir = directory(t);
  writeFileSync(join(dir, "server.conf"), `listen: "127.0.0.1:-1"`);
  const first = new ServerUnderTest(t, [...frondServer.command, "-c", "server.conf"], dir);
  const port = await first.clientPort();
  const client = await clientOf(t, {
    port,
    reconnectTimeWait: 20,
    reconnectJitter: 0,
    maxReconnectAttempts: -1,
  });
  const seen = statuses(client);
  const got: string[] = [];
  client.subscribe("still.here", {
    callback: (_error, message) => {
      got.push(message.string());
    },
  });
  await client.flush();
  first.child.kill("SIGKILL");
  await first.ended();
  await saw(seen, "disconnect");
  writeFileSync(join(dir, "server.conf"), `listen: "127.0.0.1:${port}"`);
  const second = new Running(t, [...frondServer.command, "-c", "server.conf"], dir);
  await second.said(/Server is ready/);
  await saw(seen, "reconnect");
  client.publish("still.here", "yes");
  await client.flush();
  deepEqual(got, ["yes"]);
});

test("lame duck mode tells clients, who leave for another server, and ends the process", async (t) => {
  const config = `listen: "127.0.0.1:-1", lame_duck_grace_period: "100ms"`;
  const leaving = await ServerUnderTest.start(t, frondServer, config);
  const staying = await ServerUnderTest.start(t, frondServer, config);
  const ports = [await leaving.clientPort(), await staying.clientPort()];
  const client = await clientOf(t, {
    servers: ports.map((port) => `127.0.0.1:${port}`),
    noRandomize: true,
    reconnectTimeWait: 20,
    reconnectJitter: 0,
  });
  const seen = statuses(client);
  equal(client.info?.port, ports[0]);
  leaving.child.kill("SIGUSR2");
  await saw(seen, "ldm");
  await saw(seen, "reconnect");
  equal(client.info?.port, ports[1]);
  equal(await leaving.ended(), 0);
  ok(leaving.text.includes("Entering lame duck mode"), leaving.text);
});

test("a reload changes who may come in, and what may not change is refused", async (t) => {
  const server = await ServerUnderTest.start(
    t,
    frondServer,
    `listen: "127.0.0.1:-1", authorization { token: "old" }`,
  );
  const port = await server.clientPort();
  const file = join(server.dir, "server.conf");
  const old = await clientOf(t, { port, token: "old", reconnect: false });
  writeFileSync(file, `listen: "127.0.0.1:-1", authorization { token: "new" }`);
  server.child.kill("SIGHUP");
  await server.said(/Reloaded server configuration/);
  const reason = await old.closed();
  ok(/authorization violation|disconnect/i.test(String(reason ?? "disconnect")), String(reason));
  await rejects(connect({ port, token: "old", reconnect: false }), /authorization violation/i);
  const renewed = await clientOf(t, { port, token: "new" });
  writeFileSync(file, `listen: "127.0.0.1:-1", authorization { token: "new" }, max_pending: 1000`);
  server.child.kill("SIGHUP");
  await server.said(/Failed to reload/);
  await renewed.flush();
});

test(
  "TLS: a client that knows the authority gets in, others do not",
  { skip: skipReason },
  async (t) => {
    const certificates = makeCertificates();
    const server = await ServerUnderTest.start(
      t,
      frondServer,
      `listen: "127.0.0.1:-1"
     tls { cert_file: "${certificates.serverCert}", key_file: "${certificates.serverKey}" }`,
    );
    const servers = `localhost:${await server.clientPort()}`;
    const client = await clientOf(t, { servers, tls: { caFile: certificates.ca } });
    await client.flush();
    equal(client.info?.tls_required, true);
    await rejects(
      connect({ servers, reconnect: false, tls: {} }),
      /self.signed|unable to (get|verify)/i,
    );
  },
);

test(
  "TLS: with verify, a client needs a certificate of its own",
  { skip: skipReason },
  async (t) => {
    const certificates = makeCertificates();
    const server = await ServerUnderTest.start(
      t,
      frondServer,
      `listen: "127.0.0.1:-1"
     tls {
       cert_file: "${certificates.serverCert}", key_file: "${certificates.serverKey}"
       ca_file: "${certificates.ca}", verify: true
     }`,
    );
    const servers = `localhost:${await server.clientPort()}`;
    const tls = { caFile: certificates.ca };
    const own = { certFile: certificates.clientCert, keyFile: certificates.clientKey };
    const client = await clientOf(t, { servers, tls: { ...tls, ...own } });
    await client.flush();
    await rejects(connect({ servers, reconnect: false, tls, timeout: 3000 }));
  },
);
