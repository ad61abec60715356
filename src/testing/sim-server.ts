/**
 * A simulated server: one engine, its sockets on the simulated network, its remotes. It can crash (its peers see
 * a reset, or nothing at all) and start again with a new engine, as a process would.
 */
import { Engine, type Link, type LinkId, type LinkPlace, type Outlet } from "../core/index.ts";
import type { Alarm } from "./clock.ts";
import {
  engineOptions,
  type EngineOptionsInput,
  type LogLine,
  type TableAuthenticator,
  testWorld,
} from "./fixtures.ts";
import type { SimSocket } from "./network.ts";
import { SimRemote } from "./sim-remote.ts";
import type { Simulation } from "./simulation.ts";

const LOG_KEPT = 400;

export class SimServer implements Outlet {
  readonly sim: Simulation;
  readonly name: string;
  readonly authenticator: TableAuthenticator;
  readonly #input: EngineOptionsInput;
  engine: Engine;
  isRunning = true;
  /** Counts starts, so that what belonged to an earlier life can be told apart. */
  life = 0;
  readonly remotes: SimRemote[] = [];
  /** The last lines of the log. */
  readonly lines: LogLine[] = [];
  readonly #sockets = new Map<LinkId, SimSocket>();
  #opening: SimSocket | null = null;
  #alarm: Alarm | null = null;
  #alarmAt = 0;

  constructor(
    sim: Simulation,
    name: string,
    input: EngineOptionsInput,
    authenticator: TableAuthenticator,
  ) {
    this.sim = sim;
    this.name = name;
    this.#input = input;
    this.authenticator = authenticator;
    this.engine = this.#makeEngine();
  }

  #makeEngine(): Engine {
    this.life++;
    const options = engineOptions({
      serverId: `N${this.name.toUpperCase()}${this.life}`,
      serverName: this.name,
      pingInterval: 10_000,
      ...this.#input,
    });
    const world = testWorld(this.sim.random.fork(), (line) => this.#log(line));
    const engine = new Engine(options, world, this, this.authenticator, {
      ready: (link) => this.#remoteOf(link)?.ready(),
      closed: (link) => this.#remoteOf(link)?.linkClosed(link),
    });
    engine.now = this.sim.clock.now;
    return engine;
  }

  #remoteOf(link: Link): SimRemote | undefined {
    const spec = link.leaf?.remote ?? null;
    return spec === null ? undefined : this.remotes.find((remote) => remote.spec === spec);
  }

  #log(line: LogLine): void {
    this.lines.push(line);
    if (this.lines.length > LOG_KEPT) this.lines.shift();
    if (line.text.startsWith("Internal error")) this.sim.fault(`${this.name}: ${line.text}`);
    this.sim.log?.(`${this.name} [${line.level}] ${line.label} ${line.text}`);
  }

  /** Whether some line of the log holds `part`. */
  logged(part: string): boolean {
    return this.lines.some((line) => line.text.includes(part));
  }

  addRemote(remote: SimRemote): void {
    this.remotes.push(remote);
    if (this.isRunning) remote.start();
  }

  acceptClient(socket: SimSocket): Link {
    return this.#open(socket, (place, now) => this.engine.openClient(place, now));
  }

  acceptLeaf(socket: SimSocket): Link {
    return this.#open(socket, (place, now) =>
      this.engine.openLeaf({ ...place, connectionType: "LEAFNODE" }, now),
    );
  }

  openRemote(socket: SimSocket, remote: SimRemote): Link {
    return this.#open(socket, (place, now) =>
      this.engine.openRemote({ ...place, connectionType: "LEAFNODE" }, remote.spec, now),
    );
  }

  #open(socket: SimSocket, open: (place: LinkPlace, now: number) => Link): Link {
    this.#opening = socket;
    const place = {
      host: "127.0.0.1",
      port: this.sim.nextPort(),
      connectionType: "STANDARD" as const,
    };
    const link = open(place, this.sim.clock.now);
    this.#opening = null;
    if (this.engine.isOpen(link)) {
      const { engine } = this;
      this.#sockets.set(link.id, socket);
      const now = (): number => this.sim.clock.now;
      const alive = (): boolean => this.engine === engine && this.#sockets.get(link.id) === socket;
      socket.handler = {
        data: (chunk, owned) => {
          if (!alive()) return;
          engine.receive(link.id, chunk, now(), owned);
          this.rearm();
        },
        closed: () => {
          if (!alive()) return;
          this.#sockets.delete(link.id);
          engine.closed(link.id, "Client Closed", now());
          this.rearm();
        },
        drained: (queued) => {
          if (!alive()) return;
          engine.drained(link.id, queued, now());
          this.rearm();
        },
      };
    }
    this.rearm();
    return link;
  }

  /** Looks at the engine's next deadline after it was called. */
  rearm(): void {
    const next = this.engine.nextDeadline();
    if (this.#alarm !== null && next !== null && this.#alarmAt <= next) return;
    this.sim.clock.cancel(this.#alarm);
    this.#alarm = null;
    if (next === null || !this.isRunning) return;
    this.#alarmAt = next;
    this.#alarm = this.sim.clock.at(next, () => {
      this.#alarm = null;
      this.engine.advance(this.sim.clock.now);
      this.rearm();
    });
  }

  /** Ends the process. `silent`: the machine is gone, and no peer hears of it. */
  crash(silent = false): void {
    if (!this.isRunning) return;
    this.isRunning = false;
    this.sim.clock.cancel(this.#alarm);
    this.#alarm = null;
    for (const remote of this.remotes) remote.stop();
    for (const socket of this.#sockets.values()) {
      if (silent) socket.vanish();
      else socket.end(false);
    }
    this.#sockets.clear();
  }

  restart(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.engine = this.#makeEngine();
    for (const remote of this.remotes) remote.start();
  }

  /** An orderly end: every link is closed by the engine. */
  shutdown(): void {
    for (const remote of this.remotes) remote.stop();
    for (const link of this.engine.links.values()) this.engine.close(link, "Server Shutdown");
    this.engine.flush();
    this.rearm();
  }

  /** Bytes that the network holds for or from this server. */
  get heldBytes(): number {
    let sum = 0;
    for (const socket of this.#sockets.values()) sum += socket.heldBytes;
    return sum;
  }

  get socketCount(): number {
    return this.#sockets.size;
  }

  write(id: LinkId, frame: Uint8Array): number {
    return this.#socket(id)?.write(frame) ?? 0;
  }

  writev(id: LinkId, frames: readonly Uint8Array[]): number {
    let queued = 0;
    for (const frame of frames) queued = this.#socket(id)?.write(frame) ?? 0;
    return queued;
  }

  close(id: LinkId, flush: boolean): void {
    const socket = this.#socket(id);
    this.#sockets.delete(id);
    socket?.end(flush);
  }

  pause(id: LinkId): void {
    this.#socket(id)?.pause();
  }

  resume(id: LinkId): void {
    this.#socket(id)?.resume();
  }

  startTls(): void {
    this.sim.fault(`${this.name}: TLS is not simulated`);
  }

  compress(): void {
    this.sim.fault(`${this.name}: compression is not simulated`);
  }

  #socket(id: LinkId): SimSocket | null {
    return this.#sockets.get(id) ?? this.#opening;
  }
}
