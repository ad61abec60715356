import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer, type Server, type StartOptions } from "../../src/server/index.ts";

/** A server that ends with the test. */
async function server(t: TestContext, options: StartOptions = {}): Promise<Server> {
  const started = await startServer(options);
  t.after(() => started.stop());
  return started;
}

const hubOptions = {
  serverName: "hub",
  leafnodes: { host: "127.0.0.1", port: -1 },
} satisfies StartOptions;

async function until(what: string, holds: () => boolean, timeout = 5000): Promise<void> {
  const end = Date.now() + timeout;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${timeout} ms: ${what}`);
    await sleep(10);
  }
}

async function fetchJson(url: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every endpoint answers an object
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test("a program adds a link, sees its truth, and removes it, while others stay", async (t) => {
  const hub = await server(t, hubOptions);
  const leaf = await server(t, {
    serverName: "leaf",
    leafnodes: { remotes: [{ url: hub.leafUrl }] },
    accounts: { A: { users: [{ user: "a", password: "a" }] } },
  });
  await until("first link", () => leaf.remotes.get(1)?.state === "up");
  const first = leaf.remotes.get(1)?.link?.id;
  const { id } = leaf.remotes.add({ url: hub.leafUrl, account: "A", required: true });
  assert.throws(() => leaf.remotes.add({ url: hub.leafUrl, account: "A" }), /duplicate remote/);
  assert.throws(
    () => leaf.remotes.add({ url: hub.leafUrl, account: "NO" }),
    /cannot find local account "NO"/,
  );
  assert.throws(
    () => leaf.remotes.add({ url: hub.leafUrl, hubb: true } as object),
    /unknown field/,
  );
  await leaf.ready({ links: true });
  const added = leaf.remotes.get(id);
  assert.equal(added?.account, "A");
  assert.equal(added?.link?.remoteServer, "hub");
  assert.equal(added?.link?.remoteAccount, "$G");
  assert.equal(added?.lastError, "");
  leaf.remotes.remove(id);
  assert.equal(leaf.remotes.get(id), null);
  assert.throws(() => leaf.remotes.remove(id), /no remote has the id/);
  assert.deepEqual(
    leaf.remotes.list().map((one) => [one.state, one.link?.id]),
    [["up", first]],
  );
  await until("hub lost it", () => hub.inner.engine.global.leaves.size === 1);
});

test("a link is disabled and enabled, and a reload leaves what a program added", async (t) => {
  const hub = await server(t, hubOptions);
  const leaf = await server(t, { serverName: "leaf" });
  const { id } = leaf.remotes.add({ url: hub.leafUrl });
  await until("up", () => leaf.remotes.get(id)?.state === "up");
  leaf.remotes.disable(id);
  assert.equal(leaf.remotes.get(id)?.state, "disabled");
  leaf.remotes.enable(id);
  await until("up again", () => leaf.remotes.get(id)?.state === "up");
  const link = leaf.remotes.get(id)?.link?.id;
  await leaf.reload({ serverName: "leaf", maxPayload: 1000 });
  assert.equal(leaf.remotes.get(id)?.link?.id, link);
});

test("rotated credentials are used at once, and kept by a reload that names the old ones", async (t) => {
  const hub = await server(t, {
    ...hubOptions,
    leafnodes: {
      ...hubOptions.leafnodes,
      authorization: {
        users: [
          { user: "one", password: "1" },
          { user: "two", password: "p@:/2" },
        ],
      },
    },
  });
  const url = new URL(hub.leafUrl);
  url.username = "one";
  url.password = "wrong";
  const options = {
    serverName: "leaf",
    leafnodes: { remotes: [{ url: url.href, required: true }] },
  };
  const leaf = await server(t, options);
  await until("refused", () => leaf.remotes.get(1)?.lastError === "Authorization Violation");
  const before = leaf.remotes.get(1);
  assert.ok((before?.attempts ?? 0) > 0);
  leaf.remotes.rotate(1, { user: "two", password: "p@:/2" });
  await leaf.ready({ links: true });
  const after = leaf.remotes.get(1);
  assert.deepEqual([after?.attempts, after?.flaps, after?.credentials], [0, 0, "user"]);
  assert.equal(after?.lastError, "Authorization Violation");
  const link = after?.link?.id;
  await leaf.reload({ ...options, maxPayload: 1000 });
  assert.equal(leaf.remotes.get(1)?.link?.id, link);
  leaf.remotes.rotate(1, { user: "one", password: "1" });
  await until("another link", () => {
    const now = leaf.remotes.get(1);
    return now?.state === "up" && now.link?.id !== link;
  });
  assert.equal(leaf.remotes.get(1)?.flaps, 0);
  assert.throws(() => leaf.remotes.rotate(1, { nkey: "SUnonsense" }), /not a valid seed/);
  assert.equal(leaf.remotes.get(1)?.state, "up");
});

test("linkz, healthz and explain tell of a remote that is down, and when it is up", async (t) => {
  const hub = await server(t, { ...hubOptions });
  const port = new URL(hub.leafUrl).port;
  await hub.stop();
  const directory = mkdtempSync(join(tmpdir(), "frond-remotes-"));
  const file = join(directory, "leaf.conf");
  writeFileSync(
    file,
    `server_name: leaf
listen: "127.0.0.1:-1"
http: "127.0.0.1:-1"
leafnodes {
  reconnect: "100ms"
  remotes: [
    {
      url: "nats-leaf://127.0.0.1:${port}"
      required: true
      deny_exports: ["public.x", "secret.>"]
    }
  ]
}
`,
  );
  const leaf = await server(t, { configFile: file });
  const [monitor = ""] = leaf.inner.ports().monitoring;
  await until("an attempt", () => (leaf.remotes.get(1)?.attempts ?? 0) > 0);
  await until("waiting", () => leaf.remotes.get(1)?.nextRetry !== null);
  const [down] = (await fetchJson(`${monitor}/linkz`)).body["remotes"] as Record<string, unknown>[];
  assert.match(String(down?.["last_error"]), /connection refused/);
  assert.ok(Number(down?.["attempts"]) > 0);
  const sick = await fetchJson(`${monitor}/healthz?links=1`);
  assert.equal(sick.status, 503);
  await assert.rejects(leaf.ready({ links: true, timeout: 50 }), { code: "LINKS_DOWN" });
  const explained = leaf.explain("secret.x").links[0]?.out;
  assert.deepEqual(
    explained?.reasons.map(({ rule, where }) => [rule, where]),
    [
      ["link-state", `${file}:8:7`],
      ["deny_exports", `${file}:10:35`],
    ],
  );

  const again = await server(t, {
    ...hubOptions,
    leafnodes: { host: "127.0.0.1", port: Number(port) },
  });
  const client = await again.connect();
  client.subscribe(">");
  await client.flush();
  await leaf.ready({ links: true });
  assert.equal((await fetchJson(`${monitor}/healthz?links=1`)).status, 200);
  await until("round trip", () => leaf.remotes.get(1)?.rtt.p99 !== null);
  await until("interest", () => leaf.explain("public.y").links[0]?.out.crosses === true);
  const { body } = await fetchJson(`${monitor}/explainz?subject=secret.x&acc=$G`);
  const [link] = body["links"] as {
    out: { crosses: boolean; reasons: { rule: string; where: string }[] };
  }[];
  assert.equal(link?.out.crosses, false);
  assert.equal(link?.out.reasons[0]?.where, `${file}:10:35`);
  assert.equal((await fetch(`${monitor}/explainz?subject=a.*`)).status, 400);
  assert.throws(() => leaf.explain("a b"), { code: "BAD_OPTIONS" });
  const [up] = (await fetchJson(`${monitor}/linkz`)).body["remotes"] as Record<string, unknown>[];
  assert.equal(up?.["state"], "up");
  assert.match(JSON.stringify(up?.["rtt"]), /"p99":"[\d.]+(µs|ms)"/);
  await client.close();
});

test("a link that breaks counts as a flap, with why, and waits before it dials again", async (t) => {
  const hub = await server(t, hubOptions);
  const leaf = await server(t, {
    serverName: "leaf",
    leafnodes: { remotes: [{ url: hub.leafUrl }] },
  });
  await until("up", () => leaf.remotes.get(1)?.state === "up");
  await hub.stop();
  await until("waiting", () => leaf.remotes.get(1)?.state === "waiting");
  const down = leaf.remotes.get(1);
  assert.equal(down?.flaps, 1);
  assert.notEqual(down?.lastError, "");
  assert.ok((down?.nextRetry ?? 0) > Date.now());
  assert.equal(down?.link, null);
});

test("a rule of a user here is placed in the configuration", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "frond-remotes-"));
  const file = join(directory, "hub.conf");
  writeFileSync(
    file,
    `server_name: hub
listen: "127.0.0.1:-1"
accounts {
  A {
    users: [
      { user: edge, password: edge, permissions: { subscribe: { deny: ["down.x"] } } }
    ]
  }
}
leafnodes { listen: "127.0.0.1:-1" }
`,
  );
  const hub = await server(t, { configFile: file });
  const url = new URL(hub.leafUrl);
  url.username = url.password = "edge";
  await server(t, { serverName: "leaf", leafnodes: { remotes: [{ url: url.href }] } });
  await until("up", () => hub.explain("down.x", { account: "A" }).links[0]?.state === "up");
  const [reason] = hub.explain("down.x", { account: "A" }).links[0]?.out.reasons ?? [];
  assert.deepEqual(
    [reason?.rule, reason?.entry, reason?.where],
    ["subscribe", "down.x", `${file}:6:73`],
  );
});

test("a reload changes one link and leaves the other alone", async (t) => {
  const hub = await server(t, hubOptions);
  const other = await server(t, { ...hubOptions, serverName: "other" });
  const options = (...denied: string[]) => ({
    serverName: "leaf",
    leafnodes: {
      remotes: [{ url: hub.leafUrl, denyExports: denied }, { url: other.leafUrl }],
    },
  });
  const leaf = await server(t, options());
  const ids = () => leaf.remotes.list().map(({ link }) => link?.id);
  const allUp = () => leaf.remotes.list().every(({ state }) => state === "up");
  await until("both up", allUp);
  const before = ids();
  await leaf.reload(options("secret.>"));
  await until("up again", () => allUp() && ids()[0] !== before[0]);
  assert.equal(ids()[1], before[1]);
  assert.equal(
    leaf.explain("secret.x").links[0]?.out.reasons[0]?.where,
    "leafnodes.remotes[0].denyExports[0]",
  );
  assert.deepEqual(
    leaf.remotes.list().map(({ flaps }) => flaps),
    [0, 0],
  );
});
