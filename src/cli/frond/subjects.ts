/** Subjects with wildcards, as far as `sub --ignore-subject` needs them. */

/** Whether some subject matches both; `*` is one token, `>` the rest. */
export function subjectsCollide(a: string, b: string): boolean {
  const left = a.split(".");
  const right = b.split(".");
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const x = left[i];
    const y = right[i];
    if (x === ">" || y === ">") return true;
    if (x !== y && x !== "*" && y !== "*") return false;
  }
  return left.length === right.length;
}
