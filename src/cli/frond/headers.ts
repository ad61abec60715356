/** Headers given as K:V on the command line, and headers as people read them. */
import type { MsgHdrs } from "@nats-io/transport-node";
import { headers as emptyHeaders } from "@nats-io/transport-node";
import { CliError } from "./errors.ts";
import type { TemplateFunctions } from "./templates.ts";
import { renderText } from "./templates.ts";

/** The headers of one message; values are templates. */
export function messageHeaders(
  given: readonly string[],
  functions: TemplateFunctions,
): MsgHdrs | undefined {
  if (given.length === 0) return undefined;
  const result = emptyHeaders();
  for (const header of given) {
    const colon = header.indexOf(":");
    if (colon < 0) throw new CliError(`invalid header "${header}", expected KEY:VALUE`);
    const key = header.slice(0, colon).trim();
    if (key === "") throw new CliError(`invalid header "${header}", expected KEY:VALUE`);
    const value = Buffer.from(header.slice(colon + 1).trim(), "utf8").toString("latin1");
    result.append(key, Buffer.from(renderText(value, functions), "latin1").toString("utf8"));
  }
  return result;
}

/** Every header as `KEY: VALUE`, one for each value. */
export function headerLines(hdrs: MsgHdrs | undefined): string[] {
  return [...headerPairs(hdrs)].map(([key, value]) => `${key}: ${value}`);
}

/** Every key with each of its values, the message's status among them. */
export function headerPairs(hdrs: MsgHdrs | undefined): [key: string, value: string][] {
  if (hdrs === undefined) return [];
  const pairs = hdrs
    .keys()
    .flatMap((key) => hdrs.values(key).map((v): [string, string] => [key, v]));
  if (hdrs.code > 0) {
    pairs.push(["Status", String(hdrs.code)]);
    if (hdrs.description !== "") pairs.push(["Description", hdrs.description]);
  }
  return pairs;
}

/** Collects a flag that may be given many times. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}
