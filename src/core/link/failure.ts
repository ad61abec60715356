/** A defect of ours, or of a program's handler, costs the connection at hand: never another one, never the server. */
import type { Engine } from "../engine.ts";
import { KIND_CLIENT, type Link } from "./link.ts";

/** Logs what was thrown and closes the link whose turn it was; null where it was the server's own. */
export function failed(engine: Engine, link: Link | null, error: unknown): void {
  engine.rewriter.reset();
  engine.log("error", link, `Internal error: ${textOf(error)}`);
  if (link === null) return;
  try {
    engine.close(link, "Protocol Violation");
  } catch (another) {
    engine.log("error", link, `Internal error: ${textOf(another)}`);
  }
  if (link.state === "closing") remove(engine, link);
}

/** What is left of a link whose closing failed half-way. */
function remove(engine: Engine, link: Link): void {
  link.state = "closed";
  if (!engine.links.delete(link.id)) return;
  if (link.kind === KIND_CLIENT) engine.clientCount--;
  engine.dropSubscriptions(link);
  engine.unbind(link);
  engine.outlet.close(link.id, false, "Protocol Violation");
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
