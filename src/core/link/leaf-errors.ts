/** What a leaf link does on reading certain `-ERR` texts from its peer. */
import type { Engine } from "../engine.ts";
import type { Link } from "./link.ts";

const LONG_DELAY = 30_000;
const VERSION_DELAY = 5_000;

export function reactToError(engine: Engine, link: Link, text: string): void {
  const leaf = link.leaf;
  if (leaf === null) return;
  leaf.lastError = text.replace(/^'|'$/g, "");
  if (text.includes("Loop detected")) {
    engine.log("error", link, loopText(link.account.label));
    if (leaf.solicited) leaf.connectDelay = LONG_DELAY;
    engine.close(link, "Protocol Violation");
  } else if (!leaf.solicited) {
    return;
  } else if (text.includes("remote leafnode has same cluster name")) {
    leaf.connectDelay = LONG_DELAY;
    engine.log(
      "error",
      link,
      "Leafnode connection dropped with same cluster name error. Delaying attempt to reconnect for 30s",
    );
  } else if (text.includes("connection rejected since minimum version required is")) {
    leaf.connectDelay = VERSION_DELAY;
    engine.log(
      "error",
      link,
      "Leafnode connection dropped due to minimum version requirement. Delaying attempt to reconnect for 5s",
    );
  }
}

export function loopText(account: string): string {
  return `Loop detected for leafnode account="${account}". Delaying attempt to reconnect for 30s`;
}
