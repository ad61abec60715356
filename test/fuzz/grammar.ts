/**
 * Conversations as a stranger might hold them: mostly right, wrong in places. Everything comes from one `Random`,
 * as latin1 text; `mutate` then damages it.
 */
import type { Random } from "../../src/testing/random.ts";

export type Role = "client" | "leaf" | "hub";

const TOKENS = [
  "foo",
  "bar",
  "a",
  "b",
  "*",
  ">",
  "x*",
  "",
  "$SYS",
  "_INBOX",
  "q.1",
  "\xc3\xa9",
  "\xff",
  "$LDS",
];
const SIZES = [
  "0",
  "1",
  "2",
  "5",
  "12",
  "18",
  "64",
  "1024",
  "1025",
  "999999999",
  "0000000001",
  "-1",
  "+1",
  "x",
  "007",
];
const HEADERS = [
  "NATS/1.0\r\n\r\n",
  "NATS/1.0\r\nA: b\r\n\r\n",
  "NATS/1.0 503\r\n\r\n",
  "garbage",
  "\r\n",
  'NATS/1.0\r\nNats-Request-Info: {"acc":"X"}\r\n\r\n',
  "NATS/1.0\r\nNats-Trace-Dest: foo\r\n\r\n",
  "NATS/1.0\r\nNats-Trace-Dest: foo.*\r\nNats-Trace-Hop: 1\r\n",
  "NATS/1.0\r\nA: b\r\nNats-Trace-Dest: foo\r\nNats-Trace-Only: 1\r\n\r\n",
  "NATS/1.0\r\nNats-Trace-Dest: foo\r\nNats-Trace-Origin-Account: A\r\n\r\n",
];

export function subject(random: Random): string {
  if (random.chance(0.04)) {
    return random.pick([
      "_GR_.a.b.c",
      "$GR.x",
      "_R_.x",
      "$JS.ACK.a@b",
      "$JS.API.X",
      "$NRG.x",
      "$LDS.zzz",
      "$KV.a",
    ]);
  }
  if (random.chance(0.01)) return "t.".repeat(random.below(300)) + "t";
  const count = random.chance(0.1) ? random.below(12) : random.between(1, 3);
  const tokens: string[] = [];
  for (let i = 0; i < count; i++) tokens.push(random.pick(TOKENS));
  return tokens.join(".");
}

function blank(random: Random): string {
  return random.chance(0.9) ? " " : random.pick(["\t", "  ", " \t ", "\r ", ""]);
}

function end(random: Random): string {
  return random.chance(0.95) ? "\r\n" : random.pick(["\n", "\r", "", "\r\r\n", " \r\n"]);
}

function payload(random: Random): string {
  const length = random.chance(0.03) ? random.between(900, 1100) : random.below(20);
  return random.pick(["x", "\x00", "\r\n", "PING\r\n", "\xff"]).repeat(length).slice(0, length);
}

function join(random: Random, ...parts: readonly string[]): string {
  let text = parts[0] ?? "";
  for (let i = 1; i < parts.length; i++) text += blank(random) + (parts[i] ?? "");
  return text + end(random);
}

/** PUB, HPUB, LMSG or HMSG with a payload that mostly has the announced size. */
function message(
  random: Random,
  verb: string,
  withHeader: boolean,
  names: readonly string[],
): string {
  const header = withHeader ? random.pick(HEADERS) : "";
  const body = header + payload(random);
  const honest = random.chance(0.95);
  const size = honest ? String(body.length) : random.pick(SIZES);
  const sizes = withHeader
    ? [random.chance(0.95) ? String(header.length) : random.pick(SIZES), size]
    : [size];
  const close = random.chance(0.97) ? "\r\n" : random.pick(["\n", "", "\r", "x\r\n"]);
  return join(random, verb, ...names, ...sizes) + body + close;
}

function maybe(random: Random, text: () => string, chance = 0.4): string[] {
  return random.chance(chance) ? [text()] : [];
}

function sid(random: Random): string {
  return random.pick(["1", "2", "3", "4", "a", "9.9", "\xe9"]);
}

