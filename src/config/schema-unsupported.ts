/** Options that are known but not built yet: refused by name, but for their harmless forms. */
import { text } from "./kinds.ts";
import type { ClusterOptions, GatewayOptions } from "./options.ts";
import type { Kind, Reading } from "./rows.ts";
import type { ConfigNode } from "./value.ts";

const refuse = (key: string, node: ConfigNode, reading: Reading): undefined =>
  reading.error(node, `${key} is not supported yet`);

/** Never accepted. */
export const refused = (key: string): Kind<never> => ({
  label: "-",
  read: (node, reading) => refuse(key, node, reading),
});

/** May say that it is off. */
export const onlyFalse = (key: string): Kind<boolean> => ({
  label: "`false`",
  read(node, reading) {
    const { value } = node;
    const off =
      (value.kind === "boolean" && !value.value) ||
      (value.kind === "string" && /^disabled?$/i.test(value.text));
    return off ? false : refuse(key, node, reading);
  },
});

/** A block that may be empty or hold a name. */
function nameOnly<T>(key: string, make: (name: string | null) => T): Kind<T> {
  return {
    label: "block",
    read(node, reading) {
      if (node.value.kind !== "map") return refuse(key, node, reading);
      let name: string | null = null;
      for (const [member, child] of node.value.entries) {
        if (member.toLowerCase() !== "name") return refuse(key, node, reading);
        name = text.read(child, reading, member) ?? null;
        if (name?.includes(" ")) reading.error(child, `${key} name cannot contain spaces`);
      }
      return make(name);
    },
  };
}

/** The name alone makes no cluster, only calls this server one. */
export const cluster: Kind<ClusterOptions> = nameOnly("cluster", (name) => ({ name }));

export const gateway: Kind<GatewayOptions> = {
  label: "empty block",
  read(node, reading) {
    const empty = node.value.kind === "map" && node.value.entries.size === 0;
    return empty ? { name: null } : refuse("gateway", node, reading);
  },
};
