/** Plays a wire script into an engine, its bytes cut in any way. */
import { Engine, type LinkId, type Permissions } from "../../src/core/index.ts";
import {
  engineOptions,
  nullOutlet,
  TableAuthenticator,
  testWorld,
} from "../../src/testing/fixtures.ts";
import { Random } from "../../src/testing/random.ts";
import {
  FENCE,
  type Party,
  type SetupKey,
  type WireScript,
  wholePattern,
  withoutPings,
} from "./wire-script.ts";

/** How the bytes of the main connection are cut: returns the chunks of one `>` step that starts at `offset`. */
export type Cutter = (bytes: Uint8Array, offset: number) => readonly Uint8Array[];

export const whole: Cutter = (bytes) => [bytes];
export const singleBytes: Cutter = (bytes) => [...bytes].map((byte) => Uint8Array.of(byte));

export function cutAt(position: number): Cutter {
  return (bytes, offset) => {
    const at = position - offset;
    return at <= 0 || at >= bytes.length ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)];
  };
}

/** How many bytes the main connection sends. */
export function mainLength(script: WireScript): number {
  return script.steps
    .filter((step) => step.kind === "send" && step.party === "main")
    .reduce((sum, step) => sum + step.text.length, 0);
}

/** Plays the script; returns what went wrong as a sentence, or null. */
export function playIntoEngine(script: WireScript, cutter: Cutter): string | null {
  const output = new Map<LinkId, string>();
  const closed = new Set<LinkId>();
  const problems: string[] = [];
  let opening = "";
  const write = (id: LinkId, frame: Uint8Array): number => {
    const before = output.get(id);
    if (before === undefined) opening += textOf(frame);
    else output.set(id, before + textOf(frame));
    return 0;
  };
  const outlet = nullOutlet({
    write,
    writev(id, frames) {
      for (const frame of frames) write(id, frame);
      return 0;
    },
    close: (id) => void closed.add(id),
  });
  const world = testWorld(new Random(7), ({ text }) => {
    if (text.startsWith("Internal error")) problems.push(text);
  });
  const engine = new Engine(optionsOf(script.setup), world, outlet, authenticatorOf(script.setup));
  const ids = new Map<Party, LinkId>();
  let now = 1_000_000;
  const open = (party: Party): LinkId => {
    opening = "";
    const place = { host: "127.0.0.1", port: 1, connectionType: "STANDARD" as const };
    const leaf = party === "main" && script.setup.get("port") === "leaf";
    const link = leaf
      ? engine.openLeaf({ ...place, connectionType: "LEAFNODE" }, now)
      : engine.openClient(place, now);
    output.set(link.id, opening);
    ids.set(party, link.id);
    return link.id;
  };
  open("main");
  let offset = 0;
  for (const step of script.steps) {
    if (step.kind !== "send") continue;
    const id = ids.get(step.party) ?? open(step.party);
    const bytes = bytesOf(step.text);
    const chunks = step.party === "main" ? cutter(bytes, offset) : [bytes];
    if (step.party === "main") offset += bytes.length;
    // A chunk is borrowed: what the engine keeps of it must not show when it is overwritten.
    for (const chunk of chunks) {
      const borrowed = chunk.slice();
      engine.receive(id, borrowed, (now += 0.1));
      borrowed.fill(0x7e);
    }
  }
  for (const [party, id] of ids) {
    const { pattern, closes } = wholePattern(script, party);
    if (!closes) engine.receive(id, bytesOf(FENCE), now);
    const isLeaf = party === "main" && script.setup.get("port") === "leaf";
    const got = isLeaf ? withoutPings(output.get(id) ?? "") : (output.get(id) ?? "");
    if (!pattern.test(got))
      problems.push(`${party} got ${JSON.stringify(got)}\n  instead of ${pattern.source}`);
    if (closed.has(id) !== closes) problems.push(`${party} was ${closes ? "not " : ""}closed`);
  }
  return problems.length === 0 ? null : problems.join("\n");
}

function optionsOf(setup: ReadonlyMap<SetupKey, string>): ReturnType<typeof engineOptions> {
  const number = (key: SetupKey, fallback: number): number => Number(setup.get(key) ?? fallback);
  return engineOptions({
    maxPayload: number("max_payload", 1_048_576),
    maxControlLine: number("max_control_line", 4096),
    maxSubscriptions: number("max_subs", 0),
    maxSubTokens: number("max_sub_tokens", 0),
    maxConnections: number("max_connections", 65_536),
    systemAccount: "",
  });
}

function authenticatorOf(setup: ReadonlyMap<SetupKey, string>): TableAuthenticator {
  const json = setup.get("permissions");
  if (json === undefined) return new TableAuthenticator(undefined, true);
  return new TableAuthenticator({
    u: { account: "$G", pass: "p", permissions: permissionsOf(json) },
  });
}

/** `{"publish":{"allow":[…],"deny":[…]},"subscribe":…,"allow_responses":{"max":1,"expires":"2m"}}` */
export function permissionsOf(json: string): Permissions {
  const given = JSON.parse(json) as {
    publish?: { allow?: string[]; deny?: string[] };
    subscribe?: { allow?: string[]; deny?: string[] };
    allow_responses?: { max: number };
  };
  const rules = (
    list: { allow?: string[]; deny?: string[] } | undefined,
  ): Permissions["publish"] => ({
    allow: list?.allow ?? null,
    deny: list?.deny ?? [],
  });
  const responses = given.allow_responses;
  return {
    publish: rules(given.publish),
    subscribe: rules(given.subscribe),
    responses: responses === undefined ? null : { max: responses.max, expires: 120_000 },
  };
}

export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
