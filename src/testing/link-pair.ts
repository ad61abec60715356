/** Two servers and the leaf link between them, up and quiet: where most tests of leaf links begin. */
import type { RemoteInput, SimRemote } from "./sim-remote.ts";
import type { SimServer } from "./sim-server.ts";
import { type ServerInput, Simulation, type SimulationInput } from "./simulation.ts";

export interface LinkPairInput extends SimulationInput {
  readonly hub?: ServerInput;
  readonly leaf?: ServerInput;
  readonly remote?: RemoteInput;
}

export interface LinkPair {
  readonly sim: Simulation;
  readonly hub: SimServer;
  readonly leaf: SimServer;
  readonly remote: SimRemote;
}

export function linkPair(input: LinkPairInput = {}): LinkPair {
  const sim = new Simulation(input);
  const hub = sim.server("hub", input.hub);
  const leaf = sim.server("leaf", input.leaf);
  const remote = sim.remote(leaf, hub, input.remote);
  sim.settle();
  sim.check();
  return { sim, hub, leaf, remote };
}
