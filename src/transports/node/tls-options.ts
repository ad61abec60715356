/**
 * TLS settings as configured -> what node's TLS needs: certificates, roots, suites in OpenSSL's names.
 * Read once at start or reload; running connections keep what they were made with. Errors are the texts of
 * nats-server's configuration check.
 */
import { readFileSync } from "node:fs";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";

/** The part of a `tls {}` block that matters here; the configuration's `TlsOptions` has this shape. */
export interface TlsSettings {
  readonly certFile: string | null;
  readonly keyFile: string | null;
  readonly caFile: string | null;
  readonly certs: readonly { readonly certFile: string; readonly keyFile: string }[];
  readonly verify: boolean;
  readonly verifyAndMap: boolean;
  readonly insecure: boolean;
  /** IANA names; empty: the platform's choice. */
  readonly cipherSuites: readonly string[];
  readonly curvePreferences: readonly string[];
  readonly minVersion: "1.2" | "1.3" | null;
  /** Lower-case hex SHA-256 of SubjectPublicKeyInfo; empty: any. */
  readonly pinnedCerts: readonly string[];
}

/** One certificate with the context that presents it. */
export interface TlsIdentity {
  readonly certificate: X509Certificate;
  readonly context: SecureContext;
}

export interface ServerTls {
  /** At least one; the first is the default, others are picked by server name. */
  readonly identities: readonly [TlsIdentity, ...TlsIdentity[]];
  /** Client certificates are required and verified. */
  readonly verify: boolean;
  readonly pinnedCerts: ReadonlySet<string>;
}

export interface ClientTls {
  readonly context: SecureContext;
  /** Neither chain nor host name is checked. */
  readonly insecure: boolean;
  readonly pinnedCerts: ReadonlySet<string>;
}

/** Loads a listener's certificates; throws an Error with the reference's text. */
export function buildServerTls(settings: TlsSettings): ServerTls {
  const common = commonOptions(settings);
  const [first, ...rest] = loadPairs(settings).map((pair) => identity(pair, common));
  if (first === undefined) throw new Error("missing 'cert_file' in TLS configuration");
  return {
    identities: [first, ...rest],
    verify: settings.verify || settings.verifyAndMap,
    pinnedCerts: new Set(settings.pinnedCerts),
  };
}

/** Loads a dialler's certificates; null settings stand for the defaults (system roots, TLS 1.2 and up). */
export function buildClientTls(settings: TlsSettings | null): ClientTls {
  if (settings === null) {
    const context = createSecureContext({ minVersion: "TLSv1.2" });
    return { context, insecure: false, pinnedCerts: new Set() };
  }
  const pairs = loadPairs(settings);
  const common = commonOptions(settings);
  const context = withCurves({
    ...common,
    ...(pairs.length === 0
      ? {}
      : { cert: pairs.map((pair) => pair.cert), key: pairs.map((pair) => pair.key) }),
  });
  return { context, insecure: settings.insecure, pinnedCerts: new Set(settings.pinnedCerts) };
}

interface CertificatePair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

function loadPairs(settings: TlsSettings): CertificatePair[] {
  if (settings.certFile === null && settings.keyFile !== null) {
    throw new Error("missing 'cert_file' in TLS configuration");
  }
  if (settings.certFile !== null && settings.keyFile === null) {
    throw new Error("missing 'key_file' in TLS configuration");
  }
  const files = [...settings.certs];
  if (settings.certFile !== null && settings.keyFile !== null) {
    files.unshift({ certFile: settings.certFile, keyFile: settings.keyFile });
  }
  return files.map((file) => {
    try {
      return { cert: readFile(file.certFile), key: readFile(file.keyFile) };
    } catch (error) {
      throw pairError(messageOf(error));
    }
  });
}

function identity(pair: CertificatePair, common: SecureContextOptions): TlsIdentity {
  const certificate = parseCertificate(pair.cert);
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(pair.key));
  } catch {
    throw pairError("tls: failed to find any PEM data in key input");
  }
  if (!matches) throw pairError("tls: private key does not match public key");
  return { certificate, context: withCurves({ ...common, cert: pair.cert, key: pair.key }) };
}

