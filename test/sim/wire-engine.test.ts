/** Every wire script, played into an engine whole, a byte at a time, and cut at every place. */
import assert from "node:assert/strict";
import test from "node:test";
import { wireScripts } from "./wire-corpus.ts";
import { cutAt, mainLength, playIntoEngine, singleBytes, whole } from "./wire-engine.ts";

for (const script of wireScripts()) {
  test(`${script.name}: ${script.title}`, () => {
    assert.equal(playIntoEngine(script, whole), null, "whole");
    assert.equal(playIntoEngine(script, singleBytes), null, "a byte at a time");
    const length = mainLength(script);
    for (let at = 1; at < length; at++) {
      assert.equal(playIntoEngine(script, cutAt(at)), null, `cut at byte ${at}`);
    }
  });
}
