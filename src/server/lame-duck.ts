/**
 * Lame duck mode: listeners close, clients are told to leave, and after the grace period connections are
 * closed one by one over the rest of the duration; then the server stops.
 */
import { KIND_CLIENT, KIND_LEAF, type Link } from "../core/index.ts";
import type { FrondServer } from "./server.ts";

const MOST_BETWEEN = 1000;

export class LameDuck {
  readonly #server: FrondServer;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #wake: (() => void) | null = null;
  #cancelled = false;

  constructor(server: FrondServer) {
    this.#server = server;
  }

  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  cancel(): void {
    this.#cancelled = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#wake?.();
  }

  async #run(): Promise<void> {
    const server = this.#server;
    server.log("notice", "", "Entering lame duck mode, stop accepting new clients");
    server.system.events.lameDuck();
    server.engine.lameDuck = true;
    await server.closeAcceptors();
    for (const remote of server.remotes) remote.pauseDialling();
    if (this.#links().length > 0) {
      server.sendInfo(true);
      const { lameDuckGracePeriod: grace, lameDuckDuration: duration } = server.options;
      await this.#sleep(grace);
      if (!this.#cancelled) server.log("notice", "", "Closing existing clients");
      await this.#closeAll(Math.max(0, duration - grace));
    }
    if (!this.#cancelled) await server.stop();
  }

  async #closeAll(time: number): Promise<void> {
    const links = this.#links().sort(() => Math.random() - 0.5);
    const between = Math.min(links.length === 0 ? 0 : time / links.length, MOST_BETWEEN);
    for (const link of links) {
      if (this.#cancelled) return;
      this.#server.closeLink(link, "Server Shutdown");
      await this.#sleep(between / 2 + (Math.random() * between) / 2);
    }
  }

  #links(): Link[] {
    return [...this.#server.engine.links.values()].filter(
      (link) => link.kind === KIND_CLIENT || link.kind === KIND_LEAF,
    );
  }

  #sleep(ms: number): Promise<void> {
    if (this.#cancelled) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = setTimeout(resolve, ms);
    });
  }
}
