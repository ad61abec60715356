import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseProxyHeader, type ProxyHeader } from "../../src/transports/node/index.ts";

const ascii = (text: string): Uint8Array => Buffer.from(text, "latin1");
const v2 = (hex: string): Uint8Array =>
  Buffer.from(`0d0a0d0a000d0a515549540a${hex.replaceAll(" ", "")}`, "hex");

const rows: [string, Uint8Array, ProxyHeader][] = [
  [
    "v1 over IPv4",
    ascii("PROXY TCP4 10.0.0.1 10.0.0.2 5000 4222\r\n"),
    { kind: "proxied", bytes: 40, host: "10.0.0.1", port: 5000 },
  ],
  [
    "v1 over IPv6",
    ascii("PROXY TCP6 fe80::1 ::1 65535 4222\r\n"),
    { kind: "proxied", bytes: 35, host: "fe80::1", port: 65535 },
  ],
  ["v1 unknown", ascii("PROXY UNKNOWN anything\r\n"), { kind: "local", bytes: 24 }],
  [
    "v2 over IPv4 with a TLV",
    v2("21 11 0010 0a000001 0a000002 1388 107e 04000100"),
    { kind: "proxied", bytes: 32, host: "10.0.0.1", port: 5000 },
  ],
  [
    "v2 over IPv6",
    v2(`21 21 0024 20010db8000000000000000000000001 ${"00".repeat(16)} 1388 107e`),
    { kind: "proxied", bytes: 52, host: "2001:db8::1", port: 5000 },
  ],
  ["v2 local", v2("20 00 0000"), { kind: "local", bytes: 16 }],
  ["v2 of an unspecified family", v2("21 00 0002 ffff"), { kind: "local", bytes: 18 }],
];
for (const [name, header, expected] of rows) {
  test(`reads ${name}, however it is cut, and nothing after it`, () => {
    for (let end = 1; end < header.length; end++) {
      assert.equal(parseProxyHeader(header.subarray(0, end)), null, `after ${end} bytes`);
    }
    assert.deepEqual(parseProxyHeader(header), expected);
    assert.deepEqual(parseProxyHeader(Buffer.concat([header, ascii("PING\r\n")])), expected);
  });
}

const bad: [string, Uint8Array, string][] = [
  [
    "too few fields",
    ascii("PROXY TCP4 1.2.3.4\r\n"),
    "invalid PROXY protocol header: invalid v1 format",
  ],
  [
    "an address of the other family",
    ascii("PROXY TCP4 ::1 ::1 1 2\r\n"),
    "invalid PROXY protocol header: invalid v1 format",
  ],
  [
    "a port out of range",
    ascii("PROXY TCP4 1.1.1.1 1.1.1.1 70000 2\r\n"),
    "invalid PROXY protocol header: invalid v1 format",
  ],
  [
    "a line without end",
    ascii(`PROXY ${"x".repeat(200)}`),
    "invalid PROXY protocol header: invalid v1 format",
  ],
  [
    "an unknown family",
    ascii("PROXY UDP4 1.1.1.1 1.1.1.1 1 2\r\n"),
    "unsupported PROXY protocol feature",
  ],
  ["another version", v2("11 11 0000"), "invalid PROXY protocol header"],
  ["datagrams", v2("21 12 000c 0a000001 0a000002 1388 107e"), "unsupported PROXY protocol feature"],
  ["a short address", v2("21 11 0004 0a000001"), "invalid PROXY protocol header"],
];
for (const [name, header, error] of bad) {
  test(`refuses ${name}`, () => {
    assert.deepEqual(parseProxyHeader(header), { kind: "malformed", error });
  });
}

test("what is no header is left alone", () => {
  assert.deepEqual(parseProxyHeader(ascii("CONNECT {}\r\n")), { kind: "none" });
  assert.deepEqual(parseProxyHeader(ascii("PRO?")), { kind: "none" });
});

test("garbage never throws", () => {
  fc.assert(
    fc.property(
      fc.uint8Array(),
      (bytes) => void parseProxyHeader(v2(Buffer.from(bytes).toString("hex"))),
    ),
  );
});
