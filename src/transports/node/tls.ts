/**
 * TLS on a wire that is already open, as server or as client: after a plain INFO, at once, or when the first
 * byte says so. The upgrade happens in place: the same `SocketWire` carries encrypted bytes afterwards and its
 * `tls` is filled. On failure the promise rejects first, then the wire reports `closed` as ever.
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, TLSSocket, type SecureContext } from "node:tls";
import type { PeerCertificate, TlsState } from "../../core/index.ts";
import { describeCertificate, tlsStateOf } from "./certificates.ts";
import { peek } from "./peek.ts";
import type { SocketWire } from "./socket-wire.ts";
import type { ClientTls, ServerTls } from "./tls-options.ts";

/** The first byte of a TLS handshake record. */
const TLS_HANDSHAKE = 0x16;

/** Why a handshake failed, in Go's words where OpenSSL's error has a counterpart. */
export class TlsHandshakeError extends Error {
  /** A peer that went away, was too slow or did not speak TLS: worth a debug line only. */
  readonly probe: boolean;
  readonly timedOut: boolean;
  /** ` (CN=x SHA-256: ..; ..)` of the certificates that were refused, or "". */
  readonly certificates: string;

  constructor(text: string, more: { probe?: boolean; timedOut?: boolean; certificates?: string }) {
    super(text);
    this.name = "TlsHandshakeError";
    this.probe = more.probe ?? false;
    this.timedOut = more.timedOut ?? false;
    this.certificates = more.certificates ?? "";
  }
}

/** What a peer that may or may not speak TLS does first. */
export type FirstBytes = "tls" | "other" | "nothing";

/**
 * Waits up to `timeoutMs` for a first byte and leaves it unread. For `allow_non_tls` (`tls` decides) and for
 * `handshake_first` with fallback (anything but `nothing` means TLS).
 */
export async function peekForTls(wire: SocketWire, timeoutMs: number): Promise<FirstBytes> {
  const first = await peek<FirstBytes>(wire, timeoutMs, (bytes) => {
    if (bytes.length === 0) return null;
    return { answer: bytes[0] === TLS_HANDSHAKE ? "tls" : "other", skip: 0 };
  });
  return first === "timeout" || first === "closed" ? "nothing" : first;
}

/** Runs the server's side of a handshake. What was written before (INFO) has left in clear. */
export function upgradeServerTls(
  wire: SocketWire,
  tls: ServerTls,
  timeoutMs: number,
): Promise<TlsState> {
  const socket = new TLSSocket(wire.lend(), {
    isServer: true,
    secureContext: tls.identities[0].context,
    requestCert: tls.verify,
    rejectUnauthorized: tls.verify,
    SNICallback: (name, done) => done(null, contextFor(tls, name)),
  });
  return handshake(wire, socket, timeoutMs, "secure", () => {
    // A server-side TLSSocket does not judge the chain itself; `tls.Server` does it with this same call.
    if (tls.verify) checkVerified(socket);
    return checkPinned(socket, tls.pinnedCerts);
  });
}

export interface ClientUpgradeOptions {
  /** For SNI and verification; an IP address is verified but not sent. */
  readonly serverName: string;
  readonly timeoutMs: number;
}

/** Runs the client's side of a handshake. */
export function upgradeClientTls(
  wire: SocketWire,
  tls: ClientTls,
  options: ClientUpgradeOptions,
): Promise<TlsState> {
  const isAddress = isIP(options.serverName) !== 0;
  const socket = connect({
    socket: wire.lend(),
    secureContext: tls.context,
    host: options.serverName,
    ...(isAddress ? {} : { servername: options.serverName }),
    rejectUnauthorized: !tls.insecure,
  });
  return handshake(wire, socket, options.timeoutMs, "secureConnect", () =>
    checkPinned(socket, tls.pinnedCerts),
  );
}

/** Whether the peer's certificate is among the pinned ones; an empty set admits all. */
export function isPinned(state: TlsState, pinned: ReadonlySet<string>): boolean {
  if (pinned.size === 0) return true;
  const leaf = state.peerCertificates[0];
  return leaf !== undefined && pinned.has(leaf.spkiSha256);
}

function contextFor(tls: ServerTls, name: string): SecureContext {
  const [first, ...others] = tls.identities;
  if (others.length === 0) return first.context;
  const match = tls.identities.find((one) => one.certificate.checkHost(name) !== undefined);
  return (match ?? first).context;
}

function checkVerified(socket: TLSSocket): void {
  // `_handle.verifyError` is not in node's types; without it nobody is let in.
  const handle: unknown = Reflect.get(socket, "_handle");
  const verify: unknown =
    typeof handle === "object" && handle !== null ? Reflect.get(handle, "verifyError") : null;
  if (typeof verify !== "function") {
    throw new TlsHandshakeError("tls: cannot verify client certificates on this platform", {});
  }
  const error: unknown = verify.call(handle);
  if (error instanceof Error) throw translate(error, socket);
  if (error !== null && error !== undefined) {
    throw new TlsHandshakeError("tls: failed to verify certificate", {});
  }
}

