/**
 * `frond server check connection`: connects, pings and sends itself a message, for a monitoring
 * system to read: exit 0 all well, 1 slower than a warning threshold, 2 critical.
 */
import { randomBytes } from "node:crypto";
import { createInbox } from "@nats-io/transport-node";
import type { Command } from "commander";
import { Option } from "commander";
import { CheckResult } from "./check-result.ts";
import type { Link } from "./connect.ts";
import { connect, target } from "./connect.ts";
import { formatDuration } from "./durations.ts";
import { CliError, errorText } from "./errors.ts";
import { duration } from "./flags.ts";

interface Thresholds {
  connectWarn: number;
  connectCritical: number;
  rttWarn: number;
  rttCritical: number;
  reqWarn: number;
  reqCritical: number;
}

interface RenderOptions {
  format: "nagios" | "json" | "prometheus" | "text";
  namespace: string;
  outfile?: string;
}

export function addCheck(program: Command): void {
  const server = program
    .command("server")
    .aliases(["srv", "sys", "system"])
    .description("Server information");
  const check = server
    .command("check")
    .description("Health check for NATS servers")
    .addOption(
      new Option("--format <format>", "Render the check in a specific format")
        .choices(["nagios", "json", "prometheus", "text"])
        .default("nagios"),
    )
    .option("--namespace <name>", "The prometheus namespace to use in output", "nats_server_check")
    .option("--outfile <file>", "Save output to a file rather than STDOUT");
  const connection = check
    .command("connection")
    .alias("conn")
    .description("Checks basic server connection")
    .option(
      "--connect-warn <duration>",
      "Warning threshold for establishing connections",
      duration,
      500,
    )
    .option(
      "--connect-critical <duration>",
      "Critical threshold for establishing connections",
      duration,
      1000,
    )
    .option("--rtt-warn <duration>", "Warning threshold for server RTT", duration, 500)
    .option("--rtt-critical <duration>", "Critical threshold for server RTT", duration, 1000)
    .option("--req-warn <duration>", "Warning threshold for full round trip test", duration, 500)
    .option(
      "--req-critical <duration>",
      "Critical threshold for full round trip test",
      duration,
      1000,
    );
  connection.action(async () => {
    const result = new CheckResult("Connection", "connections");
    await checkConnection(connection, result, connection.opts());
    const { format, namespace, outfile } = check.opts<RenderOptions>();
    process.exitCode = result.finish(format, namespace, outfile);
  });
}

async function checkConnection(
  command: Command,
  result: CheckResult,
  limits: Thresholds,
): Promise<void> {
  let link: Link;
  const start = performance.now();
  let timeoutMs: number;
  try {
    const to = target(command);
    timeoutMs = to.globals.timeoutMs;
    link = await connect(to);
  } catch (error) {
    result.critical(`connection failed: ${errorText(error)}`);
    return;
  }
  const connectMs = performance.now() - start;
  const url = link.url;
  result.measure({
    name: "connect_time",
    help: "Time taken to connect to NATS",
    ms: connectMs,
    warnMs: limits.connectWarn,
    criticalMs: limits.connectCritical,
    ok: `connected to ${url} in ${formatDuration(connectMs)}`,
    exceeded: (limit) => `connected to ${url}, connect time exceeded ${limit}`,
  });
  try {
    const rttMs = await link.rtt();
    result.measure({
      name: "rtt",
      help: "The round-trip-time of the connection",
      ms: rttMs,
      warnMs: limits.rttWarn,
      criticalMs: limits.rttCritical,
      ok: `rtt time ${formatDuration(rttMs)}`,
      exceeded: (limit) => `rtt time exceeded ${limit}`,
    });
    const requestMs = await roundTrip(link, timeoutMs);
    const took = (requestMs / 1000).toFixed(6);
    result.measure({
      name: "request_time",
      help: "Time taken for a full Request-Reply operation",
      ms: requestMs,
      warnMs: limits.reqWarn,
      criticalMs: limits.reqCritical,
      ok: `round trip took ${took}s`,
      exceeded: () => `round trip request took ${took}`,
    });
  } catch (error) {
    result.critical(errorText(error));
  } finally {
    await link.close();
  }
}

/** Sends a message to a subject of one's own; the milliseconds until it came back. */
async function roundTrip(link: Link, timeoutMs: number): Promise<number> {
  const inbox = createInbox(link.inboxPrefix);
  const sent = randomBytes(50).toString("hex");
  const subscription = link.nc.subscribe(inbox, { max: 1, timeout: timeoutMs });
  const start = performance.now();
  link.nc.publish(inbox, sent);
  try {
    for await (const message of subscription) {
      const ms = performance.now() - start;
      if (message.string() !== sent) throw new CliError("did not receive expected message");
      return ms;
    }
  } catch (error) {
    throw new CliError(`did not receive from ${inbox}: ${errorText(error)}`);
  }
  throw new CliError(`did not receive from ${inbox}: nats: subscription closed`);
}
