/** The server's part in the system account, put together. */
import type { Engine, LogLevel } from "../core/index.ts";
import type { MonitorState } from "../monitoring/index.ts";
import { SystemBus } from "./system-bus.ts";
import { SystemEvents } from "./system-events.ts";
import { SystemServices } from "./system-services.ts";

export interface SystemHost {
  readonly engine: Engine;
  readonly onReloadRequest: (() => Promise<void>) | null;
  monitorState(): MonitorState;
  log(level: LogLevel, label: string, text: string): void;
}

const NO_FILE = "can only reload config when a file is provided using -c or --config";

export class System {
  readonly bus: SystemBus;
  readonly events: SystemEvents;

  constructor(host: SystemHost) {
    this.bus = new SystemBus(host);
    this.events = new SystemEvents(this.bus);
    new SystemServices(this.bus, {
      requestReload: () => host.onReloadRequest?.() ?? Promise.reject(new Error(NO_FILE)),
      log: (level, label, text) => host.log(level, label, text),
      publishStatsz: () => this.events.publishStatsz(),
    }).start();
  }

  start(): void {
    this.events.start();
  }

  stop(): void {
    this.events.stop();
  }
}
