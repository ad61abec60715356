/**
 * Who asks, on the other side of a leaf link: the account that `Nats-Request-Info` names has another name there,
 * if the hub told us so.
 */
import { latin1, latin1Bytes } from "../bytes/ascii.ts";
import type { Engine } from "../engine.ts";
import type { Message } from "../protocol/message.ts";
import { KEEP_REPLY, sameSubject } from "./rewrite.ts";

const INFO = /^(Nats-Request-Info:.*?"acc":")([^"\\]*)"/m;

/** Makes the message with the account's other name the engine's; null: the message stays as it is. */
export function enterForPeer(engine: Engine, m: Message): Message | null {
  const header = headerForPeer(engine, m);
  if (header === null) return null;
  return engine.rewriter.enter(m, sameSubject(m), KEEP_REPLY, header);
}

function headerForPeer(engine: Engine, m: Message): Uint8Array | null {
  const header = latin1(m.bytes, m.payloadStart, m.payloadStart + m.headerLength);
  const match = INFO.exec(header);
  if (match === null) return null;
  const [whole, head = "", name = ""] = match;
  const remote = remoteName(engine, name);
  if (remote === "" || remote === name) return null;
  return latin1Bytes(header.replace(whole, () => `${head}${remote}"`));
}

/** What the hub of some link of this account calls it; "" if nobody said. */
function remoteName(engine: Engine, account: string): string {
  for (const link of engine.accounts.get(account)?.leaves ?? []) {
    if (link.leaf?.solicited === true && link.leaf.remoteAccount !== "")
      return link.leaf.remoteAccount;
  }
  return "";
}
