/**
 * The verbs that a peer may send, by kind of link, and how to recognise one in an unfinished buffer.
 * As nats-server's parser does, a wrong byte is judged at once, without waiting for the end of the line.
 */
export type Verb =
  | "CONNECT"
  | "INFO"
  | "PING"
  | "PONG"
  | "+OK"
  | "-ERR"
  | "PUB"
  | "HPUB"
  | "SUB"
  | "UNSUB"
  | "LS+"
  | "LS-"
  | "LMSG"
  | "HMSG";

export interface VerbForm {
  readonly verb: Verb;
  readonly upper: Uint8Array;
  /** At least one SP or TAB must follow. */
  readonly spaced: boolean;
  /** Has no arguments: the rest of its line is ignored. */
  readonly bare: boolean;
}

function form(verb: Verb): VerbForm {
  const upper = new Uint8Array(verb.length);
  for (let i = 0; i < verb.length; i++) upper[i] = verb.charCodeAt(i);
  const bare = verb === "PING" || verb === "PONG" || verb === "+OK";
  return { verb, upper, bare, spaced: !bare && verb !== "CONNECT" && verb !== "INFO" };
}

const COMMON: readonly Verb[] = ["PING", "PONG", "CONNECT", "INFO", "+OK", "-ERR"];
export const CLIENT_VERBS: readonly VerbForm[] = [...COMMON, "PUB", "HPUB", "SUB", "UNSUB"].map(
  (v) => form(v as Verb),
);
export const LEAF_VERBS: readonly VerbForm[] = [...COMMON, "LS+", "LS-", "LMSG", "HMSG"].map((v) =>
  form(v as Verb),
);

export const VERB_UNKNOWN = -1;
export const VERB_NEEDS_MORE = -2;

/** The index in `forms` of the verb at `at`, or one of the two constants above. */
export function matchVerb(
  forms: readonly VerbForm[],
  bytes: Uint8Array,
  at: number,
  end: number,
): number {
  let possible = false;
  for (let f = 0; f < forms.length; f++) {
    const { upper, spaced } = forms[f] as VerbForm;
    let k = 0;
    while (k < upper.length && at + k < end && upperCase(bytes[at + k] ?? 0) === upper[k]) k++;
    if (k < upper.length) {
      if (at + k >= end) possible = true;
      continue;
    }
    if (!spaced) return f;
    if (at + k >= end) return VERB_NEEDS_MORE;
    const next = bytes[at + k];
    if (next === 32 || next === 9) return f;
    return VERB_UNKNOWN;
  }
  return possible ? VERB_NEEDS_MORE : VERB_UNKNOWN;
}

function upperCase(c: number): number {
  return c >= 97 && c <= 122 ? c - 32 : c;
}
