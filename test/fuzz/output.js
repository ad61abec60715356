const ERRORS = [
  "Unknown Protocol Operation",
  "maximum control line exceeded",
  "Maximum Payload Violation",
  "Authorization Violation",
  "Authentication Timeout",
  "maximum connections exceeded",
  "maximum account active connections exceeded",
  "maximum subscriptions exceeded",
  "invalid client protocol",
  "no responders requires headers support",
  "Stale Connection",
  "Invalid Subject",
  "Invalid Publish Subject",
  "Invalid Subscription",
  "attempted to connect to leaf node port",
  "remote leafnode has same cluster name",
  "cluster name cannot contain spaces",
  "cluster name is reserved",
  "Duplicate Remote LeafNode Connection",
  "Stale Leaf Node Connection - Closing",
  'unsupported route compression mode "weird"',
];
const ERROR_PATTERNS = [
  /^Permissions Violation for (Publish to|Publish with Reply of|Subscription to) "/,
  /^Rejecting connection from gateway ".*" on the leafnode port$/,
  /^Loop detected for leafnode account=".*"\. Delaying attempt to reconnect for 30s$/,
  /^connection rejected since minimum version required is ".*"$/,
  /^unsupported route compression mode ".*"$/,
];
const NUMBER = /^\d{1,9}$/;
export function wrongOutput(text, role) {
  let at = 0;
  while (at < text.length) {
    const crlf = text.indexOf("\r\n", at);
    if (crlf < 0) return `no end of line: ${show(text, at)}`;
    const line = text.slice(at, crlf);
    const space = line.indexOf(" ");
    const verb = space < 0 ? line : line.slice(0, space);
    at = crlf + 2;
    switch (verb) {
      case "PING":
      case "PONG":
        if (line.length !== 4) return `arguments of ${line}`;
        break;
      case "+OK":
        if (role !== "client") return "+OK on a leaf link";
        break;
      case "INFO":
      case "CONNECT":
        if (verb === "CONNECT" && role !== "hub") return "CONNECT from an accepting side";
        if (!isJson(line.slice(space + 1))) return `JSON of ${line}`;
        break;
      case "-ERR":
        if (!isKnownError(line.slice(6, -1))) return `unknown error: ${line}`;
        break;
      case "LS+":
      case "LS-":
        if (role === "client") return `${verb} on a client link`;
        if (!/^LS[+-] [^ \t]+( [^ \t]+( \d+)?)?$/.test(line)) return `arguments of ${line}`;
        break;
      case "MSG":
      case "LMSG":
      case "HMSG": {
        if ((verb === "MSG") !== (role === "client") && verb !== "HMSG")
          return `${verb} on a ${role} link`;
        const next = messageEnd(text, line, at, role);
        if (typeof next === "string") return next;
        at = next;
        break;
      }
      default:
        return `unknown line: ${show(line, 0)}`;
    }
  }
  return null;
}
function messageEnd(text, line, start, role) {
  const args = line.split(" ").slice(1);
  const sizes = line.startsWith("HMSG") ? 2 : 1;
  const least = role === "client" ? 2 : 1;
  if (args.length < sizes + least || args.some((arg) => arg === "")) return `arguments of ${line}`;
  const size = args.at(-1) ?? "";
  if (!NUMBER.test(size)) return `size of ${line}`;
  const header = sizes === 2 ? (args.at(-2) ?? "") : "0";
  if (!NUMBER.test(header) || Number(header) > Number(size)) return `header size of ${line}`;
  const end = start + Number(size);
  if (text.slice(end, end + 2) !== "\r\n") return `payload of ${line}`;
  return end + 2;
}
function isKnownError(text) {
  return ERRORS.includes(text) || ERROR_PATTERNS.some((pattern) => pattern.test(text));
}
function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
function show(text, at) {
  return JSON.stringify(text.slice(at, at + 80));
}
//# sourceMappingURL=output.js.map