function checkPinned(socket: TLSSocket, pinned: ReadonlySet<string>): TlsState {
  const state = tlsStateOf(socket);
  if (isPinned(state, pinned)) return state;
  throw new TlsHandshakeError("certificate not pinned", {
    certificates: certificateText(state.peerCertificates[0] ?? null),
  });
}

function handshake(
  wire: SocketWire,
  socket: TLSSocket,
  timeoutMs: number,
  doneEvent: "secure" | "secureConnect",
  check: () => TlsState,
): Promise<TlsState> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => fail(new TlsHandshakeError("TLS handshake timeout", { probe: true, timedOut: true })),
      timeoutMs,
    );
    const fail = (error: TlsHandshakeError): void => {
      settle();
      reject(error);
      socket.on("error", ignore);
      socket.destroy();
      wire.destroy();
    };
    const onError = (error: Error): void => fail(translate(error, socket));
    const onClose = (): void => fail(new TlsHandshakeError("EOF", { probe: true }));
    const settle = (): void => {
      clearTimeout(timer);
      socket.removeListener("error", onError);
      socket.removeListener("close", onClose);
      socket.removeListener("end", onClose);
    };
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.on("end", onClose);
    socket.once(doneEvent, () => {
      try {
        const state = check();
        settle();
        wire.giveBack(socket, state);
        resolve(state);
      } catch (error) {
        fail(error instanceof TlsHandshakeError ? error : translate(toError(error), socket));
      }
    });
  });
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function ignore(): void {}

/** OpenSSL's and node's error codes, and what Go says in the same case. */
const GO_TEXTS: Readonly<Record<string, { text: string; probe: boolean }>> = {
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: {
    text: "tls: client didn't provide a certificate",
    probe: false,
  },
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority(),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority(),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority(),
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority(),
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority(),
  CERT_SIGNATURE_FAILURE: unknownAuthority(),
  CERT_HAS_EXPIRED: {
    text: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
    probe: false,
  },
  CERT_NOT_YET_VALID: {
    text: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
    probe: false,
  },
  ERR_SSL_WRONG_VERSION_NUMBER: notTls(),
  ERR_SSL_HTTP_REQUEST: notTls(),
  ERR_SSL_HTTPS_PROXY_REQUEST: notTls(),
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls(),
  ERR_SSL_RECORD_LAYER_FAILURE: notTls(),
  ERR_SSL_UNEXPECTED_MESSAGE: notTls(),
  ERR_SSL_UNSUPPORTED_PROTOCOL: {
    text: "tls: client offered only unsupported versions",
    probe: false,
  },
  ERR_SSL_NO_SHARED_CIPHER: {
    text: "tls: no cipher suite supported by both client and server",
    probe: false,
  },
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: {
    text: "remote error: tls: unknown certificate authority",
    probe: false,
  },
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: { text: "remote error: tls: bad certificate", probe: false },
  "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE": {
    text: "remote error: tls: bad certificate",
    probe: false,
  },
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: {
    text: "remote error: tls: unknown certificate",
    probe: false,
  },
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: {
    text: "remote error: tls: certificate required",
    probe: false,
  },
  ECONNRESET: { text: "EOF", probe: true },
  EPIPE: { text: "EOF", probe: true },
};

function unknownAuthority(): { text: string; probe: boolean } {
  return {
    text: "tls: failed to verify certificate: x509: certificate signed by unknown authority",
    probe: false,
  };
}

function notTls(): { text: string; probe: boolean } {
  return { text: "tls: first record does not look like a TLS handshake", probe: true };
}

function translate(error: Error, socket: TLSSocket): TlsHandshakeError {
  const { code, host, cert } = error as Error & NodeTlsError;
  const known = GO_TEXTS[code ?? ""];
  const wrongName = code === "ERR_TLS_CERT_ALTNAME_INVALID";
  const peer = peerOf(socket, cert?.raw);
  return new TlsHandshakeError(
    known?.text ?? (wrongName ? hostnameText(host ?? "", peer) : error.message),
    { probe: known?.probe ?? false, certificates: certificateText(peer) },
  );
}

/** What node adds to errors of a handshake. */
interface NodeTlsError {
  readonly code?: string;
  readonly host?: string;
  readonly cert?: { readonly raw?: Buffer };
}

function hostnameText(host: string, peer: PeerCertificate | null): string {
  const prefix = "tls: failed to verify certificate: x509: certificate is ";
  const names = peer?.dnsNames ?? [];
  if (names.length === 0) return `${prefix}not valid for any names, but wanted to match ${host}`;
  return `${prefix}valid for ${names.join(", ")}, not ${host}`;
}

function peerOf(socket: TLSSocket, raw: Buffer | undefined): PeerCertificate | null {
  // A socket that an error destroyed has no certificate any more; the error may carry it.
  const own = socket.destroyed ? undefined : socket.getPeerX509Certificate();
  const certificate = raw === undefined ? own : new X509Certificate(raw);
  return certificate === undefined ? null : describeCertificate(certificate);
}

function certificateText(peer: PeerCertificate | null): string {
  return peer === null ? "" : ` (${peer.subject} SHA-256: ${peer.certSha256})`;
}
