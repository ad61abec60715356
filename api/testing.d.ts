/** `frond/testing`: whole NATS systems on virtual time, faults on real sockets, and a server to test against. */
export { VirtualClock, type Alarm } from "./clock.ts";
export { Random } from "./random.ts";
export { Simulation, SimulationError, type ServerInput, type SimulationInput, } from "./simulation.ts";
export { FaultProxy, type FaultProxyOptions } from "./fault-proxy.ts";
export { linkPair, type LinkPair, type LinkPairInput } from "./link-pair.ts";
export { FAST_LINE, type LineOptions, SimConnection } from "./network.ts";
export { type SimServer } from "./sim-server.ts";
export { type RemoteInput, type SimRemote } from "./sim-remote.ts";
export { type ClientInput, type Received, type SimClient, type SimSubscription, } from "./sim-client.ts";
export { type Server, startServer, type StartOptions } from "../server/index.ts";
export { runSwarm, type SwarmInput, type SwarmReport } from "./swarm.ts";
