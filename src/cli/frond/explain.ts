/**
 * `frond explain SUBJECT`: would a message published at a server cross each of its leaf links, in each direction,
 * and if not, everything that stops it, by name and place in that server's configuration.
 *
 * The server is asked over HTTP where `--server` is a monitoring URL, else as a request of the system account.
 */
import type { Command } from "commander";
import { type Target, target, withLink } from "./connect.ts";
import { CliError } from "./errors.ts";
import { colour, outLine, toJson } from "./output.ts";

interface Verdict {
  readonly crosses: boolean;
  readonly reasons?: readonly {
    readonly rule: string;
    readonly text: string;
    readonly where?: string;
  }[];
  readonly note?: string;
}

interface Answer {
  readonly server_name: string;
  readonly account: string;
  readonly account_known: boolean;
  readonly subject: string;
  readonly links: readonly {
    readonly url: string;
    readonly state: string;
    readonly role: string;
    readonly remote_id: number | null;
    readonly remote_server?: string;
    readonly remote_account?: string;
    readonly last_error?: string;
    readonly out: Verdict;
    readonly in: Verdict;
  }[];
  readonly notes?: readonly string[];
}

export function addExplain(program: Command): void {
  const command = program
    .command("explain")
    .description("Show whether a message crosses a server's leaf links, and what stops it")
    .argument("<subject>", "The subject that a message would be published to")
    .option("-A, --account <name>", "The account it would be published in", "$G")
    .option("-j, --json", "Produce JSON output")
    .addHelpText(
      "after",
      `
--server is the monitoring URL of a Frond server (http://host:8222), or its client URL with a user of the
system account. The exit code is 0 if the message crosses every link outwards, else 1.`,
    );
  command.action(async (subject: string, options: { account: string; json?: boolean }) => {
    const to = target(command);
    const answer = await ask(to, subject, options.account);
    if (options.json === true) outLine(toJson(answer));
    else print(answer);
    if (answer.links.length === 0 || answer.links.some((link) => !link.out.crosses)) {
      process.exitCode = 1;
    }
  });
}

async function ask(to: Target, subject: string, account: string): Promise<Answer> {
  const { url } = to.settings;
  if (/^https?:/.test(url)) return askHttp(to, url, subject, account);
  return withLink(to, async (link) => {
    const body = JSON.stringify({ subject, account });
    const timeout = to.globals.timeoutMs;
    const reply = await link.nc
      .request("$SYS.REQ.SERVER.PING.EXPLAINZ", body, { timeout })
      .catch((error: unknown) => {
        throw new CliError(
          "no server answers: the user must belong to the system account of a Frond server " +
            "(or give its monitoring URL, --server http://HOST:8222)",
          1,
          error,
        );
      });
    const { data, error } = reply.json<{ data?: Answer; error?: { description?: string } }>();
    if (data === undefined)
      throw new CliError(error?.description ?? "the server's answer is empty");
    return data;
  });
}

async function askHttp(to: Target, url: string, subject: string, account: string): Promise<Answer> {
  const at = new URL(url);
  at.pathname = `${at.pathname.replace(/\/$/, "")}/explainz`;
  at.searchParams.set("subject", subject);
  at.searchParams.set("acc", account);
  let response: Response;
  try {
    response = await fetch(at, { signal: AbortSignal.timeout(to.globals.timeoutMs) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${url} cannot be reached: ${why}`, 1, error);
  }
  const text = await response.text();
  if (response.status === 404) {
    throw new CliError(`${url} has no /explainz: is it the monitoring URL of a Frond server?`);
  }
  if (!response.ok) throw new CliError(text.trim() || `${url} answers ${response.status}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this program's own counterpart
  return JSON.parse(text) as Answer;
}

function print(answer: Answer): void {
  const { account, subject, links } = answer;
  outLine(
    `${colour("bold", JSON.stringify(subject))} in account ${account} at ${answer.server_name}\n`,
  );
  if (!answer.account_known) outLine(`There is no account ${account} at this server.`);
  else if (links.length === 0) outLine(`Account ${account} has no leaf links here.`);
  for (const link of links) {
    const name = link.remote_server ?? "";
    const there = link.remote_account === undefined ? "" : `, account ${link.remote_account}`;
    const peer = name === "" ? link.url : `${name} (${link.url}${there})`;
    const kind = link.remote_id === null ? "accepted" : `remote ${link.remote_id}`;
    const state = colour(link.state === "up" ? "green" : "red", link.state);
    const past = link.last_error === undefined ? "" : `, last error: ${link.last_error}`;
    outLine(`${peer}: ${kind}, ${state}${past}`);
    printVerdict("published here ", link.out);
    printVerdict("published there", link.in);
    outLine();
  }
  for (const note of answer.notes ?? []) outLine(`Note: ${note}.`);
}

function printVerdict(what: string, verdict: Verdict): void {
  const word = verdict.crosses ? colour("green", "crosses") : colour("red", "stopped");
  const note = verdict.note === undefined ? "" : ` (${verdict.note})`;
  outLine(`  ${what}  ${word}${note}`);
  for (const { rule, text, where } of verdict.reasons ?? []) {
    outLine(`    ${colour("cyan", rule)}: ${text}${where === undefined ? "" : `  ${where}`}`);
  }
}
