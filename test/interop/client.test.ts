/**
 * The official client against a server in this process: over TCP, and over no socket at all. What is the client's
 * own work is not tested here; every test holds something that the server has to do.
 */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { test, type TestContext } from "node:test";
import {
  type ConnectionOptions,
  createInbox,
  headers,
  type Msg,
  type NatsConnection,
  type Subscription,
} from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { type Server, type StartOptions, startServer } from "../../src/server/index.ts";

type Connect = (server: Server, options?: ConnectionOptions) => Promise<NatsConnection>;

const WAYS: Readonly<Record<string, Connect>> = {
  TCP: (server, options = {}) => connect({ ...options, servers: server.clientUrl }),
  "in process": (server, options = {}) => server.connect(options),
};

async function start(t: TestContext, options: StartOptions = {}): Promise<Server> {
  const server = await startServer(options);
  t.after(() => server.stop());
  return server;
}

/** The first messages of a subscription. */
async function take(subscription: Subscription, count: number): Promise<Msg[]> {
  const taken: Msg[] = [];
  for await (const message of subscription) {
    taken.push(message);
    if (taken.length === count) break;
  }
  return taken;
}

const texts = (messages: readonly Msg[]): string[] => messages.map((message) => message.string());

for (const [way, open] of Object.entries(WAYS)) {
  async function clients(t: TestContext, server: Server, count: number): Promise<NatsConnection[]> {
    const all = await Promise.all(Array.from({ length: count }, () => open(server)));
    t.after(() => Promise.all(all.map((client) => client.close())));
    return all;
  }

  test(`${way}: messages arrive in order, at plain and wildcard subscriptions`, async (t) => {
    const [a, b] = (await clients(t, await start(t), 2)) as [NatsConnection, NatsConnection];
    const plain = a.subscribe("orders.new");
    const partial = a.subscribe("orders.*");
    const full = a.subscribe(">", { max: 3 });
    await a.flush();
    for (const text of ["1", "2", "3"]) b.publish("orders.new", text);
    b.publish("orders.old", "4");
    deepEqual(texts(await take(plain, 3)), ["1", "2", "3"]);
    deepEqual(texts(await take(partial, 4)), ["1", "2", "3", "4"]);
    deepEqual(texts(await take(full, 4)), ["1", "2", "3"]);
  });

  test(`${way}: one member of a queue group gets each message, all members get some`, async (t) => {
    const [publisher, ...workers] = await clients(t, await start(t), 4);
    const counts = workers.map(() => 0);
    const seen: string[] = [];
    for (const [i, worker] of workers.entries()) {
      worker.subscribe("jobs", {
        queue: "workers",
        callback: (_error, message) => {
          counts[i] = (counts[i] ?? 0) + 1;
          seen.push(message.string());
        },
      });
    }
    await Promise.all(workers.map((worker) => worker.flush()));
    for (let i = 0; i < 300; i++) publisher?.publish("jobs", String(i));
    await publisher?.flush();
    await Promise.all(workers.map((worker) => worker.flush()));
    equal(seen.length, 300);
    equal(new Set(seen).size, 300);
    ok(
      counts.every((count) => count > 30),
      String(counts),
    );
  });

  test(`${way}: a request is answered; without a service it fails at once`, async (t) => {
    const [service, client] = (await clients(t, await start(t), 2)) as [
      NatsConnection,
      NatsConnection,
    ];
    service.subscribe("double", {
      callback: (_error, message) => {
        message.respond(String(2 * Number(message.string())));
      },
    });
    await service.flush();
    equal((await client.request("double", "21")).string(), "42");
    const old = await client.request("double", "4", { noMux: true, timeout: 5000 });
    equal(old.string(), "8");
    await rejects(client.request("nobody", "", { timeout: 60_000 }), /no responders/);
  });

  test(`${way}: a request to many collects their answers`, async (t) => {
    const [asking, ...services] = await clients(t, await start(t), 4);
    for (const [i, service] of services.entries()) {
      service.subscribe("who", {
        callback: (_error, message) => {
          message.respond(`service ${i}`);
        },
      });
    }
    await Promise.all(services.map((service) => service.flush()));
    const answers: string[] = [];
    const many = await asking?.requestMany("who", "", {
      strategy: "count",
      maxMessages: 3,
      maxWait: 5000,
    });
    for await (const answer of many ?? []) answers.push(answer.string());
    deepEqual(answers.sort(), ["service 0", "service 1", "service 2"]);
  });

  test(`${way}: headers arrive as they were sent, several values and all`, async (t) => {
    const [a, b] = (await clients(t, await start(t), 2)) as [NatsConnection, NatsConnection];
    const subscription = a.subscribe("with.headers");
    await a.flush();
    const sent = headers();
    sent.append("Trace-Id", "abc");
    sent.append("Hop", "one");
    sent.append("Hop", "two");
    b.publish("with.headers", "body", { headers: sent, reply: createInbox() });
    const [got] = await take(subscription, 1);
    equal(got?.string(), "body");
    equal(got?.headers?.get("Trace-Id"), "abc");
    deepEqual(got?.headers?.values("Hop"), ["one", "two"]);
    ok(got?.reply?.startsWith("_INBOX."));
  });

  test(`${way}: payloads of every size arrive whole, up to the limit that the server tells`, async (t) => {
    const server = await start(t, { maxPayload: 4 * 1024 * 1024 });
    const [a, b] = (await clients(t, server, 2)) as [NatsConnection, NatsConnection];
    equal(a.info?.max_payload, 4 * 1024 * 1024);
    const sizes = [0, 1, 127, 4096, 65_536, 65_537, 1_048_576, 4 * 1024 * 1024];
    const subscription = a.subscribe("big");
    await a.flush();
    for (const size of sizes) b.publish("big", new Uint8Array(size).fill(size % 251));
    const got = await take(subscription, sizes.length);
    deepEqual(
      got.map(({ data }) => data.length),
      sizes,
    );
    ok(got.every(({ data }) => data.every((byte) => byte === data.length % 251)));
  });

  test(`${way}: drain delivers what is under way, then ends`, async (t) => {
    const server = await start(t);
    const [publisher] = (await clients(t, server, 1)) as [NatsConnection];
    const draining = await open(server);
    const got: string[] = [];
    draining.subscribe("work", {
      callback: (_error, message) => {
        got.push(message.string());
      },
    });
    await draining.flush();
    for (let i = 0; i < 100; i++) publisher.publish("work", String(i));
    await publisher.flush();
    await draining.drain();
    ok(draining.isClosed());
    equal(got.length, 100);
    await rejects(publisher.request("work", "", { timeout: 60_000 }), /no responders/);
  });
}

