/**
 * What the rest of Frond wants to know of a peer's TLS: names and fingerprints of its certificates, protocol
 * version and cipher in the words nats-server prints.
 */
import { createHash, X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { PeerCertificate, TlsState } from "../../core/index.ts";

/** More certificates than any chain has; ends the walk over a peer's odd chain. */
const MAX_CHAIN = 16;

/** Describes an established TLS connection. */
export function tlsStateOf(socket: TLSSocket): TlsState {
  return {
    version: (socket.getProtocol() ?? "").replace("TLSv", ""),
    cipher: socket.getCipher()?.standardName ?? "",
    peerCertificates: peerChain(socket).map(describeCertificate),
    verified: socket.authorized,
  };
}

function peerChain(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < MAX_CHAIN && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

/** Reads names and fingerprints out of one certificate. */
export function describeCertificate(certificate: X509Certificate): PeerCertificate {
  const names = parseAltNames(certificate.subjectAltName ?? "");
  return {
    subject: subjectText(certificate.subject),
    emails: names.filter((name) => name.kind === "email").map((name) => name.value),
    dnsNames: names.filter((name) => name.kind === "DNS").map((name) => name.value),
    uris: names.filter((name) => name.kind === "URI").map((name) => name.value),
    spkiSha256: sha256(certificate.publicKey.export({ type: "spki", format: "der" })),
    certSha256: sha256(certificate.raw),
    pem: certificate.toString(),
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Attribute names where OpenSSL's short name differs from the one Go prints. */
const ATTRIBUTE_NAMES: Readonly<Record<string, string>> = {
  serialNumber: "SERIALNUMBER",
  street: "STREET",
  postalCode: "POSTALCODE",
};

/**
 * Node prints one RDN per line in the certificate's order, values escaped as RFC 2253 asks, several
 * attributes of one RDN joined with " + ". RFC 2253 text has them reversed, joined with ",".
 */
function subjectText(lines: string | undefined): string {
  if (lines === undefined) return "";
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .toReversed()
    .map((line) => splitUnescaped(line, " + ").map(renameAttribute).join("+"))
    .join(",");
}

function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text.startsWith(separator, i)) {
      parts.push(text.slice(from, i));
      from = i + separator.length;
      i = from - 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

function renameAttribute(attribute: string): string {
  const equals = attribute.indexOf("=");
  const name = attribute.slice(0, equals);
  return (ATTRIBUTE_NAMES[name] ?? name) + attribute.slice(equals);
}

interface AltName {
  readonly kind: string;
  readonly value: string;
}

/** `DNS:a, email:b, URI:"c, d"`: values that could be misread are JSON strings. */
function parseAltNames(text: string): AltName[] {
  const names: AltName[] = [];
  let at = 0;
  while (at < text.length) {
    const colon = text.indexOf(":", at);
    if (colon < 0) break;
    const kind = text.slice(at, colon);
    const quoted = text[colon + 1] === '"';
    const end = quoted ? closingQuote(text, colon + 1) + 1 : nextSeparator(text, colon + 1);
    const raw = text.slice(colon + 1, end);
    names.push({ kind, value: quoted ? String(JSON.parse(raw)) : raw });
    at = end + 2;
  }
  return names;
}

function nextSeparator(text: string, from: number): number {
  const found = text.indexOf(", ", from);
  return found < 0 ? text.length : found;
}

function closingQuote(text: string, open: number): number {
  for (let i = open + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i;
  }
  return text.length - 1;
}
