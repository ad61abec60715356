/**
 * A hub and a leaf node in this process: a request through the leaf is answered by a service at the hub. Then both
 * stay up to play with, until Ctrl-C. `npm run demo`
 */
import { connect } from "@nats-io/transport-node";
import { StartError, startServer } from "frond";

const token = "s3cr3t";

/**
 * On its usual port, or on any free one where that is taken.
 * @param {import("frond").StartOptions} options
 */
async function start(options, anyLeafPort = {}) {
  try {
    return await startServer({ host: "127.0.0.1", ...options });
  } catch (error) {
    if (!(error instanceof StartError && error.code === "PORT_IN_USE")) throw error;
    return startServer({ host: "127.0.0.1", ...options, port: -1, ...anyLeafPort });
  }
}

const hub = await start(
  { port: 4222, leafnodes: { port: 7422 }, authorization: { token } },
  { leafnodes: { port: -1 } },
);
const service = await connect({ servers: hub.clientUrl, token });
service.subscribe("q", { callback: (_error, message) => void message.respond("42") });
await service.flush();

const leaf = await start({
  port: 4111,
  leafnodes: {
    remotes: [{ required: true, url: hub.leafUrl.replace("nats://", `nats://${token}@`) }],
  },
});
await leaf.ready({ links: true });

const client = await connect({ servers: leaf.clientUrl });
const answer = await client.request("q");
const hubUrl = hub.clientUrl.replace("nats://", `nats://${token}@`);

console.log(`
  client --- request q ---> leaf --- one outgoing link ---> hub --- q ---> service
         <----- ${answer.string()} ------

The answer that came through the leaf: ${answer.string()}

Both servers are up; any NATS client works with them:

  hub   ${hubUrl}
  leaf  ${leaf.clientUrl}   (no password: it is your own machine)

Try, in other terminals:

  npx frond --server ${leaf.clientUrl} request q ""
  npx frond --server ${hubUrl} subscribe "orders.>"
  npx frond --server ${leaf.clientUrl} publish orders.new "made at the leaf"

Ctrl-C ends it.`);

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await Promise.all([client.close(), service.close()]);
    await Promise.all([leaf.stop(), hub.stop()]);
  });
}
