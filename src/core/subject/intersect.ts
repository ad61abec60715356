/** The subjects that two patterns have in common. */

/** A pattern for what both match; null if they have nothing in common. */
export function intersect(a: string, b: string): string | null {
  const x = a.split(".");
  const y = b.split(".");
  const common: string[] = [];
  for (let i = 0; ; i++) {
    const s = x[i];
    const t = y[i];
    if (s === undefined && t === undefined) return common.join(".");
    // `>` stands for one token at least.
    if (s === ">") return t === undefined ? null : [...common, ...y.slice(i)].join(".");
    if (t === ">") return s === undefined ? null : [...common, ...x.slice(i)].join(".");
    if (s === undefined || t === undefined) return null;
    if (s === "*") common.push(t);
    else if (t === "*" || s === t) common.push(s);
    else return null;
  }
}
