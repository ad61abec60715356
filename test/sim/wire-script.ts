/**
 * Wire scripts: conversations as text, one a file in `test/wire`, readable without knowing any code.
 *
 *     # A payload must end in CRLF.
 *     > PUB foo 2\r\nok\n
 *     < -ERR 'Unknown Protocol Operation'\r\n
 *     < close
 *
 * `>` is sent and `<` expected, with `\r \n \t \\ \xNN` as escapes and `\{text*count\}` for repetitions.
 * `c>` and `c<` are a client connection beside the main one. The first INFO is read and forgotten unless the script
 * begins by expecting it. A script that does not end in `< close` is ended by a PING, and nothing but its
 * PONG may come any more.
 *
 * PINGs that come over a leaf link are passed over. In expectations `{...}` is any JSON object, `{{ "a":1 & "b":2 }}` one that holds these texts, `{any}` anything
 * in the line, `{word}` anything without blanks. `@ key value` lines say how the server is set up (`SETUP`).
 */
export const SETUP = {
  port: "`client` (if absent) or `leaf`: where the main connection goes",
  max_payload: "bytes",
  max_control_line: "bytes",
  max_subs: "number",
  max_sub_tokens: "number",
  max_connections: "number",
  permissions: "JSON: the rules of user `u` with password `p`, who must then log in",
} as const;

export type SetupKey = keyof typeof SETUP;
export type Party = "main" | "client";

export interface WireStep {
  readonly kind: "send" | "expect" | "close";
  readonly party: Party;
  /** Latin1 text to send, or an expectation as written. */
  readonly text: string;
  readonly line: number;
}

export interface WireScript {
  readonly name: string;
  readonly title: string;
  readonly setup: ReadonlyMap<SetupKey, string>;
  readonly steps: readonly WireStep[];
}

export function parseWireScript(name: string, source: string): WireScript {
  const setup = new Map<SetupKey, string>();
  const steps: WireStep[] = [];
  let title = "";
  for (const [i, line] of source.split("\n").entries()) {
    const where = `${name}:${i + 1}`;
    if (line === "") continue;
    if (line.startsWith("#")) {
      title ||= line.slice(1).trim();
      continue;
    }
    const [, mark = "", body = ""] = /^(@|c?[<>]) (.*)$/.exec(line) ?? [];
    if (mark === "")
      throw new Error(`${where}: expected "#", "@", ">", "<", "c>" or "c<" and a blank`);
    if (mark === "@") {
      const [key = "", ...rest] = body.split(" ");
      if (!Object.hasOwn(SETUP, key)) throw new Error(`${where}: unknown setting "${key}"`);
      setup.set(key as SetupKey, rest.join(" "));
      continue;
    }
    const party = mark.startsWith("c") ? "client" : "main";
    const isClose = mark.endsWith("<") && body === "close";
    const kind = isClose ? "close" : mark.endsWith(">") ? "send" : "expect";
    const text = kind === "send" ? unescape(body) : isClose ? "" : body;
    steps.push({ kind, party, text, line: i + 1 });
  }
  if (steps.length === 0) throw new Error(`${name}: no step`);
  return { name, title: title || name, setup, steps: joinSteps(steps) };
}

/** Lines of one party and direction in a row belong together. */
function joinSteps(steps: readonly WireStep[]): WireStep[] {
  const out: WireStep[] = [];
  for (const step of steps) {
    const last = out.at(-1);
    const joins = last?.kind === step.kind && last.party === step.party && step.kind !== "close";
    if (joins) out[out.length - 1] = { ...last, text: last.text + step.text };
    else out.push(step);
  }
  return out;
}

export function unescape(text: string): string {
  const repeated = text.replace(/\\\{(.+?)\*(\d+)\\\}/g, (_, part: string, count: string) =>
    part.repeat(Number(count)),
  );
  return repeated.replace(/\\(r|n|t|\\|x[0-9a-fA-F]{2})/g, (_, code: string) => {
    if (code === "r") return "\r";
    if (code === "n") return "\n";
    if (code === "t") return "\t";
    if (code === "\\") return "\\";
    return String.fromCharCode(Number.parseInt(code.slice(1), 16));
  });
}

const PLACES: ReadonlyMap<string, string> = new Map([
  ["{word}", "[^\\s]+"],
  ["{any}", "[^\\r\\n]*"],
  ["{...}", "\\{[^\\r\\n]*\\}"],
]);

/** The source of a regular expression for an expectation. */
export function patternOf(text: string): string {
  return text
    .split(/(\{word\}|\{any\}|\{\.\.\.\}|\{\{ .+? \}\})/)
    .map((part) => {
      const has = /^\{\{ (.+) \}\}$/.exec(part)?.[1];
      if (has === undefined) return PLACES.get(part) ?? quote(unescape(part));
      const wanted = has.split(" & ").map((one) => `(?=[^\\r\\n]*${quote(unescape(one))})`);
      return `${wanted.join("")}\\{[^\\r\\n]*\\}`;
    })
    .join("");
}

function quote(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

export function needsInfoSkipped(script: WireScript, party: Party): boolean {
  const first = script.steps.find((step) => step.party === party);
  return !(first?.kind === "expect" && first.text.startsWith("INFO"));
}

export const INFO_PATTERN = "INFO \\{[^\\r\\n]*\\} \\r\\n";
export const FENCE = "PING\r\n";
export const FENCE_ANSWER = "PONG\\r\\n";

/** A leaf link is sent PINGs whenever its peer likes; no script speaks of them. */
export function withoutPings(text: string): string {
  return text.replace(/(?<=\r\n)PING\r\n/g, "");
}

/** Everything a party must receive, as one expression from start to end, and whether its stream is closed. */
export function wholePattern(
  script: WireScript,
  party: Party,
): { pattern: RegExp; closes: boolean } {
  const steps = script.steps.filter((step) => step.party === party);
  const closes = steps.at(-1)?.kind === "close";
  const expects = steps
    .filter((step) => step.kind === "expect")
    .map((step) => patternOf(step.text));
  const info = needsInfoSkipped(script, party) ? INFO_PATTERN : "";
  const source = `^${info}${expects.join("")}${closes ? "" : FENCE_ANSWER}$`;
  return { pattern: new RegExp(source, "s"), closes };
}
