/**
 * `verify_and_map`: which user a client certificate stands for. Candidates in order: e-mail names, DNS names,
 * URIs, then the subject as a distinguished name, as Go's text with domain components, as Go's text.
 */
import type { LinkId, TlsState } from "../core/index.ts";
import { goQuote, utf8ToLatin1 } from "../core/bytes/ascii.ts";
import type { AuthLog } from "./crypto.ts";
import {
  domainComponents,
  goSubject,
  parseDistinguishedName,
  sameName,
  sameNameReordered,
  type DistinguishedName,
} from "./distinguished-name.ts";

/** How the caller looks for its users. */
export interface CertificateLookup<User> {
  byName(name: string): User | null;
  /** The users that may be meant by a distinguished name, with their names; empty if only texts count. */
  candidates(): Iterable<readonly [name: string, user: User]>;
}

/** The user of the first peer certificate, or null (with the reason in the debug log). */
export function certificateUser<User>(
  tls: TlsState | null,
  lookup: CertificateLookup<User>,
  log: AuthLog,
  link: LinkId,
): User | null {
  const debug = (text: string): void => log("debug", link, text);
  if (tls === null) {
    debug("User required in cert, no TLS connection state");
    return null;
  }
  const [certificate] = tls.peerCertificates;
  if (certificate === undefined) {
    debug("User required in cert, no peer certificates found");
    return null;
  }
  if (tls.peerCertificates.length > 1) {
    debug("Multiple peer certificates found, selecting first");
  }
  const { emails, dnsNames, uris, subject } = certificate;
  if (emails.length + dnsNames.length + uris.length === 0 && subject === "") {
    debug("User required in cert, none found");
    return null;
  }
  const names = [
    ...emails.map((name) => ["email found in cert", name] as const),
    ...dnsNames.map((name) => ["SAN found in cert", name] as const),
    ...uris.map((name) => ["URI found in cert", name] as const),
  ];
  for (const [what, name] of names) {
    const user = lookup.byName(name);
    if (user === null) continue;
    debug(`Using ${what} for auth [${quote(name)}]`);
    return user;
  }
  return subjectUser(subject, lookup, debug);
}

function subjectUser<User>(
  subject: string,
  lookup: CertificateLookup<User>,
  debug: (text: string) => void,
): User | null {
  const parsed = parseDistinguishedName(subject);
  const goText = parsed === null ? subject : goSubject(parsed);
  if (parsed !== null) {
    const match = distinguishedUser(parsed, lookup);
    if (match !== null) {
      debug(`Using DistinguishedNameMatch for auth [${quote(match[0])}]`);
      return match[1];
    }
    debug(`DistinguishedNameMatch could not be used for auth [${quote(goText)}]`);
  }
  const components = parsed === null ? "" : domainComponents(parsed);
  const texts = [
    ...(components === "" ? [] : [["RDNSequence", `${goText},${components}`] as const]),
    ["certificate subject", goText] as const,
    // The plain RFC 2253 text, where it is another than Go's.
    ["certificate subject", subject] as const,
  ];
  for (const [what, text] of texts) {
    const user = text === "" ? null : lookup.byName(text);
    if (user === null) continue;
    debug(`Using ${what} for auth [${quote(text)}]`);
    return user;
  }
  debug(`User in cert [${quote(goText)}], not found`);
  return null;
}

function distinguishedUser<User>(
  certificate: DistinguishedName,
  lookup: CertificateLookup<User>,
): readonly [string, User] | null {
  let reordered: readonly [string, User] | null = null;
  for (const entry of lookup.candidates()) {
    const name = parseDistinguishedName(entry[0]);
    if (name === null) continue;
    if (sameName(name, certificate)) return entry;
    if (reordered === null && sameNameReordered(name, certificate)) reordered = entry;
  }
  return reordered;
}

function quote(text: string): string {
  return goQuote(utf8ToLatin1(text));
}
