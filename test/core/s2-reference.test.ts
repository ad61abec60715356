/**
 * Our S2 against the library that nats-server uses, both ways. Needs `go` and its module proxy.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcessByStdio } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { test } from "node:test";
import type { CompressionMode } from "../../src/core/index.ts";
import { S2Workspace } from "../../src/core/bytes/s2-block.ts";
import { S2Decoder } from "../../src/core/bytes/s2-decode.ts";
import { S2Encoder } from "../../src/core/bytes/s2-encode.ts";
import { sample, SAMPLE_KINDS, seeded } from "./s2-samples.ts";

/** Requests and answers: one byte (operation, success), four of length, the bytes. */
const GO_PROGRAM = `package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"os"

	"github.com/klauspost/compress/s2"
)

func main() {
	in := bufio.NewReader(os.Stdin)
	for {
		var head [5]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		data := make([]byte, binary.LittleEndian.Uint32(head[1:]))
		io.ReadFull(in, data)
		ok, result := byte(1), []byte(nil)
		if head[0] == 'd' {
			var err error
			if result, err = io.ReadAll(s2.NewReader(bytes.NewReader(data))); err != nil {
				ok, result = 0, []byte(err.Error())
			}
		} else {
			var out bytes.Buffer
			options := []s2.WriterOption{s2.WriterConcurrency(1)}
			switch head[0] {
			case 'u':
				options = append(options, s2.WriterUncompressed())
			case 'b':
				options = append(options, s2.WriterBetterCompression())
			case 'B':
				options = append(options, s2.WriterBestCompression())
			}
			w := s2.NewWriter(&out, options...)
			w.Write(data)
			w.Close()
			result = out.Bytes()
		}
		head[0] = ok
		binary.LittleEndian.PutUint32(head[1:], uint32(len(result)))
		os.Stdout.Write(append(head[:], result...))
	}
}
`;
const GO_MODULE =
  "module s2reference\n\ngo 1.21\n\nrequire github.com/klauspost/compress v1.18.0\n";

function buildReference(): { path: string } | { missing: string } {
  const directory = mkdtempSync(join(tmpdir(), "frond-s2-"));
  writeFileSync(join(directory, "main.go"), GO_PROGRAM);
  writeFileSync(join(directory, "go.mod"), GO_MODULE);
  const go = (...args: string[]): unknown =>
    execFileSync("go", args, { cwd: directory, stdio: "pipe", timeout: 120_000 });
  try {
    go("mod", "tidy");
    go("build", "-o", "s2reference", ".");
    return { path: join(directory, "s2reference") };
  } catch (error) {
    return { missing: `the Go library cannot be built: ${String(error).split("\n")[0]}` };
  }
}

const reference = buildReference();
const missing = "missing" in reference ? reference.missing : false;
if (missing !== false && process.env["FROND_REQUIRE_REFERENCE"] === "1") throw new Error(missing);

class Reference {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  #buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  constructor(path: string) {
    this.#process = spawn(path, { stdio: ["pipe", "pipe", "inherit"] });
    this.#process.stdout.on("data", (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      this.#wake();
    });
  }

  async ask(operation: string, input: Uint8Array): Promise<{ ok: boolean; bytes: Buffer }> {
    const head = Buffer.alloc(5);
    head.write(operation);
    head.writeUInt32LE(input.length, 1);
    this.#process.stdin.write(Buffer.concat([head, input]));
    await this.#until(5);
    const length = this.#buffer.readUInt32LE(1);
    await this.#until(5 + length);
    const ok = this.#buffer[0] === 1;
    const bytes = Buffer.from(this.#buffer.subarray(5, 5 + length));
    this.#buffer = this.#buffer.subarray(5 + length);
    return { ok, bytes };
  }

  async #until(length: number): Promise<void> {
    while (this.#buffer.length < length) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  stop(): void {
    this.#process.stdin.end();
  }
}

const MODES: readonly [CompressionMode, string][] = [
  ["s2_uncompressed", "u"],
  ["s2_fast", "f"],
  ["s2_better", "b"],
  ["s2_best", "B"],
];
const CASES_PER_MODE = Number(process.env["FROND_S2_CASES"] ?? 150);

test("Go reads what we write, and we read what Go writes", { skip: missing }, async () => {
  assert.ok("path" in reference);
  const go = new Reference(reference.path);
  const workspace = new S2Workspace();
  const random = seeded(Number(process.env["FROND_S2_SEED"] ?? 7));
  for (const [mode, operation] of MODES) {
    for (let run = 0; run < CASES_PER_MODE; run++) {
      const kind = SAMPLE_KINDS[run % SAMPLE_KINDS.length] ?? "text";
      const most = run % 29 === 0 ? 3_000_000 : run % 5 === 0 ? 200_000 : 2000;
      const input = sample(kind, Math.floor(random() * most), random);
      const where = `${mode} ${kind} ${input.length}`;
      const pieces: Uint8Array[] = [];
      new S2Encoder(mode, workspace).encode([input], pieces);
      const read = await go.ask("d", Buffer.concat(pieces));
      assert.ok(read.ok, `${where}: ${read.bytes.toString()}`);
      assert.equal(Buffer.compare(read.bytes, input), 0, where);
      const written = await go.ask(operation, input);
      const decoded: Uint8Array[] = [];
      const sink = { data: (bytes: Uint8Array): void => void decoded.push(new Uint8Array(bytes)) };
      assert.equal(new S2Decoder().read(written.bytes, sink), null, where);
      assert.equal(Buffer.compare(Buffer.concat(decoded), input), 0, where);
    }
  }
  go.stop();
});
