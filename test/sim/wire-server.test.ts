/** Every wire script, played over TCP into our own server, which reads its setup as configuration text. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { startServer } from "../../src/server/index.ts";
import { configOf, LISTENERS } from "./wire-config.ts";
import { bySetup, wireScripts } from "./wire-corpus.ts";
import { playOverTcp } from "./wire-socket.ts";

for (const scripts of bySetup(wireScripts()).values()) {
  const first = scripts[0];
  if (first === undefined) continue;
  test(`our server with ${JSON.stringify([...first.setup])}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "frond-wire-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const configFile = join(folder, "nats.conf");
    writeFileSync(configFile, LISTENERS + configOf(first.setup));
    const server = await startServer({ configFile });
    t.after(() => server.stop());
    const ports = { client: portOf(server.clientUrl), leaf: portOf(server.leafUrl) };
    for (const script of scripts) {
      await t.test(`${script.name}: ${script.title}`, () => playOverTcp(script, ports));
    }
  });
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
