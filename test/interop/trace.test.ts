/** `nats trace` over a leaf link and a mapping, with every mix of servers: what it prints is the same. */
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { connect } from "@nats-io/transport-node";
import {
  directory,
  frondServer,
  natsCli,
  natsServer,
  type Program,
  runCli,
  ServerUnderTest,
  skipWithout,
  until,
} from "./servers.ts";

const PAIRS: readonly (readonly [hub: Program, leaf: Program])[] = [
  [frondServer, frondServer],
  [frondServer, natsServer],
  [natsServer, frondServer],
  [natsServer, natsServer],
];

/** Lines without times, ids of connections and the legend. */
function essence(out: string): string[] {
  const lines = out.split("\n").map((line) => line.replace(/\s+/g, " ").trim());
  const end = lines.findIndex((line) => line.startsWith("Legend:"));
  return lines
    .slice(0, end < 0 ? undefined : end)
    .filter((line) => line !== "")
    .map((line) =>
      line
        .replace(/(CLI Version )[^"]+/, "$1N")
        .replace(/([cl])id:\d+/g, "$1id:N")
        .replace(/\d[\d.]*(ns|µs|ms|s)\b/g, "TIME"),
    );
}

for (const [hub, leaf] of PAIRS) {
  const skip = skipWithout(hub, leaf, natsCli);
  test(`hub ${hub.name}, leaf ${leaf.name}: nats trace shows the way`, { skip }, async (t) => {
    const main = await ServerUnderTest.start(
      t,
      hub,
      `listen: "127.0.0.1:-1", server_name: HUB
       leafnodes { listen: "127.0.0.1:-1" }`,
    );
    const edge = await ServerUnderTest.start(
      t,
      leaf,
      `listen: "127.0.0.1:-1", server_name: LEAF
       mappings { plan: orders }
       leafnodes { reconnect: 1, remotes = [ { url: "nats://127.0.0.1:${await main.leafPort()}" } ] }`,
    );
    await edge.said(/Leafnode connection created|Connected leafnode/);
    const servers = [await main.clientPort(), await edge.clientPort()].map(
      (port) => `127.0.0.1:${port}`,
    );
    const [above, below] = await Promise.all(
      servers.map((server) => connect({ servers: server, name: "listener" })),
    );
    if (above === undefined || below === undefined) return;
    t.after(() => Promise.all([above.close(), below.close()]));
    above.subscribe("orders");
    below.subscribe("orders", { queue: "q" });
    below.subscribe("ready", { callback: (_, m) => void m.respond() });
    await Promise.all([above.flush(), below.flush()]);
    let crossed = false;
    await until(
      () => "interest to cross",
      () => {
        void above.request("ready", "", { timeout: 200 }).then(
          () => (crossed = true),
          () => {},
        );
        return crossed;
      },
    );
    const [up, down] = servers;
    const traced = (server: string | undefined, subject: string): string[] => {
      const run = runCli(natsCli, directory(t), "--server", server ?? "", "trace", subject, "hi");
      equal(run.code, 0, run.err);
      return essence(run.out);
    };
    deepEqual(traced(up, "orders"), [
      "Tracing message route to subject orders",
      'Client "NATS CLI Version N" cid:N server:"HUB" version:"2.15.2"',
      '--C Client "listener" cid:N subject:"orders"',
      '~~> Leafnode "LEAF" lid:N',
      'Leafnode "HUB" lid:N server:"LEAF" version:"2.15.2"',
      '--C Client "listener" cid:N subject:"orders" queue:"q"',
    ]);
    deepEqual(traced(down, "plan"), [
      "Tracing message route to subject plan",
      'Client "NATS CLI Version N" cid:N cluster:"LEAF" server:"LEAF" version:"2.15.2"',
      'Mapping subject:"orders"',
      '--C Client "listener" cid:N subject:"orders" queue:"q"',
      '~~> Leafnode "HUB" lid:N',
      'Leafnode "LEAF" lid:N server:"HUB" version:"2.15.2"',
      '--C Client "listener" cid:N subject:"orders"',
    ]);
  });
}
