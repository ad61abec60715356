import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeJson, roundTrip, timestamp, uptime } from "../../src/monitoring/index.ts";

test("a timestamp is RFC 3339 with the digits of a second that are not zero", () => {
  const second = Date.UTC(2026, 0, 2, 3, 4, 5);
  for (const [at, text] of [
    [second, "2026-01-02T03:04:05Z"],
    [second + 123, "2026-01-02T03:04:05.123Z"],
    [second + 0.25, "2026-01-02T03:04:05.00025Z"],
    [second + 999.75, "2026-01-02T03:04:05.99975Z"],
    [0, "1970-01-01T00:00:00Z"],
  ] as const) {
    assert.ok(timestamp(at).startsWith(text), `${timestamp(at)} for ${text}`);
  }
});

test("an uptime is whole seconds in the largest units needed", () => {
  const [minute, hour, day] = [60, 3600, 86_400];
  for (const [seconds, text] of [
    [0, "0s"],
    [-3, "0s"],
    [12.9, "12s"],
    [3 * minute, "3m0s"],
    [2 * hour + 5, "2h0m5s"],
    [day + minute + 1, "1d0h1m1s"],
    [367 * day + 3 * hour + 4 * minute + 5, "1y2d3h4m5s"],
  ] as const) {
    assert.equal(uptime(seconds * 1000), text);
  }
});

test("a round trip is a Go duration, in whole microseconds below a millisecond", () => {
  for (const [ms, text] of [
    [0, "0s"],
    [0.0005, "500ns"],
    [0.1239, "123µs"],
    [1.234567, "1.234567ms"],
    [12, "12ms"],
    [1500, "1.5s"],
    [61_000, "1m1s"],
    [3_661_000, "1h1m1s"],
  ] as const) {
    assert.equal(roundTrip(ms), text);
  }
});

test("JSON escapes what Go escapes", () => {
  assert.equal(encodeJson({ a: "x.> <&\u2028" }, 0), '{"a":"x.\\u003e \\u003c\\u0026\\u2028"}');
});
