/** Every wire script, played into the reference over TCP: what proves the scripts themselves. */
import test from "node:test";
import { findReference, startReference } from "./reference.ts";
import { bySetup, wireScripts } from "./wire-corpus.ts";
import { configOf } from "./wire-config.ts";
import { playOverTcp } from "./wire-socket.ts";

const reference = await findReference();

if ("missing" in reference)
  test("wire scripts against the reference", { skip: reference.missing }, () => {});
else {
  for (const scripts of bySetup(wireScripts()).values()) {
    const first = scripts[0];
    if (first === undefined) continue;
    test(`reference with ${JSON.stringify([...first.setup])}`, async (t) => {
      const server = await startReference(reference.command, configOf(first.setup));
      try {
        for (const script of scripts) {
          await t.test(`${script.name}: ${script.title}`, () => playOverTcp(script, server));
        }
      } finally {
        await server.stop();
      }
    });
  }
}
