/**
 * `frond rtt [ITERATIONS]`: the round trip time to every address of every server given.
 *
 * A server that cannot be reached is shown as failed and makes the command fail; `nats` shows it only.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Command } from "commander";
import type { Target } from "./connect.ts";
import { connect, hostPort, serverList, target } from "./connect.ts";
import { humanDuration } from "./durations.ts";
import { CliError, errorText, isWrongCertificateName } from "./errors.ts";
import { countOf } from "./flags.ts";
import { log, outLine, toJson } from "./output.ts";

interface RttResult {
  time: string;
  address: string;
  /** Nanoseconds, as `nats` has it in JSON. */
  rtt: number;
  url: string;
  failed: boolean;
}

interface RttTarget {
  url: string;
  /** The server's own name: certificates are checked against it when its addresses are tried. */
  host: string;
  results: RttResult[];
}

export function addRtt(program: Command): void {
  const command = program
    .command("rtt")
    .description("Compute round-trip time to NATS server")
    .argument("[iterations]", "How many round trips to do when testing", countOf, 5)
    .option("-j, --json", "Produce JSON output");
  command.action(async (iterations: number, options: { json?: boolean }) => {
    if (iterations === 0) throw new CliError("at least one round trip is needed");
    const to = target(command);
    const targets = await rttTargets(to.settings.url);
    for (const { host, results } of targets) {
      for (const result of results) await measure(to, host, result, iterations);
    }
    if (options.json) printJson(targets);
    else printText(targets);
    if (targets.some(({ results }) => results.some((r) => r.failed))) process.exitCode = 1;
  });
}

/** One target a server of the list, with a result to fill in for each of its addresses. */
async function rttTargets(servers: string): Promise<RttTarget[]> {
  const targets: RttTarget[] = [];
  for (const url of serverList(servers)) {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const port = url.port || "4222";
    const found = isIP(host) ? [] : await lookup(host, { all: true }).catch(() => []);
    const addresses = found.length === 0 ? [host] : found.map(({ address }) => address);
    const user = url.username === "" ? "" : `${url.username}${url.password && `:${url.password}`}@`;
    targets.push({
      url: `${url.protocol}//${user}${url.host}`,
      host,
      results: addresses.map((address) => ({
        time: "",
        address: `${url.protocol}//${user}${hostPort(address, port)}`,
        rtt: 0,
        url: "",
        failed: false,
      })),
    });
  }
  return targets;
}

async function measure(
  to: Target,
  host: string,
  result: RttResult,
  iterations: number,
): Promise<void> {
  result.time = new Date().toISOString();
  try {
    const link = await connect(to, result.address).catch((error: unknown) => {
      if (!isWrongCertificateName(error)) throw error;
      return connect(to, result.address, host);
    });
    // The first round trip also warms up this program, which is not the server's time.
    await link.rtt();
    let total = 0;
    for (let i = 0; i < iterations; i++) total += await link.rtt();
    result.rtt = Math.round((total / iterations) * 1e6);
    result.url = link.url;
    await link.close();
  } catch (error) {
    result.failed = true;
    log(`Failed to compute rtt for ${result.address}: ${errorText(error)}`);
  }
}

function printJson(targets: readonly RttTarget[]): void {
  const shown = targets.map(({ url, results }) => ({
    url,
    results: results.map(({ time, address, rtt, url: connected }) => ({
      time,
      address,
      rtt,
      url: connected,
    })),
  }));
  outLine(toJson(shown));
}

function printText(targets: readonly RttTarget[]): void {
  const width = Math.max(...targets.flatMap((t) => t.results.map((r) => r.address.length))) + 3;
  for (const { url, results } of targets) {
    outLine(`${url}:\n`);
    for (const r of results) {
      outLine(`${r.address.padStart(width)}: ${r.failed ? "failed" : humanDuration(r.rtt / 1e6)}`);
    }
    outLine();
  }
}
