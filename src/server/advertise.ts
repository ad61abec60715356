/** What a server tells others to dial instead of where it listens: `host[:port]`. */
import type { Options } from "../config/index.ts";
import { StartError } from "./start-error.ts";

export interface Advertised {
  readonly host: string;
  readonly port: number;
}

/** A port that is left out, 0 or -1 is the one listened on. Returns what is wrong as a text, as Go would. */
export function parseAdvertise(text: string, defaultPort: number): Advertised | string {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  const plain = /^([^:[\]]*)(?::([^:[\]]*))?$/.exec(text);
  const match = bracketed ?? plain;
  if (match === null) {
    const many = text.split(":").length > 2 && !text.startsWith("[");
    return `address ${text}: ${many ? "too many colons in address" : "missing ']' in address"}`;
  }
  const host = (match[1] ?? "").trim();
  const digits = match[2]?.trim();
  if (digits === undefined) return { host, port: defaultPort };
  if (!/^[+-]?\d+$/.test(digits)) {
    return `strconv.Atoi: parsing ${JSON.stringify(digits)}: invalid syntax`;
  }
  const port = Number(digits);
  return { host, port: port === 0 || port === -1 ? defaultPort : port };
}

/** Throws a StartError where one of the advertised addresses is none. */
export function checkAdvertised({ clientAdvertise, leafnodes, websocket }: Options): void {
  const fault = (text: string | null, inUse: boolean): string => {
    const parsed = text === null || text === "" || !inUse ? "" : parseAdvertise(text, 0);
    return typeof parsed === "string" ? parsed : "";
  };
  const ofWebsocket = fault(websocket?.advertise ?? null, (websocket?.port ?? 0) !== 0);
  if (ofWebsocket !== "") throw bad(`Unable to get websocket connect URLs: ${ofWebsocket}`);
  const ofLeaves = fault(leafnodes.advertise, leafnodes.port !== 0);
  if (ofLeaves !== "") {
    const value = `LeafNode.Advertise value of ${leafnodes.advertise ?? ""}`;
    throw bad(`Error setting leafnode INFO with ${value}, err=${ofLeaves}`);
  }
  const ofClients = fault(clientAdvertise, true);
  if (ofClients !== "") {
    const value = `ClientAdvertise value of ${clientAdvertise ?? ""}`;
    throw bad(`Error setting server INFO with ${value}, err=${ofClients}`);
  }
}

/** The same for a reload, where only the clients' may change. */
export function checkReloadedAdvertise({ clientAdvertise }: Options): void {
  if (clientAdvertise === null || clientAdvertise === "") return;
  const parsed = parseAdvertise(clientAdvertise, 0);
  if (typeof parsed !== "string") return;
  throw new Error(`invalid ClientAdvertise value of ${clientAdvertise}, err=${parsed}`);
}

function bad(text: string): StartError {
  return new StartError("BAD_OPTIONS", text);
}