function json(random: Random, members: Readonly<Record<string, unknown>>): string {
  if (random.chance(0.02))
    return random.pick(["", "{", "[]", "null", "1", '"x"', "{}}", '{"a":', "\xff"]);
  const picked: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(members)) {
    if (random.chance(0.6))
      picked[key] = random.chance(0.97) ? value : random.pick([null, 1, "s", [], {}, true]);
  }
  const text = JSON.stringify(picked);
  return random.chance(0.97) ? text : text.replace(/"/, '"__proto__":{"x":1},"');
}

export function clientConnect(random: Random): string {
  const members = {
    verbose: random.chance(0.2),
    pedantic: random.chance(0.3),
    echo: random.chance(0.8),
    headers: random.chance(0.8),
    no_responders: random.chance(0.5),
    protocol: random.pick([0, 1, 1, 1, 2]),
    user: random.pick(["u", "u", "", "nobody"]),
    pass: random.pick(["p", "p", "", "x"]),
    name: "fuzz",
    lang: "x",
    account: random.chance(0.02) ? "A" : "",
  };
  return join(random, "CONNECT", json(random, members));
}

const ANY_PEER = [
  "PING\r\n",
  "PONG\r\n",
  "+OK\r\n",
  "PINGx y\r\n",
  "-ERR 'x'\r\n",
  "INFO {}\r\n",
  "\r\n",
  "ping\n",
];

function clientOperation(random: Random): string {
  switch (random.below(12)) {
    case 0:
      return clientConnect(random);
    case 1:
    case 2:
    case 3:
      return join(
        random,
        "SUB",
        subject(random),
        ...maybe(random, () => random.pick(["q", "w", "_sys_"])),
        sid(random),
      );
    case 4:
      return join(random, "UNSUB", sid(random), ...maybe(random, () => random.pick(SIZES)));
    case 5:
      return message(random, "HPUB", true, [
        subject(random),
        ...maybe(random, () => subject(random)),
      ]);
    case 6:
      return random.pick(ANY_PEER);
    case 7:
      return random.chance(0.3) ? leafOperation(random) : "PING\r\n";
    default:
      return message(random, random.chance(0.9) ? "PUB" : "pUb", false, [
        subject(random),
        ...maybe(random, () => subject(random)),
      ]);
  }
}

export function leafConnect(random: Random): string {
  const members = {
    version: random.pick(["2.15.2", "2.9.10", "x", ""]),
    user: random.pick(["u", "u", "", "nobody"]),
    pass: random.pick(["p", "p", "x"]),
    server_id: "NFUZZ",
    name: random.pick(["fuzz", "good"]),
    cluster: random.pick(["", "", "C", "a b", "_"]),
    is_hub: random.chance(0.2),
    headers: random.chance(0.8),
    deny_pub: random.pick([[], ["foo.>"], ["*"], ["a..b", ">", ""]]),
    isolate: random.chance(0.2),
    compress_mode: random.pick(["", "off", "s2_fast"]),
    remote_account: random.pick(["$G", "X"]),
    protocol: 3,
    lang: random.chance(0.02) ? "go" : "",
    gateway: random.chance(0.02) ? "G" : "",
  };
  return join(random, "CONNECT", json(random, members));
}

function leafNames(random: Random): string[] {
  const kind = random.below(6);
  const names = [subject(random)];
  if (kind < 2) names.push(...maybe(random, () => subject(random)));
  else if (kind === 2) names.push("|", "q", ...maybe(random, () => "w"));
  else if (kind === 3) names.push("+", subject(random), "q", ...maybe(random, () => "w"));
  else if (kind === 4) names.push(random.pick(["|", "+", "-", "r"]), random.pick(["|", "+", "q"]));
  return names;
}

