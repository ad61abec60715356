/** The files by which other programs find this process: its id, and the ports it has opened. */
import { unlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileErrorText } from "../../server/os-error.ts";

/** Throws an error whose message is fit to print. It is never removed, as in nats-server. */
export function writePidFile(path: string): void {
  writeFile(path, String(process.pid), 0o600);
}

/** `<directory>/<program>_<pid>.ports`. */
export function portsFilePath(directory: string): string {
  const program = basename(process.argv[1] ?? "frond-server").replace(/\.[cm]?[jt]s$/, "");
  return join(directory, `${program}_${process.pid}.ports`);
}

/** URLs by kind of listener. */
export interface Ports {
  readonly nats: readonly string[];
  readonly monitoring: readonly string[];
  readonly websocket: readonly string[];
  readonly leafnodes: readonly string[];
}

/** Writes the kinds that there are. Throws an error whose message is fit to print. */
export function writePortsFile(path: string, ports: Ports): void {
  const { nats, monitoring, websocket, leafnodes } = ports;
  const kinds = Object.entries({ nats, monitoring, websocket, leafnodes });
  const open = Object.fromEntries(kinds.filter(([, urls]) => urls.length > 0));
  writeFile(path, JSON.stringify(open), 0o666);
}

/** Throws an error whose message is fit to print. */
export function removePortsFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    throw new Error(fileErrorText("remove", path, error), { cause: error });
  }
}

function writeFile(path: string, text: string, mode: number): void {
  try {
    writeFileSync(path, text, { mode });
  } catch (error) {
    throw new Error(fileErrorText("open", path, error), { cause: error });
  }
}
