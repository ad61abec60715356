/** Protocol tracing (`-V`): operations and payloads as the reference prints them. Off the hot path by a flag. */
import type { QueueGroup } from "../account/match-result.ts";
import { goQuote, latin1, latin1ToUtf8 } from "../bytes/ascii.ts";
import type { Engine } from "../engine.ts";
import type { Message } from "../protocol/message.ts";
import { KIND_INTERNAL, type Link, type Subscription } from "./link.ts";

/** Secrets in a CONNECT's JSON are not for the log. */
export function redactConnect(json: string): string {
  return json.replace(
    /("(?:auth_token[^"]*|pass[^"]*|sig|proxy_sig|nkey)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi,
    '$1"[REDACTED]"',
  );
}

/** What stood on a control line, as the log shows it. */
export function traceText(line: string): string {
  return latin1ToUtf8(line);
}

/** `subject reply hdr size` as it stood on the line. */
export function describeMessage(m: Message): string {
  return traceText(latin1(m.bytes, m.subjectStart, m.payloadStart).trimEnd());
}

/** What a verbose client is told. */
export function sendOk(engine: Engine, link: Link): void {
  engine.send(link, "+OK\r\n");
  if (engine.options.trace) engine.trace(link, "->>", "OK");
}

/** A subscription that ends, of a client or a leaf. */
export function traceRemoval(engine: Engine, { link, sid }: Subscription): void {
  if (link.kind !== KIND_INTERNAL) engine.trace(link, "<->", `DELSUB ${traceText(sid)}`);
}

/** The frame that a client or a leaf (`sid` null) was sent. */
export function traceDelivery(
  engine: Engine,
  link: Link,
  m: Message,
  sid: string | null,
  groups: readonly QueueGroup[] | null = null,
): void {
  const text = (start: number, end: number): string => latin1(m.bytes, start, end);
  const headers = m.headerEnd !== 0 && link.headers;
  const parts = [headers ? "HMSG" : sid === null ? "LMSG" : "MSG"];
  parts.push(text(m.subjectStart, m.subjectEnd));
  if (sid !== null) parts.push(sid);
  if (groups !== null) parts.push(m.replyEnd === 0 ? "|" : "+");
  if (m.replyEnd !== 0) parts.push(text(m.replyStart, m.replyEnd));
  for (const group of groups ?? []) parts.push(group.name);
  if (headers) parts.push(text(m.headerStart, m.headerEnd));
  const isStripped = m.headerEnd !== 0 && !headers;
  parts.push(isStripped ? String(m.size - m.headerLength) : text(m.sizeStart, m.sizeEnd));
  engine.trace(link, "->>", traceText(parts.join(" ")));
  tracePayload(engine, link, "->>", m, isStripped);
}

export function traceMessage(engine: Engine, link: Link, m: Message, verb: string): void {
  engine.trace(link, "<<-", `${verb} ${describeMessage(m)}`);
  tracePayload(engine, link, "<<-", m);
}

function tracePayload(
  engine: Engine,
  link: Link,
  arrow: "<<-" | "->>",
  m: Message,
  isStripped = false,
): void {
  const { traceLength, traceHeaders } = engine.options;
  const start = m.payloadStart + (isStripped ? m.headerLength : 0);
  let end = m.payloadStart + m.size;
  if (traceHeaders) {
    if (m.headerLength === 0 || isStripped) return;
    // Without the empty line that ends the headers.
    end = m.payloadStart + m.headerLength;
    if (latin1(m.bytes, end - 4, end) === "\r\n\r\n") end -= 4;
  }
  if (end <= start) return;
  const cut = traceLength > 0 && end - start > traceLength;
  const stop = cut ? start + traceLength : end;
  const text = goQuote(latin1(m.bytes, start, stop));
  engine.world.log(
    "trace",
    link.label,
    `${arrow} MSG_PAYLOAD: [${cut ? `${text.slice(0, -1)}..."` : text}]`,
  );
}
