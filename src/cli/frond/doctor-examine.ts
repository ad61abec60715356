/** Reads configurations and lets every check look at them. */
import { existsSync } from "node:fs";
import {
  ConfigError,
  formatProblem,
  loadConfig,
  validateOptions,
  type ConfigProblem,
} from "../../config/index.ts";
import { nodeHost } from "../../server/node-host.ts";
import { checkCertificates } from "./doctor-files.ts";
import { Examination, type Finding, type Severity } from "./doctor-finding.ts";
import { checkRemotes } from "./doctor-remotes.ts";
import { checkPair, checkServer } from "./doctor-server.ts";
import { CliError } from "./errors.ts";

/** What people type, and mean. */
const MEANT: Readonly<Record<string, string>> = {
  leafnode: "leafnodes",
  leaf_node: "leafnodes",
  leaf_nodes: "leafnodes",
  leafs: "leafnodes",
  remote: "remotes",
  credential: "credentials",
  cred: "credentials",
  max_message_size: "max_payload",
};

/** Everything found in some files, the worst first. */
export function examine(files: readonly string[]): Finding[] {
  const findings: Finding[] = [];
  const sound: Examination[] = [];
  for (const file of files) {
    if (!existsSync(file)) throw new CliError(`open ${file}: no such file or directory`);
    const exam = load(file, findings);
    if (exam === null) continue;
    for (const fault of validateOptions(exam.loaded.options)) {
      exam.add("error", [], [fault, "the server does not start with it", ""]);
    }
    for (const warning of exam.loaded.warnings) findings.push(ofProblem(warning, "warning"));
    checkServer(exam);
    checkRemotes(exam);
    checkCertificates(exam);
    for (const other of sound) checkPair(other, exam);
    sound.push(exam);
  }
  for (const exam of sound) findings.push(...exam.findings);
  const line = (finding: Finding): number => finding.place?.line ?? 0;
  return findings.sort((a, b) => RANK[a.severity] - RANK[b.severity] || line(a) - line(b));
}

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, note: 2 };

function load(file: string, findings: Finding[]): Examination | null {
  try {
    return new Examination(file, loadConfig(nodeHost(), file));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    findings.push(...error.errors.map((problem) => ofProblem(problem, "error")));
    findings.push(...error.warnings.map((problem) => ofProblem(problem, "warning")));
    return null;
  }
}

function ofProblem(problem: ConfigProblem, severity: Severity): Finding {
  const place = problem.line === 0 && problem.path === null ? null : problem;
  const name = /unknown field "([^"]+)"/.exec(problem.message)?.[1]?.toLowerCase() ?? "";
  const meant = MEANT[name];
  const isUrl = problem.message.startsWith("error parsing leafnode url");
  return {
    severity,
    place,
    problem: place === null ? formatProblem(problem) : problem.message,
    why: severity === "error" ? "the server does not start with it" : "",
    fix: isUrl
      ? "percent-encode special characters of user and password (encodeURIComponent)"
      : meant === undefined
        ? ""
        : `write ${meant}`,
  };
}
