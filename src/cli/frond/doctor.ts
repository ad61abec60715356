/**
 * `frond doctor -c FILE`: finds the known traps of a configuration before they bite: what a server accepts and
 * then does not do. With several files it also holds each pair against each other.
 *
 * The exit code is 1 if something would not work, 0 otherwise (warnings and notes included).
 */
import type { Command } from "commander";
import { placeText } from "../../config/config-error.ts";
import type { Finding, Severity } from "./doctor-finding.ts";
import { colour, outLine, toJson } from "./output.ts";

export function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("Find the known traps of a configuration before they bite")
    .requiredOption(
      "-c, --config <file...>",
      "The file of the server, and of its hub if you have it",
    )
    .option("-q, --quiet", "Leave out notes")
    .option("-j, --json", "Produce JSON output");
  command.action(async (options: { config: string[]; quiet?: boolean; json?: boolean }) => {
    // Loaded only here: no other verb needs the server's parts.
    const { examine } = await import("./doctor-examine.ts");
    const findings = examine(options.config).filter(
      ({ severity }) => options.quiet !== true || severity !== "note",
    );
    if (options.json === true) printJson(findings);
    else printText(findings, options.config);
    if (findings.some(({ severity }) => severity === "error")) process.exitCode = 1;
  });
}

function printJson(findings: readonly Finding[]): void {
  outLine(
    toJson(
      findings.map(({ severity, place, problem, why, fix }) => ({
        severity,
        ...(place !== null && { file: place.file, line: place.line, column: place.column }),
        problem,
        why,
        fix,
      })),
    ),
  );
}

const COLOURS = { error: "red", warning: "yellow", note: "cyan" } as const;

function printText(findings: readonly Finding[], files: readonly string[]): void {
  for (const { severity, place, problem, why, fix } of findings) {
    const where = placeText(place);
    outLine(
      `${where === "" ? "" : `${where}: `}${colour(COLOURS[severity], severity)}: ${problem}`,
    );
    if (why !== "") outLine(`    why: ${why}`);
    if (fix !== "") outLine(`    do:  ${fix}`);
    outLine();
  }
  const count = (severity: Severity): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings, notes] = [count("error"), count("warning"), count("note")];
  const summary =
    findings.length === 0
      ? colour("green", "nothing found")
      : `${plural(errors, "error")}, ${plural(warnings, "warning")}, ${plural(notes, "note")}`;
  outLine(`${files.join(", ")}: ${summary}`);
}

const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? "" : "s"}`;