function leafOperation(random: Random): string {
  switch (random.below(12)) {
    case 0:
      return random.chance(0.5) ? leafConnect(random) : hubInfo(random, random.chance(0.5));
    case 1:
    case 2:
      return join(random, "LS+", subject(random));
    case 3:
      return join(random, "LS+", subject(random), random.pick(["q", "w"]), random.pick(SIZES));
    case 4:
      return join(random, "LS-", subject(random), ...maybe(random, () => "q"));
    case 5:
      return message(random, "HMSG", true, leafNames(random));
    case 6:
      return random.pick([
        ...ANY_PEER,
        "-ERR 'Loop detected for leafnode account=\"x\"'\r\n",
        "-ERR 'remote leafnode has same cluster name'\r\n",
        "-ERR 'Permissions Violation for Publish to \"x\"'\r\n",
      ]);
    case 7:
      return random.chance(0.3) ? clientOperation(random) : "PONG\r\n";
    default:
      return message(random, random.chance(0.9) ? "LMSG" : "lmsg", false, leafNames(random));
  }
}

export function hubInfo(random: Random, second: boolean): string {
  const rules = (): unknown =>
    random.pick([
      undefined,
      {},
      { allow: ["foo.>", "a"] },
      { deny: ["bar"] },
      { allow: [1, null] },
      [],
      "x",
    ]);
  const members = {
    server_id: "NHUB",
    server_name: "hub",
    version: "2.15.2",
    proto: 3,
    go: "go",
    host: "h",
    port: 1,
    headers: random.chance(0.8),
    auth_required: true,
    max_payload: 1024,
    client_id: random.pick([1, 1, 1, 1, 0, -1, 1e20]),
    nonce: "abcdefghijklmno",
    cluster: random.pick(["", "", "C", "a b", "_"]),
    compression: random.pick(["", "off", "accept", "s2_auto", "s2_fast", "weird"]),
    connect_info: second,
    remote_account: second ? "R" : "",
    import: second ? rules() : undefined,
    export: second ? rules() : undefined,
    info_on_connect: random.chance(0.9),
    leafnode_urls: random.pick([["h:1"], [], ["h:1", "[::1]:2", "", "nope", ":", "h:99999"]]),
    tls_required: random.chance(0.02),
  };
  // What makes a first INFO acceptable is mostly there.
  const text = json(random, members);
  if (random.chance(0.2) || !text.startsWith("{")) return join(random, "INFO", text);
  const sure = `{"client_id":1,"leafnode_urls":["h:1"],"info_on_connect":true${second ? ',"connect_info":true' : ""}`;
  return `INFO ${sure}${text === "{}" ? "" : ","}${text.slice(1)} \r\n`;
}

/** A whole conversation from the peer's side. */
export function conversation(random: Random, role: Role): string {
  let text = "";
  if (random.chance(0.95)) {
    if (role === "client") text += clientConnect(random);
    else if (role === "leaf") text += leafConnect(random);
    else text += hubInfo(random, false) + (random.chance(0.9) ? hubInfo(random, true) : "");
  }
  const count = random.chance(0.05) ? 60 : random.between(1, 14);
  for (let i = 0; i < count; i++)
    text += role === "client" ? clientOperation(random) : leafOperation(random);
  return text;
}

/** Damages a text in a few places. */
export function mutate(random: Random, text: string): string {
  let out = text;
  for (let n = random.between(1, 4); n > 0; n--) {
    const at = random.below(out.length + 1);
    const length = random.chance(0.8) ? random.below(4) : random.below(40);
    const piece = out.slice(at, at + length);
    switch (random.below(7)) {
      case 0:
        out = out.slice(0, at) + out.slice(at + length);
        break;
      case 1:
        out = out.slice(0, at) + String.fromCharCode(random.below(256)) + out.slice(at + 1);
        break;
      case 2:
        out = out.slice(0, at) + piece.repeat(random.between(2, 30)) + out.slice(at);
        break;
      case 3:
        out =
          out.slice(0, at) +
          random.pick(["\r\n", "\n", "\r", " ", "\x00", "{", "}", "999999999"]) +
          out.slice(at);
        break;
      case 4:
        out = out.slice(0, at) + "y".repeat(random.below(5000)) + out.slice(at);
        break;
      case 5:
        out = out.slice(at) + out.slice(0, at);
        break;
      default:
        out = out.slice(0, at);
    }
  }
  return out;
}

export function garbage(random: Random): string {
  let text = "";
  for (let n = random.below(200); n > 0; n--) text += String.fromCharCode(random.below(256));
  return text;
}
