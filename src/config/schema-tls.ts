/**
 * The table of `tls` blocks, the same wherever one may stand.
 *
 * Names of cipher suites and curves are checked here; certificates are files, which the host checks.
 */
import { parseDuration } from "./duration.ts";
import { timeout } from "./kinds.ts";
import type { CertificateFiles, HandshakeFirst, TlsOptions } from "./options.ts";
import {
  type Kind,
  type Row,
  type Rows,
  type SchemaDefinition,
  defineSchema,
  readBlock,
} from "./rows.ts";
import { type ConfigNode, display, quote, typeName } from "./value.ts";

/** IANA names, secure ones first. */
export const CIPHER_SUITES = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
  "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
] as const;

const INSECURE_CIPHER_SUITES: readonly string[] = [
  "TLS_RSA_WITH_RC4_128_SHA",
  "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
  "TLS_RSA_WITH_AES_128_CBC_SHA",
  "TLS_RSA_WITH_AES_256_CBC_SHA",
  "TLS_RSA_WITH_AES_128_CBC_SHA256",
  "TLS_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_RSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
  "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
  "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
  "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
];

export const CURVES = [
  "X25519MLKEM768",
  "SecP256r1MLKEM768",
  "SecP384r1MLKEM1024",
  "X25519",
  "CurveP256",
  "CurveP384",
  "CurveP521",
] as const;

/** What `auto` waits for a ClientHello. */
export const AUTO_FALLBACK_MILLIS = 50;

const PREFIX = "error parsing tls config";

function fileName(key: string): Kind<string> {
  return {
    label: "file",
    read: (node, reading) =>
      node.value.kind === "string"
        ? node.value.text
        : reading.error(node, `${PREFIX}, expected '${key}' to be filename`),
  };
}

function tlsFlag(key: string): Kind<boolean> {
  return {
    label: "boolean",
    read: (node, reading) =>
      node.value.kind === "boolean"
        ? node.value.value
        : reading.error(node, `${PREFIX}, expected '${key}' to be a boolean`),
  };
}

const checkKnownUrls: Kind<boolean> = {
  label: "boolean",
  read(node, reading, key) {
    const value = tlsFlag("verify_cert_and_check_known_urls").read(node, reading, key);
    if (value !== true) return value;
    return reading.error(node, "verify_cert_and_check_known_urls not supported in this context");
  },
};

function names(key: string, known: readonly string[], what: string): Kind<readonly string[]> {
  return {
    label: "list of names",
    read(node, reading) {
      if (node.value.kind !== "array") return reading.wrongType(node, "[]interface {}");
      const { items } = node.value;
      if (items.length === 0) return reading.error(node, `${PREFIX}, '${key}' cannot be empty`);
      const found: string[] = [];
      for (const item of items) {
        if (item.value.kind !== "string") reading.wrongType(item, "string");
        else if (known.includes(item.value.text)) found.push(item.value.text);
        else reading.error(item, `unrecognized ${what} ${item.value.text}`);
      }
      return found;
    },
  };
}

const pinnedCerts: Kind<readonly string[]> = {
  label: "list of hex SHA-256",
  read(node, reading) {
    const expected = "hex-encoded sha256 of DER encoded SubjectPublicKeyInfo";
    if (node.value.kind !== "array") {
      return reading.error(node, `${PREFIX}, expected 'pinned_certs' to be a list of ${expected}`);
    }
    const pins: string[] = [];
    for (const item of node.value.items) {
      if (item.value.kind !== "string") {
        reading.wrongType(item, "string");
        continue;
      }
      const pin = item.value.text.toLowerCase();
      if (/^[a-f0-9]{64}$/.test(pin)) pins.push(pin);
      else
        reading.error(item, `${PREFIX}, 'pinned_certs' key ${pin} does not look like ${expected}`);
    }
    return pins;
  },
};

const HANDSHAKE_WORDS: Readonly<Record<string, HandshakeFirst>> = {
  true: { enabled: true, fallback: null },
  on: { enabled: true, fallback: null },
  false: { enabled: false, fallback: null },
  off: { enabled: false, fallback: null },
  auto: { enabled: true, fallback: AUTO_FALLBACK_MILLIS },
  auto_fallback: { enabled: true, fallback: AUTO_FALLBACK_MILLIS },
};

