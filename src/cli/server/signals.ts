/** The signals that a running server answers to, and the names it calls them by. */

export interface SignalActions {
  /** Called with the name before each of the others. */
  trapped(name: string): void;
  interrupt(): void;
  terminate(): void;
  reopen(): void;
  lameDuck(): void;
  reload(): void;
  /** An error that nobody caught: the process cannot go on. */
  crashed(error: unknown): void;
}

type Action = Exclude<keyof SignalActions, "trapped" | "crashed">;

const SIGNALS: readonly (readonly [NodeJS.Signals, string, Action])[] = [
  ["SIGINT", "interrupt", "interrupt"],
  ["SIGTERM", "terminated", "terminate"],
  // Node would open its debugger; a listener of one's own keeps it shut.
  ["SIGUSR1", "user defined signal 1", "reopen"],
  ["SIGUSR2", "user defined signal 2", "lameDuck"],
  ["SIGHUP", "hangup", "reload"],
];

/** Installs the handlers for the rest of the process's life. */
export function trapSignals(actions: SignalActions): void {
  for (const [signal, name, action] of SIGNALS) {
    process.on(signal, () => {
      actions.trapped(name);
      actions[action]();
    });
  }
  // Promises that nobody waited for end up here as well.
  process.on("uncaughtException", (error) => actions.crashed(error));
}