test("a subject that is not allowed is refused by name, and the rest goes on", async (t) => {
  const server = await start(t, {
    authorization: {
      users: [
        {
          user: "ann",
          password: "a",
          permissions: {
            publish: { deny: ["secret.>"] },
            subscribe: { allow: ["open.>", "_INBOX.>"] },
          },
        },
      ],
    },
  });
  const client = await connect({ servers: server.clientUrl, user: "ann", pass: "a" });
  t.after(() => client.close());
  const refused = new Promise<string>((resolve) => {
    client.subscribe("closed", { callback: (error) => resolve(error?.message ?? "") });
  });
  equal(await refused, `Permissions Violation for Subscription to "closed"`);
  const open = client.subscribe("open.door");
  client.publish("secret.door", "no");
  client.publish("open.door", "yes");
  deepEqual(texts(await take(open, 1)), ["yes"]);
});

const LOGINS: readonly {
  readonly name: string;
  readonly authorization: NonNullable<StartOptions["authorization"]>;
  readonly right: ConnectionOptions;
  readonly wrong: ConnectionOptions;
}[] = [
  {
    name: "a token",
    authorization: { token: "s3cr3t" },
    right: { token: "s3cr3t" },
    wrong: { token: "guess" },
  },
  {
    name: "a user",
    authorization: { user: "ann", password: "a" },
    right: { user: "ann", pass: "a" },
    wrong: { user: "ann", pass: "b" },
  },
  {
    name: "a user with a bcrypt hash",
    authorization: {
      users: [
        { user: "ann", password: "$2b$04$tHW0y1.u3kRNYWwqm0zv4u3OnUN9TYslj6OnecnVPxqOq3jiHoGAC" },
      ],
    },
    right: { user: "ann", pass: "a" },
    wrong: { user: "ann", pass: "b" },
  },
];

for (const { name, authorization, right, wrong } of LOGINS) {
  test(`${name} lets in, anything else does not`, async (t) => {
    const server = await start(t, { authorization });
    const servers = server.clientUrl;
    const client = await connect({ ...right, servers });
    await client.flush();
    await client.close();
    await rejects(connect({ ...wrong, servers, reconnect: false }), /authorization violation/i);
    await rejects(connect({ servers, reconnect: false }), /authorization violation/i);
  });
}