const handshakeFirst: Kind<HandshakeFirst> = {
  label: "boolean, `auto` or duration",
  read(node, reading, key) {
    const { value } = node;
    if (value.kind === "boolean") return { enabled: value.value, fallback: null };
    if (value.kind !== "string") {
      const got = typeName(node);
      return reading.error(node, `field ${quote(key)} should be a boolean or a string, got ${got}`);
    }
    const word = value.text.toLowerCase();
    const known = Object.hasOwn(HANDSHAKE_WORDS, word) ? HANDSHAKE_WORDS[word] : undefined;
    if (known !== undefined) return known;
    const fallback = parseDuration(value.text);
    if (typeof fallback === "number") return { enabled: true, fallback };
    return reading.error(node, `field ${quote(key)}'s value ${quote(value.text)} is invalid`);
  },
};

const minVersion: Kind<"1.2" | "1.3"> = {
  label: "`1.2` or `1.3`",
  read(node, reading) {
    if (node.value.kind !== "string") {
      return reading.error(node, `${PREFIX}: 'min_version' wrong type: ${display(node)}`);
    }
    const version = node.value.text;
    if (version === "1.2" || version === "1.3") return version;
    if (version === "1.0" || version === "1.1") {
      return reading.error(node, `${PREFIX}: unsupported TLS version: TLS ${version}`);
    }
    return reading.error(node, `${PREFIX}: unknown version: ${version}`);
  },
};

const rateLimit: Kind<number> = {
  label: "number",
  read: (node, reading) =>
    node.value.kind === "integer"
      ? Number(node.value.value)
      : reading.error(node, `${PREFIX}, 'connection_rate_limit' wrong type`),
};

const certificates: Kind<readonly CertificateFiles[]> = {
  label: "list of `{cert_file, key_file}`",
  read(node, reading) {
    const unsupported = (at: ConfigNode): undefined =>
      reading.error(at, `error parsing certificates config: unsupported type ${typeName(at)}`);
    if (node.value.kind !== "array") return unsupported(node);
    const pairs: CertificateFiles[] = [];
    for (const item of node.value.items) {
      if (item.value.kind !== "map") {
        unsupported(item);
        continue;
      }
      const files = { certFile: "", keyFile: "" };
      let last = item;
      const before = reading.errors.length;
      for (const [key, file] of item.value.entries) {
        last = file;
        if (file.value.kind !== "string") unsupported(file);
        else if (key === "cert_file" || key === "certFile") files.certFile = file.value.text;
        else if (key === "key_file" || key === "keyFile") files.keyFile = file.value.text;
        else reading.error(file, `error parsing tls certs config, unknown field ${quote(key)}`);
      }
      if (files.certFile !== "" && files.keyFile !== "") pairs.push(files);
      else if (reading.errors.length === before) {
        reading.error(
          last,
          "error parsing certificates config: both 'cert_file' and 'cert_key' options are required",
        );
      }
    }
    return pairs;
  },
};

const rows: Rows<TlsOptions> = {
  cert_file: {
    aliases: [],
    kind: fileName("cert_file"),
    fallback: null,
    reload: "hot",
    doc: "The server's certificate, PEM.",
  },
  key_file: {
    aliases: [],
    kind: fileName("key_file"),
    fallback: null,
    reload: "hot",
    doc: "The key of the certificate, PEM.",
  },
  ca_file: {
    aliases: [],
    kind: fileName("ca_file"),
    fallback: null,
    reload: "hot",
    doc: "Certificate authorities that peers' certificates are checked against.",
  },
  certs: {
    aliases: ["certificates"],
    kind: certificates,
    fallback: [],
    reload: "hot",
    doc: "Several certificates, chosen by the name the peer asks for; not together with `cert_file`.",
  },
  verify: {
    aliases: [],
    kind: tlsFlag("verify"),
    fallback: false,
    reload: "hot",
    doc: "Require and check a certificate of the client.",
  },
  verify_and_map: {
    aliases: [],
    kind: tlsFlag("verify_and_map"),
    fallback: false,
    reload: "restart",
    doc: "As `verify`, and take the user from the client's certificate.",
    also(draft, value) {
      if (value) draft.verify = true;
    },
  },
  verify_cert_and_check_known_urls: {
    aliases: [],
    kind: checkKnownUrls,
    fallback: false,
    reload: "hot",
    doc: "Only between clusters: the peer's certificate must name a configured host.",
  },
  insecure: {
    aliases: [],
    kind: tlsFlag("insecure"),
    fallback: false,
    reload: "hot",
    doc: "Do not check the peer's certificate when dialing.",
  },
  timeout: {
    aliases: [],
    kind: timeout("tls config"),
    fallback: null,
    reload: "hot",
    doc: "How long the handshake may take; 2 s when absent.",
  },
  cipher_suites: {
    aliases: [],
    kind: names("cipher_suites", [...CIPHER_SUITES, ...INSECURE_CIPHER_SUITES], "cipher"),
    fallback: [],
    reload: "hot",
    doc: "IANA names of the cipher suites to offer.",
  },
  allow_insecure_cipher_suites: {
    aliases: [],
    kind: tlsFlag("allow_insecure_cipher_suites"),
    fallback: false,
    reload: "hot",
    doc: "Accept weak suites in `cipher_suites`.",
  },
  curve_preferences: {
    aliases: [],
    kind: names("curve_preferences", CURVES, "curve preference"),
    fallback: [],
    reload: "hot",
    doc: "Curves for the key exchange, in order of preference.",
  },
  min_version: {
    aliases: [],
    kind: minVersion,
    fallback: null,
    reload: "hot",
    doc: "The oldest version of TLS accepted; 1.2 when absent.",
  },
  connection_rate_limit: {
    aliases: [],
    kind: rateLimit,
    fallback: 0,
    reload: "restart",
    doc: "Handshakes begun per second; 0 is unlimited.",
  },
  pinned_certs: {
    aliases: [],
    kind: pinnedCerts,
    fallback: [],
    reload: "hot",
    doc: "Accept only peers whose key has one of these SHA-256 sums.",
  },
  handshake_first: {
    aliases: ["first", "immediate"],
    kind: handshakeFirst,
    fallback: { enabled: false, fallback: null },
    reload: "hot",
    doc: "Begin with the handshake, before INFO; with `auto` or a duration INFO comes first after that time.",
  },
};

