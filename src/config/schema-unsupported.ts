/** Options that are known but not built yet: refused by name, but for their harmless forms. */
import type { GatewayOptions } from "./options.ts";
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

/** May be empty. */
export const gateway: Kind<GatewayOptions> = {
  label: "empty block",
  read(node, reading) {
    const empty = node.value.kind === "map" && node.value.entries.size === 0;
    return empty ? { name: null } : refuse("gateway", node, reading);
  },
};
