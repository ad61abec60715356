/**
 * The first minutes with a leaf node: a service at the hub answers 42 to a request at the leaf, with every mix of
 * servers and of command lines.
 */
import { equal, match } from "node:assert/strict";
import { test } from "node:test";
import {
  directory,
  frondCli,
  frondServer,
  natsCli,
  natsServer,
  oldNatsServer,
  type Program,
  Running,
  runCli,
  ServerUnderTest,
  skipWithout,
} from "./servers.ts";

const PAIRS: readonly (readonly [hub: Program, leaf: Program])[] = [
  [frondServer, frondServer],
  [frondServer, natsServer],
  [natsServer, frondServer],
  [natsServer, natsServer],
  [frondServer, oldNatsServer],
  [oldNatsServer, frondServer],
  [oldNatsServer, oldNatsServer],
];

/** The link's secret: a token, but for leaves of 2.9, which cannot use one. */
const TOKEN = { config: `token: "s3cr3t"`, url: "s3cr3t" };
const USER = { config: `user: "edge", password: "s3cr3t"`, url: "edge:s3cr3t" };

for (const [hub, leaf] of PAIRS) {
  const secret = leaf === oldNatsServer ? USER : TOKEN;
  const skip = skipWithout(hub, leaf, natsCli);
  test(
    `hub ${hub.name}, leaf ${leaf.name}: a request at the leaf is answered at the hub`,
    { skip },
    async (t) => {
      const main = await ServerUnderTest.start(
        t,
        hub,
        `listen: "127.0.0.1:-1"
       leafnodes { listen: "127.0.0.1:-1" }
       authorization { ${secret.config} }`,
      );
      const edge = await ServerUnderTest.start(
        t,
        leaf,
        `listen: "127.0.0.1:-1"
       leafnodes {
         reconnect: 1
         remotes = [ { url: "nats://${secret.url}@127.0.0.1:${await main.leafPort()}" } ]
       }`,
      );
      await edge.said(/Leafnode connection created|Connected leafnode/);
      const hubUrl = `nats://${secret.url}@127.0.0.1:${await main.clientPort()}`;
      const leafUrl = `nats://127.0.0.1:${await edge.clientPort()}`;
      for (const [replier, requester, subject] of [
        [frondCli, natsCli, "q.frond"],
        [natsCli, frondCli, "q.nats"],
      ] as const) {
        const home = directory(t);
        const service = new Running(
          t,
          [...replier.command, "--server", hubUrl, "reply", subject, "42"],
          home,
        );
        await service.said(/Listening on/);
        equal(
          await answer(requester, home, leafUrl, subject),
          "42",
          `${requester.name} asks ${replier.name}`,
        );
        service.child.kill("SIGINT");
        await service.ended();
      }
    },
  );
}

/** What the request prints, once the news of the service has reached the leaf. */
async function answer(cli: Program, home: string, url: string, subject: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const asked = runCli(cli, home, "--server", url, "request", "--raw", subject, "");
    if (asked.code === 0 && asked.out.trim() !== "") return asked.out.trim();
    if (attempt === 20) match(asked.err + asked.out, /^$/);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
