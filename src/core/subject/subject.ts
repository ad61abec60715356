/**
 * Subjects as latin1 strings: validity, literals, matching. The rules are in the client protocol's section on
 * subjects: tokens split at ".", `*` and `>` are wildcards only as whole tokens, comparison is bytewise.
 */

const WHITE = /[ \t\n\r\f]/;

/** Every token non-empty, no white space, `>` only as the last token. */
export function isValidSubject(subject: string): boolean {
  if (subject === "" || WHITE.test(subject)) return false;
  return isValidInterest(subject);
}

/** As `isValidSubject` without the test for white space, which a control line cannot hold. */
export function isValidInterest(subject: string): boolean {
  let start = 0;
  let sawFull = false;
  for (let i = 0; i <= subject.length; i++) {
    if (i < subject.length && subject.charCodeAt(i) !== 46) continue;
    if (i === start || sawFull) return false;
    sawFull = i - start === 1 && subject.charCodeAt(start) === 62;
    start = i + 1;
  }
  return true;
}

/** Whether some token is exactly `*` or `>`. */
export function hasWildcard(subject: string): boolean {
  for (let i = 0; i < subject.length; i++) {
    const c = subject.charCodeAt(i);
    if (c !== 42 && c !== 62) continue;
    const before = i === 0 || subject.charCodeAt(i - 1) === 46;
    const after = i + 1 === subject.length || subject.charCodeAt(i + 1) === 46;
    if (before && after) return true;
  }
  return false;
}

/** A valid subject without wildcards: what may be published to. */
export function isValidLiteral(subject: string): boolean {
  return isValidSubject(subject) && !hasWildcard(subject);
}

/** Whether every subject that `narrow` stands for is covered by `wide`; both may hold wildcards. */
export function isSubset(narrow: string, wide: string): boolean {
  const n = narrow.split(".");
  const w = wide.split(".");
  for (let i = 0; i < w.length; i++) {
    const token = w[i];
    if (token === ">") return n.length > i;
    const mine = n[i];
    if (mine === undefined || mine === ">") return false;
    if (token !== "*" && token !== mine) return false;
  }
  return n.length === w.length;
}

/** Whether some literal subject matches both. */
export function collide(a: string, b: string): boolean {
  const x = a.split(".");
  const y = b.split(".");
  const shorter = Math.min(x.length, y.length);
  for (let i = 0; i < shorter; i++) {
    const s = x[i];
    const t = y[i];
    if (s === ">" || t === ">") return true;
    if (s !== t && s !== "*" && t !== "*") return false;
  }
  return x.length === y.length;
}

/** Whether the literal subject in `bytes[start, end)` matches a pattern of subscription bytes. */
export function matchesBytes(
  pattern: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  let p = 0;
  let i = start;
  while (p < pattern.length) {
    const c = pattern[p] ?? 0;
    const tokenEnd = p + 1 === pattern.length || pattern[p + 1] === 46;
    const tokenStart = p === 0 || pattern[p - 1] === 46;
    if (tokenStart && tokenEnd && c === 62) return i < end;
    if (tokenStart && tokenEnd && c === 42) {
      const from = i;
      while (i < end && bytes[i] !== 46) i++;
      if (i === from) return false;
      p++;
      continue;
    }
    if (i >= end || bytes[i] !== c) return false;
    p++;
    i++;
  }
  return i === end;
}