/** Options that only mean something with Windows' certificate store or OCSP. */
const refused = (key: string) => ({
  aliases: [],
  label: "-",
  reload: "restart" as const,
  unsupported: true as const,
  doc: "Not supported yet.",
  apply: (_: unknown, node: ConfigNode, reading: { error(n: ConfigNode, t: string): undefined }) =>
    reading.error(node, `${key} is not supported yet`),
});

const definition: SchemaDefinition<TlsOptions> = {
  name: "tls",
  rows,
  computed: {},
  directives: {
    ocsp_peer: refused("ocsp_peer"),
    cert_store: refused("cert_store"),
    cert_match_by: refused("cert_match_by"),
    cert_match: refused("cert_match"),
    ca_certs_match: refused("ca_certs_match"),
    cert_match_skip_invalid: refused("cert_match_skip_invalid"),
  },
  unknownField: (key) => `${PREFIX}, unknown field ${quote(key)}`,
  finish(draft, node, reading) {
    const fault = tlsFault(draft);
    if (fault !== null) reading.error(node, fault);
  },
};

export const TLS = defineSchema(definition);

function tlsFault(tls: TlsOptions): string | null {
  if (tls.certs.length > 0 && tls.certFile !== null) {
    return `${PREFIX}, cannot combine 'cert_file' option with 'certs' option`;
  }
  const weak = tls.cipherSuites.filter((name) => INSECURE_CIPHER_SUITES.includes(name));
  if (weak.length > 0 && !tls.allowInsecureCipherSuites) {
    const option = "'allow_insecure_cipher_suites' option set";
    return `insecure cipher suites configured without ${option}: ${weak.join(", ")}`;
  }
  if (tls.certFile !== null && tls.keyFile === null) {
    return "missing 'key_file' in TLS configuration";
  }
  return tls.certFile === null && tls.keyFile !== null
    ? "missing 'cert_file' in TLS configuration"
    : null;
}

/** The block between servers: each side checks the other's certificate. */
export const TLS_BETWEEN_SERVERS = defineSchema<TlsOptions>({
  ...definition,
  name: "cluster.tls",
  rows: {
    ...rows,
    verify_cert_and_check_known_urls: {
      ...rows.verify_cert_and_check_known_urls,
      kind: tlsFlag("verify_cert_and_check_known_urls"),
      also(draft, value) {
        if (value) draft.verify = true;
      },
    },
  },
});

/** A `tls` block whose files are there and fit together. */
export const tlsBlock: Kind<TlsOptions> = {
  label: "block",
  schema: TLS,
  read(node, reading) {
    const before = reading.errors.length;
    const tls = readBlock(TLS, node, reading);
    if (tls === undefined || reading.errors.length > before) return undefined;
    const fault = reading.host?.checkTls?.(tls) ?? null;
    return fault === null ? tls : reading.error(node, fault);
  },
};

/** The row of a `tls` member. */
export function tlsRow<B>(doc: string): Row<TlsOptions | null, B> {
  return { aliases: [], kind: tlsBlock, fallback: null, reload: "hot", doc };
}
