/**
 * What a look at a token's claims found: errors, time issues (which heal or come with time) and warnings.
 */
import type { Millis } from "../../core/index.ts";
import type { Common } from "./token.ts";

export interface Issue {
  readonly level: "error" | "time" | "warning";
  readonly text: string;
}

/** Whether the issues forbid the use of the token. */
export function isBlocking(issues: readonly Issue[], includingTime: boolean): boolean {
  return issues.some(
    (issue) => issue.level === "error" || (includingTime && issue.level === "time"),
  );
}

/** Issues as Go prints its validation results. */
export function describeIssues(issues: readonly Issue[]): string {
  return `&{Issues:[${issues.map((issue) => issue.text).join(" ")}]}`;
}

export function error(text: string): Issue {
  return { level: "error", text };
}

export function warning(text: string): Issue {
  return { level: "warning", text };
}

/** Expired or not yet valid; whole seconds, as everywhere in tokens. */
export function timeIssues(claims: Common, now: Millis): readonly Issue[] {
  const seconds = Math.floor(now / 1000);
  const issues: Issue[] = [];
  if (claims.expires > 0 && seconds > claims.expires) {
    issues.push({ level: "time", text: "claim is expired" });
  }
  if (claims.notBefore > 0 && claims.notBefore > seconds) {
    issues.push({ level: "time", text: "claim is not yet valid" });
  }
  return issues;
}

/** What is wrong with a subject inside a claim. */
export function subjectIssues(subject: string): readonly Issue[] {
  if (subject === "") return [error("subject cannot be empty")];
  const issues: Issue[] = [];
  if (subject.includes(" ")) issues.push(error(`subject "${subject}" cannot have spaces`));
  if (subject.startsWith(".") || subject.endsWith(".")) {
    issues.push(error(`subject "${subject}" cannot start or end with a \`.\``));
  }
  if (subject.includes("..")) {
    issues.push(error(`subject "${subject}" cannot contain consecutive \`.\``));
  }
  return issues;
}
