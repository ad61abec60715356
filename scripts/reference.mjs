/**
 * Makes the reference binaries available and prints where each one is: nats-server and the nats CLI of the
 * pinned versions (from PATH, or built by `go install` into `.reference/bin`), and Debian's older
 * nats-server, unpacked into `.reference/debian` so that it shadows nothing.
 *
 * `node scripts/reference.mjs [--no-debian]`; other scripts import `referenceServer()` instead.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const NATS_SERVER_VERSION = "2.15.2";
export const NATS_CLI_VERSION = "0.5.1";
const DEBIAN_VERSION = "2.9.10";

const root = fileURLToPath(new URL("../.reference", import.meta.url));
const goBin = join(root, "bin");
const exe = process.platform === "win32" ? ".exe" : "";

/**
 * A binary that reports the wanted version: the environment's, one on PATH, or one built before.
 * @param {string} name
 * @param {string} version
 * @param {string | undefined} override
 * @returns {string | null}
 */
function find(name, version, override) {
  const dirs = [...(process.env["PATH"] ?? "").split(delimiter), goBin];
  const candidates = [override, ...dirs.map((dir) => join(dir, name + exe))];
  for (const path of candidates) {
    if (path === undefined || !existsSync(path)) continue;
    const run = spawnSync(path, ["--version"], { encoding: "utf8" });
    if (run.status === 0 && `${run.stdout}${run.stderr}`.includes(version)) return path;
  }
  return null;
}

/**
 * @param {string} name
 * @param {string} version
 * @param {string} module
 * @returns {string}
 */
function build(name, version, module) {
  mkdirSync(goBin, { recursive: true });
  // A module built from its tag reports its own version only where the source holds it; nats-server does.
  const ldflags = name === "nats" ? ["-ldflags", `-X main.version=${version}`] : [];
  const run = spawnSync("go", ["install", ...ldflags, `${module}@v${version}`], {
    env: { ...process.env, GOBIN: goBin, GOTOOLCHAIN: "auto" },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const path = join(goBin, name + exe);
  if (run.status !== 0 || !existsSync(path)) {
    throw new Error(`go install ${module}@v${version} failed; is Go installed?`);
  }
  return path;
}

/**
 * The pinned nats-server; NATS_SERVER in the environment names another place to look first.
 * @param {{ install: boolean }} options
 * @returns {string | null}
 */
export function referenceServer({ install }) {
  const found = find("nats-server", NATS_SERVER_VERSION, process.env["NATS_SERVER"]);
  if (found !== null || !install) return found;
  return build("nats-server", NATS_SERVER_VERSION, "github.com/nats-io/nats-server/v2");
}

/**
 * The pinned nats CLI.
 * @param {{ install: boolean }} options
 * @returns {string | null}
 */
export function referenceCli({ install }) {
  const found = find("nats", NATS_CLI_VERSION, process.env["NATS_CLI"]);
  if (found !== null || !install) return found;
  return build("nats", NATS_CLI_VERSION, "github.com/nats-io/natscli/nats");
}

/**
 * Debian's nats-server, an older peer; null where `apt-get` is missing or cannot download it.
 * @returns {string | null}
 */
export function debianServer() {
  const dir = join(root, "debian");
  const path = join(dir, "usr", "sbin", "nats-server");
  const places = [path, join(dir, "usr", "bin", "nats-server")];
  const present = () => places.find((place) => existsSync(place)) ?? null;
  if (present() !== null) return present();
  mkdirSync(dir, { recursive: true });
  if (spawnSync("apt-get", ["download", "nats-server"], { cwd: dir }).status !== 0) return null;
  const file = readdirSync(dir).find((entry) => entry.endsWith(".deb"));
  if (file === undefined) return null;
  spawnSync("dpkg", ["-x", file, "."], { cwd: dir });
  return present();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(`nats-server ${NATS_SERVER_VERSION}: ${referenceServer({ install: true })}`);
  console.log(`nats ${NATS_CLI_VERSION}: ${referenceCli({ install: true })}`);
  if (!process.argv.includes("--no-debian")) {
    console.log(
      `nats-server ${DEBIAN_VERSION} (Debian): ${debianServer() ?? "not available here (no apt-get, or no such package)"}`,
    );
  }
}
