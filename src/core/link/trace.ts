/** Protocol tracing (`-V`): operations and payloads as the reference prints them. Off the hot path by a flag. */
import { goQuote, latin1 } from "../bytes/ascii.ts";
import type { Engine } from "../engine.ts";
import type { Message } from "../protocol/message.ts";
import type { Link } from "./link.ts";

/** Secrets in a CONNECT's JSON are not for the log. */
export function redactConnect(json: string): string {
  return json.replace(
    /("(?:auth_token[^"]*|pass[^"]*|sig|proxy_sig|nkey)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi,
    '$1"[REDACTED]"',
  );
}

/** `subject reply hdr size` as it stood on the line. */
export function describeMessage(m: Message): string {
  return latin1(m.bytes, m.subjectStart, m.payloadStart).trimEnd();
}

export function traceMessage(engine: Engine, link: Link, m: Message, verb: string): void {
  engine.trace(link, "<<-", `${verb} ${describeMessage(m)}`);
  tracePayload(engine, link, "<<-", m);
}

export function tracePayload(engine: Engine, link: Link, arrow: "<<-" | "->>", m: Message): void {
  const { traceLength, traceHeaders } = engine.options;
  let end = m.payloadStart + m.size;
  if (traceHeaders) {
    if (m.headerLength === 0) return;
    end = m.payloadStart + m.headerLength;
  }
  if (end === m.payloadStart) return;
  const cut = traceLength > 0 && end - m.payloadStart > traceLength;
  const stop = cut ? m.payloadStart + traceLength : end;
  const text = goQuote(latin1(m.bytes, m.payloadStart, stop));
  engine.world.log(
    "trace",
    link.label,
    `${arrow} MSG_PAYLOAD: [${cut ? `${text.slice(0, -1)}..."` : text}]`,
  );
}
