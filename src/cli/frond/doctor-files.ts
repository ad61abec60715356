/** The doctor on files that a configuration names: credentials and certificates. */
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { LeafRemoteOptions, PlaceStep, TlsOptions } from "../../config/index.ts";
import type { Examination } from "./doctor-finding.ts";
import { errorText } from "./errors.ts";

const DAY = 86_400_000;

/** The credentials file of a remote, if it has one. */
export function checkCredentials(exam: Examination, i: number, remote: LeafRemoteOptions): void {
  if (remote.credentials === null) return;
  const file = remote.credentials;
  const at = ["leafnodes", "remotes", i, "credentials"];
  let text: string;
  let mode: number;
  try {
    text = readFileSync(file, "latin1");
    mode = statSync(file).mode;
  } catch (error) {
    exam.add("error", at, [
      `the credentials file cannot be read: ${errorText(error)}`,
      "the link fails at every attempt; paths are relative to the working directory",
      "give an absolute path that the server's user may read",
    ]);
    return;
  }
  if ((mode & 0o077) !== 0) {
    exam.add("warning", at, [
      `${file} can be read by other users (mode ${(mode & 0o777).toString(8)})`,
      "whoever reads the seed in it can log in as this server",
      `chmod 600 ${file}`,
    ]);
  }
  const [jwt, seed] = sections(text);
  if (jwt === undefined || seed === undefined) {
    exam.add("error", at, [
      `${file} is not a credentials file: it has ${jwt === undefined ? "no JWT" : "no seed"}`,
      "no CONNECT is sent then, and the hub ends the attempt with an authentication timeout",
      "generate it anew: nsc generate creds",
    ]);
    return;
  }
  if (!/^SU[A-Z2-7]{56}$/.test(seed)) {
    exam.add("error", at, [
      `${file} holds no seed of a user (SU…)`,
      "the nonce cannot be signed",
      "generate it anew: nsc generate creds",
    ]);
  }
  checkJwt(exam, at, file, jwt);
}

function checkJwt(exam: Examination, at: readonly PlaceStep[], file: string, jwt: string): void {
  const claims = decode(jwt);
  if (claims === null || claims.nats?.type !== "user") {
    exam.add("error", at, [
      `the JWT of ${file} is not that of a user`,
      "the hub refuses it with Authorization Violation",
      "generate it anew: nsc generate creds",
    ]);
    return;
  }
  if (claims.exp === undefined || claims.exp === 0) return;
  const left = claims.exp * 1000 - Date.now();
  const when = new Date(claims.exp * 1000).toISOString();
  if (left > 14 * DAY) return;
  exam.add(left <= 0 ? "error" : "warning", at, [
    left <= 0 ? `the JWT of ${file} expired at ${when}` : `the JWT of ${file} expires at ${when}`,
    "the hub refuses it from then on, and ends a link that is up",
    "generate it anew: nsc generate creds",
  ]);
}

interface Claims {
  readonly exp?: number;
  readonly nats?: { readonly type?: string };
}

function decode(jwt: string): Claims | null {
  try {
    const json = Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString();
    const value: unknown = JSON.parse(json);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

/** The bodies between dashed lines, in order, as the server reads them. */
function sections(text: string): string[] {
  const found = text.matchAll(
    /-{3,}[^\n]*-{3,}\r?\n([A-Za-z0-9_.=-]+)\r?\n-{3,}[^\n]*-{3,}(?:\r?\n|$)/g,
  );
  return [...found].map((match) => match[1] ?? "");
}

/** The certificates of every TLS block: those that ended, or will soon. */
export function checkCertificates(exam: Examination): void {
  const { options } = exam.loaded;
  checkTls(exam, ["tls"], options.tls);
  checkTls(exam, ["leafnodes", "tls"], options.leafnodes.tls);
  checkTls(exam, ["websocket", "tls"], options.websocket?.tls ?? null);
  for (const [i, remote] of options.leafnodes.remotes.entries()) {
    checkTls(exam, ["leafnodes", "remotes", i, "tls"], remote.tls);
  }
}

function checkTls(exam: Examination, at: readonly PlaceStep[], tls: TlsOptions | null): void {
  for (const member of ["certFile", "caFile"] as const) {
    const file = tls?.[member] ?? null;
    if (file === null) continue;
    let ends: number;
    try {
      ends = Date.parse(new X509Certificate(readFileSync(file)).validTo);
    } catch (error) {
      exam.add(
        "error",
        [...at, member],
        [
          `the certificate cannot be read: ${errorText(error)}`,
          "the server does not start with it",
          "give the path of a PEM file",
        ],
      );
      continue;
    }
    const left = ends - Date.now();
    if (left > 14 * DAY) continue;
    const when = new Date(ends).toISOString();
    exam.add(
      left <= 0 ? "error" : "warning",
      [...at, member],
      [
        `${file} ${left <= 0 ? "ended" : "ends"} at ${when}`,
        "TLS handshakes fail from then on",
        "renew it; a reload takes the new one",
      ],
    );
  }
}
