/** Rows for what stands between publish and delivery: permissions, mappings, service imports; and JWT logins. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOperator, createAccount, createUser, encodeOperator } from "@nats-io/jwt";
import { encodeAccount, encodeUser } from "@nats-io/jwt";
import { throughput } from "./messages.mjs";

/** @typedef {import("./row.mjs").Row} Row */

const USER = { user: "bench", pass: "bench" };
const AS = { publishAs: USER, subscribeAs: USER };

const PERMISSIONS = `authorization { users: [ { user: bench, password: bench, permissions: {
  publish: { allow: ["orders.>", "stock.*.moved"], deny: ["orders.secret.>"] }
  subscribe: { allow: ["orders.>", "_INBOX.>"] } } } ] }`;

const MAPPING = `mappings: { "orders.*.created": "shop.{{wildcard(1)}}.new" }`;

const SERVICE_IMPORT = `accounts {
  SHOP: { users: [ { user: shop, password: shop } ], exports: [ { service: "orders.eu.created" } ] }
  WEB: { users: [ { user: web, password: web } ],
    imports: [ { service: { account: SHOP, subject: "orders.eu.created" } } ] } }`;
// The exporter learns who asks from a header that the server adds.
const IMPORT_AS = {
  headersAdded: true,
  publishAs: { user: "web", pass: "web" },
  subscribeAs: { user: "shop", pass: "shop" },
};

const UNLIMITED = {
  conn: -1,
  leaf: -1,
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
};
const LOGINS = 5000;
const USERS = 100;
/** What DER puts before the 32 bytes of an Ed25519 private key. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * @param {Uint8Array} seed an nkey's seed as text: two bytes of prefix, the key, a checksum, in base32
 * @returns {string} the key as PKCS #8, base64 of DER
 */
function pkcs8(seed) {
  let bits = "";
  for (const char of Buffer.from(seed).toString("latin1")) {
    bits += BASE32.indexOf(char).toString(2).padStart(5, "0");
  }
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  return Buffer.concat([PKCS8_HEAD, Buffer.from(bytes.slice(2, 34))]).toString("base64");
}

/** @returns {Promise<{ config: string, users: { jwt: string, pkcs8: string }[] }>} */
async function operatorMode() {
  const operator = createOperator();
  const account = createAccount();
  const operatorJwt = await encodeOperator("bench", operator);
  const accountJwt = await encodeAccount(
    "bench",
    account,
    { limits: UNLIMITED },
    { signer: operator },
  );
  const users = [];
  for (let i = 0; i < USERS; i++) {
    const user = createUser();
    const jwt = await encodeUser(`user-${i}`, user, account, { subs: -1, data: -1, payload: -1 });
    users.push({ jwt, pkcs8: pkcs8(user.getSeed()) });
  }
  const preload = `${account.getPublicKey()}: ${accountJwt}`;
  const config = `operator: ${operatorJwt}\nresolver: MEMORY\nresolver_preload: { ${preload} }`;
  return { config, users };
}

/** @type {Row} */
const jwtStorm = {
  name: "JWT logins",
  metrics: {
    rate: { label: "JWT logins, 64 at a time", unit: "logins/s", better: "higher", atLeast: 1 },
  },
  run: async ({ start, load, quick }) => {
    const { config, users } = await operatorMode();
    const { port, pid } = await start(config);
    const logins = quick ? 200 : LOGINS;
    return load("jwt-storm", { port, pid, users, logins, atATime: 64 });
  },
};

const CONNECTIONS = 1000;
const UPDATES = 10;

/** @type {Row} */
const accountUpdate = {
  name: "account update",
  metrics: {
    stallMs: {
      label: `account JWT updates, ${CONNECTIONS} connections: longest stall of another account`,
      unit: "ms",
      better: "lower",
      below: 20,
    },
  },
  run: async ({ start, load, quick }) => {
    const operator = createOperator();
    const accounts = { system: createAccount(), busy: createAccount(), other: createAccount() };
    const claims = (/** @type {keyof typeof accounts} */ name, /** @type {object} */ more = {}) =>
      encodeAccount(name, accounts[name], { limits: UNLIMITED, ...more }, { signer: operator });
    const userOf = async (/** @type {keyof typeof accounts} */ name) => {
      const user = createUser();
      const jwt = await encodeUser(name, user, accounts[name], { subs: -1, data: -1, payload: -1 });
      return { jwt, pkcs8: pkcs8(user.getSeed()) };
    };
    const preload = [];
    for (const name of /** @type {const} */ (["system", "busy", "other"])) {
      preload.push(`${accounts[name].getPublicKey()}: ${await claims(name)}`);
    }
    const directory = mkdtempSync(join(tmpdir(), "frond-bench-jwt-"));
    try {
      const { port } = await start(`operator: ${await encodeOperator("bench", operator)}
        system_account: ${accounts.system.getPublicKey()}
        resolver: { type: full, dir: "${directory}" }
        resolver_preload: { ${preload.join("\n")} }`);
      const updates = [];
      for (let i = 0; i < UPDATES; i++) {
        const allow = ["work.*", "all", `turn.${i}`];
        updates.push(await claims("busy", { default_permissions: { sub: { allow } } }));
      }
      updates.push(await claims("busy", { limits: { ...UNLIMITED, conn: 10 } }));
      const [user, probe, system] = [
        await userOf("busy"),
        await userOf("other"),
        await userOf("system"),
      ];
      const connections = quick ? 100 : CONNECTIONS;
      return await load("account-update", { port, connections, user, probe, system, updates });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

/** @type {Row[]} */
export const accountRows = [
  throughput("1:1, 128 B with permissions", undefined, AS, PERMISSIONS),
  throughput(
    "1:1, 128 B through a mapping",
    undefined,
    { deliveredSubject: "shop.eu.new" },
    MAPPING,
  ),
  throughput("1:1, 128 B through a service import", undefined, IMPORT_AS, SERVICE_IMPORT),
  jwtStorm,
  accountUpdate,
];
