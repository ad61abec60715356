/**
 * A leaf node inside this program: local clients talk to each other without the hub, and to the hub's while the
 * link is up. The hub runs here too, so that the example needs nothing else. `node examples/leaf-node.mjs`
 */
import { connect } from "@nats-io/transport-node";
import { startServer } from "frond";

const hub = await startServer({
  host: "127.0.0.1",
  port: -1,
  leafnodes: { host: "127.0.0.1", port: -1 },
  authorization: { user: "edge", password: "s3cr3t" },
});
const leaf = await startServer({
  host: "127.0.0.1",
  port: -1,
  leafnodes: {
    reconnect: 100,
    remotes: [
      {
        url: hub.leafUrl.replace("nats://", "nats://edge:s3cr3t@"),
        required: true,
        denyExports: ["local.>"],
      },
    ],
  },
});

// At the hub: someone who listens to everything.
const atHub = await connect({ servers: hub.clientUrl, user: "edge", pass: "s3cr3t" });
atHub.subscribe(">", {
  callback: (_error, message) => {
    if (!message.subject.startsWith("_INBOX")) console.log(`hub hears ${message.subject}`);
    if (message.reply) message.respond("noted");
  },
});
await atHub.flush();
await leaf.ready({ links: true });

// At the leaf: what crosses, and what its list keeps here.
const atLeaf = await connect({ servers: leaf.clientUrl });
atLeaf.subscribe("local.>", {
  callback: (_error, message) => console.log(`leaf hears ${message.subject}`),
});
atLeaf.publish("local.temperature", "21");
console.log((await atLeaf.request("orders.new", "one")).string());

// The hub goes away. Local clients do not notice.
await atHub.close();
await hub.stop();
atLeaf.publish("local.temperature", "22");
await atLeaf.flush();

await atLeaf.close();
await leaf.stop();
