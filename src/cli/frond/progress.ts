/** A progress bar, drawn on standard error and only where that is a terminal. */
import { SingleBar } from "cli-progress";

export interface Progress {
  advance(by?: number): void;
  stop(): void;
}

const SILENT: Progress = { advance: () => {}, stop: () => {} };

/** Starts a bar of `total` steps; without a terminal nothing is drawn. */
export function startProgress(label: string, total: number, wanted = true): Progress {
  if (!wanted || !process.stderr.isTTY) return SILENT;
  const bar = new SingleBar({
    format: `${label} {duration_formatted} [{bar}] {percentage}%`,
    barCompleteChar: "=",
    barIncompleteChar: "-",
    hideCursor: true,
    fps: 10,
  });
  bar.start(total, 0);
  return {
    advance: (by = 1) => {
      bar.increment(by);
    },
    stop: () => {
      bar.stop();
    },
  };
}

/** Above this many messages a bar is shown instead of a line for each. */
export const QUIET_ABOVE = 20;
