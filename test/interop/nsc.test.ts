/**
 * Operators, accounts and users made by `nsc`, pushed to a server whose configuration it wrote: what its commands
 * report, and what becomes of clients and leaf nodes. The same against both servers, so that each holds the other.
 */
import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { execFile } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import {
  type AuthorizationRequest,
  decode,
  encodeAuthorizationResponse,
  encodeUser,
} from "@nats-io/jwt";
import {
  type Authenticator,
  credsAuthenticator,
  jwtAuthenticator,
  type Msg,
  type NatsConnection,
  type Subscription,
  usernamePasswordAuthenticator,
} from "@nats-io/nats-core";
import { fromCurveSeed, fromPublic, fromSeed } from "@nats-io/nkeys";
import { connect } from "@nats-io/transport-node";
import {
  directory,
  frondServer,
  natsServer,
  type Output,
  type Program,
  ServerUnderTest,
  skipWithout,
  until,
} from "./servers.ts";

const nsc: Program = {
  name: "nsc",
  command: ["nsc"],
  missing: onPath("nsc") ? "" : "nsc is not installed here",
};

function onPath(name: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** An operator with its system account, its keys and a server, all of them in directories of their own. */
class Realm {
  readonly #dir: string;

  private constructor(t: TestContext) {
    this.#dir = directory(t);
  }

  static async create(t: TestContext): Promise<Realm> {
    const realm = new Realm(t);
    await realm.nsc("add operator --generate-signing-key --sys --name O");
    return realm;
  }

  /** One command, its words parted by spaces, which may fail. */
  attempt(command: string): Promise<Output> {
    const env: NodeJS.ProcessEnv = {
      PATH: process.env["PATH"],
      HOME: this.#dir,
      NSC_HOME: join(this.#dir, "home"),
      XDG_CONFIG_HOME: join(this.#dir, "config"),
      XDG_DATA_HOME: join(this.#dir, "data"),
    };
    const options = { cwd: this.#dir, env, timeout: 15_000 };
    return new Promise((resolve) => {
      execFile("nsc", command.split(" "), options, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
      });
    });
  }

  /** One command that must work; resolves with all that it prints. */
  async nsc(command: string): Promise<string> {
    const { code, out, err } = await this.attempt(command);
    equal(code, 0, `nsc ${command}\n${out}${err}`);
    return out + err;
  }

  /** A new account with one user, of the same name in small letters. */
  async account(name: string): Promise<void> {
    await this.nsc(`add account --name ${name}`);
    await this.nsc(`add user --account ${name} --name ${name.toLowerCase()}`);
  }

  /** One field of the claims of an account, as JSON. */
  async field(account: string, path: string): Promise<string> {
    return (await this.nsc(`describe account ${account} -J --field ${path}`)).trim();
  }

  async id(account: string): Promise<string> {
    return unquoted(await this.field(account, "sub"));
  }

  /** The path of a new creds file. */
  async creds(account: string, user = account.toLowerCase()): Promise<string> {
    const path = join(this.#dir, `${account}-${user}.creds`);
    await this.nsc(`generate creds -a ${account} -n ${user} -o ${path}`);
    return path;
  }

  /** The seed of a key that nsc made. */
  seed(key: string): Uint8Array {
    const keys = join(this.#dir, "data/nats/nsc/keys/keys");
    return readFileSync(join(keys, key.slice(0, 1), key.slice(1, 3), `${key}.nk`));
  }

  path(name: string): string {
    return join(this.#dir, name);
  }

  /** A server with the configuration that nsc writes for it. */
  async server(t: TestContext, kind: Program, how: Setup = {}): Promise<ServerUnderTest> {
    const { resolver = "nats", allowDelete = true, more = "" } = how;
    const file = this.path("resolver.conf");
    await this.nsc(
      `generate config --${resolver}-resolver --sys-account SYS --config-file ${file}`,
    );
    const written = readFileSync(file, "utf8");
    if (resolver === "nats") match(written, /allow_delete: false/);
    return ServerUnderTest.start(
      t,
      kind,
      `listen: "127.0.0.1:-1"
       leafnodes { listen: "127.0.0.1:-1" }
       ${more}
       ${allowDelete ? written.replace("allow_delete: false", "allow_delete: true") : written}`,
    );
  }
}

interface Setup {
  /** A directory of the server's, filled by pushes, or all that there is within the file. */
  readonly resolver?: "nats" | "mem";
  readonly allowDelete?: boolean;
  /** More of the configuration. */
  readonly more?: string;
}

const unquoted = (json: string): string => json.trim().replaceAll('"', "");

/** Logs in with a creds file, and with a name and password beside it. */
async function login(
  t: TestContext,
  server: ServerUnderTest,
  creds: string,
  user?: string,
  password?: string,
): Promise<Client> {
  const authenticator: Authenticator[] = [credsAuthenticator(readFileSync(creds))];
  if (user !== undefined) authenticator.push(usernamePasswordAuthenticator(user, password));
  const port = await server.clientPort();
  const connection = await connect({ port, authenticator, reconnect: false });
  t.after(() => connection.close());
  return new Client(connection);
}

/** A login fails, for a reason that the server logs: the client may see no more than the end of its socket. */
async function refused(
  t: TestContext,
  server: ServerUnderTest,
  creds: string,
  reason = /authentication error|authorization violation/i,
): Promise<void> {
  const from = server.text.length;
  await rejects(login(t, server, creds));
  await until(
    () => `${reason} in:\n${server.text.slice(from)}`,
    () => reason.test(server.text.slice(from)),
  );
}

/** A client, and the errors that its server told it. */
class Client {
  readonly connection: NatsConnection;
  readonly errors: string[] = [];

  constructor(connection: NatsConnection) {
    this.connection = connection;
    void (async () => {
      for await (const status of connection.status()) {
        if (status.type === "error") this.errors.push(status.error.message);
      }
    })();
  }

  /** Resolves with all that was said once the server has closed the connection. */
  async closed(): Promise<string> {
    const reason = await this.connection.closed();
    return [...this.errors, reason instanceof Error ? reason.message : ""].join("; ");
  }

  /** A subscription that the server has. */
  async subscribe(subject: string): Promise<Subscription> {
    const subscription = this.connection.subscribe(subject);
    await this.connection.flush();
    return subscription;
  }

  /** A service that the server has, which answers with a text. */
  async answer(subject: string, text: string): Promise<void> {
    this.connection.subscribe(subject, {
      callback: (_error, message) => {
        message.respond(text);
      },
    });
    await this.connection.flush();
  }

  async ask(subject: string): Promise<string> {
    return (await this.connection.request(subject, "", { timeout: 5000 })).string();
  }
}

/** Resolves once the server has told this client of an error, which left it connected. */
async function told(client: Client, error: RegExp): Promise<void> {
  await until(
    () => `${error} in ${client.errors.join("; ")}`,
    () => client.errors.some((one) => error.test(one)),
  );
}

async function first(subscription: Subscription): Promise<string> {
  for await (const message of subscription) return `${message.subject} ${message.string()}`;
  return "nothing";
}

for (const kind of [frondServer, natsServer]) {
  suite(
    `nsc and ${kind.name}`,
    { skip: skipWithout(nsc, kind), concurrency: true, timeout: 60_000 },
    () => {
      test("accounts are pushed, compared, pulled, limited, revoked and pruned", async (t) => {
        const realm = await Realm.create(t);
        await realm.account("A");
        await realm.account("B");
        await realm.nsc("add user --account A --name second");
        await realm.nsc("validate -A");
        const server = await realm.server(t, kind);
        const url = `nats://127.0.0.1:${await server.clientPort()}`;
        await realm.nsc(`edit operator --account-jwt-server-url ${url} --service-url ${url}`);
        const [a, second, b] = await Promise.all([
          realm.creds("A"),
          realm.creds("A", "second"),
          realm.creds("B"),
        ]);
        await refused(t, server, a);

        const pushed = await realm.nsc(`push -A -u ${url}`);
        for (const account of ["A", "B", "SYS"]) {
          match(pushed, new RegExp(`pushed "${account}" to nats-server N\\w+: jwt updated`));
        }
        const [one, two, other] = await Promise.all([
          login(t, server, a),
          login(t, server, second),
          login(t, server, b),
        ]);
        await one.answer("q", "42");
        equal(await two.ask("q"), "42");
        await rejects(other.ask("q"), /no responders/);
        match(await realm.nsc("tool req -a A -u a q hello"), /42/);
        match(await realm.nsc("tool rtt -a B -u b"), /round trip time/);

        // What is edited here but not pushed is undone by a pull.
        await realm.nsc("edit account -n A --conns 77");
        equal(await realm.field("A", "nats.limits.conn"), "77");
        const pulled = await realm.nsc("pull -A --overwrite-newer");
        for (const account of ["A", "B", "SYS"]) {
          match(pulled, new RegExp(`stored account "${account}"`));
        }
        equal(await realm.field("A", "nats.limits.conn"), "-1");

        await realm.nsc("edit account -n A --conns 2");
        await realm.nsc("push -a A");
        await refused(t, server, a, /maximum account active connections exceeded/);
        equal(await two.ask("q"), "42");

        await realm.nsc("revocations add-user -a A -n second");
        await realm.nsc("push -a A");
        match(await two.closed(), /revoked/i);
        await refused(t, server, second);
        equal(await (await login(t, server, a)).ask("q"), "42");

        const id = await realm.id("B");
        await realm.nsc("delete account -n B --revoke=false");
        match(await realm.nsc("push -D"), new RegExp(`account ${id} only exists in server`));
        match(await realm.nsc("push -P"), /pruned nats-server N\w+: deleted 1 accounts/);
        match(await other.closed(), /account authentication expired/i);
        await refused(t, server, b);
        equal(await one.ask("q"), "42");
      });

      test("exports, imports, activations and roles hold once pushed", async (t) => {
        const realm = await Realm.create(t);
        await realm.account("A");
        await realm.account("B");
        const id = await realm.id("A");
        await realm.nsc("add export -a A --subject news.>");
        await realm.nsc("add export -a A --subject help --service");
        await realm.nsc("add export -a A --subject inner.> --private");
        const token = realm.path("inner.jwt");
        await realm.nsc(
          `generate activation -a A -t ${await realm.id("B")} -s inner.> -o ${token}`,
        );
        const from = `add import -a B --src-account ${id} --remote-subject`;
        await realm.nsc(`${from} news.> --local-subject from.a.>`);
        await realm.nsc(`${from} help --local-subject ask.a --service`);
        await realm.nsc(`add import -a B --token ${token} --local-subject in.>`);
        // A role, whose subjects name the user.
        await realm.nsc(
          "edit signing-key -a A --sk generate --role desk --allow-pub desk.{{name()}}.> --allow-sub _INBOX.>,desk.{{name()}}.>",
        );
        await realm.nsc("add user -a A -K desk --name ann");
        await realm.nsc("validate -A");
        const server = await realm.server(t, kind);
        const url = `nats://127.0.0.1:${await server.clientPort()}`;
        await realm.nsc(`push -A -u ${url}`);

        const [speaker, listener, ann] = await Promise.all([
          login(t, server, await realm.creds("A")),
          login(t, server, await realm.creds("B")),
          login(t, server, await realm.creds("A", "ann")),
        ]);
        const news = await listener.subscribe("from.a.>");
        const inner = await listener.subscribe("in.>");
        await speaker.answer("help", "here");
        equal(await listener.ask("ask.a"), "here");
        speaker.connection.publish("news.today", "rain");
        speaker.connection.publish("inner.secret", "plan");
        deepEqual([await first(news), await first(inner)], ["from.a.today rain", "in.secret plan"]);

        const desk = await speaker.subscribe("desk.>");
        ann.connection.publish("desk.bob.note", "no");
        ann.connection.publish("desk.ann.note", "yes");
        equal(await first(desk), "desk.ann.note yes");
        await told(ann, /permissions violation for publish to "desk.bob.note"/i);

        // An activation that is revoked ends what it allowed, and nothing else.
        const again = await listener.subscribe("in.>");
        const more = await listener.subscribe("from.a.>");
        await realm.nsc(
          `revocations add-activation -a A --subject inner.> --target-account ${await realm.id("B")}`,
        );
        await realm.nsc(`push -a A -u ${url}`);
        speaker.connection.publish("inner.secret", "none");
        speaker.connection.publish("news.today", "sun");
        equal(await first(more), "from.a.today sun");
        await listener.connection.flush();
        equal(again.getReceived(), 0);
      });

      test("users have the limits and permissions of their tokens, from a file of all accounts", async (t) => {
        const realm = await Realm.create(t);
        await realm.account("A");
        await realm.account("B");
        const [a, b] = [await realm.id("A"), await realm.id("B")];
        await realm.nsc("add mapping -a A --from old.* --to new.{{wildcard(1)}}");
        await realm.nsc(
          "add export -a A --service --subject stats.*.get --account-token-position 2 --response-type Stream",
        );
        await realm.nsc(
          `add import -a B --service --src-account ${a} --remote-subject stats.${b}.get --local-subject stats`,
        );
        await realm.nsc(
          "add export -a A --service --subject slow --latency late.slow --sampling 100",
        );
        await realm.nsc(
          `add import -a B --service --src-account ${a} --remote-subject slow --local-subject slow --share`,
        );
        await realm.nsc(
          "edit account -n B --allow-pub stats,slow,to.me --allow-sub _INBOX.>,to.me --payload 20",
        );
        await realm.nsc("validate -A");
        const server = await realm.server(t, kind, { resolver: "mem" });
        const user = async (name: string, limits: string): Promise<string> => {
          await realm.nsc(`add user -a A --name ${name}`);
          await realm.nsc(`edit user -a A --name ${name} ${limits}`);
          return realm.creds("A", name);
        };
        const [one, other] = [
          await login(t, server, await realm.creds("A")),
          await login(t, server, await realm.creds("B")),
        ];
        const mapped = await one.subscribe("new.*");
        one.connection.publish("old.hat", "x");
        equal(await first(mapped), "new.hat x");

        // What account B may do by its own defaults, and by the exports of A.
        await one.answer("stats.*.get", "10");
        await one.answer("slow", "done");
        const late = await one.subscribe("late.slow");
        const answers: string[] = [];
        const options = { strategy: "count", maxMessages: 1, maxWait: 5000 } as const;
        for await (const answer of await other.connection.requestMany("stats", "", options)) {
          answers.push(answer.string());
        }
        deepEqual(answers, ["10"]);
        equal(await other.ask("slow"), "done");
        match(await first(late), /"type":"io\.nats\.server\.metric\.v1\.service_latency"/);
        other.connection.publish("elsewhere", "");
        await told(other, /permissions violation for publish to "elsewhere"/i);
        equal(other.connection.info?.max_payload, 20);

        await refused(t, server, await user("far", "--source-network 10.0.0.0/8"));
        await refused(t, server, await user("web", "--conn-type WEBSOCKET"));
        await login(
          t,
          server,
          await user("near", "--source-network 127.0.0.0/8 --conn-type STANDARD"),
        );

        const few = await login(t, server, await user("few", "--subs 1"));
        await few.subscribe("one");
        few.connection.subscribe("two");
        await told(few, /maximum subscriptions exceeded/i);

        const responder = await login(
          t,
          server,
          await user("responder", "--allow-sub ask --deny-pub other --allow-pub-response"),
        );
        await responder.answer("ask", "told");
        equal(await one.ask("ask"), "told");
        responder.connection.publish("unasked", "");
        await told(responder, /permissions violation for publish to "unasked"/i);

        // No nonce to sign for one who bears a token.
        const bearer = readFileSync(await user("bearer", "--bearer"), "utf8");
        const jwt = /USER JWT-----\s+(\S+)/.exec(bearer)?.[1] ?? "";
        const borne = await connect({
          port: await server.clientPort(),
          authenticator: jwtAuthenticator(jwt),
        });
        await borne.close();
      });

      test("a callout with sealed messages, its keys from the store, decides about users", async (t) => {
        const realm = await Realm.create(t);
        await realm.account("A");
        await realm.account("AUTH");
        await realm.nsc("add user -a AUTH --name sentinel");
        const service = unquoted(await realm.nsc("describe user -a AUTH -n auth -J --field sub"));
        const target = await realm.id("A");
        await realm.nsc(
          `edit authcallout -a AUTH --auth-user ${service} --allowed-account ${target} --curve generate`,
        );
        await realm.nsc("validate -A");
        const server = await realm.server(t, kind, { resolver: "mem" });
        const curveKey = unquoted(await realm.field("AUTH", "nats.authorization.xkey"));
        const curve = fromCurveSeed(realm.seed(curveKey));
        const issuer = fromSeed(realm.seed(await realm.id("AUTH")));
        const signer = fromSeed(realm.seed(target));
        const auth = await login(t, server, await realm.creds("AUTH"));

        const decide = async (message: Msg): Promise<void> => {
          const sender = message.headers?.get("Nats-Server-Xkey") ?? "";
          const opened = curve.open(message.data, sender) ?? new Uint8Array();
          const { nats: asked } = decode<AuthorizationRequest>(new TextDecoder().decode(opened));
          const user = asked.connect_opts?.user ?? "";
          const subject = fromPublic(asked.user_nkey ?? "");
          const permissions = { pub: { allow: [`${user}.>`], deny: [] } };
          const verdict =
            asked.connect_opts?.pass === "secret"
              ? { jwt: await encodeUser(user, subject, signer, permissions) }
              : { error: "no such user" };
          const answer = await encodeAuthorizationResponse(
            subject,
            fromPublic(asked.server_id?.id ?? ""),
            issuer,
            verdict,
            {},
          );
          message.respond(curve.seal(new TextEncoder().encode(answer), sender));
        };
        auth.connection.subscribe("$SYS.REQ.USER.AUTH", {
          callback: (_error, message) => {
            void decide(message);
          },
        });
        await auth.connection.flush();

        const sentinel = await realm.creds("AUTH", "sentinel");
        const listener = await login(t, server, await realm.creds("A"), "bob", "secret");
        const heard = await listener.subscribe(">");
        const ann = await login(t, server, sentinel, "ann", "secret");
        ann.connection.publish("bob.note", "no");
        ann.connection.publish("ann.note", "yes");
        equal(await first(heard), "ann.note yes");
        await told(ann, /permissions violation for publish to "bob.note"/i);
        await rejects(login(t, server, sentinel, "ann", "wrong"));
        await refused(t, server, sentinel);
      });

      test("over WebSocket, to an operator with signing keys only: nothing is deleted, nothing of others' comes in", async (t) => {
        const realm = await Realm.create(t);
        await realm.nsc("edit operator --require-signing-keys");
        for (const name of ["A", "B"]) {
          await realm.nsc(`add account --name ${name}`);
          await realm.nsc(`edit account -n ${name} --sk generate`);
          await realm.nsc(`add user -a ${name} --name ${name.toLowerCase()}`);
        }
        await realm.nsc("validate -A");
        const more = `websocket { listen: "127.0.0.1:-1", no_tls: true }`;
        const server = await realm.server(t, kind, { more, allowDelete: false });
        const [, port] = await server.said(/Listening for websocket clients on ws:\/\/.*:(\d+)/);
        const url = `ws://127.0.0.1:${port}`;
        match(await realm.nsc(`push -A -u ${url}`), /pushed "A" to nats-server N\w+: jwt updated/);
        const client = await login(t, server, await realm.creds("A"));
        const id = await realm.id("B");
        const kept = await realm.attempt(`push -R ${id} -u ${url}`);
        match(kept.out + kept.err, /delete accounts request by \w+ failed - \w+/);
        await login(t, server, await realm.creds("B"));

        // A user that goes is revoked with it, once that is pushed.
        await realm.nsc("delete user -a A -n a --revoke");
        await realm.nsc(`push -a A -u ${url}`);
        match(await client.closed(), /revoked/i);

        // The account of another operator's.
        const stranger = await Realm.create(t);
        await stranger.account("C");
        const foreign = await stranger.attempt(`push -a C -u ${url}`);
        match(foreign.out + foreign.err, /authorization violation/i);
      });

      test("a leaf node comes in with creds, as many as its account allows", async (t) => {
        const realm = await Realm.create(t);
        await realm.account("A");
        await realm.nsc("edit account -n A --leaf-conns 1");
        const server = await realm.server(t, kind);
        const url = `nats://127.0.0.1:${await server.clientPort()}`;
        await realm.nsc(`push -A -u ${url}`);
        const creds = await realm.creds("A");
        const config = `listen: "127.0.0.1:-1"
          leafnodes {
            reconnect: 1
            remotes = [ {
              url: "nats://127.0.0.1:${await server.leafPort()}", credentials: "${creds}"
            } ]
          }`;
        const leaf = await ServerUnderTest.start(t, frondServer, config);
        await leaf.said(/Leafnode connection created/);
        const service = await login(t, server, creds);
        await service.answer("q", "42");
        const client = await connect({ port: await leaf.clientPort() });
        t.after(() => client.close());
        equal(await answered(client), "42");

        const late = await ServerUnderTest.start(t, frondServer, config);
        await late.said(/maximum account active connections exceeded/);
        await realm.nsc("edit account -n A --leaf-conns 2");
        await realm.nsc(`push -a A -u ${url}`);
        await late.said(/Leafnode connection created/);

        // The user is revoked: its leaf nodes go, and do not come back.
        await realm.nsc("revocations add-user -a A -n a");
        const from = leaf.text.length;
        await realm.nsc(`push -a A -u ${url}`);
        await until(
          () => `the end of the link in:\n${leaf.text}`,
          () => /authorization violation|revoked/i.test(leaf.text.slice(from)),
        );
      });
    },
  );
}

/** The answer, once the news of the service has reached the leaf. */
async function answered(client: NatsConnection): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await client.request("q", "", { timeout: 5000 })).string();
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
