/**
 * Certificates for tests, made with `openssl` at run time; `skipReason` says why a test cannot run without it.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TlsSettings } from "../../src/transports/node/index.ts";

export interface TestCertificates {
  readonly directory: string;
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly otherCert: string;
  readonly otherKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** false when openssl is there, else why the test is skipped. */
export const skipReason: string | false = openSslMissing();

function openSslMissing(): string | false {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return false;
  } catch {
    return "openssl is not installed; certificates cannot be made";
  }
}

/** A CA, two server certificates (localhost, other.test) and a client certificate with odd names. */
export function makeCertificates(): TestCertificates {
  const directory = mkdtempSync(join(tmpdir(), "frond-certificates-"));
  const file = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { stdio: "ignore", cwd: directory });
  };
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...ec, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test ca");
  const issue = (name: string, subject: string, altNames: string): void => {
    writeFileSync(file(`${name}.ext`), `subjectAltName=${altNames}\n`);
    openssl(
      "req",
      ...ec,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-utf8",
      "-subj",
      subject,
    );
    const ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
    const out = ["-days", "2", "-extfile", `${name}.ext`, "-out", `${name}.pem`];
    openssl("x509", "-req", "-in", `${name}.csr`, ...ca, ...out);
  };
  issue("server", "/O=Acme/CN=localhost", "DNS:localhost,IP:127.0.0.1");
  issue("other", "/CN=other.test", "DNS:other.test");
  const altNames = "email:bob@acme.test,DNS:bob.acme.test,URI:spiffe://acme/bob";
  issue("client", "/C=US/O=Acme, Inc/OU=Eng/CN=www", altNames);
  return {
    directory,
    ca: file("ca.pem"),
    serverCert: file("server.pem"),
    serverKey: file("server.key"),
    otherCert: file("other.pem"),
    otherKey: file("other.key"),
    clientCert: file("client.pem"),
    clientKey: file("client.key"),
  };
}

/** TLS settings with the configuration's defaults. */
export function tlsSettings(over: Partial<TlsSettings>): TlsSettings {
  return {
    certFile: null,
    keyFile: null,
    caFile: null,
    certs: [],
    verify: false,
    verifyAndMap: false,
    insecure: false,
    cipherSuites: [],
    curvePreferences: [],
    minVersion: null,
    pinnedCerts: [],
    ...over,
  };
}
