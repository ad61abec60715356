/** The texts that `-h`, `-v` and `--help_tls` print. */
import { FROND_VERSION, NATS_VERSION } from "../../server/version.ts";
import { FLAGS, type Flag, SECTIONS } from "./flags.ts";

/** The first line is what tools look for in nats-server's. */
export function versionText(): string {
  return `nats-server: v${NATS_VERSION}\nfrond-server: v${FROND_VERSION}\n`;
}

const WIDTH = 35;

export function usageText(): string {
  const parts = SECTIONS.map((section) => {
    const rows = FLAGS.filter((flag) => flag.section === section).map(usageLine);
    return `\n${section} options:\n${rows.join("\n")}\n`;
  });
  return `\nUsage: frond-server [options]\n${parts.join("")}\n`;
}

function usageLine({ names, value, doc }: Flag): string {
  const shown = names.map((name) => (isWord(name) ? `--${name}` : `-${name}`)).join(", ");
  // Long names stand below each other, whether there is a short one or not.
  const indent = shown.startsWith("--") ? "        " : "    ";
  const left = `${indent}${shown} ${value}`.trimEnd();
  if (left.length < WIDTH) return left.padEnd(WIDTH) + doc;
  return `${left}\n${" ".repeat(WIDTH)}${doc}`;
}

/** What a `tls` block may say. The names are given, as loading what knows them takes longer. */
export function tlsHelpText(suites: readonly string[], curves: readonly string[]): string {
  const list = (names: readonly string[]): string => names.map((name) => `    ${name}\n`).join("");
  return `
TLS is configured by a tls block in the configuration file, at the top level for clients:

    tls {
        cert_file: "server.pem"
        key_file:  "server-key.pem"

        # Ask clients for certificates of this authority
        ca_file: "ca.pem"
        verify:  true

        # TLS 1.2 suites and curves, best first (default: all that are safe)
        cipher_suites:     [ "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" ]
        curve_preferences: [ "X25519", "CurveP256" ]
    }

Available cipher suites include:
${list(suites)}
Available curve preferences include:
${list(curves)}
`;
}

/** Words take two dashes, letters one; either way is understood. */
const isWord = (name: string): boolean => name.length > 2 && name === name.toLowerCase();
