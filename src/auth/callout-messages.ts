/**
 * The two messages of auth callout: the request that describes a login, and the look at the response up to the
 * user's token inside. Where that user may go is decided in `auth-callout.ts`.
 */
import type { AuthRequest, Millis } from "../core/index.ts";
import { latin1, latin1ToUtf8, utf8Bytes } from "../core/bytes/ascii.ts";
import { rawUser, type Attempt } from "./attempt.ts";
import { authorizationResponseIssues, readAuthorizationResponse } from "./claims/authorization.ts";
import { decodeAs, encodeToken, type Decoded } from "./claims/token.ts";
import { readUser, type UserClaims } from "./claims/user.ts";
import type { CurveKey } from "./curve-key.ts";
import type { Crypto } from "./crypto.ts";

/** Who this server is, as requests tell it. */
export interface CalloutServer {
  readonly name: string;
  readonly host: string;
  /** The public server nkey. */
  readonly id: string;
  readonly version: string;
  readonly cluster: string;
  readonly tags: readonly string[];
}

/** One login that a service is asked about. */
export interface Question {
  readonly attempt: Attempt;
  /** The fresh public user key that the response must be about. */
  readonly userKey: string;
  /** The account that the service runs in. */
  readonly account: string;
  /** The request's subject: the configured issuer, or the account. */
  readonly subject: string;
  /** The service's public curve key; "" asks in clear. */
  readonly xkey: string;
}

const VERSION = 2;
const TOKEN_START = "eyJ";

/** The payload of a request: a token of the server, sealed where the service wants that. */
export function encodeRequest(
  crypto: Crypto,
  question: Question,
  server: CalloutServer,
  keys: { readonly seed: string; readonly curve: CurveKey },
  expires: Millis,
): Uint8Array {
  const { attempt, userKey, subject, xkey } = question;
  const { id, name, host, version, cluster, tags } = server;
  const sealed = xkey !== "";
  const nats = {
    server_id: {
      name,
      host,
      id,
      ...present({ version, cluster }),
      ...(tags.length > 0 ? { tags } : {}),
      ...(sealed ? { xkey: keys.curve.publicKey } : {}),
    },
    user_nkey: userKey,
    client_info: clientInfo(attempt),
    connect_opts: connectOptions(attempt),
    ...clientTls(attempt.request),
    type: "authorization_request",
    version: VERSION,
  };
  const jwt = encodeToken(crypto, keys.seed, id, {
    aud: "nats-authorization-request",
    exp: Math.floor(expires / 1000),
    iat: Math.floor(crypto.now() / 1000),
    sub: subject,
    nats,
  });
  return sealed ? keys.curve.seal(utf8Bytes(jwt), xkey) : utf8Bytes(jwt);
}

function clientInfo(attempt: Attempt): object {
  const { request, credentials, publicKey } = attempt;
  const user = rawUser(credentials, publicKey);
  const websocket = request.connectionType === "WEBSOCKET";
  return {
    ...present({ host: request.host }),
    id: request.link,
    ...present({
      user,
      name: request.name,
      kind: request.kind === "leaf" ? "Leafnode" : "Client",
      type: request.kind === "leaf" ? "" : websocket ? "websocket" : "nats",
      nonce: credentials.sig === "" ? "" : request.nonce,
    }),
  };
}

function connectOptions({ request, credentials }: Attempt): object {
  const { protocol = 1 } = request;
  return {
    ...present({
      jwt: credentials.jwt,
      nkey: credentials.nkey,
      sig: credentials.sig,
      auth_token: credentials.authToken,
      user: credentials.user,
      pass: credentials.pass,
      name: request.name,
      lang: request.lang,
      version: request.version,
    }),
    protocol,
  };
}

function clientTls(request: AuthRequest): object {
  const { tls } = request;
  if (tls === null) return {};
  const certificates = tls.peerCertificates.flatMap(({ pem }) => (pem === undefined ? [] : [pem]));
  const chain =
    certificates.length === 0
      ? {}
      : tls.verified === true
        ? { verified_chains: [certificates] }
        : { certs: certificates };
  return { client_tls: { ...present({ version: tls.version, cipher: tls.cipher }), ...chain } };
}

/** The members that say something. */
function present(members: Readonly<Record<string, string>>): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== ""));
}

/** Whether a signer may answer for the callout account: null, or what to say of it. */
export type SignerCheck = (issuer: string, issuerAccount: string) => string | null;

/** The user's claims in a response, or why there are none. */
export function readResponse(
  crypto: Crypto,
  payload: Uint8Array,
  question: Question,
  server: { readonly id: string; readonly curve: CurveKey },
  signerFault: SignerCheck,
): Decoded<UserClaims> {
  const { account, xkey, userKey } = question;
  const fault = (error: string): Decoded<UserClaims> => ({ ok: false, error });
  if (payload.length === 0) {
    return fault(`auth callout violation: "no reason supplied" on account "${account}"`);
  }
  const sealed = xkey !== "";
  if (sealed && latin1(payload, 0, Math.min(3, payload.length)) === TOKEN_START) {
    // nats-server takes it: then sealing would protect nothing.
    return fault(`auth callout response is not encrypted on account "${account}"`);
  }
  const opened = sealed ? server.curve.open(payload, xkey) : payload;
  if (opened === null) {
    const where = `error decrypting auth callout response on account "${account}"`;
    return fault(`${where}: nkeys: could not decrypt message`);
  }
  const text = latin1ToUtf8(latin1(opened, 0, opened.length));
  const decoded = decodeAs(crypto, text, readAuthorizationResponse);
  if (!decoded.ok) return decoded;
  const response = decoded.claims;
  const [issue] = authorizationResponseIssues(response, crypto.now());
  if (issue !== undefined) {
    return fault(`authorization response had validation errors: ${issue.text}`);
  }
  const violation = "auth callout violation: auth callout response is not for";
  if (response.subject !== userKey) return fault(`${violation} expected user`);
  if (response.audience !== server.id) return fault(`${violation} server`);
  // Sealing proves the service; where nothing is sealed, a response must be signed by a key that it may use.
  const signer = sealed ? null : signerFault(response.issuer, response.issuerAccount);
  if (signer !== null) return fault(signer);
  if (response.error !== "") {
    return fault(`auth callout service returned an error: ${response.error}`);
  }
  return decodeAs(crypto, response.jwt, readUser);
}
