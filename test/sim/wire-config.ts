/** The setup of a wire script as NATS configuration text, without its listeners. */
import type { SetupKey } from "./wire-script.ts";

/** Listeners for clients and leaf nodes on free ports. */
export const LISTENERS =
  'listen: "127.0.0.1:-1"\nleafnodes { listen: "127.0.0.1:-1", compression: off }\n';

export function configOf(setup: ReadonlyMap<SetupKey, string>): string {
  const lines = ["server_name: wire", "no_system_account: true"];
  for (const [key, value] of setup) {
    if (key === "port") continue;
    if (key === "permissions") {
      const user = `{ user: u, password: p, permissions: ${value} }`;
      lines.push(`authorization { users: [ ${user} ] }`);
    } else lines.push(`${key}: ${value}`);
  }
  return `${lines.join("\n")}\n`;
}
