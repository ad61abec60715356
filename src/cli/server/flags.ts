/**
 * The flags of `frond-server`, one row each: names, what kind of value, the options it overrides, and its line
 * in the usage text.
 */

/** Sections of the usage text, in order. */
export const SECTIONS = [
  "Server",
  "Logging",
  "JetStream",
  "Authorization",
  "TLS",
  "Cluster",
  "Profiling",
  "Common",
] as const;

export interface Flag {
  /** All names without dashes; the first is what a parsed command line calls it. */
  readonly names: readonly [string, ...string[]];
  readonly kind: "text" | "integer" | "switch";
  /** Dotted names of the options that take the value; empty where more than that is to be done. */
  readonly options: readonly string[];
  readonly section: (typeof SECTIONS)[number];
  /** The name of the value in the usage text; "" for none. */
  readonly value: string;
  readonly doc: string;
}

type Section = Flag["section"];

function table(section: Section, rows: readonly Omit<Flag, "section">[]): readonly Flag[] {
  return rows.map((row) => ({ ...row, section }));
}

function row(
  names: string,
  kind: Flag["kind"],
  options: string,
  value: string,
  doc: string,
): Omit<Flag, "section"> {
  const [first = "", ...others] = names.split(" ");
  return {
    names: [first, ...others],
    kind,
    options: options.split(" ").filter(Boolean),
    value,
    doc,
  };
}

export const FLAGS: readonly Flag[] = [
  ...table("Server", [
    row(
      "a addr net",
      "text",
      "host",
      "<host>",
      "Accept clients on this address (default: 0.0.0.0)",
    ),
    row(
      "p port",
      "integer",
      "port",
      "<port>",
      "Accept clients on this port, -1 for any (default: 4222)",
    ),
    row(
      "n name server_name",
      "text",
      "serverName",
      "<name>",
      "Name of the server (default: its id)",
    ),
    row("P pid", "text", "pidFile", "<file>", "Write the process id to this file"),
    row("m http_port", "integer", "httpPort", "<port>", "Port of the monitoring server"),
    row(
      "ms https_port",
      "integer",
      "httpsPort",
      "<port>",
      "Port of the monitoring server with TLS",
    ),
    row("c config", "text", "", "<file>", "Configuration file"),
    row("t", "switch", "", "", "Check the configuration file and exit"),
    row(
      "sl signal",
      "text",
      "",
      "<signal>[=<pid>]",
      "Signal a running server: ldm, stop, quit, term, reopen, reload; <pid> may also be the name of a pid file",
    ),
    row(
      "client_advertise",
      "text",
      "clientAdvertise",
      "<host:port>",
      "What clients and other servers are told to connect to",
    ),
    row(
      "ports_file_dir",
      "text",
      "portsFileDir",
      "<dir>",
      "Write a file with all ports here (<program>_<pid>.ports)",
    ),
  ]),
  ...table("Logging", [
    row("l log", "text", "logFile", "<file>", "Log to this file"),
    row("T logtime", "switch", "logtime", "", "Begin lines with date and time (default: true)"),
    row("logtime_utc", "switch", "logtimeUtc", "", "Times are UTC (default: false)"),
    row("s syslog", "switch", "syslog", "", "Log to the system log"),
    row(
      "r remote_syslog",
      "text",
      "remoteSyslog",
      "<url>",
      "Log to this system log (udp://localhost:514)",
    ),
    row("D debug", "switch", "debug", "", "Log debug messages"),
    row("V trace", "switch", "trace", "", "Log every protocol message"),
    row("VV", "switch", "trace traceVerbose", "", "The same, with those of the system account"),
    row("DV", "switch", "debug trace", "", "Both -D and -V"),
    row("DVV", "switch", "debug trace traceVerbose", "", "Both -D and -VV"),
    row(
      "log_size_limit",
      "integer",
      "logSizeLimit",
      "<bytes>",
      "Begin a new log file above this size (default: never)",
    ),
    row(
      "max_traced_msg_len",
      "integer",
      "maxTracedMsgLen",
      "<bytes>",
      "Cut traced payloads at this length (default: never)",
    ),
  ]),
  ...table("JetStream", [
    row("js jetstream", "switch", "jetstream", "", "JetStream (not supported yet)"),
    row("sd store_dir", "text", "storeDir", "<dir>", "Where JetStream keeps its data"),
  ]),
  ...table("Authorization", [
    row("user", "text", "authorization.user", "<user>", "User name that connections must give"),
    row(
      "pass",
      "text",
      "authorization.password",
      "<password>",
      "Password that connections must give",
    ),
    row("auth", "text", "authorization.token", "<token>", "Token that connections must give"),
  ]),
  ...table("TLS", [
    row("tls", "switch", "", "", "TLS, without certificates of clients (default: false)"),
    row("tlscert", "text", "", "<file>", "Certificate of the server"),
    row("tlskey", "text", "", "<file>", "Its private key"),
    row("tlsverify", "switch", "", "", "TLS, with verified certificates of clients"),
    row(
      "tlscacert",
      "text",
      "",
      "<file>",
      "Authority that certificates of clients are verified with",
    ),
  ]),
  ...table("Cluster", [
    row("routes", "text", "", "<url, url>", "Routes to other servers (not supported yet)"),
    row("cluster", "text", "", "<url>", "Where to accept routes (not supported yet)"),
    row("cluster_name", "text", "cluster.name", "<name>", "Name of the cluster"),
    row(
      "no_advertise",
      "switch",
      "",
      "",
      "Do not tell clients of the other servers of the cluster",
    ),
    row(
      "cluster_advertise",
      "text",
      "",
      "<host:port>",
      "What the other servers are told to connect to",
    ),
    row("connect_retries", "integer", "", "<number>", "How often an implicit route is tried again"),
    row("cluster_listen", "text", "", "<url>", "The same as --cluster"),
  ]),
  ...table("Profiling", [
    row(
      "profile",
      "integer",
      "profPort",
      "<port>",
      "Accepted for compatibility; nothing listens there",
    ),
  ]),
  ...table("Common", [
    row("h help", "switch", "", "", "Show this text"),
    row("v version", "switch", "", "", "Show the version"),
    row("help_tls", "switch", "", "", "Show how TLS is configured"),
  ]),
];
