/**
 * The templates in bodies, headers and commands: `{{Count}}`, `{{.Count}}`, `{{Random 10 100}}`,
 * `{{ID | printf "%s-%03d" Count}}`: Go's text/template without its control structures.
 *
 * Bodies may be binary. They are rendered as strings of one char a byte, so whatever stands outside
 * the braces comes out as it went in.
 */
import { nuid } from "@nats-io/transport-node";
import { CliError } from "./errors.ts";
import { evaluatePipeline } from "./template-pipeline.ts";

/** A value inside a template. */
export type TemplateValue = string | number | boolean;
/** What a template may call, by name. */
export type TemplateFunctions = Readonly<
  Record<string, (...args: TemplateValue[]) => TemplateValue>
>;

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Renders a text; a fault in it is thrown as a CliError. */
export function renderText(text: string, functions: TemplateFunctions): string {
  let result = "";
  let from = 0;
  for (;;) {
    const open = text.indexOf("{{", from);
    if (open < 0) return result + text.slice(from);
    const close = text.indexOf("}}", open + 2);
    if (close < 0) throw new CliError("template: body:1: unclosed action");
    let before = text.slice(from, open);
    let action = text.slice(open + 2, close);
    from = close + 2;
    if (/^-\s/.test(action)) {
      before = before.trimEnd();
      action = action.slice(1);
    }
    if (/\s-$/.test(action)) {
      action = action.slice(0, -1);
      while (from < text.length && /\s/.test(text.charAt(from))) from += 1;
    }
    result += before;
    if (!/^\s*\/\*[^]*\*\/\s*$/.test(action)) {
      result += String(evaluatePipeline(action, functions));
    }
  }
}

/** Renders a body of bytes; those without `{{` are returned as they are. */
export function renderBytes(body: Uint8Array, functions: TemplateFunctions): Uint8Array {
  const view = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!view.includes("{{")) return body;
  return Buffer.from(renderText(view.toString("latin1"), functions), "latin1");
}

/** What `pub`, `request` and `reply` offer; `request` is the bytes that are answered, if any. */
export function messageFunctions(count: number, request?: Uint8Array): TemplateFunctions {
  const now = new Date();
  const functions: Record<string, (...args: TemplateValue[]) => TemplateValue> = {
    Count: () => count,
    Cnt: () => count,
    Unix: () => Math.floor(now.getTime() / 1000),
    UnixNano: () => String(BigInt(now.getTime()) * 1_000_000n),
    TimeStamp: () => rfc3339(now),
    Time: () => kitchenTime(now),
    ID: () => nuid.next(),
    Random: (shortest, longest) => randomText(Number(shortest), Number(longest)),
  };
  if (request !== undefined) {
    functions["Request"] = () => Buffer.from(request).toString("latin1");
  }
  return functions;
}

/** Random letters and digits, at least and at most so many. */
function randomText(a: number, b: number): string {
  if (!Number.isInteger(a) || !Number.isInteger(b) || a < 0 || b < 0) {
    throw new CliError("template: body:1: Random expects two lengths, such as {{Random 10 100}}");
  }
  const low = Math.min(a, b);
  const length = low + Math.floor(Math.random() * (Math.max(a, b) - low + 1));
  let text = "";
  for (let i = 0; i < length; i++)
    text += LETTERS.charAt(Math.floor(Math.random() * LETTERS.length));
  return text;
}

/** 2026-11-24T16:47:42+01:00, or Z where local time is UTC. */
function rfc3339(now: Date): string {
  const offset = -now.getTimezoneOffset();
  const local = new Date(now.getTime() + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${local}Z`;
  const two = (n: number): string => String(n).padStart(2, "0");
  const hours = Math.floor(Math.abs(offset) / 60);
  return `${local}${offset < 0 ? "-" : "+"}${two(hours)}:${two(Math.abs(offset) % 60)}`;
}

/** 4:47PM */
function kitchenTime(now: Date): string {
  const hours = now.getHours();
  const minutes = String(now.getMinutes()).padStart(2, "0");
  return `${hours % 12 === 0 ? 12 : hours % 12}:${minutes}${hours < 12 ? "AM" : "PM"}`;
}
