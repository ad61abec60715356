/**
 * Reload: another configuration for a running server, whole or not at all. What may change, and the lines and
 * refusals, come from the table of options; here is what the change does to live links and remotes.
 */
import {
  diffOptions,
  needsNewLink,
  remoteIdentity,
  type Options,
  type OptionsOrigin,
} from "../config/index.ts";
import { KIND_CLIENT, KIND_LEAF, WIRE_ERRORS, type Link } from "../core/index.ts";
import { checkReloadedAdvertise } from "./advertise.ts";
import { now } from "./clock.ts";
import { recheckPinnedCerts } from "./pinned-certs.ts";
import type { FrondServer } from "./server.ts";

export async function applyReload(
  server: FrondServer,
  wanted: Options,
  origin: OptionsOrigin | null,
): Promise<void> {
  const before = server.options;
  const options = keepPorts(wanted, server);
  const diff = diffOptions(before, options);
  const refusal = diff.refusals[0];
  if (refusal !== undefined) throw new Error(refusal);
  checkReloadedAdvertise(options);
  // Certificates are read before anything changes: a bad file must change nothing.
  const certificates = fingerprints(server);
  server.useOptions(options, origin);
  const lines = diff.changes.flatMap((change) => change.log);
  const renewed = "Reloaded: tls = enabled";
  const isRenewed =
    before.tls !== null && options.tls !== null && certificates !== fingerprints(server);
  if (isRenewed && !lines.includes(renewed)) lines.unshift(renewed);
  for (const line of lines) server.log("notice", "", line);
  recheckPinnedCerts(server.engine, before, options, (text) => server.log("notice", "", text));
  reloadRemotes(server, options);
  reauthorize(server);
  closeAboveLimit(server, options.maxConnections);
}

/** The certificates that clients are shown. */
function fingerprints({ listeners }: FrondServer): string {
  const identities = listeners.clientTls?.identities ?? [];
  return identities.map(({ certificate }) => certificate.fingerprint256).join();
}

/** A port given as -1 stays what it was bound to. */
function keepPorts(options: Options, server: FrondServer): Options {
  const old = server.options;
  const leaf =
    options.leafnodes.port === -1 && old.leafnodes.port !== 0 ? old.leafnodes.port : null;
  return {
    ...options,
    port: options.port === -1 ? old.port : options.port,
    httpPort: options.httpPort === -1 ? old.httpPort : options.httpPort,
    leafnodes: leaf === null ? options.leafnodes : { ...options.leafnodes, port: leaf },
  };
}

function reloadRemotes(server: FrondServer, options: Options): void {
  const wanted = new Map(
    options.leafnodes.remotes.map((remote) => [remoteIdentity(remote), remote]),
  );
  for (const remote of server.remotes.slice()) {
    const { identity } = remote;
    const next = wanted.get(identity);
    wanted.delete(identity);
    if (next === undefined) {
      if (remote.addedByProgram) continue;
      server.removeRemote(remote);
    } else if (next.disabled !== remote.options.disabled) {
      remote.replaceOptions(next);
      if (next.disabled) remote.stop("Client Closed", false);
      else remote.start();
    } else {
      const anew = needsNewLink(remote.options, next);
      remote.replaceOptions(next);
      if (anew) remote.redial();
    }
  }
  for (const remote of wanted.values()) server.addRemote(remote);
}

/** Every client is asked again who it is; those that are no longer welcome go, others get their new rules. */
function reauthorize(server: FrondServer): void {
  const { engine } = server;
  engine.now = now();
  for (const link of engine.links.values()) {
    if (link.kind === KIND_CLIENT && link.connected && link.state === "active") {
      engine.reauthorize(link);
      if (engine.isOpen(link)) server.system.events.connected(link);
    } else if (link.kind === KIND_LEAF && link.maxPayload >= 0) {
      link.maxPayload = Math.min(link.maxPayload, engine.options.maxPayload);
    }
  }
  engine.flush();
}

function closeAboveLimit(server: FrondServer, limit: number): void {
  const { engine } = server;
  const clients = [...engine.links.values()].filter((link) => link.kind === KIND_CLIENT);
  const excess: Link[] = limit < 0 ? clients : clients.slice(limit);
  if (excess.length === 0) return;
  for (const link of excess) {
    engine.fail(link, WIRE_ERRORS.maxConnections, "Maximum Connections Exceeded");
  }
  server.log("notice", "", `Closed ${excess.length} connections to fall within max_connections`);
  engine.flush();
}
