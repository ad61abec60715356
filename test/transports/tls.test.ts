import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import {
  buildClientTls,
  buildServerTls,
  peekForTls,
  upgradeClientTls,
  upgradeServerTls,
  type TlsSettings,
} from "../../src/transports/node/index.ts";
import {
  makeCertificates,
  skipReason,
  tlsSettings,
  type TestCertificates,
} from "./certificates.ts";
import { socketPair, type WirePair } from "./wires.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("tls", { skip: skipReason }, () => {
  let certificates: TestCertificates;
  before(() => {
    certificates = makeCertificates();
  });

  const serverSettings = (over: Partial<TlsSettings> = {}): TlsSettings =>
    tlsSettings({
      certFile: certificates.serverCert,
      keyFile: certificates.serverKey,
      caFile: certificates.ca,
      ...over,
    });
  const clientSettings = (over: Partial<TlsSettings> = {}): TlsSettings =>
    tlsSettings({ caFile: certificates.ca, ...over });

  function handshakes(
    pair: WirePair,
    server: TlsSettings,
    client: TlsSettings,
    serverName = "localhost",
  ): Promise<[PromiseSettledResult<unknown>, PromiseSettledResult<unknown>]> {
    return Promise.allSettled([
      upgradeServerTls(pair.server, buildServerTls(server), 2000),
      upgradeClientTls(pair.client, buildClientTls(client), { serverName, timeoutMs: 2000 }),
    ]);
  }

  test("a plain INFO goes out first, then both sides upgrade in place", async (t) => {
    const pair = await socketPair(t);
    pair.server.write(encode("INFO {}\r\n"));
    const server = upgradeServerTls(pair.server, buildServerTls(serverSettings()), 2000);
    pair.client.resume();
    await pair.clientSaw.until((saw) => saw.text === "INFO {}\r\n");
    const options = { serverName: "localhost", timeoutMs: 2000 };
    const state = await upgradeClientTls(pair.client, buildClientTls(clientSettings()), options);
    assert.equal(state.version, "1.3");
    assert.match(state.cipher, /^TLS_(AES|CHACHA20)/);
    assert.equal((await server).peerCertificates.length, 0);
    assert.equal(pair.server.tls?.version, "1.3");
    pair.server.resume();
    pair.client.resume();
    pair.client.write(encode("CONNECT {}\r\n"));
    await pair.serverSaw.until((saw) => saw.text === "CONNECT {}\r\n");
    pair.server.writev([encode("PO"), encode("NG\r\n")]);
    await pair.clientSaw.until((saw) => saw.text.endsWith("PONG\r\n"));
    pair.server.end(2000);
    await pair.clientSaw.until((saw) => saw.closes.length === 1);
    await pair.serverSaw.until((saw) => saw.closes.length === 1);
    assert.deepEqual(pair.clientSaw.closes, [null]);
  });

  test("a large frame drains over tls", async (t) => {
    const pair = await socketPair(t);
    await handshakes(pair, serverSettings(), clientSettings());
    pair.server.resume();
    pair.client.resume();
    assert.ok(pair.server.write(new Uint8Array(8_000_000)) > 0);
    await pair.clientSaw.until((saw) => saw.bytes === 8_000_000);
    await pair.serverSaw.until((saw) => saw.drains.at(-1) === 0);
  });

  test("a client certificate is verified and described", async (t) => {
    const pair = await socketPair(t);
    const client = clientSettings({
      certFile: certificates.clientCert,
      keyFile: certificates.clientKey,
    });
    const [server] = await handshakes(pair, serverSettings({ verify: true }), client);
    assert.equal(server.status, "fulfilled");
    const peer = pair.server.tls?.peerCertificates[0];
    const x509 = new X509Certificate(readFileSync(certificates.clientCert));
    assert.deepEqual(peer, {
      subject: "CN=www,OU=Eng,O=Acme\\, Inc,C=US",
      emails: ["bob@acme.test"],
      dnsNames: ["bob.acme.test"],
      uris: ["spiffe://acme/bob"],
      spkiSha256: createHash("sha256")
        .update(x509.publicKey.export({ type: "spki", format: "der" }))
        .digest("hex"),
      certSha256: createHash("sha256").update(x509.raw).digest("hex"),
      pem: x509.toString(),
    });
  });

  for (const minVersion of ["1.2", "1.3"] as const) {
    test(`a client without a certificate is refused (at least ${minVersion})`, async (t) => {
      const pair = await socketPair(t);
      const settings = serverSettings({ verify: true, minVersion });
      const [server] = await handshakes(pair, settings, clientSettings());
      assert.equal(server.status, "rejected");
      assert.equal(server.reason.message, "tls: client didn't provide a certificate");
      await pair.serverSaw.until((saw) => saw.closes.length === 1);
    });
  }

  test("a client certificate of an unknown authority is refused", async (t) => {
    const pair = await socketPair(t);
    const stranger = makeCertificates();
    const client = clientSettings({ certFile: stranger.clientCert, keyFile: stranger.clientKey });
    const [server] = await handshakes(pair, serverSettings({ verify: true }), client);
    assert.equal(server.status, "rejected");
    assert.match(server.reason.message, /x509: certificate signed by unknown authority/);
    assert.match(server.reason.certificates, /^ \(CN=www,.* SHA-256: [0-9a-f]{64}\)$/);
  });

  test("the server's certificate is checked against roots and name", async (t) => {
    const strange = await socketPair(t);
    const other = clientSettings({ caFile: makeCertificates().ca });
    const [, unknown] = await handshakes(strange, serverSettings(), other);
    assert.equal(unknown.status, "rejected");
    assert.match(unknown.reason.message, /x509: certificate signed by unknown authority/);
    const named = await socketPair(t);
    const [, wrong] = await handshakes(named, serverSettings(), clientSettings(), "example.test");
    assert.equal(wrong.status, "rejected");
    assert.match(
      wrong.reason.message,
      /x509: certificate is valid for localhost, not example.test/,
    );
    const insecure = await socketPair(t);
    const settings = tlsSettings({ insecure: true });
    const [, fine] = await handshakes(insecure, serverSettings(), settings, "example.test");
    assert.equal(fine.status, "fulfilled");
    const address = await socketPair(t);
    const [, ip] = await handshakes(address, serverSettings(), clientSettings(), "127.0.0.1");
    assert.equal(ip.status, "fulfilled");
  });

  test("the server name picks among several certificates", async (t) => {
    const pair = await socketPair(t);
    const certs = [
      { certFile: certificates.serverCert, keyFile: certificates.serverKey },
      { certFile: certificates.otherCert, keyFile: certificates.otherKey },
    ];
    const [, client] = await handshakes(
      pair,
      tlsSettings({ certs }),
      clientSettings(),
      "other.test",
    );
    assert.equal(client.status, "fulfilled");
  });

  test("pinned certificates admit only those listed", async (t) => {
    const spki = new X509Certificate(readFileSync(certificates.serverCert)).publicKey;
    const pin = createHash("sha256").update(spki.export({ type: "spki", format: "der" }));
    const good = await socketPair(t);
    const pinned = clientSettings({ pinnedCerts: [pin.digest("hex")] });
    const [, client] = await handshakes(good, serverSettings(), pinned);
    assert.equal(client.status, "fulfilled");
    const bad = await socketPair(t);
    const wrong = clientSettings({ pinnedCerts: ["0".repeat(64)] });
    const [, refused] = await handshakes(bad, serverSettings(), wrong);
    assert.equal(refused.status, "rejected");
    assert.equal(refused.reason.message, "certificate not pinned");
  });

  test("a silent peer times out; one that speaks plainly is a probe", async (t) => {
    const silent = await socketPair(t);
    const tls = buildServerTls(serverSettings());
    await assert.rejects(upgradeServerTls(silent.server, tls, 20), {
      message: "TLS handshake timeout",
      timedOut: true,
    });
    const plain = await socketPair(t);
    plain.client.write(encode('CONNECT {"verbose":false}\r\nPING\r\n'));
    await assert.rejects(upgradeServerTls(plain.server, tls, 2000), {
      message: "tls: first record does not look like a TLS handshake",
      probe: true,
    });
  });

  test("the first byte tells tls from plain text, and is not lost", async (t) => {
    const plain = await socketPair(t);
    plain.client.write(encode("CONNECT"));
    assert.equal(await peekForTls(plain.server, 2000), "other");
    plain.server.resume();
    await plain.serverSaw.until((saw) => saw.text === "CONNECT");
    const silent = await socketPair(t);
    assert.equal(await peekForTls(silent.server, 10), "nothing");
    const pair = await socketPair(t);
    const options = { serverName: "localhost", timeoutMs: 2000 };
    const client = upgradeClientTls(pair.client, buildClientTls(clientSettings()), options);
    assert.equal(await peekForTls(pair.server, 2000), "tls");
    await upgradeServerTls(pair.server, buildServerTls(serverSettings()), 2000);
    await client;
  });

  test("versions and suites can be limited", async (t) => {
    const pair = await socketPair(t);
    const cipherSuites = ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"];
    const [server] = await handshakes(
      pair,
      serverSettings({ cipherSuites, curvePreferences: ["X25519MLKEM768", "CurveP256"] }),
      clientSettings(),
    );
    assert.equal(server.status, "fulfilled");
  });

  test("settings that cannot be used are refused with the reference's texts", () => {
    const build = (over: Partial<TlsSettings>) => (): unknown =>
      buildServerTls(serverSettings(over));
    const garbage = join(certificates.directory, "garbage.pem");
    writeFileSync(garbage, "garbage");
    const pairError = "error parsing X509 certificate/key pair: ";
    const rows: [Partial<TlsSettings>, string][] = [
      [{ keyFile: null }, "missing 'key_file' in TLS configuration"],
      [{ certFile: null }, "missing 'cert_file' in TLS configuration"],
      [{ certFile: "/nowhere.pem" }, `${pairError}open /nowhere.pem: no such file or directory`],
      [
        { keyFile: certificates.otherKey },
        `${pairError}tls: private key does not match public key`,
      ],
      [{ certFile: garbage }, `${pairError}tls: failed to find any PEM data in certificate input`],
      [{ caFile: garbage }, "failed to parse root ca certificate"],
      [{ cipherSuites: ["NONE"] }, "unrecognized cipher NONE"],
      [{ curvePreferences: ["P1"] }, "unrecognized curve preference P1"],
    ];
    for (const [over, message] of rows) assert.throws(build(over), { message });
  });
});
