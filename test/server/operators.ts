/** An operator with accounts, servers in its mode, and users that log in with tokens. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Server, StartOptions } from "../../src/server/index.ts";
import { Key } from "../auth/fixtures.ts";
import { accountToken, operatorToken, userToken } from "../auth/tokens.ts";
import { dialPlain, start, type Peer } from "./peers.ts";

type Json = Record<string, unknown>;

export const seconds = (): number => Math.floor(Date.now() / 1000);

export class Operator {
  readonly key = new Key("operator");
  readonly system = new Key("account");
  /** The tokens that servers start with. */
  readonly preload = new Map<string, string>();
  #issued = seconds();

  constructor() {
    this.preload.set(this.system.public, this.token(this.system));
  }

  get jwt(): string {
    return operatorToken(this.key, { system_account: this.system.public });
  }

  /** A new account that servers know from the start. */
  account(nats: Json = {}): Key {
    const key = new Key("account");
    this.preload.set(key.public, this.token(key, nats));
    return key;
  }

  /** A token of an account, issued later than all before. */
  token(account: Key, nats: Json = {}, top: Json = {}): string {
    return accountToken(this.key, account.public, nats, { iat: ++this.#issued, ...top });
  }

  options(more: StartOptions = {}): StartOptions {
    const resolverPreload = Object.fromEntries(this.preload);
    return {
      host: "127.0.0.1",
      port: -1,
      operator: [this.jwt],
      resolver: { type: "memory" },
      resolverPreload,
      ...more,
    };
  }

  async start(t: TestContext, more: StartOptions = {}): Promise<{ server: Server; log: string[] }> {
    return start(t, this.options(more));
  }

  /** With tokens in a directory; only the system account is there from the start. */
  async startFull(t: TestContext, dir = directory(t)): Promise<{ server: Server; log: string[] }> {
    const system = this.preload.get(this.system.public) ?? "";
    return this.start(t, {
      resolver: { type: "full", dir, allowDelete: true },
      resolverPreload: { [this.system.public]: system },
    });
  }
}

export function directory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "frond-jwt-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A creds file of a new user, readable by its owner alone. */
export function credsFile(
  t: TestContext,
  account: Key,
  mode = 0o600,
): { path: string; seed: string } {
  const user = new Key("user");
  const path = join(directory(t), "user.creds");
  const section = (name: string, body: string): string =>
    `-----BEGIN ${name}-----\n${body}\n------END ${name}------\n\n`;
  const jwt = section("NATS USER JWT", userToken(account, user.public));
  writeFileSync(path, jwt + section("USER NKEY SEED", user.seed), { mode });
  return { path, seed: user.seed };
}

/** Sends CONNECT with this token and a PING; the answers are the test's to await. */
export async function present(t: TestContext, port: number, jwt: string, key: Key): Promise<Peer> {
  const peer = dialPlain(t, port);
  await peer.until(/INFO .*\r\n/);
  const sig = key.sign(String(peer.info["nonce"]));
  const connect = { verbose: false, protocol: 1, headers: true, no_responders: true, jwt, sig };
  peer.received = "";
  peer.send(`CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`);
  return peer;
}

/** A fresh user of this account, past its login. */
export async function user(
  t: TestContext,
  server: Server,
  account: Key,
  nats: Json = {},
): Promise<Peer> {
  const key = new Key("user");
  const peer = await present(t, server.inner.clientPort, userToken(account, key.public, nats), key);
  await peer.until(/PONG/);
  peer.received = "";
  return peer;
}

let boxes = 0;

/** One request; resolves with the payload of the first answer. */
export async function request(peer: Peer, subject: string, payload = ""): Promise<string> {
  const box = `box.${++boxes}`;
  const from = peer.received.length;
  peer.send(`SUB ${box} ${box}\r\nUNSUB ${box} 1\r\n`);
  peer.send(`PUB ${subject} ${box} ${payload.length}\r\n${payload}\r\n`);
  const answer = new RegExp(`MSG ${box} ${box} (?:\\d+ )?\\d+\r\n([^]*)\r\n`);
  await peer.until(answer);
  return answer.exec(peer.received.slice(from))?.[1] ?? "";
}

/** Pushes a token; resolves with the message of the answer, or the description of its error. */
export async function push(system: Peer, jwt: string): Promise<string> {
  return outcome(await request(system, "$SYS.REQ.CLAIMS.UPDATE", jwt));
}

export function outcome(reply: string): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the envelope of all claims services
  const body = JSON.parse(reply) as {
    readonly data?: { readonly message: string };
    readonly error?: { readonly description: string };
  };
  return body.error?.description ?? body.data?.message ?? "";
}
