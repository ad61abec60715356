/**
 * The newest Node, for the benchmarks: npm ships Node itself, so `.reference/node26` is filled by npm and
 * nothing touches the system. As a script it installs if needed and prints the path of the binary.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = "26.10.0";
const root = fileURLToPath(new URL("../.reference/node26", import.meta.url));
const platform = process.platform === "win32" ? "win" : process.platform;
const packageName = `node-${platform}-${process.arch}`;
const binary = resolve(
  root,
  "node_modules",
  packageName,
  "bin",
  platform === "win" ? "node.exe" : "node",
);

/**
 * The path of the newest Node's binary; with `install` it is fetched when missing.
 * @param {{ install: boolean }} options
 * @returns {string | null} null if it is not there.
 */
export function newestNode({ install }) {
  if (Number(process.versions.node.split(".")[0]) >= 26) return process.execPath;
  if (existsSync(binary)) return binary;
  if (!install) return null;
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", root];
  const npm = spawnSync("npm", [...args, `${packageName}@${VERSION}`], {
    stdio: ["ignore", "inherit", "inherit"],
    shell: platform === "win",
  });
  if (npm.status !== 0 || !existsSync(binary)) {
    throw new Error(`npm could not install ${packageName}@${VERSION} into ${root}`);
  }
  return binary;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(newestNode({ install: true }));
}
