/**
 * A simulated remote: dials its hub on virtual time, and after every end tries again, with the server's back-off
 * (the reconnect interval after a link that was up, else doubling with full jitter).
 */
import type { Link, RemoteSpec } from "../core/index.ts";
import type { Alarm } from "./clock.ts";
import { remoteSpec } from "./fixtures.ts";
import { FAST_LINE, type LineOptions, type SimConnection } from "./network.ts";
import type { SimServer } from "./sim-server.ts";

export interface RemoteInput extends Partial<Omit<RemoteSpec, "credentials">> {
  /** The name of the hub's user; "" by default. */
  readonly user?: string;
  readonly line?: LineOptions;
  readonly reconnect?: number;
  readonly reconnectMax?: number;
}

const DIAL_TIMEOUT = 1000;

export class SimRemote {
  readonly server: SimServer;
  readonly hub: SimServer;
  readonly spec: RemoteSpec;
  readonly user: string;
  line: LineOptions;
  /** Nobody can be reached over this remote, while true. */
  isPartitioned = false;
  connection: SimConnection | null = null;
  /** Our end and the hub's end of the link. */
  link: Link | null = null;
  hubLink: Link | null = null;
  /** The handshake is over on our end. */
  isUp = false;
  /** Grows whenever the path over this remote breaks; what is sent across such a change may be lost. */
  epoch = 0;
  readonly #reconnect: number;
  readonly #reconnectMax: number;
  #isStopped = false;
  #failures = 0;
  #alarm: Alarm | null = null;

  constructor(server: SimServer, hub: SimServer, input: RemoteInput = {}) {
    const { user = "", line = FAST_LINE, reconnect = 1000, reconnectMax = 8000, ...spec } = input;
    this.server = server;
    this.hub = hub;
    this.user = user;
    this.line = line;
    this.#reconnect = reconnect;
    this.#reconnectMax = reconnectMax;
    this.spec = remoteSpec({
      ...spec,
      credentials: () => (user === "" ? {} : { user }),
    });
  }

  start(): void {
    this.#isStopped = false;
    this.#failures = 0;
    this.#sleep(0);
  }

  /** No more attempts; a link that is up stays. */
  stop(): void {
    this.#isStopped = true;
    this.server.sim.clock.cancel(this.#alarm);
    this.#alarm = null;
    this.broke();
    this.connection = null;
    this.link = this.hubLink = null;
  }

  /** Something under way may be lost from here on. */
  broke(): void {
    this.epoch++;
    this.isUp = false;
  }

  ready(): void {
    this.isUp = true;
    this.#failures = 0;
  }

  linkClosed(link: Link): void {
    if (this.link !== null && link !== this.link) return;
    const wasUp = this.isUp;
    this.broke();
    this.link = this.hubLink = null;
    this.connection = null;
    if (!wasUp) this.#failures++;
    const delay = link.leaf?.connectDelay ?? 0;
    if (!this.#isStopped) this.#sleep(delay + (wasUp ? this.#reconnect : this.#backOff()));
  }

  #backOff(): number {
    const most = Math.min(
      this.#reconnectMax,
      this.#reconnect * 2 ** Math.max(0, this.#failures - 4),
    );
    return this.#reconnect + this.server.sim.random.next() * most;
  }

  #sleep(delay: number): void {
    const { clock } = this.server.sim;
    clock.cancel(this.#alarm);
    this.#alarm = clock.after(delay, () => {
      this.#alarm = null;
      this.#dial();
    });
  }

  #dial(): void {
    if (!this.server.isRunning) return;
    const reachable = !this.isPartitioned;
    const delay = reachable ? 2 * this.line.latency : DIAL_TIMEOUT;
    this.#alarm = this.server.sim.clock.after(delay, () => {
      this.#alarm = null;
      if (!reachable || this.isPartitioned || !this.hub.isRunning) {
        this.#failures++;
        this.#sleep(this.#backOff());
        return;
      }
      this.#connected();
    });
  }

  #connected(): void {
    const connection = this.server.sim.connect(this.line);
    this.connection = connection;
    this.broke();
    connection.a.onBreak = connection.b.onBreak = () => {
      if (this.connection === connection) this.broke();
    };
    this.hubLink = this.hub.acceptLeaf(connection.b);
    const link = this.server.openRemote(connection.a, this);
    if (this.server.engine.isOpen(link)) this.link = link;
  }
}
