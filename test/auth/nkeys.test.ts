import assert from "node:assert/strict";
import { test } from "node:test";
import { createAccount, createUser, fromPublic, fromSeed } from "@nats-io/nkeys";
import {
  decodePublicKey,
  decodeSeed,
  encodePublicKey,
  isPublicKey,
  publicKeyOfSeed,
  signatureFault,
  type KeyKind,
} from "../../src/auth/index.ts";
import { Key, NONCE, TestCrypto } from "./fixtures.ts";

const crypto = new TestCrypto();

test("keys of every kind come back from their texts, and begin with their letter", () => {
  const letters: [KeyKind, string][] = [
    ["operator", "O"],
    ["account", "A"],
    ["user", "U"],
    ["server", "N"],
    ["cluster", "C"],
    ["curve", "X"],
  ];
  for (const [kind, letter] of letters) {
    const key = new Key(kind);
    assert.equal(key.public.charAt(0), letter);
    assert.equal(key.public.length, 56);
    assert.equal(key.seed.slice(0, 2), `S${letter}`);
    assert.equal(key.seed.length, 58);
    assert.deepEqual(decodePublicKey(key.public), {
      kind,
      key: crypto.publicKey(key.bytes),
    });
    assert.deepEqual(decodeSeed(key.seed), { kind, key: key.bytes });
    assert.equal(publicKeyOfSeed(crypto, key.seed), kind === "curve" ? null : key.public);
  }
});

test("texts and signatures agree with the client library", () => {
  const ours = new Key("user");
  assert.equal(fromPublic(ours.public).getPublicKey(), ours.public);
  assert.equal(fromSeed(Buffer.from(ours.seed)).getPublicKey(), ours.public);
  for (const theirs of [createUser(), createAccount()]) {
    const seed = Buffer.from(theirs.getSeed()).toString();
    assert.equal(publicKeyOfSeed(crypto, seed), theirs.getPublicKey());
    const sig = Buffer.from(theirs.sign(Buffer.from(NONCE))).toString("base64url");
    assert.equal(signatureFault(crypto, theirs.getPublicKey(), sig, NONCE), null);
  }
});

test("malformed keys are none", () => {
  const { public: good, seed } = new Key("user");
  const broken = good.slice(0, 20) + (good.charAt(20) === "A" ? "B" : "A") + good.slice(21);
  for (const text of [
    "",
    "U",
    good.slice(1),
    good.toLowerCase(),
    `${good}A`,
    broken,
    seed,
    "A".repeat(1e6),
  ]) {
    assert.equal(decodePublicKey(text), null, text.slice(0, 60));
  }
  assert.equal(decodeSeed(good), null);
  assert.equal(isPublicKey(good, "account"), false);
  assert.equal(encodePublicKey("account", new Uint8Array(32)).length, 56);
});

test("a signature is taken in both base64 forms and refused with the reason", () => {
  const key = new Key("user");
  const sig = key.sign(NONCE);
  const standard = Buffer.from(sig, "base64url").toString("base64");
  const rows: [string, string, string | null][] = [
    [sig, NONCE, null],
    [standard, NONCE, null],
    ["", NONCE, "Signature missing"],
    ["!!!", NONCE, "Signature not valid base64"],
    [sig.slice(0, 40), NONCE, "Signature not verified"],
    [sig, "another", "Signature not verified"],
    [key.sign(""), "", "Signature not verified"],
    [new Key("user").sign(NONCE), NONCE, "Signature not verified"],
  ];
  for (const [given, nonce, fault] of rows) {
    assert.equal(signatureFault(crypto, key.public, given, nonce), fault);
  }
  assert.match(signatureFault(crypto, "U123", sig, NONCE) ?? "", /^User nkey not valid: /);
});