function parseCertificate(pem: Buffer): X509Certificate {
  if (!pem.includes("-----BEGIN")) {
    throw pairError("tls: failed to find any PEM data in certificate input");
  }
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw pairError(messageOf(error));
  }
}

function pairError(text: string): Error {
  return new Error(`error parsing X509 certificate/key pair: ${text}`);
}

function commonOptions(settings: TlsSettings): SecureContextOptions {
  const ciphers = openSslCiphers(settings.cipherSuites);
  const curves = settings.curvePreferences.map(openSslCurve).join(":");
  return {
    minVersion: settings.minVersion === "1.3" ? "TLSv1.3" : "TLSv1.2",
    honorCipherOrder: true,
    ...(settings.caFile === null ? {} : { ca: loadRoots(settings.caFile) }),
    ...(ciphers === "" ? {} : { ciphers }),
    ...(curves === "" ? {} : { ecdhCurve: curves }),
  };
}

function loadRoots(file: string): Buffer {
  const pem = readFile(file);
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) {
    throw new Error("failed to parse root ca certificate");
  }
  return pem;
}

/** Older OpenSSLs lack the post-quantum groups; the classical ones that were asked for remain. */
function withCurves(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    const curves = options.ecdhCurve?.split(":") ?? [];
    const classical = curves.filter((curve) => !curve.includes("MLKEM"));
    if (classical.length === 0 || classical.length === curves.length) throw error;
    return createSecureContext({ ...options, ecdhCurve: classical.join(":") });
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`open ${path}: ${fileErrorText(error)}`, { cause: error });
  }
}

function fileErrorText(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : "";
  if (code === "ENOENT") return "no such file or directory";
  if (code === "EACCES") return "permission denied";
  if (code === "EISDIR") return "is a directory";
  return messageOf(error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const TLS13_SUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/** IANA names of the suites up to TLS 1.2 that Go knows, and OpenSSL's. */
const OPENSSL_CIPHERS: Readonly<Record<string, string>> = {
  TLS_RSA_WITH_3DES_EDE_CBC_SHA: "DES-CBC3-SHA",
  TLS_RSA_WITH_AES_128_CBC_SHA: "AES128-SHA",
  TLS_RSA_WITH_AES_256_CBC_SHA: "AES256-SHA",
  TLS_RSA_WITH_AES_128_CBC_SHA256: "AES128-SHA256",
  TLS_RSA_WITH_AES_128_GCM_SHA256: "AES128-GCM-SHA256",
  TLS_RSA_WITH_AES_256_GCM_SHA384: "AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_RC4_128_SHA: "ECDHE-ECDSA-RC4-SHA",
  TLS_ECDHE_RSA_WITH_RC4_128_SHA: "ECDHE-RSA-RC4-SHA",
  TLS_RSA_WITH_RC4_128_SHA: "RC4-SHA",
  TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA: "ECDHE-RSA-DES-CBC3-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: "ECDHE-ECDSA-AES128-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: "ECDHE-RSA-AES128-SHA256",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
};

/** As in Go, the suites of TLS 1.3 are always on and naming them changes nothing. */
function openSslCiphers(names: readonly string[]): string {
  if (names.length === 0) return "";
  const listed: string[] = [];
  for (const name of names) {
    if (TLS13_SUITES.split(":").includes(name)) continue;
    const known = OPENSSL_CIPHERS[name];
    if (known === undefined) throw new Error(`unrecognized cipher ${name}`);
    listed.push(known);
  }
  return [TLS13_SUITES, ...listed].join(":");
}

const OPENSSL_CURVES: Readonly<Record<string, string>> = {
  X25519: "X25519",
  CurveP256: "P-256",
  CurveP384: "P-384",
  CurveP521: "P-521",
  X25519MLKEM768: "X25519MLKEM768",
  SecP256r1MLKEM768: "SecP256r1MLKEM768",
  SecP384r1MLKEM1024: "SecP384r1MLKEM1024",
};

function openSslCurve(name: string): string {
  const known = OPENSSL_CURVES[name];
  if (known === undefined) throw new Error(`unrecognized curve preference ${name}`);
  return known;
}
