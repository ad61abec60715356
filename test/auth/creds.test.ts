import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decoratedJwt,
  decoratedSeed,
  proveByCreds,
  proveByNkey,
  sections,
  signatureFault,
} from "../../src/auth/index.ts";
import { Key, NONCE, TestCrypto } from "./fixtures.ts";

const crypto = new TestCrypto();
const user = new Key("user");
const CREDS = `-----BEGIN NATS USER JWT-----
eyJ0.eyJq-_.c2ln=
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.
NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER NKEY SEED-----
${user.seed}
------END USER NKEY SEED------

*************************************************************
`;

test("a creds file holds a JWT and a seed, whatever its line ends", () => {
  for (const text of [CREDS, CREDS.replaceAll("\n", "\r\n"), `\n\n${CREDS}`, CREDS.trimEnd()]) {
    assert.deepEqual(sections(text), ["eyJ0.eyJq-_.c2ln=", user.seed]);
    assert.equal(decoratedJwt(text), "eyJ0.eyJq-_.c2ln=");
    assert.equal(decoratedSeed(text), user.seed);
  }
});

test("plain files are their own content", () => {
  assert.equal(decoratedJwt("eyJ0.x.y\n"), "eyJ0.x.y");
  assert.equal(decoratedSeed(`hello\n ${user.seed} \n`), user.seed);
  assert.equal(decoratedSeed("hello"), null);
});

test("proofs are signatures of the nonce", () => {
  const byCreds = proveByCreds(crypto, CREDS, NONCE);
  const byNkey = proveByNkey(crypto, user.seed, NONCE);
  assert.ok(byCreds.ok && byNkey.ok);
  assert.equal(byCreds.proof.jwt, "eyJ0.eyJq-_.c2ln=");
  assert.equal(byNkey.proof.nkey, user.public);
  for (const { sig } of [byCreds.proof, byNkey.proof]) {
    assert.equal(signatureFault(crypto, user.public, sig, NONCE), null);
  }
});

test("malformed files say what is wrong", () => {
  const rows: [string, string][] = [
    ["", "Credentials file malformed"],
    [CREDS.slice(0, 120), "Credentials file malformed"],
    [CREDS.replace("-----BEGIN USER", "BEGIN"), "Credentials file malformed"],
    [CREDS.replace(user.seed, "SUABC"), "Credentials file has malformed seed"],
  ];
  for (const [text, fault] of rows) {
    assert.deepEqual(proveByCreds(crypto, text, NONCE), { ok: false, fault });
  }
  assert.deepEqual(proveByNkey(crypto, "SUX", NONCE), {
    ok: false,
    fault: "Remote nkey has malformed seed",
  });
});
