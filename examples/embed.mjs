/** A server inside this program, with a client that needs no socket. `node examples/embed.mjs` */
import { startServer } from "frond";

const server = await startServer(); // any free port of 127.0.0.1
const client = await server.connect();

client.subscribe("greet.*", {
  callback: (_error, message) => void message.respond(`hello, ${message.subject.split(".")[1]}`),
});
console.log((await client.request("greet.world")).string());
console.log(`clients of other processes: ${server.clientUrl.replace(/\d+$/, "<port>")}`);

await client.close();
await server.stop(); // nothing keeps the process alive now
