/**
 * Starts and stops the servers under test. A side is how one of the two is run; a server is one process of
 * it, up once its port has said INFO. Every process started here ends with this one.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { referenceServer } from "../../scripts/reference.mjs";

/**
 * @typedef {{ name: "frond" | "nats-server", command: string, args: string[], version: string,
 *             overridden: boolean }} Side
 * @typedef {{ pid: number, port: number, msToInfo: number, stop: () => Promise<void> }} Server
 */

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5_000;
const root = fileURLToPath(new URL("../..", import.meta.url));

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Frond on the given Node; FROND_SERVER_CMD replaces the whole command (`-c file` is appended).
 * @param {string} node
 * @param {string[]} nodeArgs
 * @returns {Side}
 */
export function frondSide(node, nodeArgs) {
  const override = process.env["FROND_SERVER_CMD"];
  if (override !== undefined) {
    const [command = "", ...args] = override.split(" ");
    return { name: "frond", command, args, version: override, overridden: true };
  }
  const script = join(root, "dist/src/cli/frond-server.js");
  if (!existsSync(script)) throw new Error(`${script} is missing: run npm run build first`);
  const args = [...nodeArgs, script];
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const nodeVersion = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  const label = `${version} on Node ${nodeVersion.slice(1)}`;
  return { name: "frond", command: node, args, version: label, overridden: false };
}

/** @returns {Side} */
export function natsSide() {
  const command = referenceServer({ install: true });
  if (command === null) throw new Error("nats-server is missing");
  const said = spawnSync(command, ["--version"], { encoding: "utf8" }).stdout.trim();
  const version = said.replace(/^nats-server: v/, "");
  return { name: "nats-server", command, args: [], version, overridden: false };
}

/** @returns {Promise<number>} a port nobody listens on now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/**
 * One attempt to read INFO from a port.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function saysInfo(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", (/** @type {Buffer} */ data) => {
      socket.destroy();
      resolve(data.toString("latin1", 0, 5) === "INFO ");
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}

/**
 * Starts one server; `config` is its configuration without the client port.
 * @param {Side} side
 * @param {string} config
 * @returns {Promise<Server>}
 */
export async function startServer(side, config) {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), "frond-bench-"));
  const configFile = join(dir, "server.conf");
  const logFile = join(dir, "log.txt");
  writeFileSync(configFile, `host: 127.0.0.1\nport: ${port}\n${config}\n`);
  const log = openSync(logFile, "w");
  const began = performance.now();
  const child = spawn(side.command, [...side.args, "-c", configFile], {
    stdio: ["ignore", log, log],
  });
  running.add(child);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.once("error", () => {});
  void exited.then(() => running.delete(child));
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    if (running.has(child)) await exited;
    clearTimeout(timer);
    rmSync(dir, { recursive: true, force: true });
  };
  while (!(await saysInfo(port))) {
    const late = performance.now() - began > START_TIMEOUT_MS;
    if (late || child.exitCode !== null || child.pid === undefined) {
      const tail = readFileSync(logFile, "utf8").slice(-1500);
      await stop();
      throw new Error(`${side.name} ${late ? "did not say INFO" : "ended at start"}: ${tail}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return { pid: child.pid ?? 0, port, msToInfo: performance.now() - began, stop };
}
