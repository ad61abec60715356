/** What the log says of a CONNECT that cannot be read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLIENT_CONNECT, parseFields } from "../../src/core/protocol/connect.ts";

const FAULTS: readonly (readonly [string, string])[] = [
  [
    '{"name":1}',
    "json: cannot unmarshal number into Go struct field ClientOpts.name of type string",
  ],
  [
    '{"verbose":"no"}',
    "json: cannot unmarshal string into Go struct field ClientOpts.verbose of type bool",
  ],
  [
    '{"user":[]}',
    "json: cannot unmarshal array into Go struct field ClientOpts.user of type string",
  ],
  [
    '{"protocol":true}',
    "json: cannot unmarshal bool into Go struct field ClientOpts.protocol of type int",
  ],
  [
    '{"protocol":1e30}',
    "json: cannot unmarshal number into Go struct field ClientOpts.protocol of type int",
  ],
  [
    '{"import":1}',
    "json: cannot unmarshal number into Go struct field ClientOpts.import of type server.SubjectPermission",
  ],
  ["[]", "json: cannot unmarshal array into Go value of type server.ClientOpts"],
];

for (const [json, text] of FAULTS) {
  test(`${json} is refused`, () => assert.equal(parseFields(json, CLIENT_CONNECT), text));
}

test("null has no members", () => {
  const fields = parseFields("null", CLIENT_CONNECT);
  assert.ok(typeof fields !== "string" && fields.values.size === 0);
});
