/** The setup of a wire script as NATS configuration text, without its listeners. */
import type { SetupKey } from "./wire-script.ts";

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
